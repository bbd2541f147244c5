"""Operations and their phases: whoever moves one names what they saw, and the first wins."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from provisioning import audit
from provisioning.clock import Clock
from provisioning.database import Database
from provisioning.errors import PermanentError, UserError
from provisioning.operation import CHANGE, CREATE, DESTROY, OPEN, UNHURRIED
from provisioning.project import ProjectSpec
from provisioning.spec_change import CHANGED_MEANWHILE, fingerprint
from provisioning.store.locks import require_open
from provisioning.tables import OperationRow, ProjectRow

Change = Callable[[dict[str, Any]], dict[str, Any]]
"""Turns the present facts into those to merge; may be called again, so it only computes."""
Facts = Mapping[str, Any] | Change


NOT_LIVING = {
    "going": "is being destroyed; Retry in the message of that run goes on",
    "gone": "was destroyed",
}
"""What is said of projects on which nothing is begun any more, by their state."""


class BusyError(UserError):
    """Another `operation` of the project has not ended yet."""

    def __init__(self, operation: str) -> None:
        super().__init__("The project has a run under way. Nothing was changed.")
        self.operation = operation


class ChangedError(UserError):
    """The project is not, or no longer, what somebody saw who asked for an operation."""

    def __init__(self, project: str) -> None:
        super().__init__(f"{project} has changed meanwhile. Nothing was begun; ask again.")


class Operations:
    """Durable runs of create, change, rotate and so on.

    Decisions of people use `move` and `retry`: exactly one of several at once gets the row, the
    others None. Steps of workflows use `reach` and `end`: repeating one after a crash is harmless.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.on_end: Callable[[OperationRow], None] = lambda _: None
        """Hears of the end of each attempt, once, when that is committed; must not raise."""

    def get(self, operation: str) -> OperationRow | None:
        """Return an operation."""
        with self._database.reading() as session:
            return session.get(OperationRow, operation)

    def begin(self, operation: OperationRow, *, unchanged: bool = False) -> OperationRow:
        """Begin an operation on a project that exists; it knows the one that made the project.

        The same operation again changes nothing. Raises `BusyError` while another one is under way
        (one in an `OPEN` phase is in the way of its own kind at most), `LockedError` where the
        project is somebody else's to touch, `UserError` for one that is being destroyed, or was,
        or whose specification is not the one to be replaced any more, and, if the project is to be
        `unchanged`, `ChangedError` unless it is what was requested.
        """
        with self._database.writing() as session:
            # Whoever begins something holds the project: of two at once the second one is told.
            if (project := _project_of(session, operation)) is None:
                raise PermanentError(f"There is no project {operation.project}.")
            if known := session.get(OperationRow, operation.id):
                return known
            require_open(session, operation.project, operation.requested_by, self._clock.now())
            if unchanged and not _is_as_requested(project, operation):
                raise ChangedError(operation.project)
            _require_present(project, operation)
            others = session.exec(_of_project(operation.project)).all()
            for other in others:
                is_other = other.phase in OPEN and other.kind != operation.kind
                is_open = is_other or other.phase in UNHURRIED
                if other.ended_at is None and not is_open:
                    raise BusyError(other.id)
            if project.state in NOT_LIVING:
                raise UserError(f"{project.name} {NOT_LIVING[project.state]}. Nothing was started.")
            if operation.kind == DESTROY:
                operation.request = _with_what_was_begun(operation.request, others)
            origin = next((one.id for one in others if one.kind == CREATE), "")
            operation.facts = {**operation.facts, "origin": origin, "made": True}
            session.add(operation)
            session.flush()
            self._note(session, operation, f"asked for {operation.kind}", by=operation.requested_by)
            return operation

    def move(
        self,
        operation: str,
        expected: Collection[str],
        to: str,
        *,
        by: str,
        version: int | None = None,
        facts: Facts | None = None,
    ) -> OperationRow | None:
        """Change the phase if it is still an expected one (and `version` still the one seen)."""
        with self._database.writing() as session:
            row = _locked(session, operation)
            if row.phase not in expected or version not in (None, row.version):
                return None
            return self._enter(session, row, to, by=by, facts=facts)

    def retry(
        self,
        operation: str,
        expected: Collection[str],
        to: str,
        *,
        by: str,
        facts: Facts | None = None,
    ) -> OperationRow | None:
        """Begin another attempt of an operation that ended in an expected phase.

        Its name is taken back in the same breath; None if it has gone to a newer operation, or if
        the operation is not over yet.
        """
        with self._database.writing() as session:
            row = _locked(session, operation)
            if row.phase not in expected or row.ended_at is None or not _take_back(session, row):
                return None
            row.attempt += 1
            row.ended_at = None
            row.cancel_requested_by = ""
            return self._enter(session, row, to, by=by, facts=facts)

    def reach(
        self,
        operation: str,
        expected: Collection[str],
        to: str,
        facts: Facts | None = None,
    ) -> OperationRow | None:
        """Be in phase `to`, coming from an expected one or being there already; else None.

        An operation that was asked to stop goes no further, so that no such wish is passed over.
        """
        with self._database.writing() as session:
            row = _locked(session, operation)
            if row.cancel_requested_by:
                return None
            if row.phase == to:
                return _remember(session, row, facts)
            if row.phase not in expected or row.ended_at:
                return None
            return self._enter(session, row, to, by=audit.US, facts=facts)

    def end(
        self, operation: str, to: str, facts: Facts | None = None, *, by: str = audit.US
    ) -> OperationRow:
        """End an operation; one that has ended stays as it ended."""
        with self._database.writing() as session:
            row = _locked(session, operation)
            if row.ended_at:
                return row
            row.ended_at = self._clock.now()
            self._enter(session, row, to, by=by, facts=facts)
        self.on_end(row)
        return row

    def close(self, operation: str, version: int, project_becomes: str = "") -> None:
        """Note that all is done that an end entails, and the project's new state, if it has one.

        Nothing happens to an operation that is over, or that went on since `version` was seen.
        """
        with self._database.writing() as session:
            row = _locked(session, operation)
            if row.ended_at or row.version != version:
                return
            row.ended_at = self._clock.now()
            session.add(row)
            project = _project_of(session, row) if project_becomes else None
            if project is not None and project.state != project_becomes:
                self._note(session, row, f"{project.state} → {project_becomes}", by=audit.US)
                project.state = project_becomes
                session.add(project)
        self.on_end(row)

    def remember(self, operation: str, **facts: Any) -> OperationRow:
        """Merge facts into what the operation's message shows."""
        with self._database.writing() as session:
            return _remember(session, _locked(session, operation), facts)

    def revise(self, operation: str, change: Change) -> OperationRow:
        """Merge facts that depend on the present ones, e.g. an entry more in a list."""
        with self._database.writing() as session:
            row = _locked(session, operation)
            return _remember(session, row, change)

    def request_cancel(
        self, operation: str, by: str, expected: Collection[str] | None = None
    ) -> OperationRow | None:
        """Ask an operation to stop; None if it has ended, gone on, or somebody asked before."""
        with self._database.writing() as session:
            row = _locked(session, operation)
            if row.ended_at or row.cancel_requested_by:
                return None
            if expected is not None and row.phase not in expected:
                return None
            row.cancel_requested_by = by
            session.add(row)
            self._note(session, row, "asked to cancel", by=by)
            return row

    def of_project(self, project: str, *, active: bool = False) -> Sequence[OperationRow]:
        """Return a project's operations, newest first, or only those that are under way.

        One that merely waits for somebody to enter something is in nobody's way.
        """
        newest = _of_project(project)
        if active:
            newest = newest.where(col(OperationRow.ended_at).is_(None))
            newest = newest.where(col(OperationRow.phase).not_in(UNHURRIED))
        with self._database.reading() as session:
            return session.exec(newest).all()

    def unended(self, *phases: str) -> Sequence[OperationRow]:
        """Return every operation that has not ended (in one of these phases), oldest first.

        A sweep compares them with the engine's state and starts what a crash kept from starting.
        """
        rows = select(OperationRow).where(col(OperationRow.ended_at).is_(None))
        if phases:
            rows = rows.where(col(OperationRow.phase).in_(phases))
        with self._database.reading() as session:
            return session.exec(rows.order_by(col(OperationRow.created_at))).all()

    def _enter(
        self,
        session: Session,
        row: OperationRow,
        to: str,
        *,
        by: str,
        facts: Facts | None = None,
    ) -> OperationRow:
        what = f"{row.phase} → {to}"
        row.phase = to
        row.version += 1
        _remember(session, row, facts)
        self._note(session, row, what, by=by)
        return row

    def _note(
        self,
        session: Session,
        row: OperationRow,
        what: str,
        *,
        by: str,
    ) -> None:
        entry = audit.Entry(
            project=row.project,
            who=by,
            what=what,
            detail={"operation": row.id, "attempt": row.attempt},
        )
        audit.append(session, self._clock.now(), entry)


def _of_project(project: str) -> SelectOfScalar[OperationRow]:
    rows = select(OperationRow).where(OperationRow.project == project)
    return rows.order_by(col(OperationRow.created_at).desc())


def _locked(session: Session, operation: str) -> OperationRow:
    rows = select(OperationRow).where(OperationRow.id == operation).with_for_update()
    row = session.exec(rows).first()
    if row is None:
        raise PermanentError(f"There is no operation {operation}; nothing was changed.")
    return row


def _project_of(session: Session, row: OperationRow) -> ProjectRow | None:
    projects = select(ProjectRow).where(ProjectRow.name == row.project).with_for_update()
    return session.exec(projects).first()


def _require_present(project: ProjectRow, operation: OperationRow) -> None:
    """Refuse to replace a specification that is not the present one any more."""
    seen = operation.facts.get("before")
    if seen is None:
        return
    present, before = map(ProjectSpec.model_validate, (project.spec, seen))
    if project.state != "ready" or fingerprint(present) != fingerprint(before):
        raise UserError(CHANGED_MEANWHILE.format(project=project.name))


def _with_what_was_begun(request: dict[str, Any], others: Sequence[OperationRow]) -> dict[str, Any]:
    """Return the request in all workspace groups where a change has begun to make something."""
    changes = [one for one in others if one.kind == CHANGE and one.facts.get("touched")]
    begun = [group for one in changes for group in one.request["workspace_groups"]]
    groups = dict.fromkeys([*request["workspace_groups"], *begun])
    return {**request, "workspace_groups": list(groups)}


def _is_as_requested(project: ProjectRow, operation: OperationRow) -> bool:
    present = ProjectSpec.model_validate(project.spec)
    return project.state != "gone" and present == ProjectSpec.model_validate(operation.request)


def _take_back(session: Session, row: OperationRow) -> bool:
    """Reserve the operation's name again, unless a newer operation has it by now."""
    project = _project_of(session, row)
    newest = (
        select(OperationRow.id)
        .where(OperationRow.project == row.project)
        .order_by(col(OperationRow.created_at).desc(), col(OperationRow.id).desc())
    )
    if session.exec(newest).first() != row.id:
        return False
    if project is not None and row.kind == CREATE:
        project.state = "reserved"
        session.add(project)
    return True


def _remember(session: Session, row: OperationRow, facts: Facts | None) -> OperationRow:
    if facts:
        row.facts = {**row.facts, **(facts(dict(row.facts)) if callable(facts) else facts)}
    session.add(row)
    session.flush()
    return row
