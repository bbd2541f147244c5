"""Catalogs, schemas, volumes and tables: Unity Catalog's securables over REST."""

import re
from uuid import uuid4

from playground.databricks.call import Call, Json, Route, millis
from playground.databricks.errors import api_error, catalog_error, denied, invalid
from playground.databricks.grants import BASE, principal_named
from playground.databricks.privileges import (
    find,
    may_browse,
    may_see,
    require,
    require_manage,
    require_reach,
)
from playground.databricks.state import Securable, SecurableKind

NAME = re.compile(r"[^\s./\x00-\x1f\x7f]{1,255}")


def written(call: Call, securable: Securable) -> Json:
    """Return a securable as its own API writes it."""
    info: Json = {
        "name": securable.short_name,
        "full_name": securable.full_name,
        "owner": securable.owner,
        "comment": securable.comment,
        "metastore_id": call.world.metastore.id,
        "created_at": millis(securable.created),
        "created_by": securable.created_by,
        "updated_at": millis(securable.updated),
        "updated_by": securable.updated_by,
    } | _particulars(securable)
    return {key: value for key, value in info.items() if value not in ("", {})}


def _particulars(securable: Securable) -> Json:
    catalog_name, _, rest = securable.full_name.partition(".")
    inside = {"catalog_name": catalog_name, "schema_name": rest.partition(".")[0]}
    match securable.kind:
        case "CATALOG":
            return {
                "catalog_type": "MANAGED_CATALOG",
                "isolation_mode": "OPEN",
                "properties": securable.properties,
                "storage_root": securable.storage_root,
            }
        case "SCHEMA":
            return {
                "catalog_name": catalog_name,
                "catalog_type": "MANAGED_CATALOG",
                "schema_id": securable.id,
                "properties": securable.properties,
                "storage_root": securable.storage_root,
            }
        case "VOLUME":
            return inside | {
                "volume_id": securable.id,
                "volume_type": securable.volume_type,
                "storage_location": securable.storage_location,
            }
        case "MODEL":
            return inside
        case _:
            return inside | {
                "table_id": securable.id,
                "table_type": "MANAGED",
                "data_source_format": "DELTA",
            }


def get(call: Call, kind: SecurableKind) -> Json:
    """Return one securable that the caller can reach, or browse if the query says so."""
    securable = find(call.world, kind, call.path["full_name"])
    if may_see(call.world, call.caller, securable):
        require_reach(call.world, call.caller, securable)
        return written(call, securable)
    if _browsable(call, securable):
        return written(call, securable) | {"browse_only": True}
    word = kind.capitalize()
    raise denied(f"User does not have permission to view {word} '{securable.full_name}'.")


def _browsable(call: Call, securable: Securable) -> bool:
    asked = call.query.get("include_browse", "").lower() == "true"
    return asked and may_browse(call.world, call.caller, securable)


def list_in(call: Call, kind: SecurableKind, parent: str) -> list[Json]:
    """List what the caller can see of one kind in one container."""
    found = [
        each
        for each in call.world.securables.values()
        if each.kind == kind and each.parent_name == parent
    ]
    seen = [each for each in found if may_see(call.world, call.caller, each)]
    browsed = [each for each in found if each not in seen and _browsable(call, each)]
    return [written(call, each) for each in seen] + [
        written(call, each) | {"browse_only": True} for each in browsed
    ]


def list_catalogs(call: Call) -> Json:
    """List visible catalogs."""
    return call.paged("catalogs", list_in(call, "CATALOG", ""), "max_results", 1000)


def list_schemas(call: Call) -> Json:
    """List visible schemas of a catalog."""
    parent = find(call.world, "CATALOG", call.asked("catalog_name"))
    if not _browsable(call, parent):
        require(call.world, call.caller, parent, "USE_CATALOG")
    return call.paged("schemas", list_in(call, "SCHEMA", parent.full_name), "max_results", 1000)


def list_in_schema(call: Call, kind: SecurableKind) -> Json:
    """List visible tables or volumes of a schema."""
    full_name = f"{call.asked('catalog_name')}.{call.asked('schema_name')}"
    parent = find(call.world, "SCHEMA", full_name)
    if not _browsable(call, parent):
        require_reach(call.world, call.caller, parent)
        require(call.world, call.caller, parent, "USE_SCHEMA")
    items = list_in(call, kind, parent.full_name)
    return call.paged(f"{kind.lower()}s", items, "max_results", 10000)


def create_schema(call: Call) -> Json:
    """Create a schema in a catalog."""
    parent = find(call.world, "CATALOG", call.text("catalog_name"))
    require(call.world, call.caller, parent, "USE_CATALOG", "CREATE_SCHEMA")
    schema = new(call, "SCHEMA", parent)
    schema.properties = _properties(call)
    schema.storage_root = call.optional_text("storage_root")
    return stored(call, schema)


def create_volume(call: Call) -> Json:
    """Create a volume in a schema."""
    name = f"{call.text('catalog_name')}.{call.text('schema_name')}"
    parent = find(call.world, "SCHEMA", name)
    require_reach(call.world, call.caller, parent)
    require(call.world, call.caller, parent, "USE_SCHEMA", "CREATE_VOLUME")
    volume = new(call, "VOLUME", parent)
    volume.volume_type, volume.storage_location = _volume_place(call, volume)
    return stored(call, volume)


def _volume_place(call: Call, volume: Securable) -> tuple[str, str]:
    kind, location = call.text("volume_type"), call.optional_text("storage_location")
    if kind not in ("MANAGED", "EXTERNAL"):
        raise invalid(f"Unknown volume_type: {kind}")
    if (kind == "EXTERNAL") != bool(location):
        raise invalid("storage_location must be given for EXTERNAL volumes, and only for them.")
    root = f"s3://acme-metastore/{call.world.metastore.id}/volumes/{volume.id}"
    return kind, location or root


def new(call: Call, kind: SecurableKind, parent: Securable) -> Securable:
    name = call.text("name").lower()
    if not NAME.fullmatch(name):
        raise invalid(f"Invalid name '{name}': names cannot hold spaces, periods and slashes.")
    full_name = f"{parent.full_name}.{name}"
    _refuse_taken(call, kind, full_name)
    me, comment = call.caller.name, call.optional_text("comment")
    return Securable(kind, full_name, me, call.now, me, str(uuid4()), call.now, me, comment=comment)


def _refuse_taken(call: Call, kind: SecurableKind, full_name: str) -> None:
    if (kind, full_name) in call.world.securables:
        word = kind.capitalize()
        raise catalog_error(400, f"{kind}_ALREADY_EXISTS", f"{word} '{full_name}' already exists")


def stored(call: Call, securable: Securable) -> Json:
    call.world.securables[(securable.kind, securable.full_name)] = securable
    return written(call, securable)


def _properties(call: Call) -> dict[str, str]:
    properties = call.body.get("properties") or {}
    if not isinstance(properties, dict) or not all(
        isinstance(value, str) for value in properties.values()
    ):
        raise invalid("properties must be an object of strings")
    return properties


def update(call: Call, kind: SecurableKind) -> Json:
    """Change comment, owner, properties or name."""
    securable = find(call.world, kind, call.path["full_name"])
    require_reach(call.world, call.caller, securable)
    require_manage(call.world, call.caller, securable)
    owner, new_name = call.optional_text("owner"), call.optional_text("new_name").lower()
    if owner:
        principal_named(call.world, owner)
    if new_name:
        _rename(call, securable, new_name)
    securable.owner = owner or securable.owner
    if "comment" in call.body:
        securable.comment = call.optional_text("comment")
    if "properties" in call.body:
        securable.properties = _properties(call)
    securable.updated, securable.updated_by = call.now, call.caller.name
    return written(call, securable)


def _rename(call: Call, securable: Securable, new_name: str) -> None:
    if not NAME.fullmatch(new_name):
        raise invalid(f"Invalid name '{new_name}'.")
    old, new = securable.full_name, f"{securable.parent_name}.{new_name}"
    _refuse_taken(call, securable.kind, new)
    for each in [securable, *_inside(call, securable)]:
        del call.world.securables[(each.kind, each.full_name)]
        each.full_name = new + each.full_name.removeprefix(old)
        call.world.securables[(each.kind, each.full_name)] = each


def _inside(call: Call, securable: Securable) -> list[Securable]:
    prefix = securable.full_name + "."
    found = call.world.securables.values()
    return [each for each in found if each.full_name.startswith(prefix)]


def delete(call: Call, kind: SecurableKind) -> Json:
    """Drop a securable; a schema that holds something only with `force=true`."""
    securable = find(call.world, kind, call.path["full_name"])
    require_reach(call.world, call.caller, securable)
    require_manage(call.world, call.caller, securable)
    inside = _inside(call, securable)
    if inside and call.query.get("force", "").lower() != "true":
        tables = sum(each.kind == "TABLE" for each in inside)
        raise api_error(
            400,
            "INVALID_STATE",
            f"Schema '{securable.full_name}' is not empty. The schema has {tables} table(s), "
            f"0 function(s), {len(inside) - tables} volume(s)",
        )
    for each in [securable, *inside]:
        del call.world.securables[(each.kind, each.full_name)]
    return {}


def current_metastore(call: Call) -> Json:
    """Return which metastore this workspace uses."""
    return {"workspace_id": call.workspace.id, "metastore_id": call.world.metastore.id}


def metastore_summary(call: Call) -> Json:
    """Return the metastore of this workspace."""
    store = call.world.metastore
    return {
        "metastore_id": store.id,
        "global_metastore_id": f"aws:us-east-1:{store.id}",
        "name": store.short_name,
        "owner": store.owner,
        "cloud": "aws",
        "region": "us-east-1",
        "privilege_model_version": "1.0",
        "delta_sharing_scope": "INTERNAL",
        "created_at": millis(store.created),
        "created_by": store.created_by,
        "updated_at": millis(store.updated),
        "updated_by": store.updated_by,
    }


def _route(method: str, path: str, kind: SecurableKind) -> Route:
    acts = {"GET": get, "PATCH": update, "DELETE": delete}
    return Route(
        method,
        f"{BASE}/{path}/{{full_name}}",
        lambda call: acts[method](call, kind),
        "anyone",
        "workspace",
    )


ROUTES = (
    Route("GET", f"{BASE}/catalogs", list_catalogs, "anyone", "workspace"),
    _route("GET", "catalogs", "CATALOG"),
    Route("GET", f"{BASE}/schemas", list_schemas, "anyone", "workspace"),
    Route("POST", f"{BASE}/schemas", create_schema, "anyone", "workspace"),
    _route("GET", "schemas", "SCHEMA"),
    _route("PATCH", "schemas", "SCHEMA"),
    _route("DELETE", "schemas", "SCHEMA"),
    Route("GET", f"{BASE}/volumes", lambda call: list_in_schema(call, "VOLUME"),
          "anyone", "workspace"),
    Route("POST", f"{BASE}/volumes", create_volume, "anyone", "workspace"),
    _route("GET", "volumes", "VOLUME"),
    _route("PATCH", "volumes", "VOLUME"),
    _route("DELETE", "volumes", "VOLUME"),
    Route("GET", f"{BASE}/tables", lambda call: list_in_schema(call, "TABLE"),
          "anyone", "workspace"),
    _route("GET", "tables", "TABLE"),
    Route("GET", f"{BASE}/current-metastore-assignment", current_metastore,
          "anyone", "workspace"),
    Route("GET", f"{BASE}/metastore_summary", metastore_summary, "anyone", "workspace"),
)  # fmt: skip
