"""Runs of jobs: started, queued behind others, looked at, cancelled."""

from typing import Any

from playground.databricks.access import allows
from playground.databricks.call import Call, Json, Route, millis
from playground.databricks.deployed import Run, TaskRun
from playground.databricks.errors import denied, invalid
from playground.databricks.jobs import BASE, find, in_order, object_id, runs_as

LOG_LIMIT = 5 * 2**20
NOT_OVER = ("QUEUED", "PENDING", "BLOCKED", "RUNNING")


def run_now(call: Call) -> Json:
    """Start a run, or queue it behind those that run already, or skip it."""
    job = find(call, call.body.get("job_id"), "CAN_MANAGE_RUN")
    run = _started(call, job.job_id, _parameters(call, job.settings))
    call.workspace.runs[run.run_id] = run
    if _active(call, job.job_id, run) >= int(job.settings["max_concurrent_runs"]):
        _queue_or_skip(run, call)
    else:
        call.world.begin_run(call.workspace, run)
    return {"run_id": run.run_id, "number_in_job": run.run_id}


def _active(call: Call, job_id: int, but: Run) -> int:
    runs = call.workspace.runs.values()
    return sum(each.job_id == job_id and not each.is_over and each is not but for each in runs)


def _queue_or_skip(run: Run, call: Call) -> None:
    if (run.settings.get("queue") or {}).get("enabled"):
        run.life_cycle = "QUEUED"
        return
    run.life_cycle, run.result = "SKIPPED", "MAXIMUM_CONCURRENT_RUNS_REACHED"
    run.message, run.ended = "Another run of the job is active.", call.now


def _parameters(call: Call, settings: Json) -> dict[str, str]:
    given = call.body.get("job_parameters") or {}
    if not isinstance(given, dict):
        raise invalid("job_parameters must be an object.")
    known = {str(each["name"]): str(each["default"]) for each in settings.get("parameters") or []}
    if unknown := given.keys() - known.keys():
        raise invalid(f"Job parameters {sorted(unknown)} are not defined in the job.")
    return known | {name: str(value) for name, value in given.items()}


def _started(call: Call, job_id: int, parameters: dict[str, str]) -> Run:
    job = call.workspace.jobs[job_id]
    job.runs += 1
    tasks = [TaskRun(call.world.next_id(), t) for t in in_order(job.settings.get("tasks") or [])]
    return Run(
        call.world.next_id(),
        job_id,
        job.runs,
        call.now,
        call.caller.name,
        runs_as(call, job),
        dict(job.settings),
        parameters,
        tasks,
    )


def _status(part: Run | TaskRun) -> Json:
    """Return the two forms in which the API says how a run or a task stands."""
    state: Json = {"life_cycle_state": part.life_cycle, "state_message": part.message}
    newer: Json = {"state": part.life_cycle}
    if part.result:
        state["result_state"] = part.result
        code = "SUCCESS" if part.result == "SUCCESS" else "RUN_EXECUTION_ERROR"
        kind = "SUCCESS" if part.result == "SUCCESS" else "CLIENT_ERROR"
        code = "USER_CANCELED" if part.result == "CANCELED" else code
        newer = {"state": "TERMINATED"}
        newer["termination_details"] = {"code": code, "type": kind, "message": part.message}
    return {"state": state, "status": newer}


def written(run: Run) -> Json:
    """Return a run as the API writes it."""
    parameters = [{"name": key, "value": value} for key, value in run.parameters.items()]
    return {
        "run_id": run.run_id,
        "job_id": run.job_id,
        "number_in_job": run.number,
        "run_name": run.settings["name"],
        "creator_user_name": run.creator,
        "run_type": "JOB_RUN",
        "trigger": "ONE_TIME",
        "start_time": millis(run.created),
        "end_time": millis(run.ended) if run.ended else 0,
        "job_parameters": parameters,
        "tasks": [_task(each) for each in run.tasks],
    } | _status(run)


def _task(task: TaskRun) -> Json:
    return {
        **task.settings,
        "run_id": task.run_id,
        "start_time": millis(task.started) if task.started else 0,
        "end_time": millis(task.ended) if task.ended else 0,
        "attempt_number": 0,
    } | _status(task)


def _find(call: Call, raw: Any, level: str) -> tuple[Run, TaskRun | None]:
    """Return a run and, where the id is that of a task's run, the task."""
    for run in call.workspace.runs.values():
        parts: list[Run | TaskRun] = [run, *run.tasks]
        for part in parts:
            if str(part.run_id) == str(raw):
                _refuse_stranger(call, run, level)
                return run, part if isinstance(part, TaskRun) else None
    raise invalid(f"Run {raw} does not exist.")


def _may(call: Call, run: Run, level: str) -> bool:
    job = call.workspace.jobs.get(run.job_id)
    mine = call.is_workspace_admin or run.creator == call.caller.name
    return mine if job is None else allows(call, object_id(job), level)


def _refuse_stranger(call: Call, run: Run, level: str) -> None:
    if not _may(call, run, level):
        raise denied(f"{call.caller.name} does not have {level} permissions on run {run.run_id}.")


def get(call: Call) -> Json:
    """Return one run."""
    return written(_find(call, call.asked("run_id"), "CAN_VIEW")[0])


def list_runs(call: Call) -> Json:
    """List runs that the caller may see, newest first."""
    wanted, active = call.query.get("job_id"), call.flag("active_only")
    found = [
        written(each)
        for each in reversed(call.workspace.runs.values())
        if (wanted is None or str(each.job_id) == wanted)
        and not (active and each.is_over)
        and _may(call, each, "CAN_VIEW")
    ]
    answer = call.paged("runs", found, "limit", 25)
    return answer | {"has_more": "next_page_token" in answer}


def output(call: Call) -> Json:
    """Return what a task printed, and why it failed."""
    run, task = _find(call, call.asked("run_id"), "CAN_VIEW")
    if task is None and len(run.tasks) != 1:
        raise invalid("Retrieving the output of runs with multiple tasks is not supported.")
    task = task or run.tasks[0]
    answer: Json = {
        "logs": task.output[-LOG_LIMIT:],
        "logs_truncated": len(task.output) > LOG_LIMIT,
        "metadata": written(run),
    }
    failed = task.result not in ("", "SUCCESS")
    return answer | ({"error": task.message, "error_trace": task.output} if failed else {})


def cancel(call: Call) -> Json:
    """Cancel a run."""
    run, _ = _find(call, call.body.get("run_id"), "CAN_MANAGE_RUN")
    if not run.is_over:
        call.world.cancel_run(call.workspace, run)
    return {}


ROUTES = (
    Route("POST", f"{BASE}/run-now", run_now, "anyone", "workspace"),
    Route("GET", f"{BASE}/runs/get", get, "anyone", "workspace"),
    Route("GET", f"{BASE}/runs/list", list_runs, "anyone", "workspace"),
    Route("GET", f"{BASE}/runs/get-output", output, "anyone", "workspace"),
    Route("POST", f"{BASE}/runs/cancel", cancel, "anyone", "workspace"),
)
