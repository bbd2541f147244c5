"""How the bot was used in a span of time, counted from our own rows."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import JSON, type_coerce
from sqlmodel import Session, col, func, or_, select

from provisioning import audit
from provisioning.database import Database
from provisioning.operation import CREATE, DESTROY
from provisioning.project import STAGES
from provisioning.tables import AuditRow, OperationRow, ProjectRow, WorkflowRunRow
from provisioning.text import Frozen
from provisioning.workflow_run import WORKFLOW, WorkflowRun

NOBODY = (audit.US, "bot", "")
"""Who acts in our rows without being a person."""
ENDS_WELL = ("ready", "done")


class Usage(Frozen):
    """What was done between two moments; `releases` counts workflow runs by the stage they reached.

    `expiring` are sandboxes that end in the days after it.
    """

    projects: int = 0
    releases: Mapping[str, int] = {}
    people: int = 0
    sandboxes_destroyed: int = 0
    projects_destroyed: int = 0
    rotations: int = 0
    keys: int = 0
    expiring: int = 0

    @property
    def is_empty(self) -> bool:
        """Tell whether nobody and nothing was at work."""
        return not any(
            (
                self.projects,
                *self.releases.values(),
                self.people,
                self.sandboxes_destroyed,
                self.projects_destroyed,
                self.rotations,
            )
        )


class UsageCounts:
    """Counts; nothing is changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def between(self, since: datetime, until: datetime, ahead: timedelta) -> Usage:
        """Count what was done from `since` on, before `until`; `ahead` is how far we look."""
        with self._database.reading() as session:
            ended = _ended(session, since, until)
            return Usage(
                projects=sum(one.kind == CREATE for one in ended),
                releases=_releases(session, since, until),
                people=_people(session, since, until),
                sandboxes_destroyed=sum(_destroyed(one, sandbox=True) for one in ended),
                projects_destroyed=sum(_destroyed(one, sandbox=False) for one in ended),
                rotations=sum(one.kind == "rotate_keys" for one in ended),
                keys=sum(_keys(one) for one in ended),
                expiring=_expiring(session, until, until + ahead),
            )


def _ended(session: Session, since: datetime, until: datetime) -> list[OperationRow]:
    """Return the operations that ended well."""
    rows = select(OperationRow).where(
        col(OperationRow.ended_at) >= since,
        col(OperationRow.ended_at) < until,
        col(OperationRow.phase).in_(ENDS_WELL),
    )
    return list(session.exec(rows).all())


def _destroyed(operation: OperationRow, *, sandbox: bool) -> bool:
    was_sandbox = bool(operation.request.get("sandbox_until"))
    return operation.kind == DESTROY and was_sandbox == sandbox


def _keys(operation: OperationRow) -> int:
    return len((operation.facts.get("rotation") or {}).get("renewed", ()))


def _releases(session: Session, since: datetime, until: datetime) -> dict[str, int]:
    """Count, by stage, the runs that deployed there meanwhile; copies of pull requests don't count.

    Runs of several workspace groups count once in each stage.
    """
    rows = select(WorkflowRunRow.run).where(
        col(WorkflowRunRow.project) != "",
        col(WorkflowRunRow.created_at) < until,
        or_(col(WorkflowRunRow.ended_at).is_(None), col(WorkflowRunRow.ended_at) >= since),
    )
    reached: Counter[str] = Counter()
    for stored in session.exec(rows):
        run = WorkflowRun.model_validate(stored)
        if run.event and run.event != "pull_request" and run.path == WORKFLOW:
            reached.update(set(_stages(run, since, until)))
    return {stage: reached[stage] for stage in STAGES if reached[stage]}


def _stages(run: WorkflowRun, since: datetime, until: datetime) -> Iterable[str]:
    for job in run.jobs:
        is_now = job.completed_at is not None and since <= job.completed_at < until
        if is_now and job.succeeded and job.deed and job.deed[0] == "deploy":
            yield job.deed[1].rpartition("-")[2].lower()


def _people(session: Session, since: datetime, until: datetime) -> int:
    who = col(AuditRow.who)
    rows = select(func.count(func.distinct(who))).where(
        col(AuditRow.at) >= since, col(AuditRow.at) < until, who.not_in(NOBODY)
    )
    return session.exec(rows).one()


def _expiring(session: Session, since: datetime, until: datetime) -> int:
    """Count the living sandboxes whose last day is in a span of time."""
    ends = type_coerce(col(ProjectRow.spec), JSON)["sandbox_until"].as_string()
    rows = select(func.count()).where(
        col(ProjectRow.state) != "gone",
        ends >= since.date().isoformat(),
        ends < until.date().isoformat(),
    )
    return session.exec(rows).one()
