"""A message that was refused is tried again by itself: how often it was refused, when it is due."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns; what was refused before is due at once."""
    op.add_column(
        "message", sa.Column("refusals", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column("message", sa.Column("rests_until", sa.DateTime(timezone=True), nullable=True))
