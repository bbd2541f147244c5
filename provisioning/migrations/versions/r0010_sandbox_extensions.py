"""A sandbox is extended so many times: how often, and when its end was last decided."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the columns; nothing was ever extended so far."""
    op.add_column(
        "project", sa.Column("extensions", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("project", sa.Column("extended_at", sa.DateTime(timezone=True), nullable=True))
