r"""Go's regular expressions (RE2 syntax) on Python's engine, with Go's meaning.

What only Python understands (lookaround, back references, possessive quantifiers) is refused, and
what both read differently is translated: `$`, `\z`, `\s`, `\p{…}`, `[[:alpha:]]`, `\Q…\E`.
"""

import re
import sys
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from itertools import groupby

from provisioning.adapters.bundle_templates.bugs import RefusedError

_POSIX = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": r"\x00-\x7f", "blank": r"\t ",
    "cntrl": r"\x00-\x1f\x7f", "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~",
    "punct": r"!-/:-@\[-`{-~", "space": r"\t\n\v\f\r ", "upper": "A-Z", "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_SPACE = r"\t\n\f\r "
_PIECE = re.compile(
    r"""
      \\Q(?P<literal>.*?)(?:\\E|\Z)
    | \\(?P<negated>[pP])(?:\{(?P<script>\^?\w+)\}|(?P<letter>\w))
    | \\x\{(?P<code>[0-9a-fA-F]{1,6})\}
    | \\(?P<escape>.)
    | \((?P<group>\?(?:P?<\w+>|[a-zA-Z-]*:|[a-zA-Z-]+\)|P?[^a-zA-Z:-]?))
    | \[:(?P<posix_not>\^?)(?P<posix>\w+):\]
    | (?P<class>\[\^?\]?)
    | (?P<possessive>[*+?}]\+|[*+?}]\?\?)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a Python pattern that matches what Go's matches; raises `RefusedError`."""
    try:
        return re.compile(_Translation(pattern).run(), re.ASCII)
    except (re.error, OverflowError, RecursionError) as bad:
        raise RefusedError(f"error parsing regexp {pattern!r}: {bad}") from bad


class _Translation:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.in_class = False
        self.multi_line = re.match(r"\(\?[a-z]*m[a-z]*\)", pattern) is not None

    def run(self) -> str:
        return _PIECE.sub(self._piece, self.pattern)

    def _piece(self, found: re.Match[str]) -> str:
        translate: dict[str, Callable[[re.Match[str]], str]] = {
            "literal": lambda found: re.escape(found["literal"]),
            "letter": self._property,
            "script": self._property,
            "code": lambda found: re.escape(_character(int(found["code"], 16))),
            "escape": self._escape,
            "group": self._group,
            "posix": self._posix,
            "class": self._class,
            "possessive": self._possessive,
            "other": self._other,
        }
        return next(
            make(found) for name, make in translate.items() if found.group(name) is not None
        )

    def _refuse(self, what: str) -> RefusedError:
        return RefusedError(f"error parsing regexp {self.pattern!r}: {what}")

    def _property(self, found: re.Match[str]) -> str:
        name = found["script"] or found["letter"]
        negated = (found["negated"] == "P") != name.startswith("^")
        ranges = _category(name.lstrip("^"), negated=negated)
        if not ranges:
            raise self._refuse(f"unknown or unsupported character class \\p{{{name}}}")
        return ranges if self.in_class else f"[{ranges}]"

    def _escape(self, found: re.Match[str]) -> str:
        letter = found["escape"]
        if letter in "123456789ZuUNCeEGg" or (self.in_class and letter == "S"):
            raise self._refuse(f"invalid escape sequence \\{letter}")
        if letter == "z":
            return r"\Z"
        if letter == "s":
            return _SPACE if self.in_class else f"[{_SPACE}]"
        return f"[^{_SPACE}]" if letter == "S" else found.group()

    def _group(self, found: re.Match[str]) -> str:
        if self.in_class:
            return re.escape("(") + _PIECE.sub(self._piece, found["group"])
        group = found["group"]
        if group.startswith(("?P<", "?<")) and group.endswith(">"):
            return "(?P<" + group.partition("<")[2]
        if re.fullmatch(r"\?[ims]*(-[ims]+)?:|\?[ims]+\)", group):
            return "(" + group
        raise self._refuse(f"invalid or unsupported Perl syntax ({group}")

    def _posix(self, found: re.Match[str]) -> str:
        if not self.in_class or found["posix"] not in _POSIX or found["posix_not"]:
            raise self._refuse(f"invalid character class {found.group()}")
        return _POSIX[found["posix"]]

    def _class(self, found: re.Match[str]) -> str:
        if self.in_class:
            inner = found["class"]
            self.in_class = not inner.endswith("]")
            return "\\" + inner
        self.in_class = True
        return found["class"].replace("]", r"\]")

    def _possessive(self, found: re.Match[str]) -> str:
        if self.in_class:
            return found.group()
        raise self._refuse(f"invalid nested repetition operator {found.group()}")

    def _other(self, found: re.Match[str]) -> str:
        char = found["other"]
        if self.in_class:
            self.in_class = char != "]"
            return "\\" + char if char in "&~|" else char
        return r"\Z" if char == "$" and not self.multi_line else char


def _character(code_point: int) -> str:
    if code_point > sys.maxunicode:
        raise RefusedError(f"error parsing regexp: invalid code point {code_point:x}")
    return chr(code_point)


@lru_cache(maxsize=32)
def _category(name: str, *, negated: bool) -> str:
    ranges: list[str] = []
    for inside, runs in groupby(_runs(), lambda run: run[0].startswith(name) != negated):
        if inside:
            together = list(runs)
            ranges.append(f"\\U{together[0][1]:08x}-\\U{together[-1][2]:08x}")
    whole = f"\\U00000000-\\U{sys.maxunicode:08x}"
    return "" if ranges == [whole] and negated else "".join(ranges)


@lru_cache(maxsize=1)
def _runs() -> tuple[tuple[str, int, int], ...]:
    """Return each run of code points of one general category: its name, the first, the last."""
    code_points = map(chr, range(sys.maxunicode + 1))
    names = "".join(map(unicodedata.category, code_points))  # two letters for each code point
    runs = re.finditer(r"(..)\1*", names)
    return tuple((run[1], run.start() // 2, run.end() // 2 - 1) for run in runs)


def search(pattern: str, text: str) -> bool:
    """Tell whether the pattern is found anywhere in the text, as Go's `MatchString`."""
    return compiled(pattern).search(text) is not None
