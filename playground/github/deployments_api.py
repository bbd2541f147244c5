"""Deployments with their states, and jobs seen as check runs."""

from playground.github import payloads_deployments, payloads_runs
from playground.github.calls import Answer, Call, Operation, Refusal, not_found
from playground.github.deployments import Deployment
from playground.github.runs_api import job_of
from playground.github.world import Json


def _deployment(call: Call) -> Deployment:
    found = call.repo.deployments.get(int(call.params["deployment_id"]))
    if found is None:
        raise not_found()
    return found


def _body(call: Call, deployment: Deployment) -> Json:
    return payloads_deployments.deployment(call.world, call.repo, deployment)


async def every(call: Call) -> Answer:
    """List deployments, newest first, by commit, ref or environment."""
    found = []
    for one in reversed(call.repo.deployments.values()):
        held = {"sha": one.sha, "ref": one.ref, "environment": one.environment, "task": "deploy"}
        if all(call.query.get(name, value) == value for name, value in held.items()):
            found.append(_body(call, one))
    return call.page(found)


async def read(call: Call) -> Answer:
    """Return one deployment."""
    return Answer(200, _body(call, _deployment(call)))


async def statuses(call: Call) -> Answer:
    """List a deployment's states, newest first."""
    held = _deployment(call)
    return call.page(
        [
            payloads_deployments.deployment_status(call.world, call.repo, held, status)
            for status in reversed(held.statuses)
        ]
    )


async def status(call: Call) -> Answer:
    """Return one state of a deployment."""
    held, wanted = _deployment(call), int(call.params["status_id"])
    found = next((one for one in held.statuses if one.id == wanted), None)
    if found is None:
        raise not_found()
    body = payloads_deployments.deployment_status(call.world, call.repo, held, found)
    return Answer(200, body)


# Check runs


async def check_runs(call: Call) -> Answer:
    """List the jobs of a commit as check runs: those of the latest attempts, unless all."""
    sha = call.git.resolve(call.params["ref"])
    if sha is None:
        raise Refusal(422, f"No commit found for SHA: {call.params['ref']}")
    every_attempt = call.query.get("filter") == "all"
    wanted = {"name": call.query.get("check_name"), "status": call.query.get("status")}
    shown = []
    for run in call.world.runs.values():
        if run.repo is not call.repo or payloads_runs.head(run)[1] != sha:
            continue
        jobs = [job for held in run.jobs.values() for job in held]
        for job in jobs if every_attempt else run.present_jobs:
            body = payloads_runs.check_run(call.world, run, job)
            if all(value in (None, body[name]) for name, value in wanted.items()):
                shown.append(body)
    return call.page(shown, "check_runs")


async def check_run(call: Call) -> Answer:
    """Return one job as a check run."""
    return Answer(200, payloads_runs.check_run(call.world, *job_of(call)))


_REPO = "/repos/{owner}/{repo}"
_ALL = f"{_REPO}/deployments"
_ONE = f"{_ALL}/{{deployment_id}}"
OPERATIONS = (
    Operation("GET", _ALL, every, "deployments:read"),
    Operation("GET", _ONE, read, "deployments:read"),
    Operation("GET", f"{_ONE}/statuses", statuses, "deployments:read"),
    Operation("GET", f"{_ONE}/statuses/{{status_id}}", status, "deployments:read"),
    Operation("GET", f"{_REPO}/commits/{{ref}}/check-runs", check_runs, "checks:read"),
    Operation("GET", f"{_REPO}/check-runs/{{check_run_id}}", check_run, "checks:read"),
)
