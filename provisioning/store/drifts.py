"""What we know of projects' drift: one row each, with the episode that is open or was last."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from provisioning.clock import Clock
from provisioning.database import Database, insert_once
from provisioning.operation import OPEN
from provisioning.tables import DriftRow, OperationRow, ProjectRow


class Drifts:
    """Episodes of drift, and of looks that fail."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def get(self, project: str) -> DriftRow | None:
        """Return what is known of a project's drift; None if nobody has looked yet."""
        with self._database.reading() as session:
            return session.get(DriftRow, project)

    def due(self, before: datetime, limit: int) -> Sequence[str]:
        """Return ready projects that were last looked at, or made, before then: oldest first.

        Those with a run under way are left out: its plan tells more. One in an `OPEN` phase has
        nothing to do with Terraform.
        """
        last = func.coalesce(
            col(DriftRow.looked_at), col(ProjectRow.ready_at), col(ProjectRow.created_at)
        )
        busy = select(OperationRow.project).where(
            col(OperationRow.ended_at).is_(None), col(OperationRow.phase).not_in(OPEN)
        )
        names = (
            select(ProjectRow.name)
            .outerjoin(DriftRow, col(DriftRow.project) == col(ProjectRow.name))
            .where(ProjectRow.state == "ready", last <= before)
            .where(col(ProjectRow.name).not_in(busy))
            .order_by(last)
        )
        with self._database.reading() as session:
            return session.exec(names.limit(limit)).all()

    def troubled(self, project: str, why: str) -> DriftRow:
        """Note that a look has failed; the first one begins an episode of its own."""
        with self._database.writing() as session:
            insert_once(session, _blank(project, self._clock.now()))
            row = session.exec(_one(project)).one()
            now = row.looked_at = self._clock.now()
            if not row.trouble:
                row.troubles, row.troubled_since = row.troubles + 1, now
                row.works_since = None
            row.trouble = why
            session.add(row)
            return row

    def looked(self, project: str, resources: Sequence[str]) -> DriftRow:
        """Note what has drifted: that begins an episode, goes on with it, or ends it."""
        with self._database.writing() as session:
            insert_once(session, _blank(project, self._clock.now()))
            row = session.exec(_one(project)).one()
            now = row.looked_at = self._clock.now()
            if row.trouble:
                row.trouble, row.works_since = "", now
            if resources and not row.resources:
                row.episode, row.since, row.over_since = row.episode + 1, now, None
            if row.resources and not resources:
                row.over_since = now
            row.resources = sorted(resources)
            session.add(row)
            return row


def _blank(project: str, now: datetime) -> DriftRow:
    return DriftRow(project=project, looked_at=now)


def _one(project: str) -> SelectOfScalar[DriftRow]:
    return select(DriftRow).where(DriftRow.project == project).with_for_update()
