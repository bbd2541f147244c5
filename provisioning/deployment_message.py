"""The one message of a workflow run: its stages as tasks, live, with what failed and why.

Pure: a run, its releases and the project's environments go in, a `Notice` comes out.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Literal

from provisioning.release import Release
from provisioning.release_message import NameOf
from provisioning.run_tasks import duration
from provisioning.store import Followed
from provisioning.text import Button, Fact, Notice, Task, Text, bold, code, link, moment, say
from provisioning.workflow_run import COMPARISON, ORDER, WorkflowJob, WorkflowRun

SHORT_SHA = 8
LOG_LINES = 12
RUN_STATES = {
    "success": "Deployed",
    "failure": "Failed",
    "cancelled": "Cancelled",
    "timed_out": "Timed out",
    "action_required": "Needs somebody at GitHub",
    "startup_failure": "The workflow could not start",
    "skipped": "Skipped",
}
Status = Literal["pending", "in_progress", "complete", "error"]
NOISE = ("Dump Context", "Set Jobs to Run")
"""Jobs that say nothing to people, unless they fail."""
COPY_REMOVED = "Destroy Pull Request Copy"
"""The job that a closed pull request leaves to be done."""
ADVICE = {
    COMPARISON: " Nothing was deployed there: something has changed since the plan that was "
    "approved was made. Rerun runs all jobs again; they make a new plan, which is to be approved "
    "as this one was.",
    ORDER: " Nothing was deployed there. If there is a newer commit, release its run instead.",
}
"""What to do, by the step that has failed."""


def deployment_notice(
    followed: Followed,
    releases: Sequence[Release],
    environments: Sequence[str],
    name_of: NameOf,
    newer: WorkflowRun | None = None,
) -> Notice:
    """Return the message of a run; `environments` are those it should reach, in order.

    `newer` is the run that has superseded it.
    """
    run = followed.run
    state = state_of(run, releases)
    return Notice(
        summary=f"{followed.project}: {what(run).lower()} {state.lower()}{_needs(run, releases)}",
        title=f"{followed.project} · {what(run)} · {state}",
        body=tuple(_body(followed, releases, newer)),
        facts=tuple(_facts(followed, name_of)),
        tasks=_tasks(run, environments, releases),
        footer=say("Workflow run ", code(str(run.id)), " · begun ", moment(run.created_at)),
        buttons=_buttons(run, releases),
    )


def what(run: WorkflowRun) -> str:
    """Say what a run does."""
    if run.event == "pull_request":
        return f"Pull request #{run.pull}" if run.pull else f"Pull request of branch {run.branch}"
    if any(job.deed and job.deed[0] == "destroy" for job in run.jobs):
        return "Removal"
    return "Deployment"


def state_of(run: WorkflowRun, releases: Sequence[Release] = ()) -> str:
    """Say how a run stands, as exactly as is known."""
    if run.is_over:
        rejected = any(one.state == "rejected" and one.attempt == run.attempt for one in releases)
        expired = any(one.state == "expired" and one.attempt == run.attempt for one in releases)
        if rejected and run.conclusion == "failure":
            return "Rejected"
        if expired and run.conclusion in ("cancelled", "failure"):
            return "Timed out"
        if commit := superseded_by(run, releases):
            return f"Superseded by commit {commit}"
        if run.conclusion == "success":
            return _done(run)
        return RUN_STATES.get(run.conclusion, run.conclusion or "Over")
    if waiting := run.waiting():
        return f"Waiting for approval of {', '.join(waiting)}"
    working = [job for job in run.jobs if job.status == "in_progress" and job.title not in NOISE]
    return working[-1].title if working else "Waiting for a runner"


def _done(run: WorkflowRun) -> str:
    took = duration((run.updated_at - run.created_at).total_seconds())
    deployed, destroyed = run.did("deploy"), run.did("destroy")
    if any(job.title == COPY_REMOVED and job.succeeded for job in run.jobs):
        return f"Removed the pull request's copy in {took}"
    if run.event == "pull_request" or not (deployed or destroyed):
        return f"Passed in {took}"
    return (
        f"Deployed to {deployed[-1]} in {took}"
        if deployed
        else f"Removed from {destroyed[-1]} in {took}"
    )


def superseded_by(run: WorkflowRun, releases: Sequence[Release]) -> str:
    """Return the beginning of the newer commit for which the present attempt was ended, if so."""
    if run.conclusion not in ("cancelled", "failure"):
        return ""
    commits = (one.superseded_by for one in releases if one.attempt == run.attempt)
    return next(filter(None, commits), "")


def _needs(run: WorkflowRun, releases: Sequence[Release]) -> str:
    return ": see what failed, and rerun it" if is_broken(run, releases) else ""


def _body(
    followed: Followed, releases: Sequence[Release], newer: WorkflowRun | None
) -> Iterator[Text]:
    run = followed.run
    if newer:
        shown = link(str(newer.id), newer.url) if newer.url else code(str(newer.id))
        yield say(bold("Superseded by workflow run "), shown, f": {newer.title}")
    for release in releases:
        if release.attempt == run.attempt and release.state == "rejected" and release.comment:
            yield say(bold(f"{release.environment} was rejected: "), release.comment)
    if not is_broken(run, releases):
        return
    for job in run.failures():
        step = f" at the step “{job.failed_step}”" if job.failed_step else ""
        yield say(bold(f"{job.title} failed"), step, f".{ADVICE.get(job.failed_step, '')}")
    if followed.failure:
        lines = [line for line in followed.failure.splitlines() if line.strip()]
        yield say(code("\n".join(lines[-LOG_LINES:])))


def _facts(followed: Followed, name_of: NameOf) -> Iterator[Fact]:
    run = followed.run
    commit = code(run.sha[:SHORT_SHA])
    # A dispatched run is titled by who asked for it, one of a pull request like that.
    is_titled = run.title and run.event != "workflow_dispatch" and not run.pull
    title = f" {run.title}" if is_titled else ""
    if run.pull:
        page = f"{run.url.partition('/actions/')[0]}/pull/{run.pull}"
        yield Fact(label="Pull request", value=say(link(f"#{run.pull} {run.title}", page)))
    yield Fact(label="Commit", value=say(commit if run.sha else "not known yet", title))
    yield Fact(label="Branch", value=say(code(run.branch or "?")))
    if run.actor:
        yield Fact(label="Triggered by", value=say(name_of(run.actor), f" ({run.event})"))
    if run.url:
        shown = run.url.removeprefix("https://")
        yield Fact(label="At GitHub", value=say(link(shown, run.url)))
    if run.attempt > 1:
        yield Fact(label="Attempt", value=say(str(run.attempt)))


def _tasks(
    run: WorkflowRun, environments: Sequence[str], releases: Sequence[Release]
) -> tuple[Task, ...]:
    """Return a task for each job that says something, and for each stage still to come."""
    is_superseded = bool(superseded_by(run, releases))
    shown = [
        _superseded(job) if is_superseded and job.failed else _task(job)
        for job in run.jobs
        if _says_something(job)
    ]
    reached = {job.deed[1] for job in run.jobs if job.deed and job.deed[0] != "run"}
    to_come: list[Task] = []
    if run.event == "push" and not run.is_over:
        to_come = [
            Task(id=f"to-come-{name}", title=f"Deploy {name}")
            for name in environments
            if name not in reached
        ]
    return tuple((shown + to_come)[:50])


def _says_something(job: WorkflowJob) -> bool:
    """Tell whether people want to see a job: GitHub names skipped ones by their bare expression."""
    return job.failed or (job.conclusion != "skipped" and job.title not in NOISE)


def _task(job: WorkflowJob) -> Task:
    return Task(
        id=f"job-{job.id}",
        title=f"{job.title}{' · waiting for approval' if job.status == 'waiting' else ''}",
        status=_status(job),
        output=say(_took(job)) if _took(job) else (),
    )


def _superseded(job: WorkflowJob) -> Task:
    """Return the task of a job that was ended for a newer run: nothing failed."""
    return Task(id=f"job-{job.id}", title=f"{job.title} · superseded")


def _status(job: WorkflowJob) -> Status:
    if job.status == "completed":
        return "error" if job.failed else "complete"
    return "in_progress" if job.status == "in_progress" else "pending"


def _took(job: WorkflowJob) -> str:
    if job.status != "completed" or not (job.started_at and job.completed_at):
        return ""
    took = _between(job.started_at, job.completed_at)
    return f"{job.conclusion}, {took}" if job.failed else took


def _between(start: datetime, end: datetime) -> str:
    return duration(max(end - start, timedelta()).total_seconds())


def was_rejected(run: WorkflowRun, releases: Sequence[Release]) -> bool:
    """Tell whether somebody's No ended the present attempt: nothing of it is broken."""
    return any(one.state == "rejected" and one.attempt == run.attempt for one in releases)


def is_broken(run: WorkflowRun, releases: Sequence[Release]) -> bool:
    """Tell whether a run has failed by itself: nobody said No, and no newer run replaced it."""
    was_stopped = was_rejected(run, releases) or superseded_by(run, releases)
    return run.is_over and bool(run.failures()) and not was_stopped


def _buttons(run: WorkflowRun, releases: Sequence[Release]) -> tuple[Button, ...]:
    if is_broken(run, releases):
        return (Button(label="Rerun", words=("rerun", str(run.id), str(run.attempt))),)
    return ()
