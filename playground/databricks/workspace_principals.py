"""The people of one workspace, over its own SCIM: a view on the account plus entitlements."""

from playground.databricks.account_principals import blank_service_principal, find, text
from playground.databricks.call import Call, Json, Route
from playground.databricks.errors import scim_error
from playground.databricks.scim import RESOURCES, listed, projected, values, written
from playground.databricks.scim_changes import PATH, replace
from playground.databricks.state import Group, Principal, ServicePrincipal, User

ENTITLEMENTS = {
    "allow-cluster-create",
    "allow-instance-pool-create",
    "databricks-sql-access",
    "workspace-access",
    "workspace-consume",
}
BASE = "/api/2.0/preview/scim/v2"


def seen(call: Call, principal: Principal) -> Json:
    """Return a principal as the workspace writes it: account roles hidden, entitlements shown."""
    resource = written(call.world, principal)
    resource.pop("roles", None)
    given = sorted(call.workspace.entitlements.get(principal.id, ()))
    return resource | ({"entitlements": [{"value": each} for each in given]} if given else {})


def me(call: Call) -> Json:
    """Return the caller; a service principal appears as a user named by its application id."""
    resource = seen(call, call.caller) | {"userName": call.caller.name}
    resource.pop("applicationId", None)
    return projected(call, resource)


def find_here(call: Call, kind: type[Principal]) -> Principal:
    """Return a principal of this workspace, or refuse: others of the account are not visible."""
    principal = find(call.world, kind, call.path["id"])
    if call.world.level_in(call.workspace, principal) is None:
        raise scim_error(404, f"{RESOURCES[kind][:-1]} with id {principal.id} not found.")
    return principal


def add_service_principal(call: Call) -> Json:
    """Bring a service principal in: the account's own by application id, else a new one."""
    application_id = text(call, "applicationId")
    known = call.world.named(application_id) if application_id else None
    principal = known if isinstance(known, ServicePrincipal) else blank_service_principal(call)
    if principal.id in call.workspace.assignments:
        raise scim_error(
            409, f"Service principal with application ID {application_id} already exists.",
            "uniqueness",
        )  # fmt: skip
    if known is None:
        allowed = ("displayName", "externalId", "active")
        replace(call.world, principal, {k: v for k, v in call.body.items() if k in allowed})
        call.world.principals[principal.id] = principal
    call.workspace.assignments[principal.id] = "USER"
    _entitle(call, principal, set(values(call.body.get("entitlements", []))))
    return seen(call, principal)


def _entitle(call: Call, principal: Principal, entitlements: set[str]) -> None:
    if unknown := entitlements - ENTITLEMENTS:
        raise scim_error(400, f"Invalid entitlement: {', '.join(sorted(unknown))}", "invalidValue")
    call.workspace.entitlements[principal.id] = entitlements


def change(call: Call, principal: Principal) -> Json:
    """Change entitlements; everything else belongs to the account."""
    current = set(call.workspace.entitlements.get(principal.id, ()))
    for operation in call.objects("Operations"):
        path = PATH.match(str(operation.get("path", "")))
        if path is None or path.group(1) != "entitlements":
            raise scim_error(403, "Account-level attributes are changed at the account only.")
        given = set(values(operation.get("value", []))) | ({path.group(2)} - {None})
        if operation.get("op") == "replace":
            current = given
        else:
            current = current | given if operation.get("op") == "add" else current - given
    _entitle(call, principal, current)
    return seen(call, principal)


def remove(call: Call, principal: Principal) -> None:
    """Take a service principal out of this workspace; the account keeps it."""
    call.world.unassign(call.workspace, principal)


def routes_of(kind: type[Principal]) -> tuple[Route, ...]:
    """Return the endpoints of one kind of principal."""

    def list_here(call: Call) -> Json:
        here = [
            seen(call, each)
            for each in call.world.of_type(kind)
            if call.world.level_in(call.workspace, each)
        ]
        return listed(call, here)

    many = f"{BASE}/{RESOURCES[kind]}"
    one = many + "/{id}"
    return (
        Route("GET", many, list_here, "anyone", "workspace", "scim"),
        Route("GET", one, lambda call: projected(call, seen(call, find_here(call, kind))),
              "anyone", "workspace", "scim"),
        Route("PATCH", one, lambda call: change(call, find_here(call, kind)),
              "workspace admin", "workspace", "scim"),
        Route("DELETE", one, lambda call: remove(call, find_here(call, kind)),
              "workspace admin", "workspace", "scim", 204),
    )  # fmt: skip


ROUTES = (
    Route("GET", f"{BASE}/Me", me, "anyone", "workspace", "scim"),
    *routes_of(User),
    *routes_of(Group),
    *routes_of(ServicePrincipal),
    Route(
        "POST", f"{BASE}/ServicePrincipals", add_service_principal,
        "workspace admin", "workspace", "scim", 201,
    ),
)  # fmt: skip
