"""What we remember of versions and upgrades; the other tables are in `provisioning.tables`."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from provisioning.tables import Moment


def _moment(*, nullable: bool = False, index: bool = False) -> Any:
    column = Column(Moment, nullable=nullable, index=index)
    return Field(default=None if nullable else ..., sa_column=column)


class VersionRow(SQLModel, table=True):
    """Which versions a project is made of, and which one a pull request offers it.

    `version` is the template's that `main` holds, `commit` that version's on the template's branch;
    `modules` are what Terraform applied last. `pull_state`: empty (there is none), open, conflicts
    (a draft, to be merged by hand), merged, closed. `trouble` is why the last upgrade failed.
    """

    __tablename__ = "project_version"
    project: str = Field(primary_key=True, foreign_key="project.name")
    template: str = Field(index=True)
    version: str = Field(default="", index=True)
    version_name: str = ""
    commit: str = ""
    modules: str = ""
    offered: str = ""
    offered_name: str = ""
    offered_commit: str = ""
    pull: int = 0
    pull_url: str = ""
    pull_state: str = Field(default="", index=True)
    contested: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    trouble: str = ""
    looked_at: datetime | None = _moment(nullable=True, index=True)


class FleetRow(SQLModel, table=True):
    """An upgrade of all projects. `state`: running, paused, halted (too much failed), done.

    `ring` is the one that is upgraded now; the next one begins when it has ended.
    """

    __tablename__ = "fleet"
    id: str = Field(primary_key=True)
    state: str = Field(index=True)
    ring: int = 0
    requested_by: str
    channel: str
    why: str = ""
    began_at: datetime = _moment(index=True)
    ended_at: datetime | None = _moment(nullable=True)


class FleetMemberRow(SQLModel, table=True):
    """A project in an upgrade of all.

    `state`: waiting, begun, offered, conflicts, current, failed, skipped. `attempt` grows when one
    that failed is tried again; it is a part of the operation's key. `why` says what holds it up.
    """

    __tablename__ = "fleet_member"
    fleet: str = Field(primary_key=True, foreign_key="fleet.id")
    project: str = Field(primary_key=True)
    ring: int
    state: str = Field(default="waiting", index=True)
    attempt: int = 1
    why: str = ""
