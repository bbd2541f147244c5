"""Time is a port: nobody asks the system for it, so tests can move it."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What time it is, in UTC."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - this is the clock port


class MovableClock:
    """A clock that runs with the machine's, and can be set forward."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        """Return the machine's time plus what `advance` has added."""
        return datetime.now(UTC) + self._ahead  # noqa: TID251 - this is the clock port

    def advance(self, by: timedelta) -> None:
        """Move time forward; it never goes back."""
        if by < timedelta():
            raise ValueError("time only moves forward")
        self._ahead += by
