"""Terraform values on the wire: msgpack, with a marker for what is not known yet.

In Python a value is plain JSON-like data, plus `UNKNOWN`. Sets arrive as lists, in no order.
"""

import json
from collections.abc import Mapping
from typing import Final

import msgpack

Value = object
Attributes = dict[str, Value]


class Unknown:
    """A value that only the apply will tell."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()
_ANY_EXTENSION = msgpack.ExtType(0, b"\0")


def decode(message: object) -> Value:
    """Return the value of a DynamicValue message; None where it is absent or null."""
    if not isinstance(message, Mapping):
        return None
    if message.get("msgpack"):
        return msgpack.unpackb(message["msgpack"], strict_map_key=False, ext_hook=_unknown)
    return json.loads(message["json"]) if message.get("json") else None


def decode_attributes(message: object) -> Attributes | None:
    """Return the attributes of an object, or None for null."""
    value = decode(message)
    return value if isinstance(value, dict) else None


def encode(value: Value) -> dict[str, bytes]:
    """Return a DynamicValue message."""
    return {"msgpack": msgpack.packb(_packable(value))}


def known(value: Value) -> bool:
    """Tell whether nothing inside is unknown."""
    if isinstance(value, dict):
        return all(known(item) for item in value.values())
    if isinstance(value, list):
        return all(known(item) for item in value)
    return value is not UNKNOWN


def _unknown(_code: int, _data: bytes) -> Unknown:
    return UNKNOWN


def _packable(value: Value) -> object:
    if value is UNKNOWN:
        return _ANY_EXTENSION
    if isinstance(value, dict):
        return {key: _packable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_packable(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
