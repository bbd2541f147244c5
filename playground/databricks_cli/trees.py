"""Configuration as nested mappings: walked, looked into, merged."""

from collections.abc import Callable, Mapping
from typing import Any

Tree = dict[str, Any]
KEYED = {
    "tasks": "task_key",
    "job_clusters": "job_cluster_key",
    "environments": "environment_key",
    "parameters": "name",
    "clusters": "label",
}
"""Lists whose entries are one and the same where this field is equal."""


def lookup(tree: Any, path: str) -> Any:
    """Return what is at a dotted path, lists by number; raises LookupError."""
    for part in path.replace("[", ".").replace("]", "").split("."):
        if isinstance(tree, list) and part.isdecimal() and int(part) < len(tree):
            tree = tree[int(part)]
        elif isinstance(tree, Mapping) and part in tree:
            tree = tree[part]
        else:
            raise LookupError(path)
    return tree


def merged(base: Any, over: Any, name: str = "") -> Any:
    """Return `base` overridden by `over`: mappings merge, lists grow, other values are replaced."""
    if over is None:
        return base
    if isinstance(base, dict) and isinstance(over, dict):
        names = [*base, *(key for key in over if key not in base)]
        return {key: merged(base.get(key), over.get(key), key) for key in names}
    if isinstance(base, list) and isinstance(over, list):
        return _merged_lists(base, over, KEYED.get(name, ""))
    return over


def _merged_lists(base: list[Any], over: list[Any], key: str) -> list[Any]:
    if not key:
        return [*base, *over]
    entries: dict[Any, Any] = {}
    for number, entry in enumerate([*base, *over]):
        same = entry.get(key, number) if isinstance(entry, dict) else number
        entries[same] = merged(entries.get(same), entry)
    return list(entries.values())


def mapped(tree: Any, change: Callable[[Any, str], Any], path: str = "") -> Any:
    """Return a tree with every leaf changed; `change` gets the leaf and its dotted path."""
    if isinstance(tree, dict):
        return {
            key: mapped(each, change, f"{path}.{key}" if path else key)
            for key, each in tree.items()
        }
    if isinstance(tree, list):
        return [mapped(each, change, f"{path}[{n}]") for n, each in enumerate(tree)]
    return change(tree, path)


def differences(old: Any, new: Any, path: str = "") -> dict[str, tuple[Any, Any]]:
    """Return what differs between two trees, as (old, new) by dotted path."""
    if isinstance(old, dict) and isinstance(new, dict):
        found: dict[str, tuple[Any, Any]] = {}
        for key in sorted(old.keys() | new.keys()):
            found |= differences(old.get(key), new.get(key), f"{path}.{key}" if path else key)
        return found
    return {} if old == new else {path: (old, new)}
