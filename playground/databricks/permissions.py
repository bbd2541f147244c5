"""The permissions API of everything that has an access list but cluster policies."""

from playground.databricks.access import LEVELS, folder_strength, lineage, node_id, strength
from playground.databricks.call import Call, Json, Route
from playground.databricks.cluster_policies import PRINCIPAL_FIELDS
from playground.databricks.errors import denied, invalid, missing
from playground.databricks.files import by_object_id
from playground.databricks.state import Group

PATH = f"/api/2.0/permissions/{{object_type:{'|'.join(LEVELS)}}}/{{object_id}}"
OWNED = ("jobs", "pipelines")
"""These have exactly one owner."""


def target(call: Call, need: str) -> str:
    """Return the id of an object that the caller may read or manage the access list of."""
    kind = call.path["object_type"]
    object_id = f"/{kind}/{call.path['object_id']}"
    node = by_object_id(call, object_id)
    if node is None and object_id not in call.workspace.access:
        raise missing(f"{object_id} does not exist.")
    has = strength(call, object_id)
    if node:
        folder = folder_strength(call, node.path)
        has = max(has, -1 if folder < 0 else _translated(kind, LEVELS["directories"][folder]))
    if has < (LEVELS[kind].index("CAN_MANAGE") if need == "manage" else 0):
        raise denied(f"{call.caller.name} does not have Manage permissions on {object_id}.")
    return object_id


def _translated(kind: str, level: str) -> int:
    return LEVELS[kind].index(level) if level in LEVELS[kind] else 0


def written(call: Call, object_id: str) -> Json:
    """Return an access list as the API writes it, with what is inherited."""
    direct = call.workspace.access.get(object_id, {})
    found: dict[str, list[Json]] = {
        who: [{"permission_level": level, "inherited": False}] for who, level in direct.items()
    }
    for source, who, level in _inherited(call, object_id):
        entry = {"permission_level": level, "inherited": True, "inherited_from_object": [source]}
        found.setdefault(who, []).append(entry)
    kind = object_id.split("/")[1]
    admins = {"permission_level": "CAN_MANAGE", "inherited": True}
    found.setdefault("admins", []).append(admins | {"inherited_from_object": [f"/{kind}/"]})
    return {
        "object_id": object_id,
        "object_type": kind.removesuffix("s").replace("directorie", "directory"),
        "access_control_list": [_entry(call, who, levels) for who, levels in found.items()],
    }


def _inherited(call: Call, object_id: str) -> list[tuple[str, str, str]]:
    node = by_object_id(call, object_id)
    if node is None:
        return []
    return [
        (node_id(each), who, level)
        for each in lineage(call.workspace, node.path.rpartition("/")[0])
        for who, level in call.workspace.access.get(node_id(each), {}).items()
    ]


def _entry(call: Call, who: str, levels: list[Json]) -> Json:
    principal = call.world.named(who)
    fields = (f for f, kind in PRINCIPAL_FIELDS.items() if isinstance(principal, kind))
    entry: Json = {next(fields, "group_name"): who, "all_permissions": levels}
    return entry | ({"display_name": principal.display_name} if principal else {})


def get(call: Call) -> Json:
    """Return who may do what to an object."""
    return written(call, target(call, "view"))


def replace(call: Call) -> Json:
    """Replace all direct permissions (authoritative)."""
    object_id = target(call, "manage")
    return _set(call, object_id, _granted(call))


def merge(call: Call) -> Json:
    """Add to the direct permissions; a principal has one level."""
    object_id = target(call, "manage")
    old, new = call.workspace.access.get(object_id, {}), _granted(call)
    kept = {
        who: level
        for who, level in old.items()
        if level != "IS_OWNER" or "IS_OWNER" not in new.values()
    }
    return _set(call, object_id, kept | new)


def _set(call: Call, object_id: str, levels: dict[str, str]) -> Json:
    kind = object_id.split("/")[1]
    owners = [who for who, level in levels.items() if level == "IS_OWNER"]
    if kind in OWNED:
        _refuse_bad_owner(call, object_id, owners)
    call.workspace.access[object_id] = levels
    return written(call, object_id)


def _refuse_bad_owner(call: Call, object_id: str, owners: list[str]) -> None:
    kind = object_id.split("/")[1].removesuffix("s")
    if len(owners) != 1:
        raise invalid(f"The {kind} must have exactly one owner.")
    if isinstance(call.world.named(owners[0]), Group):
        raise invalid(f"Groups cannot be owners of a {kind}.")
    before = call.workspace.access[object_id].get(owners[0])
    is_owner = call.workspace.access[object_id].get(call.caller.name) == "IS_OWNER"
    if before != "IS_OWNER" and not (is_owner or call.is_workspace_admin):
        raise denied(f"User has no permission to change the owner of {object_id}.")


def _granted(call: Call) -> dict[str, str]:
    entries = call.objects("access_control_list")
    return dict(_grant(call, each) for each in entries if each.get("group_name") != "admins")


def _grant(call: Call, entry: Json) -> tuple[str, str]:
    kind, level = call.path["object_type"], entry.get("permission_level")
    if level not in LEVELS[kind]:
        raise invalid(f"Permission type {level} is not defined for {kind}.")
    fields = [name for name in PRINCIPAL_FIELDS if entry.get(name)]
    if len(fields) != 1 or not isinstance(entry[fields[0]], str):
        raise invalid("Each access control must name exactly one principal.")
    name: str = entry[fields[0]]
    if (fields[0], name) == ("group_name", "users"):
        return name, level
    found = call.world.named(name)
    known = isinstance(found, PRINCIPAL_FIELDS[fields[0]])
    if not known or found is None or call.world.level_in(call.workspace, found) is None:
        label = fields[0].title().replace("_", "")
        raise missing(f"Principal: {label}({name}) does not exist")
    return name, level


def levels(call: Call) -> Json:
    """List the permission levels that an object can have."""
    target(call, "view")
    known = LEVELS[call.path["object_type"]]
    shown = [{"permission_level": each, "description": each.replace("_", " ")} for each in known]
    return {"permission_levels": shown}


ROUTES = (
    Route("GET", PATH, get, "anyone", "workspace"),
    Route("PUT", PATH, replace, "anyone", "workspace"),
    Route("PATCH", PATH, merge, "anyone", "workspace"),
    Route("GET", f"{PATH}/permissionLevels", levels, "anyone", "workspace"),
)
