"""A message to one person is a direct message: it was a whisper in a channel, which nobody used."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Call the column by its new meaning."""
    op.alter_column("message", "reader", new_column_name="recipient")
