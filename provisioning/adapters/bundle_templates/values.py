"""The values that templates work on, with Go's names for their types.

Python's `bool` is an `int` and Go's is not, so every question of kind is asked here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from provisioning.adapters.bundle_templates.bugs import RefusedError

Value = object
Method = Callable[..., Value]


@dataclass(frozen=True)
class Record:
    """A Go object with exported fields and methods, e.g. a parsed URL; `text` is how it prints."""

    type_name: str
    text: str
    fields: Mapping[str, Value] = field(default_factory=dict)
    methods: Mapping[str, Method] = field(default_factory=dict)


@dataclass(frozen=True)
class Pair:
    """A key with its value, made by `pair` and eaten by `map`."""

    key: str
    value: Value


def kind(value: Value) -> str:
    """Return the kind: nil, bool, int, float, string, map, slice, record or pair."""
    for types, name in (
        (bool, "bool"), (int, "int"), (float, "float"), (str, "string"), (Mapping, "map"),
        (Sequence, "slice"), (Record, "record"), (Pair, "pair"),
    ):  # fmt: skip
        if isinstance(value, types):
            return name
    if value is None:
        return "nil"
    raise RefusedError(f"a template has no use for a value of type {type(value).__name__}")


def type_name(value: Value) -> str:
    """Return the type as Go would call it."""
    if isinstance(value, Record):
        return value.type_name
    return {
        "nil": "<nil>", "float": "float64", "map": "map[string]interface {}",
        "slice": "[]interface {}", "pair": "template.pair",
    }.get(kind(value), kind(value))  # fmt: skip


def is_true(value: Value) -> bool:
    """Tell whether a value is neither false, 0, nil nor empty."""
    if isinstance(value, Record | Pair):
        return True
    return bool(value)


def text_of(value: Value) -> str:
    """Return the string that a function needs, or refuse."""
    if not isinstance(value, str):
        raise RefusedError(f"wrong type for value; expected string; got {type_name(value)}")
    return value


def integer_of(value: Value) -> int:
    """Return the integer that a function needs, or refuse."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise RefusedError(f"wrong type for value; expected int; got {type_name(value)}")
    return value
