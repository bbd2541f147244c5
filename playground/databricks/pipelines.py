"""Declarative pipelines and their updates."""

import re
from typing import Any
from uuid import uuid4

from playground.databricks.access import allows, require
from playground.databricks.call import Call, Json, Route, millis, objects, stamp
from playground.databricks.cluster_policies import find as find_policy
from playground.databricks.cluster_policies import may_use
from playground.databricks.deployed import Pipeline, Update
from playground.databricks.errors import api_error, denied, invalid, missing

BASE = "/api/2.0/pipelines"
ONE = f"{BASE}/{{pipeline_id}}"
NOT_SPEC = ("allow_duplicate_names", "dry_run", "expected_last_modified")
ENDED = ("COMPLETED", "FAILED", "CANCELED")


def object_id(pipeline: Pipeline) -> str:
    """Return what access lists call a pipeline."""
    return f"/pipelines/{pipeline.pipeline_id}"


def _spec(call: Call, pipeline_id: str) -> Json:
    """Return the specification that the body holds, or refuse it."""
    name = call.text("name")
    others = (p for p in call.workspace.pipelines.values() if p.pipeline_id != pipeline_id)
    taken = any(each.spec["name"] == name for each in others)
    if taken and not call.flag("allow_duplicate_names"):
        raise api_error(
            409, "RESOURCE_CONFLICT", f"The pipeline name '{name}' is already used by another one."
        )
    if not call.objects("libraries"):
        raise invalid("A pipeline needs libraries.")
    for cluster in objects(call.body, "clusters"):
        policy_id = cluster.get("policy_id")
        if policy_id and not may_use(call, find_policy(call, str(policy_id))):
            raise denied(f"You are not authorized to use cluster policy {policy_id}.")
    return {key: value for key, value in call.body.items() if key not in NOT_SPEC}


def create(call: Call) -> Json:
    """Create a pipeline, which its creator owns."""
    pipeline = Pipeline(str(uuid4()), call.now, call.caller.name, {})
    pipeline.spec = _spec(call, pipeline.pipeline_id) | {"id": pipeline.pipeline_id}
    call.workspace.pipelines[pipeline.pipeline_id] = pipeline
    call.workspace.access[object_id(pipeline)] = {call.caller.name: "IS_OWNER"}
    return {"pipeline_id": pipeline.pipeline_id}


def find(call: Call, level: str) -> Pipeline:
    """Return the pipeline of the path, on which the caller has at least `level`, or refuse."""
    pipeline = call.workspace.pipelines.get(call.path["pipeline_id"])
    if pipeline is None:
        raise missing(f"The specified pipeline {call.path['pipeline_id']} was not found.")
    require(call, object_id(pipeline), level)
    return pipeline


def owner(call: Call, pipeline: Pipeline) -> str:
    """Return whose pipeline it is, with whose rights it runs."""
    levels = call.workspace.access[object_id(pipeline)]
    return next((who for who, level in levels.items() if level == "IS_OWNER"), pipeline.creator)


def _short(call: Call, pipeline: Pipeline) -> Json:
    return {
        "pipeline_id": pipeline.pipeline_id,
        "name": pipeline.spec["name"],
        "state": "RUNNING" if _running(pipeline) else "IDLE",
        "creator_user_name": pipeline.creator,
        "run_as_user_name": owner(call, pipeline),
        "latest_updates": [
            {"update_id": each.update_id, "state": each.state, "creation_time": stamp(each.created)}
            for each in reversed(pipeline.updates.values())
        ],
    }


def _running(pipeline: Pipeline) -> bool:
    return any(each.state not in ENDED for each in pipeline.updates.values())


def get(call: Call) -> Json:
    """Return one pipeline."""
    pipeline = find(call, "CAN_VIEW")
    return _short(call, pipeline) | {"spec": pipeline.spec}


def list_pipelines(call: Call) -> Json:
    """List pipelines that the caller may see; the filter is `name LIKE '…'`."""
    asked = call.query.get("filter", "")
    like = re.fullmatch(r"name LIKE '(.*)'", asked)
    if asked and like is None:
        raise invalid(f"Unsupported filter: {asked}")
    pattern = ".*".join(map(re.escape, like[1].split("%"))) if like else ".*"
    found = [
        _short(call, each)
        for each in call.workspace.pipelines.values()
        if re.fullmatch(pattern, each.spec["name"]) and allows(call, object_id(each), "CAN_VIEW")
    ]
    return call.paged("statuses", found, "max_results", 100)


def edit(call: Call) -> Json:
    """Replace a pipeline's specification."""
    pipeline = find(call, "CAN_MANAGE")
    pipeline.spec = _spec(call, pipeline.pipeline_id) | {"id": pipeline.pipeline_id}
    return {}


def delete(call: Call) -> Json:
    """Delete a pipeline."""
    pipeline = find(call, "CAN_MANAGE")
    del call.workspace.pipelines[pipeline.pipeline_id]
    del call.workspace.access[object_id(pipeline)]
    return {}


def start(call: Call) -> Json:
    """Start an update; a pipeline has one at a time."""
    pipeline = find(call, "CAN_RUN")
    if _running(pipeline):
        raise api_error(409, "RESOURCE_CONFLICT", "An active update is in progress already.")
    update = Update(str(uuid4()), call.now, "API_CALL", owner(call, pipeline))
    pipeline.updates[update.update_id] = update
    call.world.begin_update(call.workspace, pipeline, update)
    return {"update_id": update.update_id}


def get_update(call: Call) -> Json:
    """Return one update."""
    pipeline = find(call, "CAN_VIEW")
    update = pipeline.updates.get(call.path["update_id"])
    if update is None:
        raise missing(f"Update {call.path['update_id']} was not found.")
    written: dict[str, Any] = {
        "pipeline_id": pipeline.pipeline_id,
        "update_id": update.update_id,
        "state": update.state,
        "cause": update.cause,
        "creation_time": millis(update.created),
    }
    return {"update": written}


def events(call: Call) -> Json:
    """List what updates said, newest first."""
    pipeline = find(call, "CAN_VIEW")
    found = [
        _event(update, line, "ERROR" if line == update.message else "INFO")
        for update in reversed(pipeline.updates.values())
        for line in [*update.output.splitlines(), update.message]
        if line
    ]
    return call.paged("events", found, "max_results", 100)


def _event(update: Update, line: str, level: str) -> Json:
    return {
        "event_type": "update_progress",
        "level": level,
        "message": line,
        "timestamp": stamp(update.created),
        "origin": {"update_id": update.update_id},
    }


ROUTES = (
    Route("POST", BASE, create, "anyone", "workspace"),
    Route("GET", BASE, list_pipelines, "anyone", "workspace"),
    Route("GET", ONE, get, "anyone", "workspace"),
    Route("PUT", ONE, edit, "anyone", "workspace"),
    Route("DELETE", ONE, delete, "anyone", "workspace"),
    Route("POST", f"{ONE}/updates", start, "anyone", "workspace"),
    Route("GET", f"{ONE}/updates/{{update_id}}", get_update, "anyone", "workspace"),
    Route("GET", f"{ONE}/events", events, "anyone", "workspace"),
)
