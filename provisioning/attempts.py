"""How an effect comes to happen: tried patiently, observed, and left alone when we stop."""

import itertools
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from provisioning.clock import Clock
from provisioning.errors import TemporaryError
from provisioning.steps import T
from provisioning.text import Frozen

Observer = Callable[[str, str, Literal["before", "after"]], None]
"""Hears (operation, step, moment); must not raise."""

WORTH_TELLING = timedelta(seconds=5)
"""A step that goes on for so long with failed tries is talked about, and one that fails twice."""

log = logging.getLogger(__name__)


class StoppingError(BaseException):
    """Unwinds a workflow that a stopping process leaves to others; no error, nobody catches it."""


@dataclass(frozen=True)
class Setback:
    """A try that failed, one of those `since` then; the step is tried `again` at that time."""

    error: TemporaryError
    since: datetime
    at: datetime
    again: datetime


Tell = Callable[[str, Setback | None], None]
"""Hears an operation's setback, and None once there is no more of it; may raise, in vain."""


class Patience(Frozen):
    """How long a step is tried again: seconds `first`, doubled up to `longest`, `total` in all.

    A vendor's own wish (`TemporaryError.after`) counts instead where it is longer; one beyond the
    total ends the trying at once.
    """

    first: float = 0.5
    longest: float = 10
    total: float = 600

    def pause(self, attempt: int, error: TemporaryError) -> float:
        """Return how long to wait after the attempt, counted from 0, that failed like this."""
        wish = error.after.total_seconds() if error.after else 0.0
        return max(wish, min(self.longest, self.first * 2.0 ** min(attempt, 30)))


class Attempts:
    """Lets effects happen, until this process stops."""

    def __init__(self, clock: Clock, patience: Patience, observe: Observer | None) -> None:
        self._clock = clock
        self._patience = patience
        self._observe = observe or _ignore
        self._tell: Tell = _tell_nobody
        self._stopping = threading.Event()
        self._abandoned = threading.Event()

    def report(self, tell: Tell) -> None:
        """Tell of setbacks that last from now on."""
        self._tell = tell

    def stop(self) -> None:
        """Begin no further effect, and end waiting."""
        self._stopping.set()

    def abandon(self) -> None:
        """Let effects that are still running come to nothing: their checkpoint is gone."""
        self._abandoned.set()

    def go_on(self) -> None:
        """Unwind the workflow if this process is stopping."""
        if self._stopping.is_set():
            raise StoppingError

    def happen(self, subject: str, step: str, effect: Callable[[], T]) -> T:
        """Return what the effect returns; raise what it raises once patience is at its end."""
        report = _Report(self._tell, subject)
        try:
            value = self._patiently(subject, step, effect, report)
        finally:
            report.end()
        if self._abandoned.is_set():
            raise StoppingError
        return value

    def _patiently(self, subject: str, step: str, effect: Callable[[], T], report: "_Report") -> T:
        since, waited = self._clock.now(), 0.0
        for attempt in itertools.count():
            self._observe(subject, step, "before")
            try:
                value = effect()
            except TemporaryError as error:
                pause = self._patience.pause(attempt, error)
                waited += pause
                if waited > self._patience.total:
                    raise
                log.info("%s of %s: %s Again in %.1f s.", step, subject, error, pause)
                now = self._clock.now()
                report.hear(Setback(error, since, now, now + timedelta(seconds=pause)))
                self._wait(pause)
            else:
                self._observe(subject, step, "after")
                return value
        raise AssertionError("unreachable: it counts for ever")

    def _wait(self, seconds: float) -> None:
        until = self._clock.now() + timedelta(seconds=seconds)
        while (left := (until - self._clock.now()).total_seconds()) > 0:
            # Short looks at the clock port, since it may be moved meanwhile.
            self._stopping.wait(min(left, 0.1))
            self.go_on()


class _Report:
    """Tells of a step's setbacks if they last, and that the step is over."""

    def __init__(self, tell: Tell, subject: str) -> None:
        self._tell = tell
        self._subject = subject
        self._heard = 0

    def hear(self, setback: Setback) -> None:
        """Tell of a setback if it is not the first, or takes long."""
        self._heard += 1
        if self._heard > 1 or setback.again - setback.since >= WORTH_TELLING:
            self._say(setback)

    def end(self) -> None:
        """Tell that the step is over; a process that died meanwhile may have told of setbacks."""
        self._say(None)

    def _say(self, setback: Setback | None) -> None:
        try:
            self._tell(self._subject, setback)
        except Exception:
            log.warning("could not tell of a setback of %s", self._subject, exc_info=True)


def _tell_nobody(subject: str, setback: Setback | None) -> None:
    del subject, setback


def _ignore(subject: str, step: str, moment: Literal["before", "after"]) -> None:
    del subject, step, moment
