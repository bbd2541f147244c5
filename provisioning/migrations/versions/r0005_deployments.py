"""Deployments are followed and released: workflow runs, releases, webhook deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the tables and their indices."""
    op.create_table(
        "workflow_run",
        _text("id", key=True),
        _text("project", index=True),
        sa.Column("run", sa.JSON(), nullable=False),
        _moment("created_at", index=True),
        _moment("ended_at", nullable=True),
        _moment("look_at", nullable=True, index=True),
        _number("wakes"),
        _number("looks"),
        _text("requested_by"),
        _text("failure"),
    )
    op.create_table(
        "release",
        _text("id", key=True),
        _text("run", index=True),
        _text("project", index=True),
        _text("environment"),
        _number("attempt"),
        _text("sha"),
        _text("state", index=True),
        sa.Column("card", sa.JSON(), nullable=False),
        _text("verdict"),
        _text("decided_by"),
        _text("decided_login"),
        _text("comment"),
        _text("why"),
        _moment("asked_at"),
        _moment("decided_at", nullable=True),
        _moment("deadline", index=True),
        _moment("remind_at", nullable=True, index=True),
        _number("reminders"),
        _number("tries"),
        sa.ForeignKeyConstraint(["run"], ["workflow_run.id"]),
    )
    op.create_table(
        "delivery", _text("id", key=True), _text("event"), _moment("received_at", index=True)
    )


def _text(name: str, *, key: bool = False, index: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False, primary_key=key, index=index or None)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _moment(name: str, *, nullable: bool = False, index: bool = False) -> sa.Column[object]:
    moment = sa.DateTime(timezone=True)
    return sa.Column(name, moment, nullable=nullable, index=index or None)
