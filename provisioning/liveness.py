"""Which bot processes are alive, so that the work of a dead one is taken over.

On one machine a held file lock tells within a second; across machines a row that no longer changes
does. Real time counts here, not the clock port: a process does not die because a test moved time.
"""

import fcntl
import os
import socket
import threading
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import IO

from sqlmodel import col, delete, select

from provisioning.clock import Clock
from provisioning.database import Database, insert_once
from provisioning.tables import ExecutorRow


class Liveness:
    """Our own sign of life, and the judgement on other processes'.

    `lease` is how many seconds the row of a process elsewhere may stay unchanged.
    """

    def __init__(
        self, database: Database, clock: Clock, executor: str, locks: Path, lease: float
    ) -> None:
        self._database = database
        self._clock = clock
        self._executor = executor
        self._locks = locks
        self._lease = lease
        self._host = socket.gethostname()
        self._held: IO[bytes] | None = None
        self._last_beat = float("-inf")
        self._seen: dict[str, tuple[datetime, float]] = {}
        self._mutex = threading.Lock()

    def begin(self) -> None:
        """Take this process's lock and write its row; before any work is taken."""
        self._locks.mkdir(parents=True, exist_ok=True)
        self._held = self._path(self._executor).open("wb")
        fcntl.flock(self._held, fcntl.LOCK_EX)
        self._beat()

    def beat(self) -> None:
        """Renew the sign of life when a sixth of the lease has passed."""
        if time.monotonic() - self._last_beat >= self._lease / 6:
            self._beat()

    def dead(self, executors: Iterable[str]) -> frozenset[str]:
        """Return which of these processes are certainly gone; empty while our own life is in doubt.

        Of a process elsewhere that is known only after watching it for a lease.
        """
        others = set(executors) - {self._executor}
        if not others or time.monotonic() - self._last_beat > self._lease:
            return frozenset()
        with self._database.reading() as session:
            rows = session.exec(select(ExecutorRow).where(col(ExecutorRow.id).in_(others))).all()
        known = {row.id: row for row in rows}
        with self._mutex:
            return frozenset(one for one in others if not self._alive(one, known.get(one)))

    def known(self) -> frozenset[str]:
        """Return every process that has a row."""
        with self._database.reading() as session:
            return frozenset(session.exec(select(ExecutorRow.id)).all())

    def bury(self, executors: Iterable[str]) -> None:
        """Forget processes that are gone and whose work was taken over."""
        gone = set(executors)
        with self._database.writing() as session:
            session.exec(delete(ExecutorRow).where(col(ExecutorRow.id).in_(gone)))
        for executor in gone:
            self._seen.pop(executor, None)
            self._path(executor).unlink(missing_ok=True)

    def end(self) -> None:
        """Give up this process's life: others take over at once whatever it left behind."""
        self.bury({self._executor})
        if self._held:
            self._held.close()

    def _beat(self) -> None:
        now = self._clock.now()
        row = ExecutorRow(
            id=self._executor, host=self._host, pid=os.getpid(), started_at=now, beat_at=now
        )
        with self._database.writing() as session:
            if not insert_once(session, row):
                known = session.get_one(ExecutorRow, self._executor)
                known.beat_at = now
                session.add(known)
        self._last_beat = time.monotonic()

    def _alive(self, executor: str, row: ExecutorRow | None) -> bool:
        if row is None or row.host == self._host:
            locked = _locked(self._path(executor))
            # Who lives wrote a row before taking work; who was buried has neither row nor lock.
            if locked is not None or row is None:
                return bool(locked)
        before, since = self._seen.get(executor, (None, 0.0))
        if row.beat_at != before:
            self._seen[executor] = (row.beat_at, time.monotonic())
            return True
        return time.monotonic() - since <= self._lease

    def _path(self, executor: str) -> Path:
        return self._locks / f"{executor}.lock"


def _locked(path: Path) -> bool | None:
    """Tell whether a process holds the lock; None if there is no such file here."""
    try:
        with path.open("rb") as file:
            # Shared, so that two processes that look at once don't take each other for its holder.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return True
    return False
