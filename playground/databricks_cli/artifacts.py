"""Builds wheels, and uploads them and the bundle's files."""

import hashlib
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path

from playground.databricks_cli.configuration import Bundle
from playground.databricks_cli.failures import CliError
from playground.databricks_cli.trees import Tree
from playground.databricks_cli.wanted import Wheels, internal

Say = Callable[[str], None]
"""Tells people how it goes."""
ALWAYS_LEFT = {".git", ".databricks", ".venv", "__pycache__"}


def build(bundle: Bundle, say: Say) -> Wheels:
    """Build every artifact; return the wheels by their place in the bundle."""
    for name, told in (bundle.tree.get("artifacts") or {}).items():
        if told.get("build"):
            say(f"Building {name}...")
            _run(bundle.root / str(told.get("path") or "."), name, str(told["build"]))
    places = [each.get("path") or "." for each in (bundle.tree.get("artifacts") or {}).values()]
    return {
        file.relative_to(bundle.root).as_posix(): file
        for place in places or ["."]
        for file in sorted((bundle.root / place).resolve().glob("dist/*.whl"))
    }


def _run(folder: Path, name: str, command: str) -> None:
    for old in (folder / "dist").glob("*.whl"):
        old.unlink()
    done = subprocess.run(
        ["bash", "-e", "-c", command], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CliError(
            f"build failed {name}, error: exit status {done.returncode}, output: "
            f"{done.stdout}{done.stderr}".rstrip()
        )


def files(bundle: Bundle) -> list[Path]:
    """Return the bundle's files that are uploaded: all but ignored ones, as `sync` says."""
    rules: Tree = bundle.tree.get("sync") or {}
    ignored = _ignored(bundle.root)
    excluded = [str(each) for each in rules.get("exclude") or []]
    included = [str(each) for each in rules.get("include") or []]
    return [
        file
        for file in sorted(_walk(bundle.root))
        if _matches(bundle.root, file, included)
        or not (_matches(bundle.root, file, ignored) or _matches(bundle.root, file, excluded))
    ]


def _walk(root: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(root):
        folders[:] = [each for each in folders if each not in ALWAYS_LEFT]
        yield from (Path(here, each) for each in names if each not in ALWAYS_LEFT)


def _ignored(root: Path) -> list[str]:
    file = root / ".gitignore"
    lines = file.read_text("utf-8").splitlines() if file.is_file() else []
    return [line.strip() for line in lines if line.strip() and not line.startswith(("#", "!"))]


def _matches(root: Path, file: Path, patterns: list[str]) -> bool:
    """Tell whether a pattern means a file or a folder that it is in."""
    inside = file.relative_to(root)
    parts = [inside, *inside.parents][:-1]
    for pattern in patterns:
        plain = pattern.strip("/").removesuffix("/**")
        for part in parts:
            whole = part.as_posix()
            if fnmatch(whole, plain) or ("/" not in plain and fnmatch(part.name, plain)):
                return True
    return False


def upload(bundle: Bundle, wheels: Wheels, say: Say) -> None:
    """Upload wheels and files; files that are no more in the bundle go."""
    for file in wheels.values():
        say(f"Uploading {file.relative_to(bundle.root).as_posix()}...")
        _place(bundle, f"{internal(bundle)}/{file.name}", file.read_bytes())
    target = str(bundle.workspace["file_path"])
    say(f"Uploading bundle files to {target}...")
    before = _snapshot(bundle)
    now = {each.relative_to(bundle.root).as_posix(): each for each in files(bundle)}
    sums = {name: hashlib.sha256(each.read_bytes()).hexdigest() for name, each in now.items()}
    for name, each in now.items():
        if before.get(name) != sums[name]:
            _place(bundle, f"{target}/{name}", each.read_bytes())
    for name in before.keys() - now.keys():
        _remove(bundle, f"{target}/{name}")
    _place(bundle, _snapshot_path(bundle), json.dumps(sums).encode())


def _snapshot_path(bundle: Bundle) -> str:
    return f"{bundle.workspace['state_path']}/files.json"


def _snapshot(bundle: Bundle) -> dict[str, str]:
    content = bundle.connection.download(_snapshot_path(bundle))
    return dict(json.loads(content)) if content else {}


def _place(bundle: Bundle, path: str, content: bytes) -> None:
    folder = path.rpartition("/")[0]
    bundle.connection.ask("POST", "/api/2.0/workspace/mkdirs", {"path": folder})
    bundle.connection.upload(path, content)


def _remove(bundle: Bundle, path: str) -> None:
    if bundle.connection.download(path) is not None:
        bundle.connection.ask("POST", "/api/2.0/workspace/delete", {"path": path})
