"""Projects can be locked: somebody says "hands off", with the reason."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the table; nothing is locked."""
    op.create_table(
        "project_lock",
        sa.Column("project", sa.String(), primary_key=True),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("id"),
        sa.ForeignKeyConstraint(["project"], ["project.name"]),
    )
