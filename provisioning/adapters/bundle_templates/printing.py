"""Go's `fmt`: how values look in the output, and the verbs of `printf`."""

import re
import struct
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from provisioning.adapters.bundle_templates.bugs import RefusedError
from provisioning.adapters.bundle_templates.values import Pair, Record, Value, kind, type_name

_VERB = re.compile(
    r"%(?P<flags>[ +\-#0]*)(?P<width>\*|\d+)?(?:\.(?P<precision>\*|\d*))?"
    r"(?:\[(?P<index>\d+)\])?(?P<verb>.|\Z)",
    re.DOTALL,
)
_ESCAPES = {
    "\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v",
}  # fmt: skip
_MAXIMUM_WIDTH = 1_000_000
_FIRST_EXPONENT = 6


@dataclass(frozen=True)
class Style:
    """The flags, width and precision of one verb."""

    flags: str = ""
    width: int | None = None
    precision: int | None = None

    def has(self, flag: str) -> bool:
        """Tell whether a flag is given."""
        return flag in self.flags

    def without_alternate(self) -> "Style":
        """Return the style without `#`."""
        return Style(self.flags.replace("#", ""), self.width, self.precision)


PLAIN = Style()


def show(value: Value) -> str:
    """Return what `{{value}}` prints: Go's `%v`, and `<no value>` for nil."""
    return "<no value>" if value is None else _value(value, PLAIN)


def sprint(values: Sequence[Value]) -> str:
    """Join values with spaces where neither neighbour is a string."""
    pieces: list[str] = []
    for number, value in enumerate(values):
        if number and not isinstance(value, str) and not isinstance(values[number - 1], str):
            pieces.append(" ")
        pieces.append(_value(value, PLAIN))
    return "".join(pieces)


def sprintln(values: Sequence[Value]) -> str:
    """Join values with spaces and end the line."""
    return " ".join(_value(value, PLAIN) for value in values) + "\n"


def sprintf(pattern: str, values: Sequence[Value]) -> str:
    """Format values by a pattern; mistakes show in the text, as in Go."""
    return _Printer(values).run(pattern)


def quote(text: str, *, ascii_only: bool = False) -> str:
    """Return `%q`: a literal that is valid in Go, YAML and Python alike."""
    return '"' + "".join(_quoted(char, '"', ascii_only=ascii_only) for char in text) + '"'


class _Printer:
    def __init__(self, values: Sequence[Value]) -> None:
        self.values = values
        self.next = 0
        self.reordered = False

    def run(self, pattern: str) -> str:
        text = _VERB.sub(self._replace, pattern)
        extra = self.values[self.next :]
        if extra and not self.reordered:
            shown = ", ".join(
                "<nil>" if value is None else f"{type_name(value)}={_value(value, PLAIN)}"
                for value in extra
            )
            text += f"%!(EXTRA {shown})"
        return text

    def _replace(self, found: re.Match[str]) -> str:
        verb = found["verb"]
        if not verb:
            return "%!(NOVERB)"
        style = Style(
            found["flags"], self._number(found["width"]), self._number(found["precision"])
        )
        if verb == "%":
            return "%"
        if found["index"]:
            self.reordered, self.next = True, int(found["index"]) - 1
        if not 0 <= self.next < len(self.values):
            return f"%!{verb}(BADINDEX)" if found["index"] else f"%!{verb}(MISSING)"
        value = self.values[self.next]
        self.next += 1
        return _verb(verb, value, style)

    def _number(self, text: str | None) -> int | None:
        if text == "*":
            value = self.values[self.next] if self.next < len(self.values) else None
            self.next += 1
            if isinstance(value, bool) or not isinstance(value, int):
                raise RefusedError("printf: * needs an integer")
            return _bounded(value)
        return None if text is None else _bounded(int(text or 0))


def _bounded(number: int) -> int:
    if not 0 <= number <= _MAXIMUM_WIDTH:
        raise RefusedError(f"printf: width or precision {number} is out of range")
    return number


def _verb(verb: str, value: Value, style: Style) -> str:
    if verb == "T":
        return _pad(type_name(value), style)
    if verb == "v":
        return _value(value, style)
    if isinstance(value, Mapping | list | tuple) and not isinstance(value, str):
        return _container(value, lambda item: _item(verb, item, style))
    if isinstance(value, Record) and verb in "sqxX":
        return _verb(verb, value.text, style)
    formats = _FORMATS.get(kind(value), {})
    if isinstance(value, float) and verb in "bxX":
        raise RefusedError(f"printf: %{verb} of a float is not supported")
    if verb not in formats:
        inside = (
            "<nil>"
            if value is None
            else f"{type_name(value)}={_value(value, style.without_alternate())}"
        )
        return f"%!{verb}({inside})"
    return formats[verb](value, style)


def _item(verb: str, value: Value, style: Style) -> str:
    return "<nil>" if value is None else _verb(verb, value, style)


def _value(value: Value, style: Style) -> str:
    if style.has("#") and not isinstance(value, str | int):
        raise RefusedError(f"printf: %#v of a {type_name(value)} is not supported")
    if isinstance(value, Mapping | list | tuple):
        return _container(value, lambda item: _value(item, style))
    if isinstance(value, Pair):
        return f"{{{_value(value.key, style)} {_value(value.value, style)}}}"
    if isinstance(value, Record):
        return _pad(value.text, style)
    verb = {"bool": "t", "int": "d", "float": "g", "string": "s"}.get(kind(value))
    if verb is None:
        return _pad("<nil>", style)
    if verb == "s" and style.has("#"):
        verb, style = "q", Style("", style.width, style.precision)
    return _FORMATS[kind(value)][verb](value, style)


def _container(value: Value, show_item: Callable[[Value], str]) -> str:
    if isinstance(value, Mapping):
        inside = " ".join(f"{show_item(key)}:{show_item(value[key])}" for key in sorted(value))
        return f"map[{inside}]"
    assert isinstance(value, list | tuple)
    return "[" + " ".join(show_item(item) for item in value) + "]"


def _pad(text: str, style: Style, *, zeros: bool = False) -> str:
    width = style.width or 0
    if style.has("-"):
        return text.ljust(width)
    if zeros and style.has("0"):
        sign = text[:1] if text[:1] in ("+", "-", " ") else ""
        return sign + text[len(sign) :].rjust(width - len(sign), "0")
    return text.rjust(width)


def _string(value: Value, style: Style) -> str:
    return _pad(str(value)[: style.precision], style, zeros=True)


def _quoted_string(value: Value, style: Style) -> str:
    text = str(value)[: style.precision]
    if style.has("#") and "`" not in text and all(_in_raw_string(char) for char in text):
        return _pad(f"`{text}`", style, zeros=True)
    return _pad(quote(text, ascii_only=style.has("+")), style, zeros=True)


def _in_raw_string(char: str) -> bool:
    return char == "\t" or (char >= " " and char not in "\x7f\ufeff")


def _hex_string(value: Value, style: Style) -> str:
    data = str(value).encode()[: style.precision]
    return _pad(data.hex(" ") if style.has(" ") else data.hex(), style)


def _boolean(value: Value, style: Style) -> str:
    return _pad("true" if value else "false", style, zeros=True)


def _integer(base: str, prefix: str = "") -> Callable[[Value, Style], str]:
    def show_integer(value: Value, style: Style) -> str:
        assert isinstance(value, int)
        digits = format(abs(value), base)
        if style.precision is not None:
            digits = "" if style.precision == 0 and value == 0 else digits.zfill(style.precision)
        sign = "-" if value < 0 else "+" if style.has("+") else " " if style.has(" ") else ""
        body = (prefix if style.has("#") else "") + digits
        return _pad(sign + body, style, zeros=style.precision is None)

    return show_integer


def _octal_with_prefix(value: Value, style: Style) -> str:
    assert isinstance(value, int)
    return _pad(f"{'-' if value < 0 else ''}0o{abs(value):o}", style, zeros=True)


def _character(value: Value, style: Style) -> str:
    return _pad(_rune(value), style, zeros=True)


def _quoted_character(value: Value, style: Style) -> str:
    shown = _quoted(_rune(value), "'", ascii_only=style.has("+"))
    return _pad(f"'{shown}'", style, zeros=True)


def _unicode(value: Value, style: Style) -> str:
    return _pad(f"U+{_integer('X')(value, Style()).rjust(4, '0')}", style)


def _rune(value: Value) -> str:
    assert isinstance(value, int)
    is_valid = 0 <= value <= 0x10FFFF and not 0xD800 <= value <= 0xDFFF
    return chr(value) if is_valid else "\ufffd"


def _float(verb: str) -> Callable[[Value, Style], str]:
    def show_float(value: Value, style: Style) -> str:
        assert isinstance(value, float)
        text = _shortest(value, verb) if style.precision is None else ""
        text = text or format(value, f".{6 if style.precision is None else style.precision}{verb}")
        text = text.replace("inf", "+Inf" if style.has("+") else "Inf").replace("nan", "NaN")
        if style.has("+") and value >= 0 and text[0] != "+":
            text = "+" + text
        elif style.has(" ") and value >= 0:
            text = " " + text
        return _pad(text, style, zeros=True)

    return show_float


def _shortest(value: float, verb: str) -> str:
    """Return the shortest form that reads back the same; outside 1e-4…1e+6 with exponent."""
    if verb not in "gG" or value in (float("inf"), float("-inf")) or value != value:
        return ""
    sign = "-" if struct.pack(">d", value)[0] & 0x80 else ""
    mantissa, _, exponent_text = f"{abs(value):e}".partition("e")
    digits = repr(abs(value)).partition("e")[0].replace(".", "").strip("0") or "0"
    exponent = int(exponent_text)
    if -4 <= exponent < _FIRST_EXPONENT:
        return sign + _positional(digits, exponent)
    mantissa = digits[0] + (f".{digits[1:]}" if len(digits) > 1 else "")
    return f"{sign}{mantissa}{'e' if verb == 'g' else 'E'}{exponent:+03d}"


def _positional(digits: str, exponent: int) -> str:
    if exponent < 0:
        return "0." + "0" * (-exponent - 1) + digits
    whole = digits[: exponent + 1].ljust(exponent + 1, "0")
    return whole + (f".{digits[exponent + 1 :]}" if len(digits) > exponent + 1 else "")


def _quoted(char: str, delimiter: str, *, ascii_only: bool) -> str:
    if char in (delimiter, "\\"):
        return "\\" + char
    if char in _ESCAPES:
        return _ESCAPES[char]
    code_point = ord(char)
    if is_printable(char) and (code_point < 0x80 or not ascii_only):
        return char
    if code_point < 0x20 or code_point == 0x7F:
        return f"\\x{code_point:02x}"
    return f"\\u{code_point:04x}" if code_point < 0x10000 else f"\\U{code_point:08x}"


def is_printable(char: str) -> bool:
    """Tell whether Go prints a character as it is: letters, marks, numbers, signs, plain space."""
    return char == " " or unicodedata.category(char)[0] in "LMNPS"


_FORMATS: dict[str, dict[str, Callable[[Value, Style], str]]] = {
    "string": {
        "s": _string,
        "q": _quoted_string,
        "x": _hex_string,
        "X": lambda value, style: _hex_string(value, style).upper(),
    },
    "bool": {"t": _boolean},
    "int": {
        "d": _integer("d"),
        "b": _integer("b", "0b"),
        "o": _integer("o", "0"),
        "O": _octal_with_prefix,
        "x": _integer("x", "0x"),
        "X": _integer("X", "0X"),
        "c": _character,
        "q": _quoted_character,
        "U": _unicode,
    },
    "float": {verb: _float(verb) for verb in "eEfFgG"},
}
