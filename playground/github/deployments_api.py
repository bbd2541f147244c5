"""Deployments with their states."""

from playground.github import payloads_deployments
from playground.github.calls import Answer, Call, Operation, not_found
from playground.github.deployments import Deployment
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


_REPO = "/repos/{owner}/{repo}"
_ALL = f"{_REPO}/deployments"
_ONE = f"{_ALL}/{{deployment_id}}"
OPERATIONS = (
    Operation("GET", _ALL, every, "deployments:read"),
    Operation("GET", _ONE, read, "deployments:read"),
    Operation("GET", f"{_ONE}/statuses", statuses, "deployments:read"),
    Operation("GET", f"{_ONE}/statuses/{{status_id}}", status, "deployments:read"),
)
