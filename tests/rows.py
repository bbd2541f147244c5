"""Rows as tests need them: everything has a value, what matters is said by the test."""

from datetime import UTC, datetime, timedelta

from provisioning.project import ProjectSpec, Reviewer
from provisioning.store import Message
from provisioning.tables import ApprovalRow, OperationRow, ProjectRow
from provisioning.text import Notice

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def a_spec(name: str = "ada-7", *owners: str) -> ProjectSpec:
    """Return what somebody asks for."""
    return ProjectSpec(
        name=name,
        owners=owners or ("U-ada",),
        managed_group="data-science",
        github_team="data-science",
        reviewers=(Reviewer(kind="user", name="ada"),),
        workspace_groups=("gbx1",),
        template="job",
    )


def a_project(
    name: str = "ada-7", *, by: str = "U-ada", state: str = "reserved", owners: tuple[str, ...] = ()
) -> ProjectRow:
    """Return a project's row."""
    spec = a_spec(name, *owners).model_dump(mode="json")
    return ProjectRow(name=name, state=state, spec=spec, requested_by=by, created_at=NOON)


def an_operation(
    operation: str = "op-1", project: str = "ada-7", *, by: str = "U-ada", minute: int = 0
) -> OperationRow:
    """Return the row of an operation that was just asked for."""
    return OperationRow(
        id=operation,
        kind="create_project",
        project=project,
        phase="queued",
        requested_by=by,
        channel="C-runs",
        created_at=NOON + timedelta(minutes=minute),
    )


def an_approval(
    approval: str = "ap-1", operation: str = "op-1", *, question: str = "confirm", minutes: int = 60
) -> ApprovalRow:
    """Return the row of an open question."""
    return ApprovalRow(
        id=approval,
        operation=operation,
        question=question,
        artefact="digest-1",
        approvers=["U-grace"],
        asked_at=NOON,
        deadline=NOON + timedelta(minutes=minutes),
    )


def a_message(
    key: str = "op-1:progress",
    summary: str = "planning",
    *,
    thread_of: str = "",
    urgent: bool = False,
) -> Message:
    """Return a message to the channel of runs."""
    notice = Notice(summary=summary)
    return Message(key=key, channel="C-runs", content=notice, thread_of=thread_of, urgent=urgent)
