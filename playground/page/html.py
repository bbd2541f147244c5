"""Builds HTML from Python values; whatever is not already `Html` is escaped on its way in."""

from collections.abc import Iterable
from html import escape as _escape
from typing import TypeAlias

VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})


class Html(str):
    """Text that is HTML already. Joining it with `+` makes it plain text again: fail-safe."""

    __slots__ = ()


Child: TypeAlias = "str | int | Iterable[Child] | None"
Attribute = str | int | bool | None
EMPTY = Html("")


def text(words: object) -> Html:
    """Escape words, for content and attributes alike."""
    return Html(_escape(str(words), quote=True))


def join(children: Iterable[Child]) -> Html:
    """Put pieces one after the other: strings are escaped, `None` is left out."""
    return Html("".join(_pieces(children)))


def _pieces(children: Iterable[Child]) -> Iterable[str]:
    for child in children:
        if isinstance(child, Html):
            yield child
        elif isinstance(child, str | int):
            yield text(child)
        elif child is not None:
            yield from _pieces(child)


def tag(name: str, /, *children: Child, **attributes: Attribute) -> Html:
    """Return an element. `class_` is class, `data_x` data-x; False and None are left out."""
    start = f"<{name}{''.join(_attribute(key, value) for key, value in attributes.items())}>"
    if name in VOID:
        return Html(start)
    return Html(f"{start}{join(children)}</{name}>")


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{text(value)}"'


def classes(*names: str | bool | None) -> str:
    """Join class names, leaving out what is empty."""
    return " ".join(name for name in names if isinstance(name, str) and name)


def lines(words: str) -> Html:
    """Escape words and keep their line breaks."""
    return Html(text(words).replace("\n", "<br>"))
