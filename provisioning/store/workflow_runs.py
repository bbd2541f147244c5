"""Workflow runs that we follow, and the webhook deliveries that told of them."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from sqlmodel import Session, col, delete, func, or_, select, update
from sqlmodel.sql.expression import SelectOfScalar

from provisioning.clock import Clock
from provisioning.database import Database, insert_once
from provisioning.store.ended_deployments import EndedDeployment, marks_of, news_of
from provisioning.store.releases import UNSETTLED
from provisioning.tables import DeliveryRow, MemoRow, ProjectRow, ReleaseRow, WorkflowRunRow
from provisioning.text import Frozen
from provisioning.workflow_run import WorkflowRun, merged

LEASE = timedelta(seconds=60)
"""How long whoever looks at a run keeps others from it; after a crash it is looked at again."""

LATEST_KEPT = 50
"""So many of a project's latest runs are never forgotten: GitHub lists 30, and what it lists and we
do not know is news."""
FORGOTTEN_AT_ONCE = 1000


class Followed(Frozen):
    """A run that we follow, as it was stored; `wakes` when it was read."""

    run: WorkflowRun
    project: str
    requested_by: str = ""
    failure: str = ""
    wakes: int = 0
    looks: int = 0
    created_at: datetime
    ended_at: datetime | None = None

    @staticmethod
    def of(row: WorkflowRunRow) -> "Followed":
        """Return what a row says."""
        return Followed(
            run=WorkflowRun.model_validate(row.run),
            project=row.project,
            requested_by=row.requested_by,
            failure=row.failure,
            wakes=row.wakes,
            looks=row.looks,
            created_at=row.created_at,
            ended_at=row.ended_at,
        )


RECENT = 20
Merge = Callable[[WorkflowRun | None], WorkflowRun]
Next = Literal["look", "show"]
"""What a sighting calls for: a look at everything, or only showing what it has told."""
Heard = Next | Literal["known", "foreign"]
"""What became of a delivery: `known` were taken in before, `foreign` are about other workflows."""


class WorkflowRuns:
    """What we know of workflow runs, and when each is to be looked at next."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.on_wake: Callable[[], None] = lambda: None
        self.on_deployed: Callable[[EndedDeployment], None] = lambda _: None
        """Hears of each deployment's end, once, when that is committed; must not raise."""

    def get(self, run: int | str) -> Followed | None:
        """Return a run."""
        with self._database.reading() as session:
            row = session.get(WorkflowRunRow, str(run))
            return Followed.of(row) if row else None

    def of_project(self, project: str, limit: int = RECENT) -> tuple[Followed, ...]:
        """Return a project's runs, newest first."""
        return self._read(_newest(project).limit(limit))

    def count_unended(self) -> int:
        """Return how many runs are under way."""
        rows = select(func.count()).where(col(WorkflowRunRow.ended_at).is_(None))
        with self._database.reading() as session:
            return session.exec(rows).one()

    def deliver(
        self,
        guid: str,
        event: str,
        project: str,
        sighting: WorkflowRun | Merge,
        calls_for: Callable[[WorkflowRun], Next] = lambda _: "look",
    ) -> Heard:
        """Take in what a webhook tells; a run is looked at at once if that is called for.

        `calls_for` is asked with what was known before; an unknown run is always looked at.
        """
        with self._database.writing() as session:
            if not self._insert_delivery(session, guid, event):
                return "known"
            before = session.exec(_one(str(_id_of(sighting))).with_for_update()).first()
            if before is not None and not before.project:
                return "foreign"
            known = WorkflowRun.model_validate(before.run) if before else None
            heard: Heard = calls_for(known) if known else "look"
            _, news = self._merge(session, project, sighting, wake=heard == "look")
        self._tell(news)
        if heard == "look":
            self.on_wake()
        return heard

    def note_delivery(self, guid: str, event: str) -> None:
        """Remember a delivery that tells nothing of our projects, so that it is read once."""
        with self._database.writing() as session:
            self._insert_delivery(session, guid, event)

    def disown(self, run: int | str) -> None:
        """Follow a run no more: it is of a workflow that isn't ours."""
        with self._database.writing() as session:
            row = session.exec(_one(str(run)).with_for_update()).one()
            row.project, row.ended_at, row.look_at = "", self._clock.now(), None
            session.add(row)

    def see(
        self, project: str, seen: WorkflowRun, *, complete: bool = False, wake: bool = False
    ) -> Followed:
        """Merge what was seen of a run; `complete` as in `merged`."""
        with self._database.writing() as session:
            row, news = self._merge(
                session, project, lambda known: merged(known, seen, complete=complete), wake=wake
            )
            found = Followed.of(row)
        self._tell(news)
        if wake:
            self.on_wake()
        return found

    def note(self, run: int | str, *, requested_by: str = "", failure: str = "") -> None:
        """Remember who asked for a run, or the end of the log of what failed."""
        with self._database.writing() as session:
            row = session.get(WorkflowRunRow, str(run))
            if row:
                row.requested_by = requested_by or row.requested_by
                row.failure = failure or row.failure
                session.add(row)

    def wake_unended(self) -> None:
        """Have every run looked at that is under way: nobody knows what was missed."""
        runs = update(WorkflowRunRow).where(col(WorkflowRunRow.ended_at).is_(None))
        with self._database.writing() as session:
            session.exec(
                runs.values(look_at=self._clock.now(), wakes=col(WorkflowRunRow.wakes) + 1)
            )

    def wake_project(self, project: str) -> None:
        """Have the latest runs of a project looked at, at once."""
        with self._database.writing() as session:
            for row in session.exec(_newest(project).limit(RECENT).with_for_update()):
                self._wake(session, row)
        self.on_wake()

    def wake(self, run: int | str) -> None:
        """Have a run looked at, at once."""
        with self._database.writing() as session:
            row = session.exec(_one(str(run)).with_for_update()).first()
            if row:
                self._wake(session, row)
        self.on_wake()

    def claim(self, limit: int) -> tuple[Followed, ...]:
        """Return runs that are due; nobody else gets them until they are done, or for a minute."""
        now = self._clock.now()
        due = (
            select(WorkflowRunRow)
            .where(col(WorkflowRunRow.look_at) <= now)
            .order_by(col(WorkflowRunRow.look_at))
            .limit(limit)
        )
        with self._database.reading() as session:
            if session.exec(due).first() is None:
                return ()  # as nearly always: nobody has to wait for us to write
        with self._database.writing() as session:
            rows = session.exec(due.with_for_update(skip_locked=True)).all()
            for row in rows:
                row.look_at = now + LEASE
                session.add(row)
            return tuple(map(Followed.of, rows))

    def looked(self, followed: Followed, again: datetime | None) -> None:
        """Note when to look again (None: never); at once if somebody asked for it meanwhile."""
        with self._database.writing() as session:
            row = session.exec(_one(str(followed.run.id)).with_for_update()).one()
            row.looks += 1
            row.look_at = again if row.wakes == followed.wakes else self._clock.now()
            session.add(row)

    def known(self, guids: Sequence[str]) -> frozenset[str]:
        """Return which of these deliveries were taken in."""
        rows = select(DeliveryRow.id).where(col(DeliveryRow.id).in_(guids))
        with self._database.reading() as session:
            return frozenset(session.exec(rows).all())

    def forget_deliveries(self, older_than: timedelta) -> int:
        """Drop deliveries of that long ago: GitHub lists those of the last three days at most.

        And what is remembered of other workflows' runs, of which nobody tells any more.
        """
        limit = self._clock.now() - older_than
        old = col(DeliveryRow.received_at) < limit
        foreign = col(WorkflowRunRow.project) == ""
        with self._database.writing() as session:
            gone = delete(WorkflowRunRow).where(foreign, col(WorkflowRunRow.ended_at) < limit)
            session.exec(gone)
            return session.exec(delete(DeliveryRow).where(old)).rowcount

    def forget(self, older_than: timedelta) -> int:
        """Drop runs that ended that long ago, and their releases; return how many there were.

        A project that exists keeps its latest runs, and those of each environment's last releases.
        """
        with self._database.writing() as session:
            old = session.exec(_forgettable(self._clock.now() - older_than)).all()
            for start in range(0, len(old), FORGOTTEN_AT_ONCE):
                runs = old[start : start + FORGOTTEN_AT_ONCE]
                lost = [f"lost:{run}" for run in runs]
                session.exec(delete(ReleaseRow).where(col(ReleaseRow.run).in_(runs)))
                session.exec(delete(WorkflowRunRow).where(col(WorkflowRunRow.id).in_(runs)))
                session.exec(delete(MemoRow).where(col(MemoRow.key).in_(lost)))
            return len(old)

    def _insert_delivery(self, session: Session, guid: str, event: str) -> bool:
        row = DeliveryRow(id=guid, event=event, received_at=self._clock.now())
        return insert_once(session, row)

    def _merge(
        self, session: Session, project: str, sighting: WorkflowRun | Merge, *, wake: bool
    ) -> tuple[WorkflowRunRow, tuple[EndedDeployment, ...]]:
        """Merge a sighting; return the run, and which deployments have ended by that."""
        merge = sighting if callable(sighting) else _merging(sighting)
        first = _with_pull(session, project, merge(None))
        row = WorkflowRunRow(
            id=str(first.id),
            project=project,
            run=first.model_dump(mode="json"),
            created_at=first.created_at,
            ended_at=_end(first),
            look_at=self._clock.now(),
        )
        news = news_of(project, first, ())
        row.told = marks_of(news)
        if insert_once(session, row):
            return session.exec(_one(row.id)).one(), news
        row = session.exec(_one(row.id).with_for_update()).one()
        known = WorkflowRun.model_validate(row.run)
        run = _with_pull(session, project, merge(known))
        if run.attempt > known.attempt:
            row.failure = ""  # of an attempt that is history
        news = news_of(project, run, row.told)
        row.told = [*row.told, *marks_of(news)]
        row.run = run.model_dump(mode="json")
        row.ended_at = _end(run)
        row.created_at = min(row.created_at, run.created_at)
        session.add(row)
        if wake:
            self._wake(session, row)
        return row, news

    def _tell(self, news: tuple[EndedDeployment, ...]) -> None:
        for ended in news:
            self.on_deployed(ended)

    def _wake(self, session: Session, row: WorkflowRunRow) -> None:
        row.look_at = self._clock.now()
        row.wakes += 1
        session.add(row)

    def _read(self, rows: SelectOfScalar[WorkflowRunRow]) -> tuple[Followed, ...]:
        with self._database.reading() as session:
            return tuple(map(Followed.of, session.exec(rows).all()))


def _with_pull(session: Session, project: str, run: WorkflowRun) -> WorkflowRun:
    """Return a run with the pull request that an earlier run of its branch and commit had.

    GitHub names none once it is closed, which begins one more run.
    """
    if run.pull or run.event != "pull_request":
        return run
    rows = session.exec(_newest(project).limit(RECENT)).all()
    others = (WorkflowRun.model_validate(row.run) for row in rows)
    same = (one.pull for one in others if (one.branch, one.sha) == (run.branch, run.sha))
    return run.model_copy(update={"pull": next(filter(None, same), 0)})


def _id_of(sighting: WorkflowRun | Merge) -> int:
    return (sighting(None) if callable(sighting) else sighting).id


def _merging(seen: WorkflowRun) -> Merge:
    return lambda known: merged(known, seen)


def _end(run: WorkflowRun) -> datetime | None:
    return run.updated_at if run.is_over else None


def _one(run: str) -> SelectOfScalar[WorkflowRunRow]:
    return select(WorkflowRunRow).where(WorkflowRunRow.id == run)


def _newest(project: str) -> SelectOfScalar[WorkflowRunRow]:
    rows = select(WorkflowRunRow).where(WorkflowRunRow.project == project)
    return rows.order_by(col(WorkflowRunRow.created_at).desc(), col(WorkflowRunRow.id).desc())


def _forgettable(limit: datetime) -> SelectOfScalar[str]:
    """Return the ids of runs that ended before `limit` and that nobody needs any more."""
    living = select(ProjectRow.name).where(ProjectRow.state != "gone")
    project = col(WorkflowRunRow.project)
    unsettled = select(ReleaseRow.run).where(col(ReleaseRow.state).in_(UNSETTLED))
    needed = or_(
        col(WorkflowRunRow.id).in_(_latest_runs()), col(WorkflowRunRow.id).in_(_last_releases())
    )
    return select(WorkflowRunRow.id).where(
        col(WorkflowRunRow.ended_at) < limit,
        col(WorkflowRunRow.id).not_in(unsettled),
        or_(project.not_in(living), ~needed),
    )


def _latest_runs() -> SelectOfScalar[str]:
    age = (col(WorkflowRunRow.created_at).desc(), col(WorkflowRunRow.id).desc())
    place = func.row_number().over(partition_by=col(WorkflowRunRow.project), order_by=age)
    runs = select(WorkflowRunRow.id, place.label("place")).subquery()
    return select(runs.c.id).where(runs.c.place <= LATEST_KEPT)


def _last_releases() -> SelectOfScalar[str]:
    """Return the runs of each environment's last release of each ending: the last approved, too."""
    of = (col(ReleaseRow.project), col(ReleaseRow.environment), col(ReleaseRow.state))
    place = func.row_number().over(partition_by=of, order_by=col(ReleaseRow.asked_at).desc())
    releases = select(ReleaseRow.run, place.label("place")).subquery()
    return select(releases.c.run).where(releases.c.place == 1)
