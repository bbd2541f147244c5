"""Jobs: what they are to do, with whose rights, and who may see, run and change them."""

from typing import Any

from playground.databricks.access import allows, require
from playground.databricks.call import Call, Json, Route, millis, objects, strings
from playground.databricks.cluster_policies import find as find_policy
from playground.databricks.cluster_policies import may_use
from playground.databricks.deployed import Job
from playground.databricks.errors import denied, invalid
from playground.databricks.rule_sets import USER, holds
from playground.databricks.state import ServicePrincipal

BASE = "/api/2.2/jobs"
NOT_SETTINGS = ("access_control_list",)
REFERENCES = {"job_cluster_key": "job_clusters", "environment_key": "environments"}


def create(call: Call) -> Json:
    """Create a job, which its creator owns."""
    settings = {key: value for key, value in call.body.items() if key not in NOT_SETTINGS}
    _refuse_bad(call, settings)
    job = Job(call.world.next_id(), call.now, call.caller.name, _filled(settings))
    call.workspace.jobs[job.job_id] = job
    call.workspace.access[object_id(job)] = {call.caller.name: "IS_OWNER"}
    return {"job_id": job.job_id}


def _filled(settings: Json) -> Json:
    return {"name": "Untitled", "format": "MULTI_TASK", "max_concurrent_runs": 1} | settings


def object_id(job: Job) -> str:
    """Return what access lists call a job."""
    return f"/jobs/{job.job_id}"


def _refuse_bad(call: Call, settings: Json) -> None:
    """Refuse tasks without keys, loops of them, and compute that the caller may not use."""
    _refuse_odd(settings)
    tasks = objects(settings, "tasks")
    keys = [each.get("task_key") for each in tasks]
    if not all(keys) or len(set(map(str, keys))) < len(keys):
        raise invalid("Tasks need task_keys, each once.")
    in_order(tasks)
    for task in tasks:
        _refuse_unknown_compute(settings, task)
    for policy_id in _policy_ids(settings):
        if not may_use(call, find_policy(call, policy_id)):
            raise denied(f"You are not authorized to use cluster policy {policy_id}.")
    _refuse_impersonation(call, settings)


def _refuse_odd(settings: Json) -> None:
    """Refuse values of types that nothing could be done with later."""
    if not isinstance(settings.get("name", ""), str):
        raise invalid("name must be a string.")
    if not isinstance(settings.get("max_concurrent_runs", 1), int):
        raise invalid("max_concurrent_runs must be a number.")
    if not isinstance(settings.get("queue") or {}, dict):
        raise invalid("queue must be an object.")
    for parameter in objects(settings, "parameters"):
        if not {"name", "default"} <= parameter.keys():
            raise invalid("Job parameters need a name and a default.")


def in_order(tasks: list[Json]) -> list[Json]:
    """Return tasks so that each comes after those that it depends on."""
    ordered: list[Json] = []
    waiting = list(tasks)
    while waiting:
        done = {str(each["task_key"]) for each in ordered}
        ready = [each for each in waiting if set(_upstream(each)) <= done]
        if not ready:
            raise invalid("Tasks depend on unknown tasks or on each other.")
        ordered.append(ready[0])
        waiting.remove(ready[0])
    return ordered


def _upstream(task: Json) -> list[str]:
    return [str(each.get("task_key")) for each in objects(task, "depends_on")]


def _refuse_unknown_compute(settings: Json, task: Json) -> None:
    for field, place in REFERENCES.items():
        known = [each.get(field) for each in objects(settings, place)]
        if task.get(field) and task[field] not in known:
            raise invalid(f"Task {task['task_key']}: no {field} '{task[field]}' in {place}.")


def _policy_ids(body: Json) -> list[str]:
    holders = [*objects(body, "job_clusters"), *objects(body, "tasks")]
    clusters = [holder.get("new_cluster") or {} for holder in holders]
    if not all(isinstance(cluster, dict) for cluster in clusters):
        raise invalid("new_cluster must be an object.")
    return [str(cluster["policy_id"]) for cluster in clusters if cluster.get("policy_id")]


def _refuse_impersonation(call: Call, settings: Json) -> None:
    """Let nobody run as somebody else, but as a service principal that they may use."""
    name = _run_as(settings)
    if name in ("", call.caller.name):
        return
    principal = call.world.named(name)
    if principal is None or call.world.level_in(call.workspace, principal) is None:
        raise invalid(f"Principal {name} does not exist in this workspace.")
    usable = isinstance(principal, ServicePrincipal) and holds(
        call.world, call.caller, principal, USER
    )
    if not (usable or (call.is_workspace_admin and not isinstance(principal, ServicePrincipal))):
        raise denied(f"User {call.caller.name} is not allowed to run jobs as {name}.")


def _run_as(settings: Json) -> str:
    run_as = settings.get("run_as") or {}
    if not isinstance(run_as, dict) or len(run_as) > 1:
        raise invalid("run_as must name exactly one principal.")
    return str(next(iter(run_as.values()), ""))


def owner(call: Call, job: Job) -> str:
    """Return whose job it is."""
    levels = call.workspace.access[object_id(job)]
    return next((who for who, level in levels.items() if level == "IS_OWNER"), job.creator)


def runs_as(call: Call, job: Job) -> str:
    """Return with whose rights a job runs: its owner's, unless it says otherwise."""
    return _run_as(job.settings) or owner(call, job)


def written(call: Call, job: Job) -> Json:
    """Return a job as the API writes it."""
    return {
        "job_id": job.job_id,
        "creator_user_name": job.creator,
        "run_as_user_name": runs_as(call, job),
        "created_time": millis(job.created),
        "settings": job.settings,
    }


def list_jobs(call: Call) -> Json:
    """List jobs that the caller may see, newest first; the name filter ignores case."""
    wanted = call.query.get("name", "").casefold()
    found = [
        {k: v for k, v in written(call, each).items() if k != "run_as_user_name"}
        for each in reversed(call.workspace.jobs.values())
        if allows(call, object_id(each), "CAN_VIEW")
        and (not wanted or str(each.settings["name"]).casefold() == wanted)
    ]
    answer = call.paged("jobs", found, "limit", 100)
    return answer | {"has_more": "next_page_token" in answer}


def find(call: Call, raw: Any, level: str) -> Job:
    """Return a job on which the caller has at least `level`, or refuse."""
    for job in call.workspace.jobs.values():
        if str(job.job_id) == str(raw):
            require(call, object_id(job), level)
            return job
    raise invalid(f"Job {raw} does not exist.")


def get(call: Call) -> Json:
    """Return one job."""
    return written(call, find(call, call.asked("job_id"), "CAN_VIEW"))


def reset(call: Call) -> Json:
    """Replace a job's settings."""
    job = find(call, call.body.get("job_id"), "CAN_MANAGE")
    settings = _settings(call)
    _refuse_bad(call, settings)
    job.settings = _filled(settings)
    return {}


def update(call: Call) -> Json:
    """Change some of a job's settings, one at the top each, and remove some."""
    job = find(call, call.body.get("job_id"), "CAN_MANAGE")
    removed = strings(call.body, "fields_to_remove")
    kept = {key: value for key, value in job.settings.items() if key not in removed}
    settings = kept | _settings(call)
    _refuse_bad(call, settings)
    job.settings = _filled(settings)
    return {}


def _settings(call: Call) -> Json:
    settings = call.body.get("new_settings") or {}
    if not isinstance(settings, dict):
        raise invalid("new_settings must be an object.")
    return settings


def delete(call: Call) -> Json:
    """Delete a job; its runs stay readable."""
    job = find(call, call.body.get("job_id"), "CAN_MANAGE")
    del call.workspace.jobs[job.job_id]
    del call.workspace.access[object_id(job)]
    return {}


ROUTES = (
    Route("POST", f"{BASE}/create", create, "anyone", "workspace"),
    Route("POST", f"{BASE}/reset", reset, "anyone", "workspace"),
    Route("POST", f"{BASE}/update", update, "anyone", "workspace"),
    Route("GET", f"{BASE}/list", list_jobs, "anyone", "workspace"),
    Route("GET", f"{BASE}/get", get, "anyone", "workspace"),
    Route("POST", f"{BASE}/delete", delete, "anyone", "workspace"),
)
