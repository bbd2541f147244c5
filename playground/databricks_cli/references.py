"""`${…}`: which references a text holds, and what they stand for."""

import re
from collections.abc import Callable
from typing import Any

from playground.databricks_cli.failures import CliError
from playground.databricks_cli.trees import mapped

REFERENCE = re.compile(r"\$\{([a-zA-Z][\w-]*(?:\.[\w-]+|\[\d+\])*)\}")
DEEPEST = 11


def used(tree: Any) -> list[str]:
    """Return every path that a tree refers to."""
    found: list[str] = []

    def note(value: Any, _: str) -> Any:
        found.extend(REFERENCE.findall(value) if isinstance(value, str) else [])
        return value

    mapped(tree, note)
    return found


def resolve(tree: Any, find: Callable[[str], Any]) -> Any:
    """Return a tree with what `find` knows in place of references.

    A value that is nothing but one reference becomes what that is, of whatever type. `find` raises
    KeyError for references that are to stay.
    """
    return mapped(tree, lambda value, _: _resolved(value, find, 0))


def _resolved(value: Any, find: Callable[[str], Any], depth: int) -> Any:
    if not isinstance(value, str) or "${" not in value:
        return value
    if depth > DEEPEST:
        raise CliError(f"cycle detected in field resolution: {value}")
    whole = REFERENCE.fullmatch(value)
    if whole:
        return _again(_found(whole[1], find, value), value, find, depth)
    text = REFERENCE.sub(lambda match: _as_text(_found(match[1], find, match[0])), value)
    return _again(text, value, find, depth)


def _again(found: Any, before: str, find: Callable[[str], Any], depth: int) -> Any:
    if found == before:
        return found
    return mapped(found, lambda value, _: _resolved(value, find, depth + 1))


def _found(path: str, find: Callable[[str], Any], unchanged: str) -> Any:
    try:
        return find(path)
    except KeyError:
        return unchanged


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        raise CliError("a complex value cannot be a part of a text")
    return str(value)
