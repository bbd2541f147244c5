"""GitHub's expressions, for what is decided before a job has a machine.

A job's `if`, name, environment, matrix and concurrency group are GitHub's to evaluate, not the
machine's; act evaluates the rest. Values are plain JSON; names and texts compare without case.
"""

import json
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

Value = object
_TOKEN = re.compile(
    r"\s*(?:(?P<number>-?(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?))"
    r"|(?P<text>'(?:[^']|'')*')"
    r"|(?P<word>[A-Za-z_][\w-]*)"
    r"|(?P<sign>&&|\|\||==|!=|<=|>=|[!<>()\[\].,*]))"
)
_STATUS = ("always", "success", "failure", "cancelled")
_LITERALS: dict[str, Value] = {"true": True, "false": False, "null": None}
_LEVELS = (("||",), ("&&",), ("==", "!="), ("<", "<=", ">", ">="))


class ExpressionError(ValueError):
    """An expression that GitHub would refuse."""


class Many(list[Value]):
    """What `.*` yields: further names are looked up in each."""


@dataclass(frozen=True)
class Status:
    """How everything before stands: what `success()` and its like answer from."""

    failed: bool = False
    skipped: bool = False
    cancelled: bool = False


@dataclass
class Scope:
    """The contexts an expression sees (`github`, `needs` …) and how everything before stands."""

    contexts: Mapping[str, Value]
    status: Status = field(default_factory=Status)

    def evaluate(self, text: str) -> Value:
        """Return the value of an expression without its `${{ }}`."""
        return _Reader(text, self).whole()

    def value(self, given: Value) -> Value:
        """Return what a YAML value means: one that is a single expression keeps its type."""
        if isinstance(given, dict):
            return {str(self.value(k)): self.value(v) for k, v in given.items()}
        if isinstance(given, list):
            return [self.value(each) for each in given]
        if not isinstance(given, str):
            return given
        pieces = split(given)
        if len(pieces) == 1 and pieces[0][0]:
            return self.evaluate(pieces[0][1])
        return "".join(text_of(self.evaluate(t)) if code else t for code, t in pieces)

    def text(self, given: Value) -> str:
        """Return a YAML value with its expressions put in, as text."""
        return text_of(self.value(given))

    def condition(self, given: Value) -> bool:
        """Say whether an `if` holds; without a status function it also needs `success()`."""
        if given is None or given == "":
            given = "success()"
        pieces = split(str(given) if not isinstance(given, bool) else text_of(given))
        one = pieces[0][1] if len(pieces) == 1 else None
        code = one if one is not None else f"'{self.text(given).replace(chr(39), chr(39) * 2)}'"
        met = truthy(self.evaluate(code))
        return met and (asks_status(code) or self._success())

    def _success(self) -> bool:
        return not (self.status.failed or self.status.skipped or self.status.cancelled)


def asks_status(code: str) -> bool:
    """Say whether an expression calls a status function."""
    without_texts = re.sub(r"'(?:[^']|'')*'", "''", code)
    return any(re.search(rf"\b{name}\s*\(", without_texts, re.IGNORECASE) for name in _STATUS)


def split(text: str) -> list[tuple[bool, str]]:
    """Return a text's pieces: (True, expression) or (False, plain)."""
    pieces: list[tuple[bool, str]] = []
    while True:
        start = text.find("${{")
        if start < 0:
            return [*pieces, (False, text)] if text or not pieces else pieces
        end = _end(text, start + 3)
        pieces += [(False, text[:start])] if start else []
        pieces.append((True, text[start + 3 : end].strip()))
        text = text[end + 2 :]


def _end(text: str, at: int) -> int:
    quoted = False
    while at < len(text):
        if text[at] == "'":
            quoted = not quoted
        elif not quoted and text.startswith("}}", at):
            return at
        at += 1
    raise ExpressionError(f"The expression is not closed: {text}")


def truthy(value: Value) -> bool:
    """Say whether GitHub takes a value for true."""
    if isinstance(value, float) and math.isnan(value):
        return False
    return isinstance(value, (dict, list)) or bool(value)


def text_of(value: Value) -> str:
    """Return how a value is written inside a text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else f"{value:.15g}"
    if isinstance(value, dict):
        return "Object"
    return "Array" if isinstance(value, list) else str(value)


def number_of(value: Value) -> float:
    """Return a value as a number; what is none becomes NaN."""
    if value is None or value is False or (isinstance(value, str) and not value.strip()):
        return 0.0
    if isinstance(value, (bool, int, float)):
        return float(value)
    try:
        text = str(value).strip() if isinstance(value, str) else "NaN"
        return float(int(text, 16)) if text.lower().startswith("0x") else float(text)
    except ValueError:
        return math.nan


class _Reader:
    """A recursive reader that evaluates as it goes."""

    def __init__(self, code: str, scope: Scope) -> None:
        self._code = code
        self._scope = scope
        self._tokens = self._split()
        self._at = 0

    def whole(self) -> Value:
        value = self._level(0)
        if self._at < len(self._tokens):
            raise ExpressionError(f"Unexpected symbol {self._peek()!r} in {self._code!r}")
        return list(value) if isinstance(value, Many) else value

    def _split(self) -> list[tuple[str, str]]:
        tokens, at, code = [], 0, self._code.rstrip()
        while at < len(code):
            found = _TOKEN.match(code, at)
            if found is None:
                raise ExpressionError(f"Unexpected symbol in {self._code!r}")
            kind = cast("str", found.lastgroup)
            tokens.append((kind, found[kind]))
            at = found.end()
        return tokens

    def _peek(self) -> str:
        kind, text = self._tokens[self._at] if self._at < len(self._tokens) else ("", "")
        return "" if kind == "text" else text

    def _take(self, wanted: str = "") -> tuple[str, str]:
        if self._at >= len(self._tokens) or (wanted and self._peek() != wanted):
            raise ExpressionError(f"Expected {wanted or 'a value'} in {self._code!r}")
        self._at += 1
        return self._tokens[self._at - 1]

    def _level(self, depth: int) -> Value:
        if depth == len(_LEVELS):
            return self._not()
        left = self._level(depth + 1)
        while self._peek() in _LEVELS[depth]:
            sign = self._take()[1]
            right = self._level(depth + 1)
            left = _combined(sign, left, right)
        return left

    def _not(self) -> Value:
        if self._peek() == "!":
            self._take()
            return not truthy(self._not())
        return self._inner(self._primary())

    def _inner(self, value: Value) -> Value:
        while self._peek() in (".", "["):
            if self._take()[1] == ".":
                kind, name = self._take()
                value = _every(value) if name == "*" and kind == "sign" else _member(value, name)
            elif self._peek() == "*":
                self._take()
                self._take("]")
                value = _every(value)
            else:
                value = _member(value, self._level(0))
                self._take("]")
        return value

    def _primary(self) -> Value:
        kind, token = self._take()
        if token == "(" and kind == "sign":
            value = self._level(0)
            self._take(")")
            return value
        if kind == "text":
            return token[1:-1].replace("''", "'")
        if kind == "number":
            return number_of(token)
        if kind == "word":
            return self._call(token) if self._peek() == "(" else self._word(token)
        raise ExpressionError(f"Unexpected symbol {token!r} in {self._code!r}")

    def _word(self, name: str) -> Value:
        if name in _LITERALS:
            return _LITERALS[name]
        known = {key.lower(): value for key, value in self._scope.contexts.items()}
        if name.lower() not in known:
            raise ExpressionError(f"Unrecognized named-value: {name!r} in {self._code!r}")
        return known[name.lower()]

    def _call(self, name: str) -> Value:
        self._take("(")
        given: list[Value] = []
        while self._peek() != ")":
            given.append(self._level(0))
            if self._peek() == ",":
                self._take()
        self._take(")")
        status = self._scope.status
        held = status.failed or status.skipped or status.cancelled
        answers = (True, not held, status.failed and not status.cancelled, status.cancelled)
        if name.lower() in _STATUS:
            return answers[_STATUS.index(name.lower())]
        function = _FUNCTIONS.get(name.lower())
        if function is None:
            raise ExpressionError(f"Unrecognized function: {name!r} in {self._code!r}")
        return function(*given)


def _every(value: Value) -> Many:
    if isinstance(value, dict):
        return Many(value.values())
    return Many(value) if isinstance(value, list) else Many()


def _member(value: Value, key: Value) -> Value:
    if isinstance(value, Many) and isinstance(key, str):
        found = (_member(each, key) for each in value)
        return Many(each for each in found if each is not None)
    if isinstance(value, dict):
        wanted = text_of(key).lower()
        return next((held for name, held in value.items() if str(name).lower() == wanted), None)
    if isinstance(value, list):
        position = number_of(key)
        inside = not math.isnan(position) and 0 <= position < len(value)
        return value[int(position)] if inside else None
    return None


def _combined(sign: str, left: Value, right: Value) -> Value:
    if sign == "&&":
        return right if truthy(left) else left
    if sign == "||":
        return left if truthy(left) else right
    if sign in ("==", "!="):
        return _equal(left, right) == (sign == "==")
    return _ordered(sign, left, right)


def _equal(left: Value, right: Value) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left.lower() == right.lower()
    if isinstance(left, (dict, list)) or isinstance(right, (dict, list)):
        return left is right
    if left is None and right is None:
        return True
    return number_of(left) == number_of(right)


def _ordered(sign: str, left: Value, right: Value) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return _COMPARISONS[sign](left.lower(), right.lower())
    return _COMPARISONS[sign](number_of(left), number_of(right))


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


# Functions


def _contains(where: Value, what: Value) -> bool:
    if isinstance(where, list):
        return any(_equal(each, what) for each in where)
    return text_of(what).lower() in text_of(where).lower()


def _format(pattern: Value, *given: Value) -> str:
    def put(found: re.Match[str]) -> str:
        if found[0] in ("{{", "}}"):
            return found[0][0]
        if found[1] is None or int(found[1]) >= len(given):
            raise ExpressionError(f"The format string is invalid: {pattern}")
        return text_of(given[int(found[1])])

    return re.sub(r"\{\{|\}\}|\{(\d+)\}|[{}]", put, text_of(pattern))


def _join(values: Value, between: Value = ",") -> str:
    if not isinstance(values, list):
        return text_of(values)
    return text_of(between).join(text_of(each) for each in values)


def _from_json(text: Value) -> Value:
    try:
        return cast("Value", json.loads(text_of(text)))
    except ValueError as problem:
        raise ExpressionError(f"Error parsing fromJson: {problem}") from problem


def _to_json(value: Value) -> str:
    whole = isinstance(value, float) and value.is_integer()
    return json.dumps(int(cast("float", value)) if whole else value, indent=2, ensure_ascii=False)


_FUNCTIONS: dict[str, Callable[..., Value]] = {
    "contains": _contains,
    "startswith": lambda text, start: text_of(text).lower().startswith(text_of(start).lower()),
    "endswith": lambda text, end: text_of(text).lower().endswith(text_of(end).lower()),
    "format": _format,
    "join": _join,
    "tojson": _to_json,
    "fromjson": _from_json,
}
