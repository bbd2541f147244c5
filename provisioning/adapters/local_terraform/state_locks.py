"""Who holds the lock on a state here, and letting go of one whose process is gone.

Beside a state file the kernel holds the lock, and lets go when the process ends; Terraform's note
of who it was stays when it is killed, and hinders nobody. In PostgreSQL a session holds the lock:
it outlives its process only as long as the server has not noticed that the connection is lost.
There Terraform itself shows who *asked*, not who holds it.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from provisioning.adapters.local_terraform.jobs import Job
from provisioning.adapters.local_terraform.places import Places, read_or_empty
from provisioning.adapters.local_terraform.toolbox import Installation
from provisioning.errors import TemporaryError, UserError
from provisioning.runs import Diagnostic, Outcome
from provisioning.state_locks import StateLock
from provisioning.text import plain

NOTE = ".terraform.tfstate.lock.info"
STATE = "terraform.tfstate"
UNREADABLE = "unreadable"
REFUSED = "Error acquiring the state lock"
"""How Terraform says that it did not get the lock in time."""
SOMEBODY = "a process on the bot's machine, none of the bot's own,"
SESSION = """
SELECT a.pid, a.backend_start, a.usename, coalesce(host(a.client_addr), 'the server itself')
FROM terraform_remote_state.states s
JOIN pg_locks l ON l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND (l.classid::bigint << 32 | l.objid::bigint) = s.id
JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
JOIN pg_stat_activity a ON a.pid = l.pid
WHERE s.name = %s
"""
END = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE pid = %s::int AND backend_start = %s::timestamptz
"""
"""Waits up to five seconds for the session's end."""


class LocalStateLocks:
    """Implements `provisioning.state_locks.StateLocks` for the engine `local`."""

    def __init__(self, installation: Installation) -> None:
        self._state_url = installation.state_url
        self._grace = installation.grace.total_seconds()
        self._places = Places(installation.data)

    def find(self, project: str) -> StateLock | None:
        """Return the lock on a project's state, or None."""
        found = self._session(project) if self._state_url else self._note(project)
        working = self._working(project) if found else ""
        return found.model_copy(update={"held_by": working}) if found and working else found

    def release(self, project: str, lock: str) -> None:
        """Let go of this very lock, unless a process of ours holds it."""
        if working := self._working(project):
            raise UserError(f"Not released: {working} holds it. Nothing was changed.")
        if self._state_url:
            self._end_session(lock)
        else:
            self._remove_note(project, lock)

    def naming_the_holder(self, project: str, outcome: Outcome) -> Outcome:
        """Say who holds the state in the place of what Terraform says, where it did not get it."""
        if not any(each.summary == REFUSED for each in outcome.diagnostics):
            return outcome
        lock = self.find(project)
        told = tuple(
            _holder(project, each, lock) if each.summary == REFUSED else each
            for each in outcome.diagnostics
        )
        return outcome.model_copy(update={"diagnostics": told})

    def _working(self, project: str) -> str:
        """Return which of our own jobs runs, in words."""
        for run in self._places.runs(project):
            for job in sorted(run.glob("*/job.json")):
                if Job(job.parent, self._grace).state() == "running":
                    return f"the bot's own Terraform ({job.parent.name} of {run.name})"
        return ""

    # ------------------------------------------------------------------ beside a state file

    def _note(self, project: str) -> StateLock | None:
        root = self._places.root(project)
        written = read_or_empty(root / NOTE)
        with _kernel_lock(root / STATE) as free:
            if free and not (root / NOTE).exists():
                return None
        told = _told(written)
        return StateLock(
            id=told.get("ID") or UNREADABLE,
            who=told.get("Who", ""),
            created=told.get("Created", ""),
            operation=told.get("Operation", ""),
            held_by="" if free else SOMEBODY,
        )

    def _remove_note(self, project: str, lock: str) -> None:
        root = self._places.root(project)
        with _kernel_lock(root / STATE) as free:  # while we hold it, nobody writes a new note
            if not free:
                raise UserError(f"Not released: {SOMEBODY} holds it. Nothing was changed.")
            written = read_or_empty(root / NOTE)
            if (_told(written).get("ID") or UNREADABLE) == lock:
                (root / NOTE).unlink(missing_ok=True)

    # ------------------------------------------------------------------ in PostgreSQL

    def _session(self, project: str) -> StateLock | None:
        try:
            with self._connected() as connection:
                found = connection.execute(SESSION, (project,)).fetchone()
        except psycopg.errors.UndefinedTable:
            return None
        if found is None:
            return None
        pid, born, user, address = found
        return StateLock(
            id=f"{pid}@{born.isoformat()}",
            who=f"{user} at {address}, session {pid}",
            created=born.isoformat(),
        )

    def _end_session(self, lock: str) -> None:
        pid, _, born = lock.partition("@")
        with self._connected() as connection:
            connection.execute(END, (pid, born))

    @contextmanager
    def _connected(self) -> "Iterator[psycopg.Connection[Any]]":
        try:
            with psycopg.connect(self._state_url, autocommit=True) as connection:
                yield connection
        except psycopg.OperationalError as failure:
            raise TemporaryError(
                "the PostgreSQL server that keeps Terraform's state cannot be reached; nothing was "
                "released"
            ) from failure


@contextmanager
def _kernel_lock(state: Path) -> Iterator[bool]:
    """Hold the lock that Terraform takes on a state file; tell whether it was free.

    Whoever meets us waits a moment: every command of ours has patience.
    """
    try:
        file = os.open(state, os.O_RDWR)
    except FileNotFoundError:
        yield True
        return
    try:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(file)


def _told(written: str) -> dict[str, str]:
    try:
        told = json.loads(written)
    except ValueError:
        return {}
    return {name: str(value) for name, value in told.items()} if isinstance(told, dict) else {}


def _holder(project: str, told: Diagnostic, lock: StateLock | None) -> Diagnostic:
    nothing = "Nothing was changed."
    if lock is None:
        detail = f"Whoever held it has let go by now. {nothing} Press Retry."
    else:
        held = f" Held by: {lock.held_by.rstrip(',')}." if lock.held_by else ""
        detail = (
            f"{plain(lock.described())}.{held} {nothing} Press Retry once it is free; "
            f"/sciclops unlock {project} shows whether the platform team can release it."
        )
    return told.model_copy(update={"summary": "Terraform's state is locked", "detail": detail})
