"""Releases: deployments that wait for reviewers, each settled once."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from provisioning import audit
from provisioning.clock import Clock
from provisioning.database import Database, insert_once
from provisioning.release import Approval, Card, Release, ReleaseState
from provisioning.tables import ReleaseRow

UNSETTLED: tuple[ReleaseState, ...] = ("open", "deciding")


class Releases:
    """Who was asked to release what, and what became of it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.on_settled: Callable[[Release], None] = lambda _: None
        """Hears of each release that was settled, once, when that is committed; must not raise."""

    def ask(self, release: Release) -> Release:
        """Put a release before its reviewers; the same one again changes nothing."""
        row = ReleaseRow(**release.model_dump(mode="json", exclude=_MOMENTS), **_moments(release))
        with self._database.writing() as session:
            if insert_once(session, row):
                self._note(session, release, "asked", audit.US)
            return _read(session.exec(select(ReleaseRow).where(ReleaseRow.id == row.id)).one())

    def get(self, release: str) -> Release | None:
        """Return a release."""
        with self._database.reading() as session:
            row = session.get(ReleaseRow, release)
            return _read(row) if row else None

    def of_run(self, run: int | str) -> tuple[Release, ...]:
        """Return the releases of a workflow run, oldest first."""
        return self._all(ReleaseRow.run == str(run))

    def of_project(self, project: str) -> tuple[Release, ...]:
        """Return all releases of a project, oldest first."""
        return self._all(ReleaseRow.project == project)

    def unsettled(self, project: str = "") -> tuple[Release, ...]:
        """Return releases that nobody has settled, of one project or of all, oldest first."""
        of_project = (ReleaseRow.project == project,) if project else ()
        return self._all(col(ReleaseRow.state).in_(UNSETTLED), *of_project)

    def overridden_too_late(self) -> tuple[Release, ...]:
        """Return what had timed out when somebody broke glass for it, oldest first."""
        return self._all(ReleaseRow.state == "expired", ReleaseRow.verdict == "override")

    def due(self, now: datetime) -> tuple[Release, ...]:
        """Return open releases whose reminder or deadline has come."""
        is_due = (col(ReleaseRow.deadline) <= now) | (col(ReleaseRow.remind_at) <= now)
        return self._all(ReleaseRow.state == "open", is_due)

    def move(
        self,
        release: str,
        states: Sequence[ReleaseState],
        to: ReleaseState,
        *,
        by: str = "",
        what: str = "",
        changes: Mapping[str, Any] | None = None,
    ) -> Release | None:
        """Move a release from one of these states; None if it is in another one by now."""
        with self._database.writing() as session:
            row = session.exec(_one(release)).first()
            if row is None or row.state not in states:
                return None
            is_settled = row.state in UNSETTLED and to not in UNSETTLED
            row.sqlmodel_update({**(changes or {}), "state": to})
            if to not in UNSETTLED and row.decided_at is None:
                row.decided_at = self._clock.now()
            session.add(row)
            session.flush()
            moved = _read(row)
            self._note(session, moved, what or to, by or audit.US)
        if is_settled:
            self.on_settled(moved)
        return moved

    def approve(self, release: str, approval: Approval) -> Release | None:
        """Keep one person's yes, once; the one that makes enough of them settles the release.

        None if it is not open, or another artefact by now.
        """
        with self._database.writing() as session:
            row = session.exec(_one(release)).first()
            if row is None or row.state != "open" or _read(row).bound_to != approval.artefact:
                return None
            is_new = not _read(row).has_approved(approval.person, approval.login)
            if is_new:
                row.approvals = [*row.approvals, approval.model_dump(mode="json")]
            if is_enough := not _read(row).is_short:
                row.sqlmodel_update(_settled_by(approval, row.tries + 1))
            session.add(row)
            session.flush()
            approved = _read(row)
            if is_new or is_enough:
                self._note_approval(session, approved, approval)
            return approved

    def renew(self, release: str, artefact: str, card: Card) -> Release | None:
        """Put another card in the place of an unsettled one: its approvals count no more.

        None if it is settled, or not this artefact any more.
        """
        return self._put(release, artefact, card, "asked again, its plan has changed")

    def address(self, release: Release, card: Card) -> Release | None:
        """Put the same question, in this card, to other reviewers.

        None if it is settled, or another question by now.
        """
        what = "asked others, its reviewers have changed"
        return self._put(release.id, release.bound_to, card, what)

    def _put(self, release: str, artefact: str, card: Card, what: str) -> Release | None:
        with self._database.writing() as session:
            row = session.exec(_one(release)).first()
            if row is None or row.state not in UNSETTLED or _read(row).bound_to != artefact:
                return None
            row.card = card.model_dump(mode="json")
            session.add(row)
            session.flush()
            renewed = _read(row)
            self._note(session, renewed, what, audit.US)
            return renewed

    def remind(self, release: str, reminders: int, again: datetime | None) -> bool:
        """Note that so many reminders are sent; False if another process has sent this one."""
        with self._database.writing() as session:
            row = session.exec(_one(release)).first()
            if row is None or row.state != "open" or row.reminders >= reminders:
                return False
            row.reminders, row.remind_at = reminders, again
            session.add(row)
            return True

    def _all(self, *conditions: Any) -> tuple[Release, ...]:
        rows = select(ReleaseRow).where(*conditions)
        with self._database.reading() as session:
            found = session.exec(rows.order_by(col(ReleaseRow.asked_at), col(ReleaseRow.id))).all()
            return tuple(map(_read, found))

    def _note_approval(self, session: Session, release: Release, approval: Approval) -> None:
        who = release.model_copy(
            update={"decided_login": approval.login, "comment": approval.comment}
        )
        what = f"approved, {len(release.given)} of {release.card.needed}"
        self._note(session, who, what, approval.person)

    def _note(self, session: Session, release: Release, what: str, by: str) -> None:
        plan = release.card.plan
        entry = audit.Entry(
            project=release.project,
            who=by,
            what=f"release {what}",
            detail={
                "release": release.id,
                "run": release.run,
                "attempt": release.attempt,
                "environment": release.environment,
                "commit": release.sha,
                "plan": plan.digest if plan else "",
                "login": release.decided_login,
                "comment": release.comment,
                "why": release.why,
                "gate": release.card.gate,
            },
        )
        audit.append(session, self._clock.now(), entry)


def _one(release: str) -> SelectOfScalar[ReleaseRow]:
    return select(ReleaseRow).where(ReleaseRow.id == release).with_for_update()


def _settled_by(approval: Approval, tries: int) -> dict[str, Any]:
    return {
        "state": "deciding",
        "verdict": "approved",
        "decided_by": approval.person,
        "decided_login": approval.login,
        "comment": approval.comment,
        "why": "",
        "tries": tries,
    }


_MOMENTS = {"asked_at", "decided_at", "deadline", "remind_at"}


def _moments(release: Release) -> dict[str, Any]:
    return {name: getattr(release, name) for name in _MOMENTS}


def _read(row: ReleaseRow) -> Release:
    return Release.model_validate(row.model_dump())
