"""Users, groups and service principals of the account, over SCIM."""

from collections.abc import Callable
from copy import deepcopy
from uuid import uuid4

from playground.databricks.call import Call, Json, Route
from playground.databricks.errors import scim_error
from playground.databricks.scim import RESOURCES, listed, memberships, projected, written
from playground.databricks.scim_changes import (
    patch,
    refuse_taken_group,
    refuse_taken_user,
    replace,
)
from playground.databricks.state import Group, P, Principal, ServicePrincipal, User, World

KIND_NAMES = {User: "User", Group: "Group", ServicePrincipal: "Service principal"}


def find(world: World, kind: type[P], principal_id: str) -> P:
    """Return the principal of one kind with this id, or refuse."""
    found = world.principals.get(int(principal_id)) if principal_id.isdecimal() else None
    if not isinstance(found, kind):
        label = KIND_NAMES.get(kind, "Principal")
        raise scim_error(404, f"{label} with id {principal_id} not found.")
    return found


def text(call: Call, name: str) -> str:
    """Return a string of the body, empty if it is absent."""
    value = call.body.get(name) or ""
    if not isinstance(value, str):
        raise scim_error(400, f"Invalid value for {name}", "invalidValue")
    return value


def _blank_user(call: Call) -> User:
    user_name = call.body.get("userName")
    if not isinstance(user_name, str) or "@" not in user_name:
        raise scim_error(400, "userName must be an email address.", "invalidValue")
    refuse_taken_user(call.world, user_name)
    return User(call.world.next_id(), user_name.partition("@")[0], user_name=user_name)


def _blank_group(call: Call) -> Group:
    refuse_taken_group(call.world, text(call, "displayName"))
    return Group(call.world.next_id(), "")


def blank_service_principal(call: Call) -> ServicePrincipal:
    """Return a new service principal; names may repeat, application ids may not."""
    application_id = text(call, "applicationId") or str(uuid4())
    if call.world.named(application_id):
        raise scim_error(
            409, f"Service principal with application ID {application_id} already exists.",
            "uniqueness",
        )  # fmt: skip
    if not (name := text(call, "displayName")) and "applicationId" not in call.body:
        raise scim_error(400, "Service principal displayName is required.", "invalidValue")
    return ServicePrincipal(call.world.next_id(), name, application_id=application_id)


BLANKS: dict[type[Principal], Callable[[Call], Principal]] = {
    User: _blank_user,
    Group: _blank_group,
    ServicePrincipal: blank_service_principal,
}


def _changed(
    call: Call, kind: type[Principal], change: Callable[[World, Principal, Json], None]
) -> Json:
    """Change a copy first, so that a refused request changes nothing."""
    draft = deepcopy(find(call.world, kind, call.path["id"]))
    change(call.world, draft, call.body)
    call.world.principals[draft.id] = draft
    return written(call.world, draft)


def routes_of(kind: type[Principal]) -> tuple[Route, ...]:
    """Return the endpoints of one kind of principal."""

    def create(call: Call) -> Json:
        principal = BLANKS[kind](call)
        replace(call.world, principal, call.body)
        call.world.principals[principal.id] = principal
        return written(call.world, principal)

    def get(call: Call) -> Json:
        return projected(call, written(call.world, find(call.world, kind, call.path["id"])))

    def list_all(call: Call) -> Json:
        # The vendor's account-wide lists carry no members (since August 2025): read each group.
        known = memberships(call.world)
        resources = [written(call.world, each, known) for each in call.world.of_type(kind)]
        for resource in resources:
            resource.pop("members", None)
        return listed(call, resources)

    def put(call: Call) -> Json:
        return _changed(call, kind, replace)

    def change(call: Call) -> Json:
        return _changed(call, kind, patch)

    def delete(call: Call) -> None:
        call.world.forget(find(call.world, kind, call.path["id"]))

    many = f"/api/2.0/accounts/{{account_id}}/scim/v2/{RESOURCES[kind]}"
    one = many + "/{id}"
    return (
        Route("POST", many, create, "account admin", "account", "scim", 201),
        Route("GET", many, list_all, "account admin", "account", "scim"),
        Route("GET", one, get, "account admin", "account", "scim"),
        Route("PUT", one, put, "account admin", "account", "scim"),
        Route("PATCH", one, change, "account admin", "account", "scim"),
        Route("DELETE", one, delete, "account admin", "account", "scim", 204),
    )


ROUTES = (*routes_of(User), *routes_of(Group), *routes_of(ServicePrincipal))
