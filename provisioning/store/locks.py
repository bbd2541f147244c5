"""Locks on projects: who says "hands off", why and since when; at most one for each project."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from provisioning import audit
from provisioning.clock import Clock
from provisioning.database import Database
from provisioning.errors import PermanentError, UserError
from provisioning.store.messages import Message, want
from provisioning.tables import ProjectLockRow, ProjectRow
from provisioning.text import Text, code, moment, person, say

OURSELVES = ("", "bot", audit.US)
"""Who acts when nobody asked for it in person."""


class LockedError(UserError):
    """Somebody else has locked the project: names who, why and since when."""

    def __init__(self, lock: ProjectLockRow, now: datetime) -> None:
        super().__init__(
            say(
                *held(lock, now),
                " Nothing was done. Ask them; an owner of the project or the platform team can "
                "take the lock over: ",
                code(f"/sciclops unlock {lock.project}"),
            )
        )


class Locks:
    """Who holds which project. Whoever takes a lock over names the one they saw."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def of(self, project: str) -> ProjectLockRow | None:
        """Return a project's lock, or None."""
        with self._database.reading() as session:
            return session.get(ProjectLockRow, project)

    def among(self, projects: Collection[str]) -> Sequence[ProjectLockRow]:
        """Return the locks of these projects."""
        locks = select(ProjectLockRow).where(col(ProjectLockRow.project).in_(projects))
        with self._database.reading() as session:
            return session.exec(locks.order_by(col(ProjectLockRow.project))).all()

    def require_open(self, project: str, by: str, what: str) -> None:
        """Raise `LockedError` where somebody else holds the project; that a person tried is noted.

        Sweeps try again and again, which nobody wants to read.
        """
        lock = self.of(project)
        if lock is None or lock.holder == by:
            return
        if by not in OURSELVES:
            with self._database.writing() as session:
                detail = {what: "locked", "by": lock.holder, "lock": lock.id}
                self._note(session, project, by, "refused", detail)
        raise LockedError(lock, self._clock.now())

    def take(
        self, wanted: ProjectLockRow, *, over: str = "", news: Message | None = None
    ) -> ProjectLockRow:
        """Lock a project; return who holds it then: somebody else, unless `over` names their lock.

        One's own lock gets the new reason. `news` are for whom the lock is taken from.
        """
        with self._database.writing() as session:
            known = _locked(session, wanted.project)
            if known is None:
                session.add(wanted)
                session.flush()
                self._note(session, wanted.project, wanted.holder, "locked", _facts(wanted))
                return wanted
            if known.holder == wanted.holder:
                return self._reword(session, known, wanted.reason)
            if known.id != over:
                return known
            taken = {"from": _facts(known)}
            known.sqlmodel_update(wanted.model_dump())
            session.add(known)
            session.flush()
            self._send(session, news)
            detail = _facts(wanted) | taken
            self._note(session, wanted.project, wanted.holder, "took the lock over", detail)
            return known

    def release(
        self, project: str, by: str, *, over: str = "", news: Message | None = None
    ) -> ProjectLockRow | None:
        """Unlock a project; return the lock that stands in the way: somebody else's, not `over`."""
        with self._database.writing() as session:
            known = _locked(session, project)
            if known is None:
                return None
            if known.holder != by and known.id != over:
                return known
            session.delete(known)
            session.flush()
            self._send(session, news)
            is_own = known.holder == by
            what = "unlocked" if is_own else "took the lock over and unlocked"
            detail = _facts(known) if is_own else {"from": _facts(known)}
            self._note(session, project, by, what, detail)
            return None

    def _reword(self, session: Session, lock: ProjectLockRow, reason: str) -> ProjectLockRow:
        if lock.reason != reason:
            lock.reason = reason
            session.add(lock)
            session.flush()
            self._note(
                session, lock.project, lock.holder, "locked for another reason", _facts(lock)
            )
        return lock

    def _send(self, session: Session, news: Message | None) -> None:
        if news is not None:
            want(session, news, self._clock.now())

    def _note(
        self, session: Session, project: str, who: str, what: str, detail: dict[str, Any]
    ) -> None:
        entry = audit.Entry(project=project, who=who, what=what, detail=detail)
        audit.append(session, self._clock.now(), entry)


def require_open(session: Session, project: str, by: str, now: datetime) -> None:
    """Raise `LockedError` within a transaction that holds the project's row."""
    lock = session.get(ProjectLockRow, project)
    if lock is not None and lock.holder != by:
        raise LockedError(lock, now)


def held(lock: ProjectLockRow, now: datetime) -> Text:
    """Say who holds a project, for how long, and why."""
    return say(
        f"{lock.project} is locked by ",
        person(lock.holder),
        f" for {age(now - lock.since)} (since ",
        moment(lock.since),
        f"): {lock.reason}.",
    )


def age(passed: timedelta) -> str:
    """Return how old something is, as people say it."""
    minutes = max(0, int(passed.total_seconds())) // 60
    for size, unit in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
        if number := minutes // size:
            return f"{number} {unit}{'s' * (number > 1)}"
    return "less than a minute"


def _locked(session: Session, project: str) -> ProjectLockRow | None:
    """Return a project's lock; whoever wants to change it waits for others who do."""
    projects = select(ProjectRow).where(ProjectRow.name == project).with_for_update()
    if session.exec(projects).first() is None:
        raise PermanentError(f"There is no project {project}; nothing was changed.")
    return session.get(ProjectLockRow, project, populate_existing=True)


def _facts(lock: ProjectLockRow) -> dict[str, Any]:
    return {
        "lock": lock.id,
        "holder": lock.holder,
        "reason": lock.reason,
        "since": lock.since.isoformat(),
    }
