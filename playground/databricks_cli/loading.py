"""Reads a bundle: `databricks.yml`, what it includes, one target merged over it."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Any

import yaml

from playground.databricks_cli.failures import CliError
from playground.databricks_cli.trees import Tree, mapped, merged

FILES = ("databricks.yml", "databricks.yaml", "bundle.yml", "bundle.yaml")
SECTIONS = {
    "bundle",
    "include",
    "artifacts",
    "variables",
    "targets",
    "environments",
    "resources",
    "workspace",
    "sync",
    "permissions",
    "run_as",
    "presets",
    "experimental",
    "python",
    "scripts",
}
PATHS = re.compile(
    r"(^|\.)(tasks\[\d+\]\.libraries\[\d+\]\.whl|dependencies\[\d+\]"
    r"|notebook_path|python_file|file_path|source_code_path"
    r"|pipelines\.[^.]+\.root_path|libraries\[\d+\]\.(notebook|file)\.path"
    r"|libraries\[\d+\]\.glob\.include|sql_task\.file\.path)$"
)
"""Where a relative path is meant from the file that holds it."""
LOCAL = "${workspace.file_path}/"


def root_above(start: Path, chosen: str) -> Path:
    """Return the bundle's folder: the one chosen, else the nearest at or above `start`."""
    places = [Path(chosen)] if chosen else [start, *start.parents]
    for folder in places:
        if any((folder / name).is_file() for name in FILES):
            return folder.resolve()
    raise CliError("unable to locate bundle root: databricks.yml not found")


def load(root: Path) -> tuple[Tree, list[str]]:
    """Return the whole configuration of a bundle, before any target, and warnings."""
    first = next(root / name for name in FILES if (root / name).is_file())
    tree = _read(root, first)
    for pattern in _patterns(tree):
        for file in _included(root, pattern, first):
            addition = _read(root, file)
            _refuse_twice(tree, addition, file.relative_to(root))
            tree = merged(tree, addition)
    warnings = [f"unknown field: {key}" for key in tree if key not in SECTIONS]
    if not isinstance(tree.get("bundle"), dict) or not tree["bundle"].get("name"):
        raise CliError("required field name is not set: bundle.name")
    return tree, warnings


def _patterns(tree: Tree) -> list[str]:
    found = tree.get("include") or []
    if not isinstance(found, list):
        raise CliError("expected a sequence, found something else: include")
    return [str(each) for each in found]


def _included(root: Path, pattern: str, but: Path) -> Iterator[Path]:
    if PurePosixPath(pattern).is_absolute():
        raise CliError(f"{pattern}: includes must be relative paths")
    files = [each for each in sorted(root.glob(pattern)) if each.is_file() and each != but]
    if not files and "*" not in pattern:
        raise CliError(f"{pattern} defined in 'include' section does not match any files")
    yield from files


def _read(root: Path, file: Path) -> Tree:
    try:
        found = yaml.safe_load(file.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CliError(f"failed to parse {file.relative_to(root)}: {error}") from error
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise CliError(f"expected a map at the top of {file.relative_to(root)}")
    folder = file.parent.relative_to(root)
    return {str(key): each for key, each in mapped(found, _placed(folder)).items()}


def _placed(folder: Path) -> Any:
    def change(value: Any, path: str) -> Any:
        if not isinstance(value, str) or not _is_place(value, path):
            return value
        place = normpath(f"{folder.as_posix()}/{value}")
        if place.startswith("../"):
            raise CliError(f"path {value} is not contained in the bundle root path")
        return LOCAL + place

    return change


def _is_place(value: str, path: str) -> bool:
    """Tell whether a text is a path from here; package names and absolute paths are not."""
    if not PATHS.search(path) or "resources." not in path:
        return False
    if "dependencies" in path or value.startswith(("/", "$")):
        return value.startswith(("./", "../"))
    return "://" not in value


def _refuse_twice(tree: Tree, addition: Tree, file: Path) -> None:
    for kind, resources in (addition.get("resources") or {}).items():
        known = (tree.get("resources") or {}).get(kind) or {}
        for key in resources or {}:
            if key in known:
                raise CliError(
                    f"multiple resources or scripts have been defined with the same "
                    f"key: {key} (in {file.as_posix()})"
                )


def target_name(tree: Tree, asked: str) -> str:
    """Return the target to use: the one asked for, else the default, else the only one."""
    targets = tree.get("targets") or {"default": {}}
    if asked:
        if asked not in targets:
            raise CliError(f"{asked}: no such target. Available targets: {', '.join(targets)}")
        return asked
    defaults = [name for name, each in targets.items() if (each or {}).get("default")]
    if len(defaults) > 1:
        raise CliError(f"multiple targets are marked as default ({', '.join(defaults)})")
    if not defaults and len(targets) > 1:
        raise CliError("please specify target")
    return str((defaults or list(targets))[0])


def for_target(tree: Tree, name: str) -> Tree:
    """Return the configuration with one target merged over it."""
    target: Tree = dict((tree.get("targets") or {}).get(name) or {})
    variables = target.pop("variables", None) or {}
    mode = target.pop("mode", None)
    git = target.pop("git", None)
    target.pop("default", None)
    base = {key: each for key, each in tree.items() if key not in ("targets", "environments")}
    result: Tree = merged(base, target)
    result["variables"] = _variables(tree.get("variables") or {}, variables)
    bundle = {**result["bundle"], "target": name, "environment": name}
    bundle |= ({"mode": mode} if mode else {}) | ({"git": git} if git else {})
    return result | {"bundle": bundle}


def _variables(declared: Tree, overridden: Tree) -> Tree:
    """Return variables with a target's values as their defaults."""
    if unknown := overridden.keys() - declared.keys():
        raise CliError(f"variable {sorted(unknown)[0]} is not defined but is assigned a value")
    result: Tree = {name: dict(each or {}) for name, each in declared.items()}
    for name, value in overridden.items():
        is_declaration = isinstance(value, dict) and value.keys() & {"default", "lookup", "type"}
        if is_declaration and result[name].get("type") != "complex":
            result[name].pop("default", None)
            result[name] |= value
        else:
            result[name].pop("lookup", None)
            result[name]["default"] = value
    return result
