"""Many projects in our own database, with what lists show of them, as if they had lived."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from rows import a_spec
from sqlalchemy import insert

from provisioning.database import Database
from provisioning.project import STAGES
from provisioning.tables import (
    DriftRow,
    HealthRow,
    OperationRow,
    OwnerRow,
    ProjectRow,
    WorkflowRunRow,
)
from provisioning.workflow_run import WorkflowJob, WorkflowRun

RUNS_EACH = 3
AT_ONCE = 500
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Crowd:
    """The projects `many-00000` on; the owners have them in turns.

    Each seventh is a sandbox that ends after so long, each ninth has drifted, each eleventh failed
    its check, each thirteenth deployed to Testing in vain.
    """

    now: datetime
    owners: tuple[str, ...]
    sandboxes_live: timedelta = 3 * DAY

    def join(self, database: Database, places: range) -> None:
        """Add the projects at these places."""
        for start in places[::AT_ONCE]:
            some = range(start, min(start + AT_ONCE, places.stop))
            with database.writing() as session:
                connection = session.connection()
                for table, rows in self._rows(some).items():
                    connection.execute(insert(table), rows)

    def _rows(self, places: range) -> dict[Any, list[dict[str, Any]]]:
        now, made = self.now, self.now - 20 * DAY
        until = (now + self.sandboxes_live).date()
        return {
            ProjectRow: [_project(place, self._owner(place), made, until) for place in places],
            OwnerRow: [
                OwnerRow(project=name_of(place), person=self._owner(place)).model_dump()
                for place in places
            ],
            OperationRow: [_operation(place, self._owner(place), made) for place in places],
            DriftRow: [_drift(place, now) for place in places],
            HealthRow: [_health(place, now) for place in places],
            WorkflowRunRow: [run for place in places for run in _runs(place, now)],
        }

    def _owner(self, place: int) -> str:
        return self.owners[place % len(self.owners)]


def name_of(place: int) -> str:
    """Return the name of a project by its place."""
    return f"many-{place:05}"


def _project(place: int, owner: str, made: datetime, until: date) -> dict[str, Any]:
    end = until if place % 7 == 0 else None
    spec = a_spec(name_of(place), owner).model_copy(update={"sandbox_until": end})
    return ProjectRow(
        name=name_of(place),
        state="ready",
        spec=spec.model_dump(mode="json"),
        requested_by=owner,
        created_at=made,
        ready_at=made,
        repository_url=f"https://github.com/acme/{name_of(place)}",
    ).model_dump()


def _operation(place: int, owner: str, made: datetime) -> dict[str, Any]:
    return OperationRow(
        id=f"run-{place:05}",
        kind="create_project",
        project=name_of(place),
        phase="ready",
        request=a_spec(name_of(place), owner).model_dump(mode="json"),
        requested_by=owner,
        channel="C0SCICLOPS",
        created_at=made + place * timedelta(milliseconds=1),
        ended_at=made + timedelta(minutes=5),
    ).model_dump()


def _drift(place: int, now: datetime) -> dict[str, Any]:
    drifted = place % 9 == 0
    return DriftRow(
        project=name_of(place),
        looked_at=now - timedelta(hours=2),
        resources=["module.x.databricks_job.y"] if drifted else [],
        episode=int(drifted),
        since=now - DAY if drifted else None,
    ).model_dump()


def _health(place: int, now: datetime) -> dict[str, Any]:
    return HealthRow(
        project=name_of(place),
        checked_at=now - timedelta(hours=1),
        failed=2 if place % 11 == 0 else 0,
        key_due_at=now + 5 * DAY,
        key_of="Production",
    ).model_dump()


def _runs(place: int, now: datetime) -> Iterator[dict[str, Any]]:
    for number in range(RUNS_EACH):
        at = now - (number + 1) * DAY
        failed = number == 0 and place % 13 == 0
        run = WorkflowRun(
            id=place * 10 + number + 1,
            repository=name_of(place),
            event="push",
            branch="main",
            sha="a" * 40,
            title="feat: count purchases",
            actor="ada-l",
            status="completed",
            conclusion="failure" if failed else "success",
            created_at=at,
            updated_at=at,
            jobs=tuple(_jobs(at, failed=failed)),
        )
        yield WorkflowRunRow(
            id=str(run.id),
            project=name_of(place),
            run=run.model_dump(mode="json"),
            created_at=at,
            ended_at=at,
        ).model_dump()


def _jobs(at: datetime, *, failed: bool) -> Iterator[WorkflowJob]:
    for number, stage in enumerate(STAGES):
        in_vain = failed and stage == "testing"
        yield WorkflowJob(
            id=number,
            attempt=1,
            name=f"bundle / Deploy {stage.capitalize()}",
            status="completed",
            conclusion="failure" if in_vain else "success",
            completed_at=at,
        )
        if in_vain:
            return
