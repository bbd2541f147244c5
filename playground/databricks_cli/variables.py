"""Values of a bundle's variables: from flags, the environment, the target, defaults, lookups."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from playground.databricks_cli.failures import CliError
from playground.databricks_cli.trees import Tree

Lookup = Callable[[str, str], str]
"""Returns the id of a kind of object by its name."""


def values(root: Path, tree: Tree, flags: Mapping[str, str], look_up: Lookup) -> Tree:
    """Return the value of every variable, or refuse one without any."""
    declared: Tree = tree.get("variables") or {}
    if unknown := flags.keys() - declared.keys():
        raise CliError(f"variable {sorted(unknown)[0]} has not been defined")
    overrides = _overrides(root, tree["bundle"]["target"])
    return {
        name: _value(name, told or {}, {**overrides, **flags}, look_up)
        for name, told in declared.items()
    }


def _overrides(root: Path, target: str) -> Tree:
    file = root / ".databricks" / "bundle" / target / "variable-overrides.json"
    if not file.is_file():
        return {}
    try:
        found: Tree = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise CliError(f"failed to parse {file.name}: {error}") from error
    return found


def _value(name: str, told: Tree, given: Tree, look_up: Lookup) -> Any:
    if name in given:
        return given[name]
    if (found := os.getenv(f"BUNDLE_VAR_{name}")) is not None:
        return _typed(name, told, found)
    if "lookup" in told:
        return _looked_up(name, told["lookup"], look_up)
    if "default" in told:
        return told["default"]
    raise CliError(
        f"no value assigned to required variable {name}. Variables can be assigned using the "
        f'"--var" flag, by setting the BUNDLE_VAR_{name} environment variable, or in '
        ".databricks/bundle/<target>/variable-overrides.json file"
    )


def _typed(name: str, told: Tree, text: str) -> Any:
    if told.get("type") == "complex":
        raise CliError(
            f"setting via environment variables is not supported for complex variable {name}"
        )
    return text


def _looked_up(name: str, lookup: Any, look_up: Lookup) -> str:
    if not isinstance(lookup, dict) or len(lookup) != 1:
        raise CliError(f"variable {name}: lookup must name exactly one object")
    kind, wanted = next(iter(lookup.items()))
    try:
        return look_up(str(kind), str(wanted))
    except CliError as error:
        raise CliError(f"failed to resolve {kind}: {wanted}, err: {error}") from error
