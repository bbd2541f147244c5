"""What GitHub's JSON says of a workflow run or job: the same in answers and in webhooks."""

import re
from datetime import UTC, datetime
from typing import Any

from provisioning.workflow_run import Status, WorkflowJob, WorkflowRun

Json = Any

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_CALLBACK = re.compile(r"/actions/runs/(\d+)/deployment_protection_rule$")
STATUSES: dict[str, Status] = {
    "requested": "queued",
    "pending": "queued",
    "queued": "queued",
    "waiting": "waiting",
    "in_progress": "in_progress",
    "completed": "completed",
}


def run_of(found: Json, project: str) -> WorkflowRun:
    """Return a `workflow-run` without its jobs."""
    return WorkflowRun(
        id=found["id"],
        repository=project,
        attempt=found.get("run_attempt") or 1,
        event=found["event"],
        branch=found["head_branch"] or "",
        sha=found["head_sha"],
        title=found["display_title"],
        actor=_login(found.get("actor")),
        triggering_actor=_login(found.get("triggering_actor")),
        url=found["html_url"],
        path=found["path"].partition("@")[0],
        workflow_version=_version(found),
        status=STATUSES.get(found["status"] or "queued", "queued"),
        conclusion=found["conclusion"] or "",
        created_at=_moment(found["created_at"]),
        updated_at=_moment(found["updated_at"]),
        pull=_pull(found),
    )


def job_of(found: Json) -> WorkflowJob:
    """Return a `job`."""
    failed = next((step for step in found["steps"] or () if step["conclusion"] == "failure"), None)
    completed = found["completed_at"]
    return WorkflowJob(
        id=found["id"],
        attempt=found.get("run_attempt") or 1,
        name=found["name"],
        status=STATUSES.get(found["status"], "queued"),
        conclusion=found["conclusion"] or "",
        started_at=_moment(found["started_at"]) if found["started_at"] else None,
        completed_at=_moment(completed) if completed else None,
        url=found["html_url"] or "",
        failed_step=failed["name"] if failed else "",
    )


def run_of_job(found: Json, project: str) -> WorkflowRun:
    """Return what a `workflow_job` tells of its run, which nobody has told of yet."""
    begun = _moment(found["created_at"] or found["started_at"])
    return WorkflowRun(
        id=found["run_id"],
        repository=project,
        attempt=found.get("run_attempt") or 1,
        branch=found["head_branch"] or "",
        sha=found["head_sha"],
        url=found["html_url"].partition("/job/")[0] if found["html_url"] else "",
        created_at=begun,
        updated_at=begun,
        jobs=(job_of(found),),
    )


def run_of_rule(payload: Json, project: str) -> WorkflowRun:
    """Return what `deployment_protection_rule` tells of a run: which one it is, at which commit.

    It looks older than any other sighting, so that whatever else is known of the run prevails.
    """
    address = payload["deployment_callback_url"]
    run = _CALLBACK.search(address)
    if run is None:
        raise ValueError("no workflow run in the callback's address")
    return WorkflowRun(
        id=int(run[1]),
        repository=project,
        event=payload["event"] or "",
        branch=(payload["ref"] or "").removeprefix("refs/heads/"),
        sha=payload["sha"] or "",
        created_at=_moment(payload["deployment"]["created_at"]),
        updated_at=LONG_AGO,
    )


def _pull(found: Json) -> int:
    """Return the pull request of a run: none is listed of a fork or once it is closed.

    All open ones of the branch are listed, and nothing tells them apart.
    """
    listed = found.get("pull_requests") or []
    is_clear = found["event"] == "pull_request" and len(listed) == 1
    return int(listed[0]["number"]) if is_clear else 0


def _login(user: Json) -> str:
    return str(user["login"]) if user else ""


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _version(run: Json) -> str:
    """Return which version of the platform's workflow a run calls, where GitHub tells."""
    called = [str(one["path"]) for one in run.get("referenced_workflows") or ()]
    ours = (path for path in called if path.partition("@")[0].endswith("/deploy-bundle.yml"))
    return next(ours, "").partition("@")[2]
