"""Which deployments have ended that nobody was told of: each once, however often it is seen."""

from collections.abc import Sequence

from provisioning.text import Frozen
from provisioning.workflow_run import WORKFLOW, WorkflowJob, WorkflowRun


class EndedDeployment(Frozen):
    """A job of a run that has deployed to an environment or removed everything from it, or not."""

    project: str
    run: WorkflowRun
    job: WorkflowJob


def news_of(project: str, run: WorkflowRun, told: Sequence[str]) -> tuple[EndedDeployment, ...]:
    """Return what has ended beyond `told`, the marks of what was told before.

    What only a job has told of may be another workflow's run; a look will show which.
    """
    if not run.event or run.path != WORKFLOW:
        return ()
    return tuple(
        EndedDeployment(project=project, run=run, job=job)
        for job in run.ended()
        if job.completed_at and job.conclusion != "skipped" and _marks(job).isdisjoint(told)
    )


def marks_of(news: Sequence[EndedDeployment]) -> list[str]:
    """Return the marks of what is told now."""
    return [mark for ended in news for mark in sorted(_marks(ended.job))]


def _marks(job: WorkflowJob) -> frozenset[str]:
    """Return the marks of an ended job: by its attempt, and by its end.

    A rerun of what had failed lists what had succeeded once more, ended when it ended.
    """
    at = job.completed_at.isoformat() if job.completed_at else ""
    return frozenset((f"{job.title} #{job.attempt}", f"{job.title} at {at}"))
