"""Runs one task of a job in a process of its own; started by path, it imports nothing of ours.

The process reaches loopback only and starts no other process. Its argument names a JSON file with
`paths` (to import from), `arguments`, and either the `file` to run or `package`, `entry_point` and
`scripts` (entry points by name).
"""

import importlib
import importlib.metadata
import json
import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

LOOPBACK = ("127.0.0.1", "::1", "localhost")
STARTS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "pty.spawn")


def guard(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse what a task may not do; an audit hook cannot be taken away again."""
    if event in STARTS:
        raise PermissionError(f"a task starts no other process here ({event})")
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        _refuse_outside(arguments[1])
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        _refuse_outside((arguments[0],))


def _refuse_outside(address: object) -> None:
    host = address[0] if isinstance(address, tuple) and address else address
    host = host.decode() if isinstance(host, bytes) else host
    if host is not None and host not in LOOPBACK:
        raise PermissionError(f"a task reaches loopback only, not {host}")


def entry(told: dict[str, Any]) -> Callable[[], Any]:
    """Return what to call: the package's entry point, else its function, else its module."""
    if file := told.get("file"):
        return lambda: runpy.run_path(file, run_name="__main__") and None
    package, name = str(told["package"]), str(told["entry_point"])
    if reference := told["scripts"].get(name) or _of_metadata(told["paths"], package, name):
        module, _, attribute = reference.partition(":")
        return _function(importlib.import_module(module), attribute)
    found = getattr(importlib.import_module(package), name, None)
    if callable(found):
        return lambda: found()
    return lambda: (
        runpy.run_module(f"{package}.{name}", run_name="__main__", alter_sys=True) and None
    )


def _of_metadata(paths: list[str], package: str, name: str) -> str:
    for found in importlib.metadata.distributions(path=paths):
        if _normal(found.metadata["Name"]) == _normal(package):
            for point in found.entry_points:
                if point.name == name:
                    return point.value
    return ""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _function(module: object, attribute: str) -> Callable[[], Any]:
    found: Any = module
    for part in attribute.split("."):
        found = getattr(found, part)
    return lambda: found()


def main(file: str) -> None:
    """Run the task that a file describes; its result becomes the exit code, as for a script."""
    told = json.loads(Path(file).read_text("utf-8"))
    sys.dont_write_bytecode = True
    sys.path[:0] = told["paths"]
    sys.argv = [told.get("file") or told["entry_point"], *told["arguments"]]
    sys.addaudithook(guard)
    sys.exit(entry(told)())


if __name__ == "__main__":
    main(sys.argv[1])
