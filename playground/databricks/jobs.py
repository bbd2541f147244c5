"""Jobs, as far as needed to prove that a cluster policy is usable and bundles left something."""

from typing import Any

from playground.databricks.call import Call, Json, Route, millis, objects
from playground.databricks.cluster_policies import find as find_policy
from playground.databricks.cluster_policies import may_use
from playground.databricks.errors import denied, invalid
from playground.databricks.state import Job

BASE = "/api/2.2/jobs"


def create(call: Call) -> Json:
    """Create a job; the cluster policies it names must be usable by the caller."""
    tasks = call.objects("tasks")
    keys = [each.get("task_key") for each in tasks]
    if not all(keys) or len(set(map(str, keys))) < len(keys):
        raise invalid("Tasks need task_keys, each once.")
    for policy_id in _policy_ids(call.body):
        if not may_use(call, find_policy(call, policy_id)):
            raise denied(f"You are not authorized to use cluster policy {policy_id}.")
    job_id = call.world.next_id()
    settings = {"name": "Untitled", "format": "MULTI_TASK"} | call.body
    call.workspace.jobs[job_id] = Job(job_id, call.now, call.caller.name, settings)
    return {"job_id": job_id}


def _policy_ids(body: Json) -> list[str]:
    holders = [*objects(body, "job_clusters"), *objects(body, "tasks")]
    clusters = [holder.get("new_cluster") or {} for holder in holders]
    if not all(isinstance(cluster, dict) for cluster in clusters):
        raise invalid("new_cluster must be an object.")
    return [str(cluster["policy_id"]) for cluster in clusters if cluster.get("policy_id")]


def written(job: Job) -> Json:
    """Return a job as the API writes it."""
    return {
        "job_id": job.job_id,
        "creator_user_name": job.creator,
        "created_time": millis(job.created),
        "settings": job.settings,
    }


def visible(call: Call) -> list[Job]:
    """Return the caller's jobs; workspace admins see all."""
    jobs = call.workspace.jobs.values()
    return [each for each in jobs if call.is_workspace_admin or each.creator == call.caller.name]


def list_jobs(call: Call) -> Json:
    """List jobs, newest first; the name filter is exact and ignores case."""
    wanted = call.query.get("name", "").casefold()
    found = [
        written(each)
        for each in reversed(visible(call))
        if not wanted or str(each.settings["name"]).casefold() == wanted
    ]
    answer = call.paged("jobs", found, "limit", 100)
    return answer | {"has_more": "next_page_token" in answer}


def _find(call: Call, raw: Any) -> Job:
    for job in visible(call):
        if str(job.job_id) == str(raw):
            return job
    raise invalid(f"Job {raw} does not exist.")


def get(call: Call) -> Json:
    """Return one job."""
    return written(_find(call, call.asked("job_id")))


def delete(call: Call) -> Json:
    """Delete a job."""
    del call.workspace.jobs[_find(call, call.body.get("job_id")).job_id]
    return {}


ROUTES = (
    Route("POST", f"{BASE}/create", create, "anyone", "workspace"),
    Route("GET", f"{BASE}/list", list_jobs, "anyone", "workspace"),
    Route("GET", f"{BASE}/get", get, "anyone", "workspace"),
    Route("POST", f"{BASE}/delete", delete, "anyone", "workspace"),
)
