"""Sends files as one artifact; a name is used once in an attempt, as at GitHub."""

import glob
import io
import os
import re
import sys
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from urllib.parse import quote

FORBIDDEN = re.compile(r'[":<>|*?\r\n\\/]')


def chosen(patterns: str) -> list[tuple[Path, str]]:
    """Return files with their names in the archive: relative to the deepest folder of all."""
    found = [Path(one) for line in patterns.splitlines() if line.strip() for one in glob.glob(line)]
    inside = [file for one in found for file in ([one] if one.is_file() else one.rglob("*"))]
    plain = sorted({file.absolute() for file in inside if file.is_file()})
    if not plain:
        return []
    roots = [one.absolute() if one.is_dir() else one.absolute().parent for one in found]
    root = os.path.commonpath(roots)
    return [(file, os.path.relpath(file, root)) for file in plain]


def archive(files: list[tuple[Path, str]]) -> bytes:
    """Return a zip archive of some files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for file, name in files:
            packed.write(file, name)
    return content.getvalue()


def upload() -> str:
    """Send the artifact; return what to complain of, or nothing."""
    name, missing = os.environ["NAME"], os.environ["MISSING"]
    if not name or FORBIDDEN.search(name):
        return f"The artifact name is not valid: {name!r}"
    files = chosen(os.environ["PATTERNS"])
    if not files:
        print(f"No files were found with the provided path: {os.environ['PATTERNS']}")
        return "No artifacts will be uploaded." if missing == "error" else ""
    run, attempt = os.environ["GITHUB_RUN_ID"], os.environ["GITHUB_RUN_ATTEMPT"]
    address = f"{os.environ['SCICLOPS_ARTIFACTS_URL']}/{run}/{attempt}/{quote(name, safe='')}"
    request = urllib.request.Request(address, data=archive(files), method="PUT")
    request.add_header("Content-Type", "application/zip")
    try:
        with urllib.request.urlopen(request):
            print(f"Artifact {name} has been uploaded: {len(files)} files")
    except urllib.error.HTTPError as error:
        return f"Failed to upload {name}: {error.code} {error.read().decode(errors='replace')}"
    return ""


sys.exit(upload())
