"""What we remember. Vendors hold the truth about their own things.

No secret value is readable here: linked people's GitHub tokens are the only ones, and sealed.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, DateTime, Index, UniqueConstraint, text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel


class Moment(TypeDecorator[datetime]):
    """An aware UTC time; SQLite, which drops zones, gives it back aware."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times, store UTC."""
        del dialect
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return an aware time."""
        del dialect
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


def _json() -> Any:
    return Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


def _moment(*, nullable: bool = False, index: bool = False) -> Any:
    column = Column(Moment, nullable=nullable, index=index)
    return Field(default=None if nullable else ..., sa_column=column)


class ProjectRow(SQLModel, table=True):
    """A reserved name, and the project once it exists.

    `state`: reserved, ready, failed, going (it is being destroyed), gone. `extensions` counts how
    often a sandbox's end was put off, `extended_at` is when it was last.
    """

    __tablename__ = "project"
    name: str = Field(primary_key=True)
    state: str = Field(index=True)
    spec: dict[str, Any] = _json()
    requested_by: str = Field(index=True)
    created_at: datetime = _moment(index=True)
    ready_at: datetime | None = _moment(nullable=True)
    repository_url: str = ""
    commit: str = ""
    outputs: dict[str, Any] = _json()
    extensions: int = 0
    extended_at: datetime | None = _moment(nullable=True)


class OwnerRow(SQLModel, table=True):
    """Whose a project is: its owners and who asked for it, to find somebody's projects."""

    __tablename__ = "project_owner"
    project: str = Field(primary_key=True, foreign_key="project.name")
    person: str = Field(primary_key=True, index=True)


class ProjectLockRow(SQLModel, table=True):
    """Somebody's "hands off" a project, with the reason. `id` names this very lock."""

    __tablename__ = "project_lock"
    project: str = Field(primary_key=True, foreign_key="project.name")
    id: str = Field(unique=True)
    holder: str
    reason: str
    since: datetime = _moment()


class OperationRow(SQLModel, table=True):
    """One durable run of create, change, rotate and so on.

    `version` grows with every change of `phase`: whoever settles something names the version they
    saw, and only the first one wins. `facts` holds what the message shows: plan, progress, timings.
    """

    __tablename__ = "operation"
    id: str = Field(primary_key=True)
    kind: str
    project: str = Field(index=True)
    phase: str = Field(index=True)
    version: int = 0
    attempt: int = 1
    request: dict[str, Any] = _json()
    facts: dict[str, Any] = _json()
    requested_by: str
    channel: str
    created_at: datetime = _moment(index=True)
    ended_at: datetime | None = _moment(nullable=True, index=True)
    cancel_requested_by: str = ""


class ApprovalRow(SQLModel, table=True):
    """A question to people about one exact artefact; settled once.

    `state`: open, granted, refused, void, expired. `artefact` is the plan's digest. `question`
    names it within the operation: `confirm`, or `data:<securable>:<level>`.
    """

    __tablename__ = "approval"
    __table_args__ = (UniqueConstraint("operation", "question", "artefact"),)
    id: str = Field(primary_key=True)
    operation: str = Field(index=True, foreign_key="operation.id")
    question: str
    artefact: str
    approvers: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    state: str = Field(default="open", index=True)
    decided_by: str = ""
    decided_at: datetime | None = _moment(nullable=True)
    comment: str = ""
    asked_at: datetime = _moment()
    deadline: datetime | None = _moment(nullable=True, index=True)


class MessageRow(SQLModel, table=True):
    """A message we owe or have sent: always the latest state, wanted against sent.

    `thread_of` is the key of the message it answers; `recipient` makes it a direct message to one
    person, in no channel; a `file_name` makes `content` {"text": …} a file. `sending` is set before
    the first attempt: unless it is known to have arrived, look for it before sending it again.
    `sender` is the process that sends it: no other one does, as long as that one lives.
    `trouble` is why it was refused last; it rests until `rests_until`, the longer the more
    `refusals` there were.
    """

    __tablename__ = "message"
    __table_args__ = (
        Index(
            "ix_message_owed",
            "urgent",
            "updated_at",
            sqlite_where=text("wanted > sent"),
            postgresql_where=text("wanted > sent"),
        ),
    )
    key: str = Field(primary_key=True)
    channel: str
    thread_of: str = ""
    recipient: str = ""
    file_name: str = ""
    content: dict[str, Any] = _json()
    urgent: bool = False
    wanted: int = 1
    sent: int = 0
    sending: bool = False
    sender: str = ""
    ts: str = ""
    trouble: str = ""
    refusals: int = 0
    rests_until: datetime | None = _moment(nullable=True)
    created_at: datetime = _moment(index=True)
    updated_at: datetime = _moment()


class WorkflowRunRow(SQLModel, table=True):
    """A GitHub Actions run of a project that we follow; `run` is a `WorkflowRun`.

    `look_at` is when to look at it next. `wakes` counts who asked for a look: one that came while
    we looked is not lost. `failure` is the end of the log of what failed. `told` marks the
    deployments whose end was told.
    """

    __tablename__ = "workflow_run"
    id: str = Field(primary_key=True)
    project: str = Field(index=True)
    run: dict[str, Any] = _json()
    created_at: datetime = _moment(index=True)
    ended_at: datetime | None = _moment(nullable=True)
    look_at: datetime | None = _moment(nullable=True, index=True)
    wakes: int = 0
    looks: int = 0
    requested_by: str = ""
    failure: str = ""
    told: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))


class ReleaseRow(SQLModel, table=True):
    """A deployment that waits for reviewers, bound to commit and attempt; settled once.

    `state`: open, deciding (somebody's `verdict` is on its way to GitHub), approved, rejected,
    void, expired. `card` is what reviewers saw. `decided_by` is a chat user, `decided_login` a
    GitHub user. `approvals` are those of each person, where the App's rule collects several.
    """

    __tablename__ = "release"
    id: str = Field(primary_key=True)
    run: str = Field(index=True, foreign_key="workflow_run.id")
    project: str = Field(index=True)
    environment: str
    attempt: int
    sha: str
    state: str = Field(default="open", index=True)
    card: dict[str, Any] = _json()
    verdict: str = ""
    decided_by: str = ""
    decided_login: str = ""
    comment: str = ""
    why: str = ""
    asked_at: datetime = _moment()
    decided_at: datetime | None = _moment(nullable=True)
    deadline: datetime = _moment(index=True)
    remind_at: datetime | None = _moment(nullable=True, index=True)
    reminders: int = 0
    tries: int = 0
    approvals: list[dict[str, Any]] = Field(
        default_factory=list, sa_column=Column(JSON, nullable=False)
    )


class DeliveryRow(SQLModel, table=True):
    """A webhook delivery that was taken in, by GitHub's GUID: a redelivery keeps it."""

    __tablename__ = "delivery"
    id: str = Field(primary_key=True)
    event: str
    received_at: datetime = _moment(index=True)


class InteractionRow(SQLModel, table=True):
    """What somebody typed, pressed or submitted: stored, then acknowledged, then acted upon."""

    __tablename__ = "interaction"
    key: str = Field(primary_key=True)
    payload: dict[str, Any] = _json()
    received_at: datetime = _moment(index=True)
    done_at: datetime | None = _moment(nullable=True, index=True)
    taken_by: str = ""


class AuditRow(SQLModel, table=True):
    """Who did what, append-only; each row's hash covers the one before it in the project."""

    __tablename__ = "audit"
    project: str = Field(primary_key=True)
    sequence: int = Field(primary_key=True)
    at: datetime = _moment(index=True)
    who: str
    what: str
    detail: dict[str, Any] = _json()
    previous: str
    hash: str


class AuditHeadRow(SQLModel, table=True):
    """The end of a project's chain: shows when its last rows are missing, and orders appenders."""

    __tablename__ = "audit_head"
    project: str = Field(primary_key=True)
    sequence: int
    hash: str


class ExecutorRow(SQLModel, table=True):
    """A running bot process, alive while `beat_at` is fresh."""

    __tablename__ = "executor"
    id: str = Field(primary_key=True)
    host: str
    pid: int
    started_at: datetime = _moment()
    beat_at: datetime = _moment()


class DriftRow(SQLModel, table=True):
    """Whether a project has drifted: `resources` are the addresses, none where all is as made.

    `episode` counts how often it began to drift, `troubles` how often looks began to fail; each
    has a message of its own. `trouble` is why the last look failed.
    """

    __tablename__ = "drift"
    project: str = Field(primary_key=True, foreign_key="project.name")
    looked_at: datetime = _moment(index=True)
    resources: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    episode: int = 0
    since: datetime | None = _moment(nullable=True)
    over_since: datetime | None = _moment(nullable=True)
    trouble: str = ""
    troubles: int = 0
    troubled_since: datetime | None = _moment(nullable=True)
    works_since: datetime | None = _moment(nullable=True)


class HealthRow(SQLModel, table=True):
    """What was last seen of a project: how its check ended, and which key is due first.

    `failed` and `unasked` count findings. `key_of` is the environment of that key.
    """

    __tablename__ = "project_health"
    project: str = Field(primary_key=True, foreign_key="project.name")
    checked_at: datetime | None = _moment(nullable=True)
    failed: int = 0
    unasked: int = 0
    key_due_at: datetime | None = _moment(nullable=True)
    key_of: str = ""


class NewsRow(SQLModel, table=True):
    """What the community is told once for good; `told` is the run or the week that it is about."""

    __tablename__ = "news"
    subject: str = Field(primary_key=True)
    told: str = ""
    at: datetime = _moment()


class MemoRow(SQLModel, table=True):
    """Small things worth remembering over a restart, e.g. that a workspace lacks plan blocks."""

    __tablename__ = "memo"
    key: str = Field(primary_key=True)
    value: dict[str, Any] = _json()


class IdentityRow(SQLModel, table=True):
    """Whose GitHub account is whose. `state`: linked, or broken once GitHub refuses the token.

    `generation` changes with each new token. Who renews it holds the row until `renewed_until`.
    """

    __tablename__ = "identity"
    person: str = Field(primary_key=True)
    github_id: int = Field(sa_column=Column(BigInteger, nullable=False, unique=True))
    login: str = Field(index=True)
    state: str
    sealed: str = ""
    generation: int
    access_until: datetime = _moment()
    refresh_until: datetime = _moment(index=True)
    linked_at: datetime = _moment()
    renewed_by: str = ""
    renewed_until: datetime | None = _moment(nullable=True)


class DeviceLinkRow(SQLModel, table=True):
    """A code that somebody was given to enter at GitHub; the row goes when there is an answer.

    `sealed` is what the answer is fetched with; `replaces` is the login whose link they agreed to
    give up; `interval` is in seconds. `tokens` are what the answer brought, sealed, until it is
    clear whose they are.
    """

    __tablename__ = "device_link"
    person: str = Field(primary_key=True)
    id: str = Field(unique=True)
    sealed: str
    user_code: str
    address: str
    replaces: str = ""
    interval: int
    next_look: datetime = _moment(index=True)
    deadline: datetime = _moment()
    tokens: str = ""
    access_until: datetime | None = _moment(nullable=True)
    refresh_until: datetime | None = _moment(nullable=True)


class DiscardedTokenRow(SQLModel, table=True):
    """Tokens that nobody may use any more, sealed for `place`, until GitHub has revoked them."""

    __tablename__ = "discarded_token"
    id: str = Field(primary_key=True)
    place: str
    sealed: str
    since: datetime = _moment()
