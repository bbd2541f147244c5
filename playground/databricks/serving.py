"""Serving endpoints; they are ready at once and answer nobody."""

from uuid import uuid4

from playground.databricks.access import allows, require
from playground.databricks.call import Call, Json, Route, millis, objects
from playground.databricks.deployed import Endpoint
from playground.databricks.errors import api_error, invalid, missing
from playground.databricks.models import find as find_model
from playground.databricks.models import find_version
from playground.databricks.privileges import require as require_privilege

BASE = "/api/2.0/serving-endpoints"
ONE = f"{BASE}/{{name}}"


def object_id(endpoint: Endpoint) -> str:
    """Return what access lists call an endpoint."""
    return f"/serving-endpoints/{endpoint.id}"


def written(endpoint: Endpoint) -> Json:
    """Return an endpoint as the API writes it."""
    return {
        "id": endpoint.id,
        "name": endpoint.name,
        "creator": endpoint.creator,
        "creation_timestamp": millis(endpoint.created),
        "state": {"ready": "READY", "config_update": "NOT_UPDATING"},
        "config": {"served_entities": endpoint.entities},
        "tags": endpoint.tags,
    }


def _entities(call: Call, config: object) -> list[Json]:
    """Return what a configuration serves; versions that don't exist are refused."""
    if not isinstance(config, dict):
        raise invalid("config must be an object.")
    entities = objects(config, "served_entities")
    if not entities:
        raise invalid("An endpoint must serve at least one entity.")
    for each in entities:
        model = find_model(call, str(each.get("entity_name", "")))
        require_privilege(call.world, call.caller, model, "EXECUTE")
        find_version(model, each.get("entity_version"))
    return entities


def create(call: Call) -> Json:
    """Create an endpoint."""
    name, entities = call.text("name"), _entities(call, call.body.get("config"))
    if name in call.workspace.endpoints:
        raise api_error(
            409, "RESOURCE_ALREADY_EXISTS", f"Endpoint with name '{name}' already exists."
        )
    endpoint = Endpoint(uuid4().hex, name, call.now, call.caller.name, entities)
    endpoint.tags = call.objects("tags")
    call.workspace.endpoints[name] = endpoint
    call.workspace.access[object_id(endpoint)] = {call.caller.name: "CAN_MANAGE"}
    return written(endpoint)


def find(call: Call, level: str) -> Endpoint:
    """Return the endpoint of the path, on which the caller has at least `level`, or refuse."""
    endpoint = call.workspace.endpoints.get(call.path["name"])
    if endpoint is None:
        raise missing(f"Endpoint with name '{call.path['name']}' does not exist.")
    require(call, object_id(endpoint), level)
    return endpoint


def get(call: Call) -> Json:
    """Return one endpoint."""
    return written(find(call, "CAN_VIEW"))


def list_endpoints(call: Call) -> Json:
    """List the endpoints that the caller may see."""
    known = call.workspace.endpoints.values()
    return {"endpoints": [written(e) for e in known if allows(call, object_id(e), "CAN_VIEW")]}


def change(call: Call) -> Json:
    """Replace what an endpoint serves."""
    endpoint = find(call, "CAN_MANAGE")
    endpoint.entities = _entities(call, call.body)
    return written(endpoint)


def delete(call: Call) -> Json:
    """Delete an endpoint."""
    endpoint = find(call, "CAN_MANAGE")
    del call.workspace.endpoints[endpoint.name]
    del call.workspace.access[object_id(endpoint)]
    return {}


ROUTES = (
    Route("POST", BASE, create, "anyone", "workspace"),
    Route("GET", BASE, list_endpoints, "anyone", "workspace"),
    Route("GET", ONE, get, "anyone", "workspace"),
    Route("PUT", f"{ONE}/config", change, "anyone", "workspace"),
    Route("DELETE", ONE, delete, "anyone", "workspace"),
)
