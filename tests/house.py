"""The house's files, for the tests that keep its rules."""

import ast
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PRODUCT = ("bot", "commands", "provisioning", "playground")
HIDDEN_BUT_OURS = (".ci", ".github", ".gitignore")
MADE = ("__pycache__", "build", "dist", "node_modules", "screenshots")


def files(*suffixes: str) -> list[Path]:
    """Return every file that belongs to the repository, or those with one of the suffixes."""
    return [path for path in _walk() if not suffixes or path.suffix in suffixes]


def python_files(*folders: str) -> list[Path]:
    """Return the Python files that are ours; templates' content belongs to the projects."""
    return [
        path
        for path in files(".py")
        if path.relative_to(ROOT).parts[0] != "bundle_templates"
        and (not folders or path.relative_to(ROOT).parts[0] in folders)
    ]


def name(path: Path) -> str:
    """Return a path as people write it."""
    return path.relative_to(ROOT).as_posix()


def text(path: Path) -> str:
    """Return a file's text, or nothing if it holds none."""
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return ""


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax tree of a Python file."""
    return ast.parse(path.read_text(), str(path))


def dotted(node: ast.expr) -> str:
    """Return `a.b.c` for such an expression, or what of it is a name."""
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else node.attr
    return node.id if isinstance(node, ast.Name) else ""


@cache
def _walk() -> tuple[Path, ...]:
    return tuple(sorted(_files_below(ROOT)))


def _files_below(folder: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        folders[:] = [one for one in folders if _ours(one)]
        yield from (Path(here, one) for one in names if _ours(one))


def _ours(entry: str) -> bool:
    hidden = entry.startswith(".") and entry not in HIDDEN_BUT_OURS
    return not hidden and entry not in MADE and not entry.endswith((".egg-info", ".pyc"))
