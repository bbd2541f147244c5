"""What all jobs of all runs share: the book, the doors, the groups and how many work at once."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from playground.actions.concurrency import Groups
from playground.actions.doors import Doors, Office
from playground.github.runs import RunBook

T = TypeVar("T")
LOCAL_ACTIONS = Path(__file__).parent / "local"
JOBS_AT_ONCE = 4
"""As many jobs as have a machine at a time; the others are queued."""


@dataclass
class Crew:
    """`path` holds folders to put in front of the jobs' PATH: that of the `databricks` command."""

    office: Office
    book: RunBook
    directory: Path
    doors: Doors
    path: tuple[Path, ...] = ()
    actions: Path = LOCAL_ACTIONS
    groups: Groups = field(default_factory=Groups)
    machines: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(JOBS_AT_ONCE))


async def unless(halt: asyncio.Event, doing: Coroutine[Any, Any, T]) -> T | None:
    """Return what something results in, or None if it is halted before or while it is done."""
    if halt.is_set():
        doing.close()
        return None
    work = asyncio.ensure_future(doing)
    stop = asyncio.ensure_future(halt.wait())
    try:
        await asyncio.wait((work, stop), return_when=asyncio.FIRST_COMPLETED)
        return work.result() if work.done() else None
    finally:
        for task in (work, stop):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
