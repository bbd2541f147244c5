"""Create everything. Column types are spelled out: later changes to the tables don't reach here."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables and their indices."""
    _create_projects()
    _create_operations()
    _create_chat()
    _create_audit()
    _create_processes()


def _create_projects() -> None:
    op.create_table(
        "project",
        _text("name", key=True),
        _text("state"),
        _json("spec"),
        _text("requested_by"),
        _moment("created_at"),
        _moment("ready_at", nullable=True),
        _text("repository_url"),
        _text("commit"),
        _json("outputs"),
    )
    _index("project", "state", "requested_by", "created_at")
    op.create_table(
        "project_owner",
        _text("project", key=True),
        _text("person", key=True),
        sa.ForeignKeyConstraint(["project"], ["project.name"]),
    )
    _index("project_owner", "person")


def _create_operations() -> None:
    op.create_table(
        "operation",
        _text("id", key=True),
        _text("kind"),
        _text("project"),
        _text("phase"),
        _number("version"),
        _number("attempt"),
        _json("request"),
        _json("facts"),
        _text("requested_by"),
        _text("channel"),
        _moment("created_at"),
        _moment("ended_at", nullable=True),
        _text("cancel_requested_by"),
    )
    _index("operation", "project", "phase", "created_at", "ended_at")
    op.create_table(
        "approval",
        _text("id", key=True),
        _text("operation"),
        _text("question"),
        _text("artefact"),
        _json("approvers"),
        _text("state"),
        _text("decided_by"),
        _moment("decided_at", nullable=True),
        _text("comment"),
        _moment("asked_at"),
        _moment("deadline", nullable=True),
        sa.ForeignKeyConstraint(["operation"], ["operation.id"]),
        sa.UniqueConstraint("operation", "question", "artefact"),
    )
    _index("approval", "operation", "state", "deadline")


def _create_chat() -> None:
    op.create_table(
        "message",
        _text("key", key=True),
        _text("channel"),
        _text("thread_of"),
        _text("reader"),
        _text("file_name"),
        _json("content"),
        _flag("urgent"),
        _number("wanted"),
        _number("sent"),
        _flag("sending"),
        _text("ts"),
        _text("trouble"),
        _moment("created_at"),
        _moment("updated_at"),
    )
    _index("message", "created_at")
    owed = sa.text("wanted > sent")
    op.create_index(
        "ix_message_owed",
        "message",
        ["urgent", "updated_at"],
        sqlite_where=owed,
        postgresql_where=owed,
    )
    op.create_table(
        "interaction",
        _text("key", key=True),
        _json("payload"),
        _moment("received_at"),
        _moment("done_at", nullable=True),
        _text("taken_by"),
    )
    _index("interaction", "received_at", "done_at")


def _create_audit() -> None:
    op.create_table(
        "audit",
        _text("project", key=True),
        _number("sequence", key=True),
        _moment("at"),
        _text("who"),
        _text("what"),
        _json("detail"),
        _text("previous"),
        _text("hash"),
    )
    op.create_table("audit_head", _text("project", key=True), _number("sequence"), _text("hash"))


def _create_processes() -> None:
    op.create_table(
        "executor",
        _text("id", key=True),
        _text("host"),
        _number("pid"),
        _moment("started_at"),
        _moment("beat_at"),
    )
    op.create_table("memo", _text("key", key=True), _json("value"))


def _text(name: str, *, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), primary_key=key, nullable=False)


def _number(name: str, *, key: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), primary_key=key, nullable=False)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _index(table: str, *columns: str) -> None:
    for column in columns:
        op.create_index(f"ix_{table}_{column}", table, [column])
