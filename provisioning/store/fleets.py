"""Upgrades of all projects: one at a time, with a row for each project that takes part."""

from collections.abc import Mapping, Sequence

from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from provisioning.clock import Clock
from provisioning.database import Database, insert_once
from provisioning.rings import FleetState, MemberState
from provisioning.upgrade_tables import FleetMemberRow, FleetRow

OPEN = ("running", "paused", "halted")


class Fleets:
    """Whoever moves one names what they saw, and the first wins."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def begin(self, fleet: FleetRow, members: Sequence[FleetMemberRow]) -> FleetRow:
        """Begin an upgrade of all with its members; where one is open, that is returned."""
        with self._database.writing() as session:
            if (known := session.get(FleetRow, fleet.id)) or (known := _open(session)):
                return known
            if insert_once(session, fleet):
                for member in members:
                    session.add(member)
            return session.exec(_one(fleet.id)).one()

    def get(self, fleet: str) -> FleetRow | None:
        """Return an upgrade of all."""
        with self._database.reading() as session:
            return session.get(FleetRow, fleet)

    def open(self) -> FleetRow | None:
        """Return the one that is not done."""
        with self._database.reading() as session:
            return _open(session)

    def latest(self) -> FleetRow | None:
        """Return the one that began last."""
        rows = select(FleetRow).order_by(col(FleetRow.began_at).desc())
        with self._database.reading() as session:
            return session.exec(rows).first()

    def move(
        self, fleet: str, expected: Sequence[FleetState], to: FleetState, why: str = ""
    ) -> FleetRow | None:
        """Change the state if it is still an expected one; None if it isn't.

        What is resumed takes up again what had failed.
        """
        with self._database.writing() as session:
            row = session.exec(_one(fleet)).one()
            if row.state not in expected:
                return None
            if row.state == "halted" and to == "running":
                _again(session, fleet)
            row.state, row.why = to, why
            row.ended_at = self._clock.now() if to == "done" else None
            session.add(row)
            return row

    def enter_ring(self, fleet: str, ring: int) -> None:
        """Note which ring is upgraded now; it never goes back."""
        with self._database.writing() as session:
            row = session.exec(_one(fleet)).one()
            row.ring = max(row.ring, ring)
            session.add(row)

    def claim(self, fleet: str, project: str, at_once: int) -> FleetMemberRow | None:
        """Let a member begin unless it has, or so many are under way, or all is paused."""
        with self._database.writing() as session:
            if session.exec(_one(fleet)).one().state != "running":
                return None
            row = session.exec(_member(fleet, project)).one()
            begun = _count(fleet).where(FleetMemberRow.state == "begun")
            if row.state != "waiting" or session.exec(begun).one() >= at_once:
                return None
            row.state = "begun"
            session.add(row)
            return row

    def settle(
        self, member: FleetMemberRow, to: MemberState, why: str = ""
    ) -> FleetMemberRow | None:
        """Note how a member that had begun stands now; None if somebody else did so."""
        with self._database.writing() as session:
            row = session.exec(_member(member.fleet, member.project)).one()
            if row.state != "begun" or row.attempt != member.attempt:
                return None
            row.state, row.why = to, why
            session.add(row)
            return row

    def members(
        self, fleet: str, *states: MemberState, ring: int | None = None, limit: int = 100
    ) -> Sequence[FleetMemberRow]:
        """Return members in these states, by ring and name; those that nothing holds up first."""
        rows = select(FleetMemberRow).where(FleetMemberRow.fleet == fleet)
        if states:
            rows = rows.where(col(FleetMemberRow.state).in_(states))
        if ring is not None:
            rows = rows.where(FleetMemberRow.ring <= ring)
        order = (col(FleetMemberRow.ring), col(FleetMemberRow.project))
        with self._database.reading() as session:
            return session.exec(rows.order_by(*order).limit(limit)).all()

    def counts(self, fleet: str) -> Mapping[tuple[int, str], int]:
        """Return how many members are in which ring and state."""
        rows = (
            select(FleetMemberRow.ring, FleetMemberRow.state, func.count())
            .where(FleetMemberRow.fleet == fleet)
            .group_by(col(FleetMemberRow.ring), col(FleetMemberRow.state))
        )
        with self._database.reading() as session:
            return {(ring, state): number for ring, state, number in session.exec(rows)}


def _open(session: Session) -> FleetRow | None:
    return session.exec(select(FleetRow).where(col(FleetRow.state).in_(OPEN))).first()


def _again(session: Session, fleet: str) -> None:
    failed = select(FleetMemberRow).where(
        FleetMemberRow.fleet == fleet, FleetMemberRow.state == "failed"
    )
    for row in session.exec(failed.with_for_update()).all():
        row.state, row.attempt, row.why = "waiting", row.attempt + 1, ""
        session.add(row)


def _one(fleet: str) -> SelectOfScalar[FleetRow]:
    return select(FleetRow).where(FleetRow.id == fleet).with_for_update()


def _member(fleet: str, project: str) -> SelectOfScalar[FleetMemberRow]:
    rows = select(FleetMemberRow).where(FleetMemberRow.fleet == fleet)
    return rows.where(FleetMemberRow.project == project).with_for_update()


def _count(fleet: str) -> SelectOfScalar[int]:
    return select(func.count()).select_from(FleetMemberRow).where(FleetMemberRow.fleet == fleet)
