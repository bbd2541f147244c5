"""How a project fares, from what was last seen of it: pure."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from provisioning.drift_message import counted
from provisioning.last_deployments import ago
from provisioning.project import STAGES, ProjectSpec
from provisioning.tables import DriftRow, HealthRow, ProjectRow
from provisioning.text import Frozen
from provisioning.workflow_run import WorkflowJob, WorkflowRun

SHORT = {"development": "Dev", "testing": "Test", "staging": "Stage", "production": "Prod"}
NOT_TRIED = ("skipped", "cancelled")
UNKNOWN = "nobody has looked yet"
Refusals = Collection[tuple[str, int, str]]
"""Run, attempt and environment of deployments that nobody let in: they are no failures."""


class Deployed(Frozen):
    """How the last deployment to an environment ended; None if none was seen."""

    stage: str
    job: WorkflowJob | None = None

    @property
    def failed(self) -> bool:
        """Tell whether it failed."""
        return self.job is not None and not self.job.succeeded


class Health(Frozen):
    """What is wrong with a project, if anything, and when somebody last looked."""

    troubles: tuple[str, ...]
    looked_at: datetime | None
    deployed: tuple[Deployed, ...]

    def said(self, now: datetime) -> str:
        """Say it in few words."""
        if self.looked_at is None:
            return "; ".join(self.troubles) or UNKNOWN
        said = "; ".join(self.troubles) or "well"
        return f"{said} (looked {ago(now - self.looked_at)})"

    def stages(self) -> str:
        """Say what is deployed where: `Dev ✓ · Test ✓ · Stage ✗ · Prod –`."""
        return " · ".join(f"{SHORT[stage]} {self._mark(stage)}" for stage in STAGES)

    def _mark(self, stage: str) -> str:
        """Return one mark for all of a stage's environments: the worst of them."""
        of_stage = [one for one in self.deployed if one.stage == stage]
        if any(one.failed for one in of_stage):
            return "✗"
        return "✓" if of_stage and all(one.job for one in of_stage) else "–"


def health_of(
    project: ProjectRow,
    drift: DriftRow | None,
    seen: HealthRow | None,
    runs: Sequence[WorkflowRun],
    refused: Refusals,
) -> Health:
    """Return how a project fares; `runs` are its latest ones, newest first.

    What was seen before the project was asked for is of another one that had its name.
    """
    since = project.created_at
    drift = drift if drift and drift.looked_at >= since else None
    checked_at = seen.checked_at if seen and seen.checked_at else None
    checked = seen if checked_at and checked_at >= since else None
    looks = [at for at in (drift and drift.looked_at, checked and checked.checked_at) if at]
    deployed = last_deployed(
        ProjectSpec.model_validate(project.spec),
        [run for run in runs if run.created_at >= since],
        refused,
    )
    troubles = (*_of_drift(drift), *_of_check(checked), *_of_deployments(deployed))
    return Health(troubles=troubles, looked_at=max(looks, default=None), deployed=deployed)


def last_deployed(
    spec: ProjectSpec, runs: Sequence[WorkflowRun], refused: Refusals
) -> tuple[Deployed, ...]:
    """Return how the last deployment to each environment ended; pull requests have copies."""
    last: dict[str, WorkflowJob] = {}
    for run in runs:
        if run.event == "pull_request":
            continue
        for job in sorted(run.jobs, key=lambda job: job.attempt, reverse=True):
            deed, environment = job.deed or ("", "")
            was_tried = job.status == "completed" and job.conclusion not in NOT_TRIED
            is_ours = deed in ("deploy", "destroy")
            if is_ours and was_tried and (str(run.id), job.attempt, environment) not in refused:
                last.setdefault(environment, job)
    return tuple(
        Deployed(stage=one.stage, job=_unless_removed(last.get(one.name)))
        for one in spec.environments()
    )


def _unless_removed(job: WorkflowJob | None) -> WorkflowJob | None:
    removes = (
        job is not None and job.succeeded and job.deed is not None and job.deed[0] == "destroy"
    )
    return None if removes else job


def _of_drift(drift: DriftRow | None) -> Iterable[str]:
    if drift and drift.trouble:
        yield "nobody knows whether it has drifted"
    elif drift and drift.resources:
        yield f"{counted(len(drift.resources))} drifted"


def _of_check(checked: HealthRow | None) -> Iterable[str]:
    if checked and checked.failed:
        yield f"{checked.failed} of its checks failed"
    elif checked and checked.unasked:
        yield "not everything could be checked"


def _of_deployments(deployed: Iterable[Deployed]) -> Iterable[str]:
    failed = dict.fromkeys(one.stage for one in deployed if one.failed)
    if failed:
        stages = " and ".join(stage.capitalize() for stage in failed)
        yield f"the last deployment to {stages} failed"
