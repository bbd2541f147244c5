"""A GitHub Actions workflow run as everybody else sees it, and how sightings of it are merged.

Sightings come from webhooks and from asking, twice, late and in any order. Merging keeps the
latest of everything, so the same sightings give the same run whatever their order.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from provisioning.text import Frozen

Status = Literal["queued", "waiting", "in_progress", "completed"]
RANK: dict[Status, int] = {"queued": 0, "waiting": 1, "in_progress": 2, "completed": 3}
"""A job goes this way only; a rerun is another attempt with jobs of its own."""
RANK_OF_RUN: dict[Status, int] = RANK | {"in_progress": 1, "waiting": 2}
"""A run waits once it has begun, and GitHub tells but once that it has begun."""

WORKFLOW = ".github/workflows/deploy.yml"
"""The workflow of a project that deploys it."""
COMPARISON = "Stop unless the plan is the released one"
"""Its step that compares the plan of after the approval with the one that was approved."""
ORDER = "Stop what is older than what is there"
"""Its step that asks what is deployed and what the default branch holds."""
_OF_ENVIRONMENT = re.compile(r"^(Plan|Deploy|Destroy) ([A-Za-z0-9_-]+)$")
_OF_JOB = re.compile(r"^Run (.+) in ([A-Za-z0-9_-]+)$")

Deed = Literal["plan", "deploy", "destroy", "run"]


class WorkflowJob(Frozen):
    """One job of a run's attempt; `name` is as GitHub shows it: `bundle / Deploy Production`."""

    id: int
    attempt: int
    name: str
    status: Status
    conclusion: str = ""
    started_at: datetime | None = None
    completed_at: datetime | None = None
    url: str = ""
    failed_step: str = ""

    @property
    def title(self) -> str:
        """Return the name without those of the callers."""
        return self.name.rpartition(" / ")[2]

    @property
    def deed(self) -> tuple[Deed, str] | None:
        """Return what the job does to which environment, if its name says so."""
        if found := _OF_ENVIRONMENT.match(self.title):
            deeds: dict[str, Deed] = {"Plan": "plan", "Deploy": "deploy", "Destroy": "destroy"}
            return deeds[found[1]], found[2]
        if found := _OF_JOB.match(self.title):
            return "run", found[2]
        return None

    @property
    def succeeded(self) -> bool:
        """Tell whether it is over and did what it should."""
        return self.conclusion == "success"

    @property
    def failed(self) -> bool:
        """Tell whether it is over and did not."""
        return self.status == "completed" and self.conclusion not in ("success", "skipped")


class WorkflowRun(Frozen):
    """One run; `actor` began it, `triggering_actor` began its present attempt (logins).

    `pull` is the number of its pull request, 0 where GitHub does not tell.
    """

    id: int
    repository: str
    attempt: int = 1
    event: str = ""
    branch: str = ""
    sha: str = ""
    title: str = ""
    actor: str = ""
    triggering_actor: str = ""
    url: str = ""
    path: str = WORKFLOW
    workflow_version: str = ""
    """Of the reusable workflow that it calls, e.g. v1."""
    status: Status = "queued"
    conclusion: str = ""
    created_at: datetime
    updated_at: datetime
    pull: int = 0
    jobs: tuple[WorkflowJob, ...] = ()

    @property
    def is_over(self) -> bool:
        """Tell whether the present attempt is over."""
        return self.status == "completed"

    @property
    def initiators(self) -> frozenset[str]:
        """Return the logins, in small letters, of who began it: they never release it."""
        return frozenset(who.lower() for who in (self.actor, self.triggering_actor) if who)

    def waiting(self) -> tuple[str, ...]:
        """Return the environments whose deployments wait for reviewers."""
        return tuple(
            job.deed[1]
            for job in self.jobs
            if job.status == "waiting" and job.deed and job.deed[0] in ("deploy", "destroy")
        )

    def ended(self) -> tuple[WorkflowJob, ...]:
        """Return the deployments and removals of this attempt that are over, however they ended."""
        return tuple(
            job
            for job in self.jobs
            if job.status == "completed"
            and job.attempt == self.attempt
            and job.deed
            and job.deed[0] in ("deploy", "destroy")
        )

    def ended_deployments(self) -> tuple[str, ...]:
        """Return the environments whose deployment in this attempt is over, however it ended."""
        return tuple(job.deed[1] for job in self.ended() if job.deed)

    def planned_at(self, environment: str) -> datetime | None:
        """Return when the plan for an environment was made, if it was."""
        plans = [job for job in self.jobs if job.succeeded and job.deed == ("plan", environment)]
        return max((job.completed_at for job in plans if job.completed_at), default=None)

    def destroys(self, environment: str) -> bool:
        """Tell whether what it does to an environment is to remove everything from it."""
        return any(job.deed == ("destroy", environment) for job in self.jobs)

    def did(self, deed: Deed) -> tuple[str, ...]:
        """Return the environments to which it has done that, in order."""
        return tuple(
            job.deed[1] for job in self.jobs if job.succeeded and job.deed and job.deed[0] == deed
        )

    def deployed(self, environment: str) -> bool:
        """Tell whether it has deployed to an environment."""
        return environment in self.did("deploy")

    def failures(self) -> tuple[WorkflowJob, ...]:
        """Return the jobs that failed, in the order they ended."""
        failed = [job for job in self.jobs if job.failed and job.conclusion != "cancelled"]
        return tuple(sorted(failed, key=lambda job: job.completed_at or self.created_at))

    def needs_new_plan(self) -> bool:
        """Tell whether something stopped because its approved plan is out of date."""
        return any(job.failed_step == COMPARISON for job in self.failures())


def merged(known: WorkflowRun | None, seen: WorkflowRun, *, complete: bool = False) -> WorkflowRun:
    """Return what is known after another sighting.

    `complete` says that the sighting lists every job there is. It was asked for just now, so that
    it wins where GitHub's time, in whole seconds, does not tell which one is later.
    """
    if known is None:
        return seen.model_copy(update={"jobs": _latest(seen.jobs, seen.attempt)})
    is_later = complete and _age(seen)[:-1] == _age(known)[:-1]
    head = seen if is_later else max(known, seen, key=_age)
    is_listing = complete and seen.attempt >= known.attempt
    names = {job.name for job in seen.jobs}
    before = [job for job in known.jobs if not is_listing or job.name in names]
    # GitHub names a pull request only as long as it is open.
    pull = min(filter(None, (known.pull, seen.pull)), default=0)
    jobs = _latest((*before, *seen.jobs), head.attempt)
    return head.model_copy(update={"jobs": jobs, "pull": pull})


def with_job(known: WorkflowRun, job: WorkflowJob) -> WorkflowRun:
    """Return what is known after a sighting of one job."""
    return merged(known, known.model_copy(update={"jobs": (job,)}))


def _age(run: WorkflowRun) -> tuple[int, bool, bool, datetime, int]:
    """Order sightings of one run; that it is over is never taken back within an attempt.

    What only a job has told of knows nothing of the run itself, not even who began it.
    """
    return run.attempt, run.is_over, bool(run.event), run.updated_at, RANK_OF_RUN[run.status]


def _latest(jobs: Iterable[WorkflowJob], attempt: int) -> tuple[WorkflowJob, ...]:
    """Return the latest sighting of each job; of earlier attempts only what had succeeded."""
    latest: dict[str, WorkflowJob] = {}
    for job in jobs:
        if job.attempt < attempt and not job.succeeded:
            continue
        other = latest.get(job.name)
        if other is None or _job_age(job) > _job_age(other):
            latest[job.name] = job
    return tuple(sorted(latest.values(), key=lambda job: (job.id, job.name)))


def _job_age(job: WorkflowJob) -> tuple[int, int, bool, int]:
    return job.attempt, RANK[job.status], job.completed_at is not None, job.id
