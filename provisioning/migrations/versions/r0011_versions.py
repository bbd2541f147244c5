"""Which versions projects are made of; of those made so far nothing is known."""

import sqlalchemy as sa
from alembic import op

from provisioning.tables import Moment

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "project_version",
        sa.Column("project", sa.String(), sa.ForeignKey("project.name"), primary_key=True),
        sa.Column("template", sa.String(), nullable=False, index=True),
        sa.Column("version", sa.String(), nullable=False, index=True),
        sa.Column("version_name", sa.String(), nullable=False),
        sa.Column("commit", sa.String(), nullable=False),
        sa.Column("modules", sa.String(), nullable=False),
        sa.Column("offered", sa.String(), nullable=False),
        sa.Column("offered_name", sa.String(), nullable=False),
        sa.Column("offered_commit", sa.String(), nullable=False),
        sa.Column("pull", sa.Integer(), nullable=False),
        sa.Column("pull_url", sa.String(), nullable=False),
        sa.Column("pull_state", sa.String(), nullable=False, index=True),
        sa.Column("contested", sa.JSON(), nullable=False),
        sa.Column("trouble", sa.String(), nullable=False),
        sa.Column("looked_at", Moment(), nullable=True, index=True),
    )
