"""Cluster policies of a workspace, the families they can inherit from, and who may use them."""

import json
from uuid import uuid4

from playground.databricks.call import Call, Json, Route, millis
from playground.databricks.errors import api_error, denied, invalid, missing
from playground.databricks.policy_rules import FAMILIES, parsed
from playground.databricks.state import ClusterPolicy, Group, Principal, ServicePrincipal, User

BASE = "/api/2.0/policies/clusters"
FAMILY_BASE = "/api/2.0/policy-families"
PERMISSIONS = "/api/2.0/permissions/cluster-policies/{policy_id}"
PRINCIPAL_FIELDS: dict[str, type[Principal]] = {
    "user_name": User,
    "group_name": Group,
    "service_principal_name": ServicePrincipal,
}


def find(call: Call, policy_id: str) -> ClusterPolicy:
    """Return a policy of this workspace, or refuse."""
    policy = call.workspace.policies.get(policy_id)
    if policy is None:
        raise missing(f"Can't find a cluster policy with id: {policy_id}.")
    return policy


def may_use(call: Call, policy: ClusterPolicy) -> bool:
    """Tell whether the caller may make clusters under a policy."""
    return call.is_workspace_admin or bool(policy.users & call.world.identities(call.caller))


def written(policy: ClusterPolicy) -> Json:
    """Return a policy as the API writes it, the family's rules merged into the definition."""
    optional: Json = {
        "description": policy.description,
        "policy_family_id": policy.family_id,
        "policy_family_definition_overrides": policy.overrides,
        "max_clusters_per_user": policy.max_clusters_per_user,
        "creator_user_name": policy.creator,
    }
    return {
        "policy_id": policy.policy_id,
        "name": policy.name,
        "definition": policy.definition,
        "created_at_timestamp": millis(policy.created),
        "is_default": policy.is_default,
    } | {key: value for key, value in optional.items() if value not in ("", None)}


def fill(call: Call, policy: ClusterPolicy) -> None:
    """Set everything a create or edit request may set; nothing is set if anything is refused."""
    name = call.text("name")
    if len(name) > 100:
        raise invalid("Cluster policy name must have between 1 and 100 characters.")
    others = (each for each in call.workspace.policies.values() if each is not policy)
    if any(each.name == name for each in others):
        raise api_error(
            400, "RESOURCE_ALREADY_EXISTS", f"Cluster Policy with name `{name}` already exists"
        )
    family_id = call.optional_text("policy_family_id")
    overrides = call.optional_text("policy_family_definition_overrides")
    definition = _definition(call.optional_text("definition"), family_id, overrides)
    policy.name, policy.definition = name, definition
    policy.family_id, policy.overrides = family_id, overrides
    policy.description = call.optional_text("description")
    policy.max_clusters_per_user = _limit(call)


def _definition(definition: str, family_id: str, overrides: str) -> str:
    if not family_id:
        if overrides:
            raise invalid("policy_family_definition_overrides needs a policy_family_id.")
        parsed(definition or "{}")
        return definition or "{}"
    if definition:
        raise invalid("definition cannot be used together with policy_family_id.")
    if family_id not in FAMILIES:
        raise missing(f"Can't find a policy family with id: {family_id}.")
    return json.dumps(FAMILIES[family_id][2] | parsed(overrides or "{}"))


def _limit(call: Call) -> int | None:
    limit = call.body.get("max_clusters_per_user")
    if limit is not None and (not isinstance(limit, int) or limit < 1):
        raise invalid("max_clusters_per_user must be a positive integer.")
    return limit


def create(call: Call) -> Json:
    """Create a policy."""
    policy = ClusterPolicy(uuid4().hex[:16].upper(), "", call.now, call.caller.name)
    fill(call, policy)
    call.workspace.policies[policy.policy_id] = policy
    return {"policy_id": policy.policy_id}


def edit(call: Call) -> Json:
    """Replace a policy's settings."""
    fill(call, find(call, call.text("policy_id")))
    return {}


def get(call: Call) -> Json:
    """Return one policy to people who may use it."""
    policy = find(call, call.asked("policy_id"))
    if not may_use(call, policy):
        raise denied(f"User does not have permission to view cluster policy {policy.policy_id}.")
    return written(policy)


def list_usable(call: Call) -> Json:
    """List the policies that the caller may use."""
    policies = call.workspace.policies.values()
    return {"policies": [written(each) for each in policies if may_use(call, each)]}


def delete(call: Call) -> Json:
    """Delete a policy."""
    del call.workspace.policies[find(call, call.text("policy_id")).policy_id]
    return {}


def _family(family_id: str) -> Json:
    name, description, definition = FAMILIES[family_id]
    return {
        "policy_family_id": family_id,
        "name": name,
        "description": description,
        "definition": json.dumps(definition),
    }


def get_family(call: Call) -> Json:
    """Return one policy family."""
    if call.path["family_id"] not in FAMILIES:
        raise missing(f"Can't find a policy family with id: {call.path['family_id']}.")
    return _family(call.path["family_id"])


def list_families(call: Call) -> Json:
    """List the families that Databricks ships."""
    return call.paged("policy_families", [_family(each) for each in FAMILIES], "max_results", 100)


def permissions(call: Call, policy: ClusterPolicy) -> Json:
    """Return who may use a policy; workspace admins manage it by inheritance."""
    known = (call.world.by_id(each) for each in sorted(policy.users))
    entries = [_entry(each) for each in known if each]
    admins = {
        "group_name": "admins",
        "all_permissions": [
            {
                "permission_level": "CAN_MANAGE",
                "inherited": True,
                "inherited_from_object": ["/cluster-policies/"],
            }
        ],
    }
    return {
        "object_id": f"/cluster-policies/{policy.policy_id}",
        "object_type": "cluster-policy",
        "access_control_list": [*entries, admins],
    }


def _entry(principal: Principal) -> Json:
    field = next(name for name, kind in PRINCIPAL_FIELDS.items() if isinstance(principal, kind))
    return {
        field: principal.name,
        "display_name": principal.display_name,
        "all_permissions": [{"permission_level": "CAN_USE", "inherited": False}],
    }


def get_permissions(call: Call) -> Json:
    """Return who may use a policy."""
    return permissions(call, find(call, call.path["policy_id"]))


def set_permissions(call: Call) -> Json:
    """Replace all direct permissions (authoritative)."""
    policy = find(call, call.path["policy_id"])
    policy.users = _granted(call)
    return permissions(call, policy)


def add_permissions(call: Call) -> Json:
    """Add to the direct permissions."""
    policy = find(call, call.path["policy_id"])
    policy.users |= _granted(call)
    return permissions(call, policy)


def _granted(call: Call) -> set[int]:
    entries = call.objects("access_control_list")
    return {_principal(call, entry).id for entry in entries if not _is_admins(entry)}


def _is_admins(entry: Json) -> bool:
    return entry == {"group_name": "admins", "permission_level": "CAN_MANAGE"}


def _principal(call: Call, entry: Json) -> Principal:
    if entry.get("permission_level") != "CAN_USE":
        raise invalid(f"Invalid permission level for cluster-policy: "
                      f"{entry.get('permission_level')}. Allowed: CAN_USE.")  # fmt: skip
    fields = [name for name in PRINCIPAL_FIELDS if entry.get(name)]
    if len(fields) != 1:
        raise invalid("Each access control must name exactly one principal.")
    field, kind = fields[0], PRINCIPAL_FIELDS[fields[0]]
    found = call.world.named(entry[field])
    # Principals outside the workspace do not exist for its access lists.
    if not isinstance(found, kind) or call.world.level_in(call.workspace, found) is None:
        label = field.title().replace("_", "")
        raise missing(f"Principal: {label}({entry[field]}) does not exist")
    return found


def levels(call: Call) -> Json:
    """List the permission levels of cluster policies."""
    find(call, call.path["policy_id"])
    can_use = {"permission_level": "CAN_USE", "description": "Can use the policy"}
    return {"permission_levels": [can_use]}


ROUTES = (
    Route("POST", f"{BASE}/create", create, "workspace admin", "workspace"),
    Route("POST", f"{BASE}/edit", edit, "workspace admin", "workspace"),
    Route("POST", f"{BASE}/delete", delete, "workspace admin", "workspace"),
    Route("GET", f"{BASE}/get", get, "anyone", "workspace"),
    Route("GET", f"{BASE}/list", list_usable, "anyone", "workspace"),
    Route("GET", FAMILY_BASE, list_families, "anyone", "workspace"),
    Route("GET", f"{FAMILY_BASE}/{{family_id}}", get_family, "anyone", "workspace"),
    Route("GET", PERMISSIONS, get_permissions, "workspace admin", "workspace"),
    Route("PUT", PERMISSIONS, set_permissions, "workspace admin", "workspace"),
    Route("PATCH", PERMISSIONS, add_permissions, "workspace admin", "workspace"),
    Route("GET", f"{PERMISSIONS}/permissionLevels", levels, "workspace admin", "workspace"),
)
