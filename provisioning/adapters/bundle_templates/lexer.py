"""Cuts the text of a Go template into tokens, as Go's `text/template` does.

White space inside an action is a token of its own, because `.a.b` and `.a .b` differ.
"""

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Literal, cast

from provisioning.adapters.bundle_templates.bugs import TemplateError

Kind = Literal[
    "text", "left", "right", "space", "field", "variable", "name", "string", "number", "char",
    "symbol", "dot", "end",
]  # fmt: skip

KEYWORDS = frozenset(
    ("block", "break", "continue", "define", "else", "end", "if", "range", "template", "with")
)

_INSIDE = re.compile(
    r"""
      (?P<right>[ \t\r\n]-\}\} | \}\})
    | (?P<space>[ \t\r\n]+?(?=[ \t\r\n]-\}\}) | [ \t\r\n]+)
    | (?P<string>`[^`]*` | "(?:[^"\\\n]|\\[^\n])*")
    | (?P<char>'(?:[^'\\\n]|\\[^\n])+')
    | (?P<number>[+-]?(?:0[xX][0-9a-fA-F_]+(?![\w.])|0[bB][01_]+|0[oO][0-7_]+
        |(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]+)?))
    | (?P<field>\.[^\W\d]\w*)
    | (?P<variable>\$\w*)
    | (?P<name>[^\W\d]\w*)
    | (?P<symbol>:=|[=|(),])
    | (?P<dot>\.)
    """,
    re.VERBOSE,
)
_TERMINATED = frozenset(("field", "variable", "name"))
_AFTER = re.compile(r"[ \t\r\n.,|:()]|\}\}|\Z")
_COMMENT_END = re.compile(r"\*/([ \t\r\n]-)?\}\}")
_SPACES = " \t\r\n"


@dataclass(frozen=True)
class Token:
    """A piece of a template and the line where it begins."""

    kind: Kind
    text: str
    line: int


def tokens(file: str, source: str) -> Iterator[Token]:
    """Yield the tokens of a template; the last one is of kind "end".

    Raises `TemplateError` that names file and line.
    """
    position, trim = 0, False
    while (start := source.find("{{", position)) >= 0:
        trimmed_left = source[start + 2 : start + 3] == "-" and source[start + 3 : start + 4] in (
            *_SPACES,
        )
        yield from _text(source, position, start, trim=(trim, trimmed_left))
        inside = start + (4 if trimmed_left else 2)
        if source.startswith("/*", inside):
            position, trim = _comment(file, source, inside)
        else:
            position = yield from _action(file, source, start, inside)
            trim = source[position - 3 : position - 2] == "-"
    yield from _text(source, position, len(source), trim=(trim, False))
    yield Token("end", "", _line(source, len(source)))


def _text(source: str, start: int, end: int, *, trim: tuple[bool, bool]) -> Iterator[Token]:
    text = source[start:end]
    before, after = trim
    if before:
        shorter = text.lstrip(_SPACES)
        start += len(text) - len(shorter)
        text = shorter
    if after:
        text = text.rstrip(_SPACES)
    if text:
        yield Token("text", text, _line(source, start))


def _comment(file: str, source: str, start: int) -> tuple[int, bool]:
    close = source.find("*/", start)
    if close < 0:
        raise TemplateError(file, _line(source, start), "unclosed comment")
    end = _COMMENT_END.match(source, close)
    if end is None:
        raise TemplateError(file, _line(source, start), "comment ends before closing delimiter")
    return end.end(), end.group(1) is not None


def _action(file: str, source: str, left: int, position: int) -> Generator[Token, None, int]:
    yield Token("left", "{{", _line(source, left))
    while True:
        found = _INSIDE.match(source, position)
        line = _line(source, position)
        if found is None:
            raise TemplateError(file, line, _complaint(source, position))
        kind = cast(Kind, found.lastgroup)
        text, position = found.group(), found.end()
        _check_end(file, source, kind, found)
        yield Token(kind, text, line)
        if kind == "right":
            return position


def _check_end(file: str, source: str, kind: Kind, found: re.Match[str]) -> None:
    after = source[found.end() : found.end() + 1]
    if kind in _TERMINATED and not _AFTER.match(source, found.end()):
        raise TemplateError(file, _line(source, found.end()), f"bad character {after!r}")
    if kind == "number" and (after == "_" or after.isalnum()):
        raise TemplateError(
            file, _line(source, found.end()), f"bad number syntax: {found.group() + after!r}"
        )


def _complaint(source: str, position: int) -> str:
    following = source[position : position + 1]
    if not following:
        return "unclosed action"
    return {
        '"': "unterminated quoted string",
        "`": "unterminated raw quoted string",
        "'": "unterminated character constant",
    }.get(following, f"unexpected {following!r} in action")


def _line(source: str, position: int) -> int:
    return source.count("\n", 0, position) + 1
