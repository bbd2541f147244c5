"""What the community was told for good, and what was last seen of a project's checks and keys."""

import sqlalchemy as sa
from alembic import op

from provisioning.tables import Moment

revision = "0011"
down_revision = "0010"

RELEASED_BEFORE = """
    INSERT INTO news (subject, told, at)
    SELECT 'first-release:' || operation.id, MIN(workflow_run.id), MIN(workflow_run.created_at)
    FROM workflow_run
    JOIN message ON message.key = 'announce:deployment:' || workflow_run.id
    JOIN operation ON operation.project = workflow_run.project
        AND operation.kind = 'create_project'
        AND operation.created_at <= workflow_run.created_at
    GROUP BY operation.id
"""


def upgrade() -> None:
    """Make the tables; whoever has released to production already does so for the first time no
    more.
    """
    op.create_table(
        "news",
        sa.Column("subject", sa.String(), primary_key=True),
        sa.Column("told", sa.String(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
    )
    op.create_table(
        "project_health",
        sa.Column("project", sa.String(), sa.ForeignKey("project.name"), primary_key=True),
        sa.Column("checked_at", Moment(), nullable=True),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("unasked", sa.Integer(), nullable=False),
        sa.Column("key_due_at", Moment(), nullable=True),
        sa.Column("key_of", sa.String(), nullable=False),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.execute(RELEASED_BEFORE)
