"""Check runs: jobs of workflows, and an App's verdicts with what they say of single lines."""

from collections.abc import Iterator
from datetime import datetime
from typing import cast

from playground.github import payloads_runs
from playground.github.calls import Answer, Call, Operation, Refusal, invalid
from playground.github.payloads import node_id, stamp
from playground.github.payloads_repo import api_url, html_url
from playground.github.runs_api import job_of
from playground.github.world import CheckRun, Json

CONCLUSIONS = (
    "action_required",
    "cancelled",
    "failure",
    "neutral",
    "success",
    "skipped",
    "timed_out",
)
MOST_ANNOTATIONS = 50


async def create(call: Call) -> Answer:
    """Take a check run; only Apps make them."""
    if call.actor.kind != "installation":
        raise Refusal(403, "You must authenticate via a GitHub App.")
    sha = call.text("head_sha")
    if not call.git.holds(sha, "commit"):
        raise Refusal(422, f"No commit found for SHA: {sha}")
    conclusion = cast("str | None", call.body.get("conclusion"))
    status = call.text("status", "completed" if conclusion else "queued")
    if not call.text("name"):
        raise invalid("CheckRun", "name", "missing_field")
    if (status == "completed") != (conclusion in CONCLUSIONS):
        raise invalid("CheckRun", "conclusion", "invalid")
    output = cast("Json", call.body.get("output") or {})
    annotations = cast("list[Json]", output.get("annotations") or [])
    if len(annotations) > MOST_ANNOTATIONS:
        raise invalid("CheckRun", "annotations", "invalid")
    made = CheckRun(
        id=call.world.next_id(),
        name=call.text("name"),
        head_sha=sha,
        status=status,
        conclusion=conclusion,
        title=cast("str | None", output.get("title")),
        summary=cast("str | None", output.get("summary")),
        annotations=annotations,
        started_at=call.world.now(),
    )
    call.repo.check_runs.append(made)
    return Answer(201, _shown(call, made))


async def of_commit(call: Call) -> Answer:
    """List the check runs of a commit: those of the latest attempts, unless all."""
    sha = call.git.resolve(call.params["ref"])
    if sha is None:
        raise Refusal(422, f"No commit found for SHA: {call.params['ref']}")
    every_attempt = call.query.get("filter") == "all"
    wanted = {"name": call.query.get("check_name"), "status": call.query.get("status")}
    found = [
        *_of_apps(call, sha, every_attempt=every_attempt),
        *_of_jobs(call, sha, every_attempt=every_attempt),
    ]
    fitting = [
        one for one in found if all(value in (None, one[name]) for name, value in wanted.items())
    ]
    return call.page(fitting, "check_runs")


def _of_apps(call: Call, sha: str, *, every_attempt: bool) -> list[Json]:
    runs = [one for one in reversed(call.repo.check_runs) if one.head_sha == sha]
    names = [one.name for one in runs]
    return [
        _shown(call, one)
        for number, one in enumerate(runs)
        if every_attempt or one.name not in names[:number]
    ]


def _of_jobs(call: Call, sha: str, *, every_attempt: bool) -> Iterator[Json]:
    for run in call.world.runs.values():
        if run.repo is not call.repo or payloads_runs.head(run)[1] != sha:
            continue
        jobs = [job for held in run.jobs.values() for job in held]
        for job in jobs if every_attempt else run.present_jobs:
            yield payloads_runs.check_run(call.world, run, job)


async def one(call: Call) -> Answer:
    """Return one check run."""
    number = int(call.params["check_run_id"])
    made = next((each for each in call.repo.check_runs if each.id == number), None)
    if made is not None:
        return Answer(200, _shown(call, made))
    return Answer(200, payloads_runs.check_run(call.world, *job_of(call)))


def _shown(call: Call, run: CheckRun) -> Json:
    url = f"{api_url(call.root, call.world, call.repo)}/check-runs/{run.id}"
    page = f"{html_url(call.root, call.world, call.repo)}/runs/{run.id}"
    ended: datetime | None = run.started_at if run.status == "completed" else None
    return {
        "id": run.id,
        "node_id": node_id("CheckRun", run.id),
        "head_sha": run.head_sha,
        "external_id": "",
        "url": url,
        "html_url": page,
        "details_url": page,
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": stamp(run.started_at),
        "completed_at": stamp(ended) if ended else None,
        "output": {
            "title": run.title,
            "summary": run.summary,
            "text": None,
            "annotations_count": len(run.annotations),
            "annotations_url": f"{url}/annotations",
        },
        "name": run.name,
        "check_suite": None,
        "app": None,
        "pull_requests": [],
    }


_REPO = "/repos/{owner}/{repo}"
OPERATIONS = (
    Operation("POST", f"{_REPO}/check-runs", create, "checks:write"),
    Operation("GET", f"{_REPO}/commits/{{ref}}/check-runs", of_commit, "checks:read"),
    Operation("GET", f"{_REPO}/check-runs/{{check_run_id}}", one, "checks:read"),
)
