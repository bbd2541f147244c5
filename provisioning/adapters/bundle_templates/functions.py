"""The functions that every Go template has; the evaluator itself does the lazy `and` and `or`."""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote_plus

from provisioning.adapters.bundle_templates import printing
from provisioning.adapters.bundle_templates.bugs import RefusedError
from provisioning.adapters.bundle_templates.printing import sprint, sprintf, sprintln
from provisioning.adapters.bundle_templates.values import (
    Value,
    integer_of,
    is_true,
    kind,
    text_of,
    type_name,
)

Function = Callable[..., Value]

_HTML = {"\0": "\ufffd", '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;"}
_JS = {
    "\\": "\\\\", "'": "\\'", '"': '\\"', "<": "\\u003C", ">": "\\u003E", "&": "\\u0026",
    "=": "\\u003D",
}  # fmt: skip
_ORDERED = ("int", "float", "string")


def _equal(first: Value, *others: Value) -> bool:
    if not others:
        raise RefusedError("missing argument for comparison")
    return any(_same(first, other) for other in others)


def _same(one: Value, other: Value) -> bool:
    kinds = {kind(one), kind(other)}
    if kinds & {"map", "slice"}:
        raise RefusedError(f"non-comparable type {type_name(one if kind(one) in kinds else other)}")
    if "nil" in kinds:
        return one is other
    if len(kinds) > 1:
        raise RefusedError("incompatible types for comparison")
    return one == other


def _less(one: Value, other: Value) -> bool:
    if kind(one) not in _ORDERED:
        raise RefusedError("invalid type for comparison")
    if kind(one) != kind(other):
        raise RefusedError("incompatible types for comparison")
    if isinstance(one, str) and isinstance(other, str):
        return one.encode() < other.encode()
    assert isinstance(one, int | float)
    assert isinstance(other, int | float)
    return one < other


def _length(value: Value) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, Mapping | Sequence):
        return len(value)
    raise RefusedError("len of nil pointer" if value is None else f"len of type {type_name(value)}")


def _index(value: Value, *keys: Value) -> Value:
    for key in keys:
        value = _one_index(value, key)
    return value


def _one_index(value: Value, key: Value) -> Value:
    if isinstance(value, Mapping):
        return value.get(text_of(key))
    if not isinstance(value, str | Sequence):
        shown = "untyped nil" if value is None else f"item of type {type_name(value)}"
        raise RefusedError(f"can't index {shown}" if value is not None else f"index of {shown}")
    if isinstance(key, bool) or not isinstance(key, int):
        raise RefusedError(f"cannot index slice/array with type {type_name(key)}")
    items: Sequence[Value] = value.encode() if isinstance(value, str) else value
    if not 0 <= key < len(items):
        raise RefusedError(f"index out of range: {key}")
    return items[key]


def _slice(value: Value, *bounds: Value) -> Value:
    if not isinstance(value, str | Sequence):
        raise RefusedError(f"can't slice item of type {type_name(value)}")
    if len(bounds) > (2 if isinstance(value, str) else 3):
        raise RefusedError(f"too many slice indexes: {len(bounds)}")
    items: Sequence[Value] = value.encode() if isinstance(value, str) else value
    positions = [integer_of(bound) for bound in bounds]
    start, end = [*positions, *(0, len(items))[len(positions) :]][:2]
    if not 0 <= start <= len(items) or not 0 <= end <= len(items):
        raise RefusedError(f"index out of range: {start if not 0 <= start <= len(items) else end}")
    if start > end:
        raise RefusedError(f"invalid slice index: {start} > {end}")
    return _cut(items[start:end])


def _cut(items: Sequence[Value]) -> Value:
    if not isinstance(items, bytes):
        return items
    try:
        return items.decode()
    except UnicodeDecodeError as broken:
        raise RefusedError("slice cuts through a character (indexes count bytes)") from broken


def _text(values: tuple[Value, ...]) -> str:
    is_one_string = len(values) == 1 and isinstance(values[0], str)
    shown = ["<no value>" if value is None else value for value in values]
    return str(values[0]) if is_one_string else sprint(shown)


def _html(*values: Value) -> str:
    return "".join(_HTML.get(char, char) for char in _text(values))


def _js(*values: Value) -> str:
    return "".join(_js_character(char) for char in _text(values))


def _js_character(char: str) -> str:
    if char in _JS:
        return _JS[char]
    if char < " " or (char > "\x7f" and not printing.is_printable(char)):
        return f"\\u{ord(char):04X}"
    return char


def _urlquery(*values: Value) -> str:
    return quote_plus(_text(values), safe="").replace("%7E", "~")


def _call(function: Value, *_arguments: Value) -> Value:
    raise RefusedError(
        "call of nil" if function is None else f"non-function of type {type_name(function)}"
    )


BUILTINS: dict[str, Function] = {
    "call": _call,
    "eq": _equal,
    "ge": lambda one, other: not _less(one, other),
    "gt": lambda one, other: not _less(one, other) and not _same(one, other),
    "html": _html,
    "index": _index,
    "js": _js,
    "le": lambda one, other: _less(one, other) or _same(one, other),
    "len": _length,
    "lt": _less,
    "ne": lambda one, other: not _same(one, other),
    "not": lambda value: not is_true(value),
    "print": lambda *values: sprint(values),
    "printf": lambda pattern, *values: sprintf(text_of(pattern), values),
    "println": lambda *values: sprintln(values),
    "slice": _slice,
    "urlquery": _urlquery,
}
