"""What was last seen of projects: how their check ended, and which key is due first."""

from datetime import datetime
from typing import Any

from sqlmodel import select

from provisioning.clock import Clock
from provisioning.database import Database, insert_once
from provisioning.tables import HealthRow


class HealthNotes:
    """One row for each project; the latest look counts."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def checked(self, project: str, *, failed: int, unasked: int) -> None:
        """Note how a check has ended just now."""
        self._note(project, checked_at=self._clock.now(), failed=failed, unasked=unasked)

    def key_due(self, project: str, at: datetime | None, environment: str) -> None:
        """Note which key is due first; None where there is none."""
        self._note(project, key_due_at=at, key_of=environment)

    def _note(self, project: str, **values: Any) -> None:
        with self._database.writing() as session:
            insert_once(session, HealthRow(project=project))
            rows = select(HealthRow).where(HealthRow.project == project)
            row = session.exec(rows.with_for_update()).one()
            row.sqlmodel_update(values)
            session.add(row)
