"""Reading workflows, their runs, jobs, logs and artifacts."""

import re
from datetime import datetime, timedelta
from typing import cast

from playground.github import payloads_runs
from playground.github.calls import Answer, Call, Operation, Refusal, not_found
from playground.github.runs import Artifact, Job, WorkflowRun
from playground.github.workflow_files import WorkflowFile, entry, workflow_files
from playground.github.world import Json

MOST_FILTERED = 1000
"""GitHub shows at most so many runs of a search."""
STAMPED = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z ")


# Workflows


def default_files(call: Call) -> tuple[WorkflowFile, ...]:
    """Return the workflows on the default branch: those that GitHub lists."""
    sha = call.git.ref(f"refs/heads/{call.repo.default_branch}")
    return workflow_files(call.git, sha) if sha else ()


def workflow_of(call: Call) -> WorkflowFile:
    """Return the workflow of the path, named by its id or its file."""
    wanted = call.params["workflow_id"]
    for file in default_files(call):
        known = entry(call.world, call.repo, file.path)
        if wanted in (str(known.id), file.path.rpartition("/")[2], file.path):
            return file
    raise not_found()


def _workflow(call: Call, file: WorkflowFile) -> Json:
    return payloads_runs.workflow(call.world, call.repo, file.path, file.name)


async def workflows(call: Call) -> Answer:
    """List the workflows."""
    return call.page([_workflow(call, file) for file in default_files(call)], "workflows")


async def workflow(call: Call) -> Answer:
    """Return one workflow."""
    return Answer(200, _workflow(call, workflow_of(call)))


# Runs


def run_of(call: Call) -> WorkflowRun:
    """Return the run of the path or answer 404."""
    run = call.world.runs.get(int(call.params["run_id"]))
    if run is None or run.repo is not call.repo:
        raise not_found()
    return run


def attempt_of(call: Call) -> int:
    """Return the attempt of the path or answer 404."""
    number = int(call.params["attempt_number"])
    if not 1 <= number <= run_of(call).attempt:
        raise not_found()
    return number


def _chosen(call: Call, run: WorkflowRun) -> bool:
    query, (branch, sha) = call.query, payloads_runs.head(run)
    wanted = {
        "event": (run.event,),
        "branch": (branch,),
        "head_sha": (sha,),
        "actor": (run.actor,),
        "status": (run.status, run.conclusion),
        "check_suite_id": (str(payloads_runs.SUITE + run.id),),
    }
    fits = all(query[name] in held for name, held in wanted.items() if name in query)
    return fits and ("created" not in query or _created(run.created_at, query["created"]))


def _created(moment: datetime, wanted: str) -> bool:
    """Apply GitHub's date search: `2026-11-01`, `>=2026-11-01T08:00:00Z`, `a..b`, `*`."""
    if ".." in wanted:
        first, _, last = wanted.partition("..")
        return _created(moment, f">={first}") and _created(moment, f"<={last}")
    sign, text = cast("re.Match[str]", re.fullmatch(r"([<>]=?)?(.*)", wanted)).groups()
    if text == "*":
        return True
    start, end = _span(text)
    sides = {">": moment >= end, ">=": moment >= start, "<": moment < start, "<=": moment < end}
    return sides.get(sign, start <= moment < end)


def _span(text: str) -> tuple[datetime, datetime]:
    """Return the day or second that a date stands for."""
    try:
        start = datetime.fromisoformat(text if "T" in text else f"{text}T00:00:00+00:00")
    except ValueError:
        raise Refusal(422, "Validation Failed", ["created is not a date"]) from None
    if start.tzinfo is None:
        start = start.fromisoformat(f"{text}+00:00")
    return start, start + (timedelta(seconds=1) if "T" in text else timedelta(days=1))


def _listed(call: Call, workflow_path: str | None = None) -> Answer:
    runs = [
        run
        for run in reversed(call.world.runs.values())
        if run.repo is call.repo and workflow_path in (None, run.workflow) and _chosen(call, run)
    ]
    page = call.page(runs[:MOST_FILTERED], "workflow_runs")
    body = cast("dict[str, list[WorkflowRun]]", page.body)
    shown = [payloads_runs.run(call.world, run) for run in body["workflow_runs"]]
    return Answer(200, {**body, "workflow_runs": shown}, page.headers)


async def runs(call: Call) -> Answer:
    """List runs, newest first."""
    return _listed(call)


async def runs_of_workflow(call: Call) -> Answer:
    """List the runs of one workflow, newest first."""
    return _listed(call, workflow_of(call).path)


async def run(call: Call) -> Answer:
    """Return a run as its present attempt stands."""
    return Answer(200, payloads_runs.run(call.world, run_of(call)))


async def attempt(call: Call) -> Answer:
    """Return one attempt of a run."""
    return Answer(200, payloads_runs.run(call.world, run_of(call), attempt_of(call)))


# Jobs


def job_of(call: Call) -> tuple[WorkflowRun, Job]:
    """Return the job of the path and its run, or answer 404."""
    wanted = int(call.params.get("job_id") or call.params["check_run_id"])
    for held in call.world.runs.values():
        jobs = (job for attempt in held.jobs.values() for job in attempt)
        found = next((job for job in jobs if job.id == wanted), None)
        if found is not None and held.repo is call.repo:
            return held, found
    raise not_found()


def _page_of_jobs(call: Call, held: WorkflowRun, found: list[Job]) -> Answer:
    return call.page([payloads_runs.job(call.world, held, job) for job in found], "jobs")


async def jobs(call: Call) -> Answer:
    """List the jobs of the present attempt, or of all with `filter=all`."""
    held = run_of(call)
    if call.query.get("filter") == "all":
        every = [job for number in sorted(held.jobs) for job in held.jobs[number]]
        return _page_of_jobs(call, held, every)
    return _page_of_jobs(call, held, held.present_jobs)


async def jobs_of_attempt(call: Call) -> Answer:
    """List the jobs of one attempt."""
    held = run_of(call)
    return _page_of_jobs(call, held, held.jobs.get(attempt_of(call), []))


async def job(call: Call) -> Answer:
    """Return one job."""
    return Answer(200, payloads_runs.job(call.world, *job_of(call)))


async def logs(call: Call) -> Answer:
    """Send to a job's log, which isn't there before the job is over."""
    _, found = job_of(call)
    if found.status != "completed":
        raise not_found()
    moment = (found.started_at or found.created_at).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
    # A runner that stamps its lines itself has told when each of them came.
    lines = "".join(
        f"{line}\n" if STAMPED.match(line) else f"{moment} {line}\n"
        for line in found.log.splitlines()
    )
    address = call.hub.offer(lines.encode(), "text/plain")
    return Answer(302, None, {"Location": address})


# Artifacts


def _artifact(call: Call) -> tuple[WorkflowRun, Artifact]:
    wanted = int(call.params["artifact_id"])
    for held in call.world.runs.values():
        found = next((a for a in held.artifacts if a.id == wanted), None)
        if found is not None and held.repo is call.repo:
            return held, found
    raise not_found()


async def artifacts(call: Call) -> Answer:
    """List a run's artifacts, newest first."""
    held = run_of(call)
    name = call.query.get("name")
    found = [a for a in reversed(held.artifacts) if name in (None, a.name)]
    shown = [payloads_runs.artifact(call.world, held, one) for one in found]
    return call.page(shown, "artifacts")


async def artifact(call: Call) -> Answer:
    """Return one artifact."""
    return Answer(200, payloads_runs.artifact(call.world, *_artifact(call)))


async def download(call: Call) -> Answer:
    """Send to an artifact's archive; after 90 days it is gone."""
    _, found = _artifact(call)
    if call.params["archive_format"] != "zip":
        raise not_found()
    if call.world.now() >= found.created_at + payloads_runs.ARTIFACTS_LAST:
        raise Refusal(410, "Artifact has expired")
    return Answer(302, None, {"Location": call.hub.offer(found.content, "application/zip")})


_ACTIONS = "/repos/{owner}/{repo}/actions"
_RUN = f"{_ACTIONS}/runs/{{run_id}}"
_ATTEMPT = f"{_RUN}/attempts/{{attempt_number}}"
_ARTIFACT = f"{_ACTIONS}/artifacts/{{artifact_id}}"
OPERATIONS = (
    Operation("GET", f"{_ACTIONS}/workflows", workflows, "actions:read"),
    Operation("GET", f"{_ACTIONS}/workflows/{{workflow_id}}", workflow, "actions:read"),
    Operation(
        "GET", f"{_ACTIONS}/workflows/{{workflow_id}}/runs", runs_of_workflow, "actions:read"
    ),
    Operation("GET", f"{_ACTIONS}/runs", runs, "actions:read"),
    Operation("GET", _RUN, run, "actions:read"),
    Operation("GET", _ATTEMPT, attempt, "actions:read"),
    Operation("GET", f"{_RUN}/jobs", jobs, "actions:read"),
    Operation("GET", f"{_ATTEMPT}/jobs", jobs_of_attempt, "actions:read"),
    Operation("GET", f"{_ACTIONS}/jobs/{{job_id}}", job, "actions:read"),
    Operation("GET", f"{_ACTIONS}/jobs/{{job_id}}/logs", logs, "actions:read"),
    Operation("GET", f"{_RUN}/artifacts", artifacts, "actions:read"),
    Operation("GET", _ARTIFACT, artifact, "actions:read"),
    Operation("GET", f"{_ARTIFACT}/{{archive_format}}", download, "actions:read"),
)
