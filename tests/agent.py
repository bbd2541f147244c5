"""A Datadog agent's ear: a UDP socket, and datagrams read as the published format says.

The format: docs.datadoghq.com/developers/dogstatsd/datagram_shell.
"""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from waiting import wait_until

METRIC = re.compile(
    r"(?P<name>[a-zA-Z][\w.]*):(?P<value>\d+)\|(?P<kind>c|ms)(?:\|#(?P<tags>[^|\n]+))?"
)
EVENT = re.compile(r"_e\{(?P<title>\d+),(?P<text>\d+)\}:")
FIELDS = re.compile(
    r"\|d:(?P<at>\d+)(?:\|k:(?P<key>[^|]+))?\|t:(?P<severity>info|success|warning|error)"
    r"(?:\|#(?P<tags>[^|\n]+))?"
)


@dataclass(frozen=True)
class Heard:
    """One datagram; an event's `name` is its title, its `kind` its severity."""

    name: str
    kind: str
    value: int
    tags: dict[str, str]
    text: str = ""
    key: str = ""


def read(datagram: bytes) -> Heard:
    """Read a datagram; fail if it is none."""
    if header := EVENT.match(datagram.decode()):
        return _read_event(datagram, header)
    metric = METRIC.fullmatch(datagram.decode())
    assert metric, datagram
    return Heard(metric["name"], metric["kind"], int(metric["value"]), _tags(metric["tags"]))


def _read_event(datagram: bytes, header: re.Match[str]) -> Heard:
    """Lengths are those of the escaped texts, in bytes: they may hold what else would end them."""
    rest = datagram[header.end() :]
    title, text = (
        rest[: int(header["title"])],
        rest[int(header["title"]) + 1 :][: int(header["text"])],
    )
    assert rest[len(title) : len(title) + 1] == b"|"
    fields = FIELDS.fullmatch(rest[len(title) + 1 + len(text) :].decode())
    assert fields, datagram
    assert b"\n" not in datagram
    return Heard(
        title.decode(),
        fields["severity"],
        int(fields["at"]),
        _tags(fields["tags"]),
        text.decode().replace("\\n", "\n"),
        fields["key"] or "",
    )


def _tags(tags: str | None) -> dict[str, str]:
    return dict(tag.split(":", 1) for tag in tags.split(",")) if tags else {}


class Agent:
    """Listens; `heard` is everything so far, in order."""

    def __init__(self, listening: socket.socket) -> None:
        self._socket = listening
        self.address: tuple[str, int] = listening.getsockname()
        self._heard: list[Heard] = []

    @property
    def heard(self) -> list[Heard]:
        """Return everything that has come."""
        while True:
            try:
                self._heard.append(read(self._socket.recv(65_536)))
            except BlockingIOError:
                return list(self._heard)

    def wait_for(self, number: int) -> list[Heard]:
        """Wait until so many have come, and return them."""
        wait_until(lambda: len(self.heard) >= number)
        return self.heard

    def about(self, name: str, **tags: str) -> list[Heard]:
        """Return what was heard under a name, with these tags among others."""
        return [one for one in self.heard if one.name == name and tags.items() <= one.tags.items()]


@contextmanager
def listening(port: int = 0) -> Iterator[Agent]:
    """Listen on loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1_000_000)
        opened.bind(("127.0.0.1", port))
        opened.setblocking(False)
        yield Agent(opened)
