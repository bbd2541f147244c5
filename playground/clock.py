"""One clock for the whole playground: the bot, a process of its own, reads how far it was moved."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol, runtime_checkable


@runtime_checkable
class AdjustableClock(Protocol):
    """A clock that can be set forward: deadlines come as fast as one likes."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""

    def advance(self, by: timedelta) -> None:
        """Move time forward; it never goes back."""


class SharedClock:
    """The machine's time plus what a file says; whoever moves it, all who share the file see it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        if not file.exists():
            file.write_text("0")

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC) + self._ahead()  # noqa: TID251 - this is a clock port

    def advance(self, by: timedelta) -> None:
        """Move time forward; it never goes back."""
        if by < timedelta():
            raise ValueError("time only moves forward")
        fresh = self._file.with_suffix(".new")
        fresh.write_text(str((self._ahead() + by).total_seconds()))
        fresh.replace(self._file)

    def _ahead(self) -> timedelta:
        return timedelta(seconds=float(self._file.read_text()))
