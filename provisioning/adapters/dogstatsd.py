"""Metrics for Datadog: DogStatsD datagrams over UDP (docs/decisions/0010-metrics-at-most-once.md).

The format is that of docs.datadoghq.com/developers/dogstatsd/datagram_shell. A thread of its own
looks up the agent's name and sends, so that whoever measures neither waits nor fails.
"""

import logging
import queue
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

from provisioning.metrics import Event, Labels

log = logging.getLogger(__name__)

MOST_WAITING = 1000
"""So many datagrams wait while the agent's name is looked up; more are dropped."""
LOOKED_UP_FOR = 60.0
"""Seconds after which the agent's name is looked up again: it may have moved."""
LONGEST_TAG = 200
LONGEST_TITLE = 100
LONGEST_TEXT = 4000
"""Bytes; an agent reads datagrams of 8 kB."""
NOT_IN_TAGS = re.compile(r"[^a-z0-9_:./-]+")


class DogStatsD:
    """Implements `provisioning.metrics.Metrics`; `counts` says what became of the datagrams.

    `address` is host and port of the agent, `tags` go with everything. Nothing is opened or
    started before the first measurement.
    """

    def __init__(self, address: tuple[str, int], prefix: str, tags: Mapping[str, str]) -> None:
        self.counts: Counter[str] = Counter(sent=0, unheard=0, dropped=0)
        self._address = address
        self._prefix = f"{prefix}." if prefix else ""
        self._tags = tuple(_tag(name, value) for name, value in tags.items())
        self._waiting: queue.Queue[bytes] = queue.Queue(MOST_WAITING)
        self._starting = threading.Lock()
        self._sender: threading.Thread | None = None
        self._socket: socket.socket | None = None
        self._opened_at = 0.0

    def count(self, name: str, labels: Labels) -> None:
        """Count one more of these."""
        self._put(f"{self._prefix}{name}:1|c{self._suffix(labels)}")

    def time(self, name: str, took: timedelta, labels: Labels) -> None:
        """Note how long something took, in milliseconds."""
        milliseconds = round(took.total_seconds() * 1000)
        self._put(f"{self._prefix}{name}:{milliseconds}|ms{self._suffix(labels)}")

    def event(self, event: Event, labels: Labels) -> None:
        """Note that something happened; lengths are those of the escaped texts, in bytes."""
        title = _one_line(event.title, LONGEST_TITLE)
        text = _one_line(event.text, LONGEST_TEXT)
        lengths = f"{len(title.encode())},{len(text.encode())}"
        key = f"|k:{_plain(event.subject)}" if event.subject else ""
        self._put(
            f"_e{{{lengths}}}:{title}|{text}|d:{int(event.at.timestamp())}{key}"
            f"|t:{event.severity}{self._suffix(labels)}"
        )

    def _suffix(self, labels: Labels) -> str:
        own = (_tag(name, value) for name, value in labels.model_dump().items() if value)
        tags = ",".join((*self._tags, *own))
        return f"|#{tags}" if tags else ""

    # ------------------------------------------------------------------ sending

    def _put(self, datagram: str) -> None:
        with self._starting:
            if self._sender is None:
                self._sender = threading.Thread(target=self._send_all, name="metrics", daemon=True)
                self._sender.start()
        try:
            self._waiting.put_nowait(datagram.encode())
        except queue.Full:
            self._dropped("too many are waiting")

    def _send_all(self) -> None:
        while True:
            datagram = self._waiting.get()
            try:
                self._send(datagram)
            except (OSError, UnicodeError) as error:  # a name may be too odd to be looked up
                self._dropped(str(error))
                self._close()
            else:
                self.counts["sent"] += 1

    def _send(self, datagram: bytes) -> None:
        agent = self._open()
        try:
            agent.send(datagram)
        except ConnectionRefusedError:
            # This tells of the datagram before, which nobody heard; the present one is not sent.
            self.counts["unheard"] += 1
            agent.send(datagram)

    def _open(self) -> socket.socket:
        if self._socket and time.monotonic() - self._opened_at < LOOKED_UP_FOR:
            return self._socket
        self._close()
        family, kind, protocol, _, where = socket.getaddrinfo(
            *self._address, type=socket.SOCK_DGRAM
        )[0]
        opened = socket.socket(family, kind, protocol)
        self._socket, self._opened_at = opened, time.monotonic()
        opened.setblocking(False)
        opened.connect(where)
        return opened

    def _close(self) -> None:
        if self._socket:
            self._socket.close()
        self._socket = None

    def _dropped(self, why: str) -> None:
        """Log the first ones and then ever fewer."""
        self.counts["dropped"] += 1
        number = self.counts["dropped"]
        if number & (number - 1) == 0:
            log.warning("a measurement was dropped (%s), number %d of them", why, number)


def _tag(name: str, value: str) -> str:
    return f"{_plain(name)}:{_plain(value)}"[:LONGEST_TAG]


def _plain(text: str) -> str:
    """Return what Datadog would make of a tag: `|`, `,`, `#` and line ends would end it."""
    return NOT_IN_TAGS.sub("_", text.lower())


def _one_line(text: str, longest: int) -> str:
    """Escape line ends and cut a text to so many bytes, not through a character or an escape."""
    escaped = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")
    cut = escaped.encode()[:longest].decode(errors="ignore")
    return cut if cut == escaped else cut.rstrip("\\")
