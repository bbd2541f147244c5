"""People link their GitHub accounts: sealed tokens, codes on their way, tokens to be revoked."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the three tables."""
    op.create_table(
        "identity",
        _text("person", key=True),
        sa.Column("github_id", sa.BigInteger(), nullable=False),
        _text("login"),
        _text("state"),
        _text("sealed"),
        _number("generation"),
        _moment("access_until"),
        _moment("refresh_until"),
        _moment("linked_at"),
        _text("renewed_by"),
        _moment("renewed_until", nullable=True),
        sa.UniqueConstraint("github_id"),
    )
    op.create_index("ix_identity_login", "identity", ["login"])
    op.create_index("ix_identity_refresh_until", "identity", ["refresh_until"])
    op.create_table(
        "device_link",
        _text("person", key=True),
        _text("id"),
        _text("sealed"),
        _text("user_code"),
        _text("address"),
        _text("replaces"),
        _number("interval"),
        _moment("next_look"),
        _moment("deadline"),
        _text("tokens"),
        _moment("access_until", nullable=True),
        _moment("refresh_until", nullable=True),
        sa.UniqueConstraint("id"),
    )
    op.create_index("ix_device_link_next_look", "device_link", ["next_look"])
    op.create_table(
        "discarded_token",
        _text("id", key=True),
        _text("place"),
        _text("sealed"),
        _moment("since"),
    )


def _text(name: str, *, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), primary_key=key, nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
