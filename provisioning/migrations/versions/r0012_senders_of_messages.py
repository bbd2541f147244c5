"""A message has a sender: of several processes one sends it, the others let it."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the column; who was sending when the bot was stopped is dead by now."""
    op.add_column("message", sa.Column("sender", sa.String(), server_default="", nullable=False))
