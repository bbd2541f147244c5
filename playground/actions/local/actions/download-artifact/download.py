"""Unpacks an artifact of this run; one of an earlier attempt serves where this one has none."""

import io
import os
import sys
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from urllib.parse import quote


def fetched(name: str) -> bytes | None:
    """Return the newest archive of that name in this run."""
    run = f"{os.environ['SCICLOPS_ARTIFACTS_URL']}/{os.environ['GITHUB_RUN_ID']}"
    for attempt in range(int(os.environ["GITHUB_RUN_ATTEMPT"]), 0, -1):
        try:
            with urllib.request.urlopen(f"{run}/{attempt}/{quote(name, safe='')}") as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
    return None


def download() -> str:
    """Unpack the artifact; return what to complain of, or nothing."""
    name = os.environ["NAME"]
    content = fetched(name)
    if content is None:
        return f"Unable to download artifact(s): Artifact not found for name: {name}"
    folder = Path(os.environ["GITHUB_WORKSPACE"]) / os.environ["FOLDER"]
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        packed.extractall(folder)
    print(f"Artifact {name} has been downloaded to {folder}")
    return ""


sys.exit(download())
