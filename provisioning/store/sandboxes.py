"""Sandboxes: which end soon, what their owners were told, and their extensions."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import JSON, type_coerce
from sqlmodel import Session, col, select

from provisioning import audit
from provisioning.clock import Clock
from provisioning.database import Database
from provisioning.operation import DESTROY
from provisioning.sandbox import Sandbox
from provisioning.store.messages import Message, Settle, settle_all, want
from provisioning.tables import MessageRow, OperationRow, ProjectRow


class Sandboxes:
    """The projects that have an end date; it stands in their specifications, nowhere else."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def ending(self, until: date) -> Sequence[Sandbox]:
        """Return the sandboxes whose end date is this or an earlier one, and that still exist."""
        ends = type_coerce(col(ProjectRow.spec), JSON)["sandbox_until"].as_string()
        rows = select(ProjectRow).where(ends <= until.isoformat(), ProjectRow.state != "gone")
        with self._database.reading() as session:
            found = map(Sandbox.of, session.exec(rows.order_by(ends, col(ProjectRow.name))).all())
            return [sandbox for sandbox in found if sandbox]

    def is_destroyed(self, project: str) -> bool:
        """Tell whether a destruction of the project is under way, or has stopped halfway."""
        with self._database.reading() as session:
            return _is_destroyed(session, project)

    def warn(self, sandbox: Sandbox, warning: Message) -> bool:
        """Want a warning to be there, once; False if it is, or if the sandbox has changed."""
        with self._database.writing() as session:
            known = session.get(MessageRow, warning.key)
            if known is not None or _unchanged(session, sandbox) is None:
                return False
            want(session, warning, self._clock.now())
            return True

    def extend(
        self, sandbox: Sandbox, until: date, *, by: str, warnings: str, settle: Settle
    ) -> Sandbox | None:
        """Put off the end; warnings, whose keys begin with `warnings`, are settled with it.

        None, and nothing happens, if the project has changed or is being destroyed.
        """
        with self._database.writing() as session:
            row = _unchanged(session, sandbox)
            if row is None or _is_destroyed(session, row.name):
                return None
            spec = sandbox.spec.model_copy(update={"sandbox_until": until})
            row.spec = spec.model_dump(mode="json")
            row.extensions += 1
            row.extended_at = self._clock.now()
            session.add(row)
            settle_all(session, warnings, settle, self._clock.now())
            entry = audit.Entry(
                project=row.name,
                who=by,
                what="extended the sandbox",
                detail={"from": sandbox.until.isoformat(), "until": until.isoformat()},
            )
            audit.append(session, self._clock.now(), entry)
            return Sandbox.of(row)


def _unchanged(session: Session, sandbox: Sandbox) -> ProjectRow | None:
    """Return the project, locked, if it is still the sandbox that was seen."""
    rows = select(ProjectRow).where(ProjectRow.name == sandbox.project).with_for_update()
    row = session.exec(rows).first()
    if row is None or row.state == "gone" or Sandbox.of(row) != sandbox:
        return None
    return row


def _is_destroyed(session: Session, project: str) -> bool:
    row = session.get(ProjectRow, project)
    if row is None or row.state in ("going", "gone"):
        return True
    runs = (
        select(OperationRow.id)
        .where(OperationRow.project == project, OperationRow.kind == DESTROY)
        .where(col(OperationRow.ended_at).is_(None))
    )
    return session.exec(runs).first() is not None
