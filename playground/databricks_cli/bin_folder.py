"""Writes the folder that puts the stand-in on a job's PATH as `databricks`."""

import shlex
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent.parent
SCRIPT = """#!/bin/sh
# The stand-in for the Databricks CLI, with the interpreter and the packages of the playground.
PYTHONPATH={source} PYTHONSAFEPATH=1 \\
  exec {python} -W ignore -m playground.databricks_cli "$@"
"""


def write_bin(folder: Path) -> Path:
    """Write an executable `databricks` into a folder; return the folder, to go on PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "databricks"
    python, source = shlex.quote(sys.executable), shlex.quote(str(SOURCE))
    script.write_text(SCRIPT.format(python=python, source=source))
    script.chmod(0o755)
    return folder
