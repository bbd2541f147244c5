"""Workflow runs of the stand-in GitHub as plain data, and what the runner and the API promise.

The API side keeps the book (`RunBook`): it begins runs on events, holds gates, sends webhooks. The
runner (`Runner`) executes a run and reports every job and step to the book as it happens.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from playground.github.world import Json, Repository

Status = Literal["queued", "waiting", "in_progress", "completed"]
Conclusion = Literal["success", "failure", "cancelled", "skipped"]


@dataclass
class Step:
    """A step of a job."""

    number: int
    name: str
    status: Status
    conclusion: Conclusion | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None


@dataclass
class Job:
    """A job of one attempt; `name` is what GitHub shows: `bundle / Deploy Production`.

    `environment` is the GitHub environment it refers to, or empty. `log` is its whole output.
    """

    id: int
    name: str
    status: Status
    created_at: datetime
    environment: str = ""
    needs: tuple[str, ...] = ()
    conclusion: Conclusion | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    steps: list[Step] = field(default_factory=list)
    log: str = field(default="", repr=False)


@dataclass
class Review:
    """A decision on a gated environment, by a reviewer or by the App's own rule."""

    environment: str
    state: Literal["approved", "rejected"]
    comment: str
    login: str
    at: datetime
    by_rule: bool = False
    attempt: int = 1


@dataclass
class Artifact:
    """A zip archive that a job uploaded; names are unique within an attempt."""

    id: int
    name: str
    content: bytes = field(repr=False)
    created_at: datetime
    attempt: int = 1


@dataclass
class PastAttempt:
    """How an attempt before the present one went."""

    conclusion: Conclusion | None
    triggering_actor: str
    started_at: datetime
    updated_at: datetime


@dataclass
class WorkflowRun:
    """One run of a workflow; a rerun is another `attempt` of it, with jobs of its own.

    `workflow` is the file's path: `.github/workflows/deploy.yml`. `payload` is the event as the
    runner hands it to the jobs (`github.event`). `ref` is full: `refs/heads/main`,
    `refs/pull/7/merge`.
    """

    id: int
    number: int
    repo: Repository
    workflow: str
    event: str
    ref: str
    sha: str
    actor: str
    title: str
    payload: Json
    created_at: datetime
    updated_at: datetime
    attempt: int = 1
    status: Status = "queued"
    conclusion: Conclusion | None = None
    inputs: dict[str, str] = field(default_factory=dict)
    jobs: dict[int, list[Job]] = field(default_factory=dict)
    """Jobs by attempt."""
    reviews: list[Review] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)
    triggering_actor: str = ""
    started_at: datetime | None = None
    """When the present attempt began; None means with the run."""
    only_jobs: tuple[str, ...] = ()
    """Names of the jobs that this attempt repeats (and what needs them); empty means all."""
    past: dict[int, PastAttempt] = field(default_factory=dict)
    cancelled: bool = False
    """Somebody asked to cancel the present attempt."""

    @property
    def present_jobs(self) -> list[Job]:
        """Return the jobs of the present attempt."""
        return self.jobs.setdefault(self.attempt, [])


class RunBook(Protocol):
    """What the runner reports to; called in the world's event loop."""

    def set_title(self, run: WorkflowRun, title: str) -> None:
        """Set what the workflow's `run-name` says."""

    def add_job(
        self, run: WorkflowRun, name: str, environment: str = "", needs: tuple[str, ...] = ()
    ) -> Job:
        """Note a job that is queued now."""

    async def pass_gate(self, run: WorkflowRun, job: Job) -> bool:
        """Wait until the job's environment lets it in; False if it was rejected or cancelled.

        The deployment branch policy refuses at once. A job whose environment has required
        reviewers or a custom rule is `waiting` until then. Creates the GitHub deployment.
        After False the job is already noted as completed, with its reason in the log.
        """

    def set_job(self, job: Job, status: Status, conclusion: Conclusion | None = None) -> None:
        """Note how a job stands now; sends the webhook."""

    def set_step(self, job: Job, name: str, status: Status, conclusion: Conclusion | None) -> None:
        """Note how a step of a job stands now."""

    def add_log(self, job: Job, text: str) -> None:
        """Append to a job's log; values of secrets are masked by the runner."""

    def add_artifact(self, run: WorkflowRun, name: str, content: bytes) -> Artifact:
        """Keep an artifact; a name that this attempt has already used is refused (ValueError)."""

    def finish(self, run: WorkflowRun, conclusion: Conclusion) -> None:
        """Note that the whole attempt is over."""

    def variables(self, run: WorkflowRun, environment: str) -> Mapping[str, str]:
        """Return the variables a job sees: those of its environment."""

    def secrets(self, run: WorkflowRun, environment: str) -> Mapping[str, str]:
        """Return the opened secrets a job sees: those of its environment, once past its gate."""


class Runner(Protocol):
    """Executes workflow runs."""

    async def run(self, run: WorkflowRun) -> None:
        """Execute an attempt to its end, reporting to the book; never raises."""

    async def cancel(self, run: WorkflowRun) -> None:
        """Stop what executes the run's present attempt."""
