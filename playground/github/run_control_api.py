"""Dispatching, cancelling and repeating runs."""

from typing import cast

from playground.github import payloads_runs
from playground.github.calls import Answer, Call, Operation, Refusal
from playground.github.hub import name_of
from playground.github.runs import Job, WorkflowRun
from playground.github.runs_api import job_of, run_of, workflow_of
from playground.github.workflow_files import WorkflowFile, workflow_files


def full_ref(call: Call, name: str) -> str:
    """Return the full name of a branch or tag that is given in short or in full."""
    for candidate in (name, f"refs/heads/{name}", f"refs/tags/{name}"):
        if candidate.startswith(("refs/heads/", "refs/tags/")) and call.git.ref(candidate):
            return candidate
    raise Refusal(422, f"No ref found for: {name}")


def _file_at(call: Call, ref: str) -> WorkflowFile:
    path = workflow_of(call).path
    sha = cast("str", call.git.resolve(ref))
    found = next((file for file in workflow_files(call.git, sha) if file.path == path), None)
    return found or WorkflowFile(path, path)


async def dispatch(call: Call) -> Answer:
    """Begin a run of a workflow with inputs; tell its id if asked to."""
    ref = full_ref(call, call.text("ref"))
    file = _file_at(call, ref)
    given = cast("dict[str, object]", call.body.get("inputs") or {})
    run = call.hub.events.dispatch(call.repo, file, ref, name_of(call.actor), given)
    if not call.flag("return_run_details"):
        return Answer(204)
    url, page = payloads_runs.run_url(call.world, run), payloads_runs.run_page(call.world, run)
    return Answer(200, {"workflow_run_id": run.id, "run_url": url, "html_url": page})


async def cancel(call: Call) -> Answer:
    """Cancel a run: what runs is asked to stop."""
    call.hub.book.cancel(run_of(call))
    return Answer(202, {})


async def force_cancel(call: Call) -> Answer:
    """Cancel a run without waiting for anything."""
    call.hub.book.cancel(run_of(call), force=True)
    return Answer(202, {})


async def rerun(call: Call) -> Answer:
    """Repeat all jobs of a run."""
    call.hub.book.rerun(run_of(call), name_of(call.actor))
    return Answer(201, {})


async def rerun_failed(call: Call) -> Answer:
    """Repeat the jobs that failed or were cancelled, and what needs them."""
    run = run_of(call)
    failed = [job for job in run.present_jobs if job.conclusion in ("failure", "cancelled")]
    if run.status == "completed" and not failed:
        raise Refusal(403, "This workflow run has no failed jobs to rerun")
    call.hub.book.rerun(run, name_of(call.actor), with_dependents(run, failed))
    return Answer(201, {})


async def rerun_job(call: Call) -> Answer:
    """Repeat one job, and what needs it."""
    run, job = job_of(call)
    if job not in run.present_jobs:
        raise Refusal(403, "Only jobs of the latest attempt can be rerun")
    call.hub.book.rerun(run, name_of(call.actor), with_dependents(run, [job]))
    return Answer(201, {})


def with_dependents(run: WorkflowRun, jobs: list[Job]) -> tuple[str, ...]:
    """Return the names of jobs and of all that need them, in the run's order."""
    names = {job.name for job in jobs}
    while True:
        more = {j.name for j in run.present_jobs if names & set(j.needs)} - names
        if not more:
            return tuple(job.name for job in run.present_jobs if job.name in names)
        names |= more


_ACTIONS = "/repos/{owner}/{repo}/actions"
_RUN = f"{_ACTIONS}/runs/{{run_id}}"
_DISPATCHES = f"{_ACTIONS}/workflows/{{workflow_id}}/dispatches"
OPERATIONS = (
    Operation("POST", _DISPATCHES, dispatch, "actions:write"),
    Operation("POST", f"{_RUN}/cancel", cancel, "actions:write"),
    Operation("POST", f"{_RUN}/force-cancel", force_cancel, "actions:write"),
    Operation("POST", f"{_RUN}/rerun", rerun, "actions:write"),
    Operation("POST", f"{_RUN}/rerun-failed-jobs", rerun_failed, "actions:write"),
    Operation("POST", f"{_ACTIONS}/jobs/{{job_id}}/rerun", rerun_job, "actions:write"),
)
