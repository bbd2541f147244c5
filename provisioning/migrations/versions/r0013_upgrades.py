"""Versions that projects are made of, unknown for those there are, and upgrades of all of them."""

import sqlalchemy as sa
from alembic import op

from provisioning.tables import Moment

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make the tables."""
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
    op.create_table(
        "fleet",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("state", sa.String(), nullable=False, index=True),
        sa.Column("ring", sa.Integer(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("began_at", Moment(), nullable=False, index=True),
        sa.Column("ended_at", Moment(), nullable=True),
    )
    op.create_table(
        "fleet_member",
        sa.Column("fleet", sa.String(), sa.ForeignKey("fleet.id"), primary_key=True),
        sa.Column("project", sa.String(), primary_key=True),
        sa.Column("ring", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False, index=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
    )
