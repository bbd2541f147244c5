"""Projects: who has reserved a name, and what exists under it."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import JSON, ColumnElement, String, cast, type_coerce
from sqlmodel import Session, col, delete, func, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from provisioning import audit
from provisioning.clock import Clock
from provisioning.database import Database, insert_once
from provisioning.errors import UserError
from provisioning.project import ProjectSpec
from provisioning.spec_change import differences, with_changes
from provisioning.store.messages import Message, want
from provisioning.tables import (
    DriftRow,
    HealthRow,
    OperationRow,
    OwnerRow,
    ProjectLockRow,
    ProjectRow,
)
from provisioning.text import Frozen

MOST_ROWS_OF_A_PAGE = 100


class NameTakenError(UserError):
    """Somebody has the name; `holder` is their chat user id, `state` the project's."""

    def __init__(self, name: str, holder: str, state: str) -> None:
        super().__init__(
            f"The name {name} is taken (requested by {holder}, {state}). "
            "Nothing was created; choose another name.",
            field="name",
        )
        self.holder = holder
        self.state = state


class Filter(Frozen):
    """Which projects to list: all that are not gone, unless `state` asks for one state.

    `text` is a part of the name; empty parts allow everything. `kind` asks for those that need
    somebody's attention, or for sandboxes.
    """

    text: str = ""
    state: str = ""
    owner: str = ""
    kind: Literal["", "attention", "sandbox"] = ""


class Page:
    """Some rows of a list, and how many there are in all."""

    def __init__(self, rows: Sequence[ProjectRow], total: int) -> None:
        self.rows = tuple(rows)
        self.total = total


class Projects:
    """The names we have given away. A name is free again once its project is gone."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def reserve_and_begin(
        self, project: ProjectRow, operation: OperationRow, messages: Sequence[Message] = ()
    ) -> OperationRow:
        """Reserve the name and begin the operation, with its first messages, all or nothing.

        The same operation again changes nothing. Raises `NameTakenError` if the name is somebody's.
        """
        with self._database.writing() as session:
            known = session.get(OperationRow, operation.id)
            if known or not _reserve(session, project, operation.id):
                return known or session.exec(_operation(operation.id)).one()
            _own(session, project)
            insert_once(session, operation)
            for message in messages:
                want(session, message, self._clock.now())
            entry = audit.Entry(
                project=project.name,
                who=operation.requested_by,
                what=f"asked for {operation.kind}",
                detail={"operation": operation.id, "request": operation.request},
            )
            audit.append(session, self._clock.now(), entry)
            return session.exec(_operation(operation.id)).one()

    def get(self, name: str) -> ProjectRow | None:
        """Return a project, whatever became of it, or None if nobody ever asked for the name."""
        with self._database.reading() as session:
            return session.get(ProjectRow, name)

    def page(self, wanted: Filter | None = None, *, number: int = 0, size: int = 20) -> Page:
        """Return one page of projects by name; pages count from 0, at most 100 rows each."""
        conditions = _matching(wanted or Filter())
        rows = select(ProjectRow).where(*conditions).order_by(col(ProjectRow.name))
        size = min(size, MOST_ROWS_OF_A_PAGE)
        with self._database.reading() as session:
            total = session.exec(select(func.count()).where(*conditions)).one()
            return Page(session.exec(rows.offset(number * size).limit(size)).all(), total)

    def count(self, wanted: Filter) -> int:
        """Return how many projects there are of these."""
        with self._database.reading() as session:
            return session.exec(select(func.count()).where(*_matching(wanted))).one()

    def granted(self, schemas: Sequence[str]) -> tuple[str, ...]:
        """Return the names of living projects that were granted data in one of these schemas."""
        asked = (cast(col(ProjectRow.spec), String).contains(one) for one in schemas)
        rows = select(ProjectRow).where(ProjectRow.state != "gone", or_(*asked))
        with self._database.reading() as session:
            found = session.exec(rows.order_by(col(ProjectRow.name))).all()
        return tuple(row.name for row in found if _reads(row, schemas))

    def become(self, name: str, state: str, changes: Mapping[str, Any] | None = None) -> ProjectRow:
        """Note a project's new state and other columns; the same again changes nothing more."""
        with self._database.writing() as session:
            row = session.exec(_project(name).with_for_update()).one()
            before = row.state
            row.sqlmodel_update({**(changes or {}), "state": state})
            if state == "ready" and row.ready_at is None:
                row.ready_at = self._clock.now()
            session.add(row)
            _own(session, row)
            if before != state:
                entry = audit.Entry(project=name, who=audit.US, what=f"{before} → {state}")
                audit.append(session, self._clock.now(), entry)
            return row

    def take_specification(self, operation: str, outputs: Mapping[str, Any]) -> OperationRow:
        """Let a project be as its change asked for, noted in both, once; return the operation.

        Only what changes are about is taken: the rest of the specification may have moved on.
        """
        with self._database.writing() as session:
            change = session.exec(_operation(operation).with_for_update()).one()
            if change.facts.get("changed"):
                return change
            row = session.exec(_project(change.project).with_for_update()).one()
            before = ProjectSpec.model_validate(row.spec)
            after = with_changes(before, ProjectSpec.model_validate(change.request))
            row.sqlmodel_update({"spec": after.model_dump(mode="json"), "outputs": dict(outputs)})
            row.commit = change.facts.get("commit") or row.commit
            change.facts = {**change.facts, "changed": True}
            session.add(row)
            session.add(change)
            _own(session, row)
            found = differences(before, after)
            detail = {"operation": operation, "changes": [one.model_dump() for one in found]}
            entry = audit.Entry(
                project=row.name, who=audit.US, what="took a specification", detail=detail
            )
            audit.append(session, self._clock.now(), entry)
            return change


def _project(name: str) -> SelectOfScalar[ProjectRow]:
    return select(ProjectRow).where(ProjectRow.name == name)


def _reads(project: ProjectRow, schemas: Sequence[str]) -> bool:
    """Tell whether a project was granted something of these schemas."""
    granted = ProjectSpec.model_validate(project.spec).data_access
    return any(
        f"{one.securable}.".startswith(f"{schema}.") for one in granted for schema in schemas
    )


def _operation(operation: str) -> SelectOfScalar[OperationRow]:
    return select(OperationRow).where(OperationRow.id == operation)


def _reserve(session: Session, project: ProjectRow, operation: str) -> bool:
    """Tell whether the name is now ours; False if this very operation got it a moment ago."""
    if insert_once(session, project):
        return True
    holder = session.exec(_project(project.name).with_for_update()).one()
    if session.exec(_operation(operation)).first():
        return False
    if holder.state != "gone":
        raise NameTakenError(holder.name, holder.requested_by, holder.state)
    holder.sqlmodel_update(project.model_dump())
    session.add(holder)
    # Whatever was locked is gone: the name is another project's now.
    session.exec(delete(ProjectLockRow).where(col(ProjectLockRow.project) == project.name))
    return True


def _own(session: Session, project: ProjectRow) -> None:
    owners = ProjectSpec.model_validate(project.spec).owners
    session.exec(delete(OwnerRow).where(col(OwnerRow.project) == project.name))
    for person in {*owners, project.requested_by}:
        session.add(OwnerRow(project=project.name, person=person))
    session.flush()


def _matching(wanted: Filter) -> list[ColumnElement[bool]]:
    state = col(ProjectRow.state)
    conditions = [state == wanted.state if wanted.state else state != "gone"]
    if wanted.text:
        name = col(ProjectRow.name)
        conditions.append(name.contains(wanted.text.lower(), autoescape=True))
    if wanted.owner:
        owned = select(OwnerRow.project).where(OwnerRow.person == wanted.owner)
        conditions.append(col(ProjectRow.name).in_(owned))
    if wanted.kind == "sandbox":
        ends = type_coerce(col(ProjectRow.spec), JSON)["sandbox_until"].as_string()
        conditions.append(ends.is_not(None))
    if wanted.kind == "attention":
        conditions.append(_needs_attention())
    return conditions


def _needs_attention() -> ColumnElement[bool]:
    """Ask for what failed, drifted, cannot be looked at, or has failed its last check."""
    drifting = (col(DriftRow.since).is_not(None)) & (col(DriftRow.over_since).is_(None))
    drifted = select(DriftRow.project).where(or_(drifting, DriftRow.trouble != ""))
    failed = select(HealthRow.project).where(col(HealthRow.failed) > 0)
    name = col(ProjectRow.name)
    return or_(ProjectRow.state == "failed", name.in_(drifted), name.in_(failed))
