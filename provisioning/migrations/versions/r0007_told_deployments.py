"""Each deployment's end is told once: a run remembers which ones were."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column; what had ended before is told when its run is seen again, if ever."""
    op.add_column("workflow_run", sa.Column("told", sa.JSON(), nullable=False, server_default="[]"))
