"""For template authors: render a template without the Databricks CLI, share, accept.

python -m provisioning.adapters.bundle_templates render bundle_templates/job answers.json out
python -m provisioning.adapters.bundle_templates share bundle_templates/job
python -m provisioning.adapters.bundle_templates accept bundle_templates/job

`share` copies what templates have in common out of `_shared/`; `accept` records what is rendered.
"""

import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from provisioning.adapters.bundle_templates.bundle_functions import BundleContext
from provisioning.adapters.bundle_templates.rendering import render_bundle
from provisioning.adapters.bundle_templates.sharing import share
from provisioning.errors import SciclopsError


def manifest(files: Mapping[str, bytes]) -> str:
    """Return path and SHA-256 of every file, one a line: what `expected/` holds."""
    return "".join(
        f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in sorted(files.items())
    )


def render(template: Path, answers: Path, target: Path) -> None:
    """Write a rendering into a directory that must not hold any of its files yet."""
    files = render_bundle(template, json.loads(answers.read_text("utf-8")), BundleContext())
    for path, data in files.items():
        file = target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("xb") as output:
            output.write(data)


def accept(template: Path) -> None:
    """Record what the template renders for each file in `answers/`."""
    expected = template / "expected"
    expected.mkdir(exist_ok=True)
    for answers in sorted((template / "answers").glob("*.json")):
        files = render_bundle(template, json.loads(answers.read_text("utf-8")), BundleContext())
        (expected / f"{answers.stem}.sha256").write_text(manifest(files), "utf-8")


def main(words: list[str]) -> int:
    """Run one command; return the exit code."""
    try:
        match words:
            case ["render", template, answers, target]:
                render(Path(template), Path(answers), Path(target))
            case ["share", template]:
                sys.stdout.writelines(f"{path}\n" for path in share(Path(template)))
            case ["accept", template]:
                accept(Path(template))
            case _:
                sys.stderr.write(__doc__ or "")
                return 2
    except (SciclopsError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
