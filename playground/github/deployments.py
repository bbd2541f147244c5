"""Deployments: one for each job that refers to an environment, and the states it went through."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from playground.github.runs import Conclusion, Job, WorkflowRun
from playground.github.world import Repository, World

State = Literal["error", "failure", "inactive", "pending", "success", "queued", "in_progress"]
_ENDS: dict[Conclusion, State] = {
    "success": "success",
    "failure": "failure",
    "cancelled": "error",
    "skipped": "inactive",
}


@dataclass
class DeploymentStatus:
    """One state of a deployment."""

    id: int
    state: State
    description: str
    at: datetime


@dataclass
class Deployment:
    """What a job brings to an environment; `ref` is short, as GitHub shows it."""

    id: int
    sha: str
    ref: str
    environment: str
    creator: str
    created_at: datetime
    run_id: int
    job_id: int
    statuses: list[DeploymentStatus] = field(default_factory=list)

    @property
    def state(self) -> State:
        """Return the latest state."""
        return self.statuses[-1].state if self.statuses else "pending"


def create(world: World, run: WorkflowRun, job: Job) -> Deployment:
    """Create the deployment of a job."""
    made = Deployment(
        world.next_id(),
        run.sha,
        run.ref.removeprefix("refs/heads/"),
        job.environment,
        run.triggering_actor or run.actor,
        world.now(),
        run.id,
        job.id,
    )
    run.repo.deployments[made.id] = made
    return made


def of_job(repo: Repository, job: Job) -> Deployment | None:
    """Return the deployment of a job, if it has one."""
    return next((d for d in repo.deployments.values() if d.job_id == job.id), None)


def set_state(
    world: World, deployment: Deployment, state: State, description: str = ""
) -> DeploymentStatus:
    """Add a state."""
    status = DeploymentStatus(world.next_id(), state, description, world.now())
    deployment.statuses.append(status)
    return status


def end(
    world: World, repo: Repository, deployment: Deployment, conclusion: Conclusion
) -> list[tuple[Deployment, DeploymentStatus]]:
    """Add the last state; a success makes earlier deployments to the environment inactive."""
    ended = [(deployment, set_state(world, deployment, _ENDS[conclusion]))]
    if conclusion == "success":
        for other in repo.deployments.values():
            same = other.environment == deployment.environment and other is not deployment
            if same and other.state == "success":
                ended.append((other, set_state(world, other, "inactive")))
    return ended
