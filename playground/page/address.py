"""The page's addresses: who looks, and at what."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, quote, unquote, urlsplit

Kind = Literal["channel", "home", "world", "faults", "deliveries", "file", "source", "repository"]
_SHORT: dict[str, Kind] = {
    "c": "channel",
    "world": "world",
    "file": "file",
    "source": "source",
    "repository": "repository",
}
_ALONE: dict[str, Kind] = {"home": "home", "faults": "faults", "deliveries": "deliveries"}


@dataclass(frozen=True)
class Address:
    """One place of the page: `/as/U0ADA/c/C0SCICLOPS?thread=1.2` is a channel and a thread.

    `path` is a file's, in a repository whose `name` a "source" address holds.
    """

    viewer: str
    kind: Kind
    name: str = ""
    thread: str = ""
    path: str = ""

    def __str__(self) -> str:
        """Return the path and query."""
        short = next((word for word, kind in _SHORT.items() if kind == self.kind), self.kind)
        tail = f"/{quote(self.name, safe='')}" if self.name else ""
        query = f"?thread={self.thread}" if self.thread else ""
        query += f"?path={quote(self.path)}" if self.path else ""
        return f"/as/{self.viewer}/{short}{tail}{query}"


def parse(url: str) -> Address | None:
    """Return the address that a path and query stand for, or None."""
    split = urlsplit(url)
    parts = [unquote(part) for part in split.path.split("/")]
    if len(parts) < 4 or parts[:2] != ["", "as"]:
        return None
    viewer, word, rest = parts[2], parts[3], parts[4:]
    if word in _ALONE and not rest:
        return Address(viewer, _ALONE[word])
    if word not in _SHORT or len(rest) != 1 or not rest[0]:
        return None
    asked = {name: values[0] for name, values in parse_qs(split.query).items()}
    thread = asked.get("thread", "") if word == "c" else ""
    path = asked.get("path", "") if word == "source" else ""
    return Address(viewer, _SHORT[word], rest[0], thread, path)
