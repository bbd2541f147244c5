"""Who is in which workspace, set from the account or from the workspace itself."""

from typing import Any

from playground.databricks.call import Call, Json, Route
from playground.databricks.errors import invalid, missing
from playground.databricks.state import Level, Principal, ServicePrincipal, User, Workspace

ACCOUNT = "/api/2.0/accounts/{account_id}/workspaces/{workspace_id}/permissionassignments"
WORKSPACE = "/api/2.0/preview/permissionassignments"
NAME_FIELDS = ("user_name", "group_name", "service_principal_name")


def target(call: Call) -> Workspace:
    """Return the workspace that the request is about."""
    if call.at:
        return call.at
    return workspace_by_id(call)


def workspace_by_id(call: Call) -> Workspace:
    """Return the workspace named in an account path."""
    raw = call.path["workspace_id"]
    found = call.world.workspaces.get(int(raw)) if raw.isdecimal() else None
    if found is None:
        raise missing(f"Workspace {raw} does not exist in account {call.world.account_id}.")
    return found


def principal_by_id(call: Call, raw: str) -> Principal:
    """Return the principal of a numeric id, or refuse (application ids are not accepted here)."""
    if not raw.isdecimal():
        raise invalid(f"Invalid principal id: {raw}. It must be a number.")
    found = call.world.principals.get(int(raw))
    if found is None:
        raise missing(f"Principal with id {raw} does not exist.")
    return found


def output(principal: Principal) -> Json:
    """Return how assignments write a principal."""
    kind = (
        "user_name" if isinstance(principal, User)
        else "service_principal_name" if isinstance(principal, ServicePrincipal)
        else "group_name"
    )  # fmt: skip
    return {
        "principal_id": principal.id,
        "display_name": principal.display_name,
        kind: principal.name,
    }


def assignment(workspace: Workspace, principal: Principal) -> Json:
    """Return one assignment."""
    level = workspace.assignments.get(principal.id)
    return {"permissions": [level] if level else [], "principal": output(principal)}


def wanted_level(raw: Any) -> Level | None:
    """Return the level asked for; the vendor ignores words it does not know."""
    if not isinstance(raw, list):
        raise invalid("permissions must be a list")
    return "ADMIN" if "ADMIN" in raw else "USER" if "USER" in raw else None


def list_assignments(call: Call) -> Json:
    """List who is directly assigned."""
    workspace = target(call)
    people = (call.world.principals[each] for each in workspace.assignments)
    return {"permission_assignments": [assignment(workspace, each) for each in people]}


def put(call: Call) -> Json:
    """Set one principal's level; none removes it."""
    workspace = target(call)
    principal = principal_by_id(call, call.path["principal_id"])
    _assign(call, workspace, principal, wanted_level(call.body.get("permissions", [])))
    return assignment(workspace, principal)


def _assign(call: Call, workspace: Workspace, principal: Principal, level: Level | None) -> None:
    if level is None:
        call.world.unassign(workspace, principal)
    else:
        workspace.assignments[principal.id] = level


def delete(call: Call) -> Json:
    """Take a principal out of the workspace."""
    workspace = target(call)
    principal = principal_by_id(call, call.path["principal_id"])
    if principal.id not in workspace.assignments:
        raise missing(f"Principal {principal.id} is not in workspace {workspace.id}.")
    call.world.unassign(workspace, principal)
    return {}


def add_by_name(call: Call) -> Json:
    """Assign principals that the request names instead of numbering them."""
    items = call.objects("permission_assignments")
    if not items:
        raise invalid("Missing required field: permission_assignments")
    chosen = [(_named(call, item), wanted_level(item.get("permissions", []))) for item in items]
    for principal, level in chosen:
        _assign(call, call.workspace, principal, level)
    made = [assignment(call.workspace, principal) for principal, _ in chosen]
    return {"permission_assignments": made}


def _named(call: Call, item: Json) -> Principal:
    if "principal_id" in item:
        return principal_by_id(call, str(item["principal_id"]))
    names = [item[each] for each in NAME_FIELDS if item.get(each)]
    if len(names) != 1:
        raise invalid("Exactly one principal must be given.")
    found = call.world.named(names[0])
    if found is None or found is call.world.everybody:
        raise missing(f"Principal {names[0]} does not exist.")
    return found


def possible(call: Call) -> Json:
    """List the levels that can be given."""
    target(call)
    levels = (("ADMIN", "Workspace admin"), ("USER", "Workspace user"))
    return {"permissions": [{"permission_level": k, "description": d} for k, d in levels]}


ROUTES = (
    Route("GET", ACCOUNT, list_assignments, "account admin", "account"),
    Route("GET", f"{ACCOUNT}/permissions", possible, "account admin", "account"),
    Route("PUT", f"{ACCOUNT}/principals/{{principal_id}}", put, "account admin", "account"),
    Route("DELETE", f"{ACCOUNT}/principals/{{principal_id}}", delete, "account admin", "account"),
    Route("GET", WORKSPACE, list_assignments, "workspace admin", "workspace"),
    Route("POST", WORKSPACE, add_by_name, "workspace admin", "workspace"),
    Route("PUT", f"{WORKSPACE}/principals/{{principal_id}}", put, "workspace admin", "workspace"),
    Route(
        "DELETE", f"{WORKSPACE}/principals/{{principal_id}}", delete,
        "workspace admin", "workspace",
    ),
)  # fmt: skip
