"""Lakeview dashboards: drafts in the workspace's tree, what is published, the trash; warehouses."""

import json
from uuid import NAMESPACE_DNS, uuid4, uuid5

from playground.databricks.access import folder_strength, require_path
from playground.databricks.call import Call, Json, Route, stamp
from playground.databricks.deployed import Node
from playground.databricks.errors import api_error, invalid, missing
from playground.databricks.files import add, exists, plain
from playground.databricks.state import Workspace

BASE = "/api/2.0/lakeview/dashboards"
ONE = f"{BASE}/{{dashboard_id}}"
WAREHOUSES = "/api/2.0/sql/warehouses"


def written(node: Node) -> Json:
    """Return a dashboard's draft as the API writes it."""
    facts = node.facts
    return {
        "dashboard_id": facts["id"],
        "display_name": facts["display_name"],
        "path": f"/Workspace{node.path}",
        "parent_path": f"/Workspace{node.path.rpartition('/')[0]}",
        "create_time": stamp(node.created),
        "update_time": stamp(node.modified),
        "etag": str(facts["revision"]),
        "lifecycle_state": "TRASHED" if facts["trashed"] else "ACTIVE",
        "serialized_dashboard": node.content.decode(),
        "warehouse_id": facts["warehouse_id"],
    }


def create(call: Call) -> Json:
    """Create a draft in a folder that exists."""
    name, content = call.text("display_name"), _content(call)
    path = f"{plain(call.optional_text('parent_path')) or _home(call)}/{name}.lvdash.json"
    if exists(call, path):
        raise api_error(400, "RESOURCE_ALREADY_EXISTS", f"Node named '{path}' already exists")
    facts: Json = {"id": uuid4().hex, "display_name": name, "revision": 1, "trashed": False}
    facts |= {"warehouse_id": _warehouse(call), "published": None}
    return written(add(call, path, "DASHBOARD", content, facts))


def _home(call: Call) -> str:
    return f"/Users/{call.caller.name}"


def _content(call: Call) -> bytes:
    text = call.optional_text("serialized_dashboard")
    try:
        if not isinstance(json.loads(text or "{}"), dict):
            raise invalid("serialized_dashboard must hold a JSON object.")
    except ValueError as error:
        raise invalid("serialized_dashboard is no valid JSON.") from error
    return text.encode()


def _warehouse(call: Call) -> str:
    chosen = call.optional_text("warehouse_id")
    if chosen and chosen != warehouse(call.workspace)["id"]:
        raise invalid(f"Warehouse {chosen} does not exist.")
    return chosen


def find(call: Call, level: str) -> Node:
    """Return the dashboard of the path, on which the caller has at least `level`, or refuse."""
    for node in call.workspace.nodes.values():
        if node.kind == "DASHBOARD" and node.facts["id"] == call.path["dashboard_id"]:
            require_path(call, node.path, level)
            return node
    raise missing(f"Unable to find dashboard [dashboardId={call.path['dashboard_id']}]")


def get(call: Call) -> Json:
    """Return one draft, from the trash too."""
    return written(find(call, "CAN_READ"))


def list_dashboards(call: Call) -> Json:
    """List drafts that the caller may see, without their content."""
    found = [
        {k: v for k, v in written(each).items() if k != "serialized_dashboard"}
        for each in call.workspace.nodes.values()
        if each.kind == "DASHBOARD" and folder_strength(call, each.path) >= 0
        if call.flag("show_trashed") or not each.facts["trashed"]
    ]
    return call.paged("dashboards", found, "page_size", 100)


def update(call: Call) -> Json:
    """Change a draft; with an etag only if nobody else changed it meanwhile."""
    node = find(call, "CAN_EDIT")
    if call.optional_text("etag") not in ("", str(node.facts["revision"])):
        raise api_error(409, "ABORTED", "The dashboard has changed since it was read.")
    content = _content(call) if "serialized_dashboard" in call.body else node.content
    if "warehouse_id" in call.body:
        node.facts["warehouse_id"] = _warehouse(call)
    name = call.optional_text("display_name") or node.facts["display_name"]
    if name != node.facts["display_name"]:
        _rename(call, node, name)
    node.content, node.modified = content, call.now
    node.facts["revision"] += 1
    return written(node)


def _rename(call: Call, node: Node, name: str) -> None:
    path = f"{node.path.rpartition('/')[0]}/{name}.lvdash.json"
    if exists(call, path):
        raise api_error(400, "RESOURCE_ALREADY_EXISTS", f"Node named '{path}' already exists")
    call.workspace.nodes[path] = call.workspace.nodes.pop(node.path)
    node.path, node.facts["display_name"] = path, name


def publish(call: Call) -> Json:
    """Publish the present draft."""
    node = find(call, "CAN_MANAGE")
    chosen = _warehouse(call) or node.facts["warehouse_id"]
    if not chosen:
        raise invalid("A dashboard needs a warehouse to be published.")
    node.facts["published"] = {
        "display_name": node.facts["display_name"],
        "warehouse_id": chosen,
        "embed_credentials": call.flag("embed_credentials"),
        "revision_create_time": stamp(call.now),
    }
    return dict(node.facts["published"])


def get_published(call: Call) -> Json:
    """Return what was published last."""
    node = find(call, "CAN_READ")
    if node.facts["published"] is None:
        raise missing(f"Unable to find published dashboard [dashboardId={node.facts['id']}]")
    return dict(node.facts["published"])


def trash(call: Call) -> Json:
    """Move a dashboard to the trash; its name is free again."""
    node = find(call, "CAN_MANAGE")
    if not node.facts["trashed"]:
        del call.workspace.nodes[node.path]
        node.path = f"/Users/{node.creator}/Trash/{node.facts['id']}.lvdash.json"
        node.facts |= {"trashed": True, "published": None}
        call.workspace.nodes[node.path] = node
    return {}


def warehouse(workspace: Workspace) -> Json:
    """Return the one SQL warehouse of a workspace."""
    return {
        "id": uuid5(NAMESPACE_DNS, f"warehouse.{workspace.id}").hex[:16],
        "name": "Serverless Starter Warehouse",
        "cluster_size": "2X-Small",
        "auto_stop_mins": 10,
        "state": "RUNNING",
        "warehouse_type": "PRO",
        "enable_serverless_compute": True,
    }


def list_warehouses(call: Call) -> Json:
    """List the SQL warehouses."""
    return {"warehouses": [warehouse(call.workspace)]}


def get_warehouse(call: Call) -> Json:
    """Return one SQL warehouse."""
    found = warehouse(call.workspace)
    if call.path["id"] != found["id"]:
        raise missing(f"SQL warehouse {call.path['id']} does not exist.")
    return found


ROUTES = (
    Route("POST", BASE, create, "anyone", "workspace"),
    Route("GET", BASE, list_dashboards, "anyone", "workspace"),
    Route("GET", ONE, get, "anyone", "workspace"),
    Route("PATCH", ONE, update, "anyone", "workspace"),
    Route("DELETE", ONE, trash, "anyone", "workspace"),
    Route("POST", f"{ONE}/published", publish, "anyone", "workspace"),
    Route("GET", f"{ONE}/published", get_published, "anyone", "workspace"),
    Route("GET", WAREHOUSES, list_warehouses, "anyone", "workspace"),
    Route("GET", f"{WAREHOUSES}/{{id}}", get_warehouse, "anyone", "workspace"),
)
