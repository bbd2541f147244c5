"""What one person sees at a glance: each method is one query, however many projects there are."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import JSON, type_coerce
from sqlmodel import col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from provisioning.database import Database
from provisioning.tables import (
    ApprovalRow,
    DriftRow,
    HealthRow,
    OperationRow,
    OwnerRow,
    ProjectRow,
    ReleaseRow,
    WorkflowRunRow,
)
from provisioning.text import Frozen
from provisioning.workflow_run import WorkflowRun

LOOKED_THROUGH = 20
"""So many of each project's latest workflow runs tell what is deployed where."""


class OpenQuestion(Frozen):
    """A question that waits: `question` is as in `ApprovalRow`."""

    project: str
    kind: str
    question: str
    approvers: tuple[str, ...]
    requested_by: str


class Overview:
    """Reads for lists; nothing is changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open_questions(self) -> tuple[OpenQuestion, ...]:
        """Return what waits for an answer in runs that wait, oldest first."""
        rows = (
            select(
                col(OperationRow.project),
                col(OperationRow.kind),
                col(OperationRow.requested_by),
                ApprovalRow,
            )
            .join(OperationRow, col(OperationRow.id) == col(ApprovalRow.operation))
            .where(ApprovalRow.state == "open", OperationRow.phase == "waiting")
            .where(col(OperationRow.ended_at).is_(None))
            .order_by(col(ApprovalRow.asked_at), col(ApprovalRow.id))
        )
        with self._database.reading() as session:
            return tuple(
                OpenQuestion(
                    project=project,
                    kind=kind,
                    question=asked.question,
                    approvers=tuple(asked.approvers),
                    requested_by=by,
                )
                for project, kind, by, asked in session.exec(rows)
            )

    def drifts(self, projects: Collection[str]) -> Mapping[str, DriftRow]:
        """Return what is known of these projects' drift, by project."""
        rows = select(DriftRow).where(col(DriftRow.project).in_(projects))
        with self._database.reading() as session:
            return {row.project: row for row in session.exec(rows)}

    def health(self, projects: Collection[str]) -> Mapping[str, HealthRow]:
        """Return what was last seen of these projects, by project."""
        rows = select(HealthRow).where(col(HealthRow.project).in_(projects))
        with self._database.reading() as session:
            return {row.project: row for row in session.exec(rows)}

    def deployments(self, projects: Collection[str]) -> Mapping[str, Sequence[WorkflowRun]]:
        """Return the latest workflow runs of each of these projects, newest first."""
        age = (col(WorkflowRunRow.created_at).desc(), col(WorkflowRunRow.id).desc())
        place = func.row_number().over(partition_by=col(WorkflowRunRow.project), order_by=age)
        latest = (
            select(WorkflowRunRow.id, place.label("place"))
            .where(col(WorkflowRunRow.project).in_(projects))
            .subquery("latest")
        )
        rows = (
            select(WorkflowRunRow)
            .join(latest, latest.c.id == col(WorkflowRunRow.id))
            .where(latest.c.place <= LOOKED_THROUGH)
            .order_by(*age)
        )
        found: dict[str, list[WorkflowRun]] = {}
        with self._database.reading() as session:
            for row in session.exec(rows):
                found.setdefault(row.project, []).append(WorkflowRun.model_validate(row.run))
        return found

    def refused(self, projects: Collection[str]) -> frozenset[tuple[str, int, str]]:
        """Return run, attempt and environment of releases that nobody let in."""
        rows = select(
            col(ReleaseRow.run), col(ReleaseRow.attempt), col(ReleaseRow.environment)
        ).where(
            col(ReleaseRow.project).in_(projects),
            col(ReleaseRow.state).in_(("rejected", "expired", "void")),
        )
        with self._database.reading() as session:
            return frozenset((str(run), attempt, name) for run, attempt, name in session.exec(rows))

    def recent_runs(self, person: str, limit: int) -> Sequence[OperationRow]:
        """Return the latest operations on somebody's projects, newest first."""
        rows = select(OperationRow).where(col(OperationRow.project).in_(_projects_of(person)))
        newest = rows.order_by(col(OperationRow.created_at).desc(), col(OperationRow.id).desc())
        with self._database.reading() as session:
            return session.exec(newest.limit(limit)).all()

    def sandboxes(self, person: str, until: date, limit: int) -> Sequence[ProjectRow]:
        """Return somebody's living sandboxes that end by then, the first one first."""
        ends = type_coerce(col(ProjectRow.spec), JSON)["sandbox_until"].as_string()
        rows = select(ProjectRow).where(
            col(ProjectRow.name).in_(_projects_of(person)),
            ProjectRow.state != "gone",
            ends <= until.isoformat(),
        )
        with self._database.reading() as session:
            return session.exec(rows.order_by(ends, col(ProjectRow.name)).limit(limit)).all()

    def keys_due(self, person: str, until: datetime, limit: int) -> Sequence[HealthRow]:
        """Return what is known of somebody's projects whose first key is due by then."""
        rows = (
            select(HealthRow)
            .join(ProjectRow, col(ProjectRow.name) == col(HealthRow.project))
            .where(col(HealthRow.project).in_(_projects_of(person)))
            .where(ProjectRow.state == "ready", col(HealthRow.key_due_at) <= until)
            .order_by(col(HealthRow.key_due_at), col(HealthRow.project))
        )
        with self._database.reading() as session:
            return session.exec(rows.limit(limit)).all()


def _projects_of(person: str) -> SelectOfScalar[str]:
    return select(OwnerRow.project).where(OwnerRow.person == person)
