"""Go's literals: quoted strings, characters and numbers."""

import ast
import re

from provisioning.adapters.bundle_templates.bugs import RefusedError

_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\'\"])|x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|)"
)
_SIMPLE = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\",
}  # fmt: skip
_SURROGATES = range(0xD800, 0xE000)


def unquote(literal: str) -> str:
    """Return the text of a Go string literal, interpreted or raw."""
    if literal.startswith("`"):
        return literal[1:-1].replace("\r", "")
    body = literal[1:-1]
    data = b"".join(_pieces(body, quote=literal[0]))
    try:
        return data.decode()
    except UnicodeDecodeError as broken:
        raise RefusedError(f"{literal} is not valid UTF-8") from broken


def character(literal: str) -> int:
    """Return the code point of a Go character constant."""
    text = unquote(literal)
    if len(text) != 1:
        raise RefusedError(f"malformed character constant: {literal}")
    return ord(text)


def number(literal: str) -> int | float:
    """Return the value of a Go number, an int unless it is written as a float."""
    try:
        value = ast.literal_eval(_pythonic(literal))
    except (SyntaxError, ValueError) as bad:
        raise RefusedError(f"bad number syntax: {literal}") from bad
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise RefusedError(f"integer overflow: {literal}")
    assert isinstance(value, int | float)
    return value


def _pythonic(literal: str) -> str:
    sign, digits = ("-", literal[1:]) if literal[0] == "-" else ("", literal.lstrip("+"))
    if re.fullmatch(r"0_?[0-7_]+", digits):
        digits = "0o" + digits[1:].lstrip("_")
    return sign + digits


def _pieces(body: str, quote: str) -> list[bytes]:
    pieces: list[bytes] = []
    position = 0
    for escape in _ESCAPE.finditer(body):
        pieces.append(body[position : escape.start()].encode())
        pieces.append(_escaped(escape, quote))
        position = escape.end()
    return [*pieces, body[position:].encode()]


def _escaped(escape: re.Match[str], quote: str) -> bytes:
    simple, hexadecimal, octal, *code_points = escape.groups()
    if simple in ("'", '"') and simple != quote:
        simple = None
    if simple is not None:
        return _SIMPLE.get(simple, simple).encode()
    if hexadecimal or octal:
        byte = int(hexadecimal, 16) if hexadecimal else int(octal, 8)
        # In a character constant \xNN is the code point, in a string it is a byte.
        return chr(byte).encode() if quote == "'" else bytes([byte & 0xFF])
    return _code_point(escape.group(), next((digits for digits in code_points if digits), ""))


def _code_point(escape: str, digits: str) -> bytes:
    value = int(digits, 16) if digits else -1
    if not 0 <= value <= 0x10FFFF or value in _SURROGATES:
        raise RefusedError(f"invalid escape {escape} in a string")
    return chr(value).encode()
