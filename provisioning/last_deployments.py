"""How the last deployment to each environment ended, by what we follow, else by what GitHub knows.

A deployment that people rejected, or that nobody let in, is no failure: nothing was tried.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from provisioning.ports import Finding
from provisioning.project import ProjectSpec
from provisioning.release import Release
from provisioning.store import Followed
from provisioning.workflow_run import WorkflowJob, WorkflowRun

NEVER_LET_IN = ("rejected", "expired", "void")
REMEDY = "Look at its log, mend what failed, and press Rerun Failed Jobs or merge the fix."


class Deployment(NamedTuple):
    """One job that deployed to an environment, or tried to."""

    run: WorkflowRun
    job: WorkflowJob


def last_deployments(
    spec: ProjectSpec,
    runs: Sequence[Followed],
    releases: Sequence[Release],
    released: Callable[[str], str],
    now: datetime,
) -> tuple[Finding, ...]:
    """Return one finding for each environment; `runs` are newest first.

    `released` asks GitHub which commit was deployed last to an environment that no run tells of.
    """
    refused = {
        (release.run, release.attempt, release.environment)
        for release in releases
        if release.state in NEVER_LET_IN
    }
    findings = []
    for environment in spec.environments():
        tried = (
            deployment
            for deployment in _to(environment.name, runs)
            if (str(deployment.run.id), deployment.job.attempt, environment.name) not in refused
        )
        last = next(tried, None)
        name = f"{environment.name}: last deployment"
        findings.append(
            _finding(name, last, now) if last else _unseen(name, released, environment.name)
        )
    return tuple(findings)


def _to(environment: str, runs: Sequence[Followed]) -> Iterator[Deployment]:
    for followed in runs:
        jobs = sorted(followed.run.jobs, key=lambda job: job.attempt, reverse=True)
        for job in jobs:
            is_done = job.status == "completed" and job.conclusion not in ("skipped", "cancelled")
            if is_done and job.deed == ("deploy", environment):
                yield Deployment(followed.run, job)


def _finding(name: str, last: Deployment, now: datetime) -> Finding:
    run, job = last
    ended = job.completed_at or run.updated_at
    what = f"commit {run.sha[:8]}, {ago(now - ended)}, run {run.id}"
    if job.succeeded:
        return Finding(check=name, passed=True, detail=what)
    step = f" at the step “{job.failed_step}”" if job.failed_step else ""
    return Finding(check=name, passed=False, detail=f"It failed{step}: {what}.", remedy=REMEDY)


def _unseen(name: str, released: Callable[[str], str], environment: str) -> Finding:
    commit = released(environment)
    detail = f"commit {commit[:8]}, longer ago than runs are kept" if commit else "none yet"
    return Finding(check=name, passed=True, detail=detail)


def ago(age: timedelta) -> str:
    """Say how long ago something was."""
    minutes = int(age.total_seconds() // 60)
    for unit, many in (("day", minutes // 1440), ("hour", minutes // 60), ("minute", minutes)):
        if many > 0:
            return f"{many} {unit}{'' if many == 1 else 's'} ago"
    return "just now"
