"""Several people may have to approve a release: each of their approvals is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column; whatever is open has no approval so far."""
    op.add_column("release", sa.Column("approvals", sa.JSON(), nullable=False, server_default="[]"))
