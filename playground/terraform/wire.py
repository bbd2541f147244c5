"""A small protobuf codec, so that nobody depends on generated code or on a protobuf version.

A message is a dict; a `Message` names its fields. Only what Terraform's plugin protocol uses is
here: strings, bytes, integers, booleans, messages, repeated fields and maps with string keys.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["string", "bytes", "int", "bool", "message"]
Values = dict[str, object]

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True)
class Field:
    """One field: its number, what it holds, and whether there are many of it."""

    number: int
    kind: Kind
    message: "Message | None" = None
    repeated: bool = False
    mapped: bool = False


class Message:
    """The fields of one protobuf message, by name."""

    def __init__(self, **fields: Field) -> None:
        self.declare(**fields)

    def declare(self, **fields: Field) -> None:
        """Set the fields; messages that contain each other are declared in two steps."""
        self.fields = fields
        self._by_number = {field.number: (name, field) for name, field in fields.items()}

    def encode(self, values: Mapping[str, object]) -> bytes:
        """Return the bytes of a message; None and absent fields are left out."""
        out = bytearray()
        for name, value in values.items():
            field = self.fields[name]
            for item in _items(field, value):
                out += _encode_field(field, item)
        return bytes(out)

    def decode(self, data: bytes) -> Values:
        """Return the fields that are present; unknown fields are skipped."""
        values: Values = {}
        for number, raw in _raw_fields(data):
            if number in self._by_number:
                name, field = self._by_number[number]
                _store(values, name, field, _decode_value(field, raw))
        return values


def string(number: int) -> Field:
    """Declare a string field."""
    return Field(number, "string")


def integer(number: int) -> Field:
    """Declare an integer or enum field."""
    return Field(number, "int")


def boolean(number: int) -> Field:
    """Declare a boolean field."""
    return Field(number, "bool")


def raw(number: int) -> Field:
    """Declare a bytes field."""
    return Field(number, "bytes")


def one(number: int, message: Message) -> Field:
    """Declare a field that holds a message."""
    return Field(number, "message", message)


def many(number: int, message: Message) -> Field:
    """Declare a field that holds messages."""
    return Field(number, "message", message, repeated=True)


def by_name(number: int, message: Message) -> Field:
    """Declare a map from strings to messages."""
    entry = Message(key=string(1), value=one(2, message))
    return Field(number, "message", entry, mapped=True)


def _items(field: Field, value: object) -> list[object]:
    if value is None:
        return []
    if field.mapped:
        assert isinstance(value, Mapping)
        return [{"key": key, "value": item} for key, item in value.items()]
    if field.repeated:
        assert isinstance(value, list | tuple)
        return list(value)
    return [value]


def _encode_field(field: Field, value: object) -> bytes:
    if field.kind in ("int", "bool"):
        assert isinstance(value, int)
        return _varint(field.number << 3 | _VARINT) + _varint(value)
    body = _body(field, value)
    return _varint(field.number << 3 | _LENGTH) + _varint(len(body)) + body


def _body(field: Field, value: object) -> bytes:
    if field.message is not None:
        assert isinstance(value, Mapping)
        return field.message.encode(value)
    if isinstance(value, str):
        return value.encode()
    assert isinstance(value, bytes)
    return value


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _raw_fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        tag, at = _read_varint(data, at)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == _VARINT:
            value, at = _read_varint(data, at)
            yield number, value
            continue
        if wire_type == _LENGTH:
            length, at = _read_varint(data, at)
        else:
            length = {_FIXED64: 8, _FIXED32: 4}[wire_type]
        if at + length > len(data):
            raise ValueError("a protobuf field ends after its message")
        yield number, data[at : at + length]
        at += length


def _decode_value(field: Field, value: int | bytes) -> object:
    if isinstance(value, int):
        signed = value - (1 << 64) if value >> 63 else value
        return bool(value) if field.kind == "bool" else signed
    if field.message is not None:
        return field.message.decode(value)
    return value.decode() if field.kind == "string" else value


def _store(values: Values, name: str, field: Field, value: object) -> None:
    if field.mapped:
        assert isinstance(value, dict)
        entries = values.setdefault(name, {})
        assert isinstance(entries, dict)
        entries[value.get("key", "")] = value.get("value", {})
    elif field.repeated:
        items = values.setdefault(name, [])
        assert isinstance(items, list)
        items.append(value)
    else:
        values[name] = value
