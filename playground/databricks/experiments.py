"""MLflow experiments: they lie in the workspace's tree and hold tags; no runs are tracked here."""

from playground.databricks.access import require_path
from playground.databricks.call import Call, Json, Route, millis, objects
from playground.databricks.deployed import Node
from playground.databricks.errors import api_error, invalid, missing
from playground.databricks.files import add, exists, plain, remove

BASE = "/api/2.0/mlflow/experiments"


def written(node: Node) -> Json:
    """Return an experiment as the API writes it."""
    tags = node.facts.get("tags", {})
    return {
        "experiment_id": str(node.object_id),
        "name": node.path,
        "artifact_location": node.facts.get("artifact_location")
        or f"dbfs:/databricks/mlflow-tracking/{node.object_id}",
        "lifecycle_stage": "active",
        "creation_time": millis(node.created),
        "last_update_time": millis(node.modified),
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
    }


def create(call: Call) -> Json:
    """Create an experiment; its name is a path in a folder that exists."""
    path = plain(call.text("name"))
    if not path or path.endswith("/"):
        raise invalid("An experiment's name is an absolute path in the workspace.")
    if exists(call, path):
        raise api_error(400, "RESOURCE_ALREADY_EXISTS", f"Node named '{path}' already exists")
    tags = {str(each.get("key")): str(each.get("value")) for each in objects(call.body, "tags")}
    facts: Json = {"tags": tags, "artifact_location": call.optional_text("artifact_location")}
    return {"experiment_id": str(add(call, path, "MLFLOW_EXPERIMENT", facts=facts).object_id)}


def find(call: Call, experiment_id: str, level: str) -> Node:
    """Return an experiment on which the caller has at least `level`, or refuse."""
    for node in call.workspace.nodes.values():
        if node.kind == "MLFLOW_EXPERIMENT" and str(node.object_id) == experiment_id:
            require_path(call, node.path, level)
            return node
    raise missing(f"Node ID {experiment_id} does not exist.")


def get(call: Call) -> Json:
    """Return one experiment."""
    return {"experiment": written(find(call, call.asked("experiment_id"), "CAN_READ"))}


def get_by_name(call: Call) -> Json:
    """Return one experiment by its path."""
    name = call.asked("experiment_name")
    node = call.workspace.nodes.get(plain(name))
    if node is None or node.kind != "MLFLOW_EXPERIMENT":
        raise missing(f"Node {name} does not exist.")
    require_path(call, node.path, "CAN_READ")
    return {"experiment": written(node)}


def update(call: Call) -> Json:
    """Rename an experiment."""
    node = find(call, call.text("experiment_id"), "CAN_EDIT")
    path = plain(call.optional_text("new_name")) or node.path
    if path != node.path:
        if exists(call, path) or not exists(call, path.rpartition("/")[0]):
            raise invalid(f"The experiment cannot be named {path}.")
        call.workspace.nodes[path] = call.workspace.nodes.pop(node.path)
        node.path, node.modified = path, call.now
    return {}


def set_tag(call: Call) -> Json:
    """Tag an experiment."""
    node = find(call, call.text("experiment_id"), "CAN_EDIT")
    node.facts.setdefault("tags", {})[call.text("key")] = call.optional_text("value")
    return {}


def delete(call: Call) -> Json:
    """Delete an experiment."""
    remove(call, find(call, call.text("experiment_id"), "CAN_MANAGE"))
    return {}


ROUTES = (
    Route("POST", f"{BASE}/create", create, "anyone", "workspace"),
    Route("GET", f"{BASE}/get", get, "anyone", "workspace"),
    Route("GET", f"{BASE}/get-by-name", get_by_name, "anyone", "workspace"),
    Route("POST", f"{BASE}/update", update, "anyone", "workspace"),
    Route("POST", f"{BASE}/set-experiment-tag", set_tag, "anyone", "workspace"),
    Route("POST", f"{BASE}/delete", delete, "anyone", "workspace"),
)
