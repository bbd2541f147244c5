"""Lists that people search while they type."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from datetime import datetime, timedelta
from threading import Lock

from provisioning.clock import Clock
from provisioning.errors import TemporaryError
from provisioning.ports import Choice

MOST_CHOICES = 100
LIFETIME = timedelta(minutes=1)
PATIENCE_SECONDS = 1.0
"""How long somebody who types waits for a fresh list while there is an old one."""

Choices = tuple[Choice, ...]


class Directory:
    """A list that is fetched at most once a minute, by one thread for all.

    While GitHub is silent, yesterday's list is better than none: it only fills a form, and what
    is picked is checked again at submit.
    """

    def __init__(self, clock: Clock, executor: Executor, fetch: Callable[[], Choices]) -> None:
        self._clock = clock
        self._executor = executor
        self._fetch = fetch
        self._lock = Lock()
        self._running: Future[Choices] | None = None
        self._fetched_at: datetime | None = None
        self._choices: Choices = ()

    def choices(self) -> Choices:
        """Return the list; raises TemporaryError if there has never been one."""
        is_first = self._fetched_at is None
        running = self._refreshing()
        if running is None:
            return self._choices
        try:
            return running.result(timeout=None if is_first else PATIENCE_SECONDS)
        except (TimeoutError, TemporaryError):
            if is_first:
                raise
            return self._choices

    def _refreshing(self) -> "Future[Choices] | None":
        """Return the fetch under way, begun if it is time; None while the list is fresh."""
        with self._lock:
            if self._running and not self._running.done():
                return self._running
            if self._fetched_at and self._clock.now() - self._fetched_at < LIFETIME:
                return None
            self._running = self._executor.submit(self._refresh)
            return self._running

    def _refresh(self) -> Choices:
        self._choices = self._fetch()
        self._fetched_at = self._clock.now()
        return self._choices


def matching(choices: Choices, query: str) -> Choices:
    """Return at most 100 choices that contain the query, whatever characters are in it."""
    words = query.strip().casefold()
    found = [c for c in choices if words in c.label.casefold() or words in c.value.casefold()]
    return tuple(found[:MOST_CHOICES])
