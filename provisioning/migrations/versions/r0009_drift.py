"""What has drifted, by project."""

import sqlalchemy as sa
from alembic import op

from provisioning.tables import Moment

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the table; nobody has looked so far."""
    op.create_table(
        "drift",
        sa.Column("project", sa.String(), sa.ForeignKey("project.name"), primary_key=True),
        sa.Column("looked_at", Moment(), nullable=False, index=True),
        sa.Column("resources", sa.JSON(), nullable=False),
        sa.Column("episode", sa.Integer(), nullable=False),
        sa.Column("since", Moment(), nullable=True),
        sa.Column("over_since", Moment(), nullable=True),
        sa.Column("trouble", sa.String(), nullable=False),
        sa.Column("troubles", sa.Integer(), nullable=False),
        sa.Column("troubled_since", Moment(), nullable=True),
        sa.Column("works_since", Moment(), nullable=True),
    )
