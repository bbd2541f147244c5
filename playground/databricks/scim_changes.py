"""How SCIM requests change a principal: attributes of a body, and PATCH operations."""

import re
from typing import Any

from playground.databricks.call import Json
from playground.databricks.errors import scim_error
from playground.databricks.scim import values
from playground.databricks.state import ACCOUNT_ADMIN, Group, Principal, User, World

PATH = re.compile(r'(\w+)(?:\[\s*value\s+eq\s+"([^"]*)"\s*\])?$')
KNOWN_ROLES = {ACCOUNT_ADMIN}


def replace(world: World, principal: Principal, body: Json) -> None:
    """Make a principal what a PUT or POST says; what the body leaves out is emptied."""
    for attribute in ("displayName", "externalId", "active", "roles", "members"):
        if attribute in body:
            set_attribute(world, principal, attribute, body[attribute])
        elif attribute == "externalId":
            principal.external_id = ""
        elif attribute == "roles":
            principal.roles = set()
        elif attribute == "members" and isinstance(principal, Group):
            principal.members = set()


def patch(world: World, principal: Principal, body: Json) -> None:
    """Apply the operations of a PATCH in their order."""
    operations = body.get("Operations")
    objects = isinstance(operations, list) and all(isinstance(o, dict) for o in operations)
    if not operations or not objects:
        raise scim_error(400, "Request body must contain Operations", "invalidSyntax")
    for operation in operations:
        kind = str(operation.get("op", "")).lower()
        if kind not in ("add", "remove", "replace"):
            raise scim_error(400, f"Unsupported patch operation: {kind}", "invalidSyntax")
        for path, value in _targets(operation):
            _operate(world, principal, kind, path, value)


def _targets(operation: Json) -> list[tuple[str, Any]]:
    """An operation without a path carries an object of attributes."""
    if operation.get("path"):
        return [(operation["path"], operation.get("value"))]
    if isinstance(operation.get("value"), dict):
        return list(operation["value"].items())
    raise scim_error(400, "Patch operation without path must carry an object", "noTarget")


def _operate(world: World, principal: Principal, kind: str, path: str, value: Any) -> None:
    match = PATH.match(path)
    if match is None:
        raise scim_error(400, f"Unsupported path: {path}", "invalidPath")
    attribute, chosen = match.groups()
    if attribute not in ("members", "roles"):
        if kind == "remove":
            value = ""
        set_attribute(world, principal, attribute, value)
        return
    current = _current(principal, attribute)
    given = {chosen} if chosen else set(values(value)) if value is not None else current
    after = {"add": current | given, "remove": current - given, "replace": given}[kind]
    set_attribute(world, principal, attribute, [{"value": each} for each in after])


def _current(principal: Principal, attribute: str) -> set[str]:
    if attribute == "roles":
        return set(principal.roles)
    return {str(each) for each in principal.members} if isinstance(principal, Group) else set()


def set_attribute(world: World, principal: Principal, attribute: str, value: Any) -> None:
    """Give one attribute its new value, refusing what does not fit."""
    if attribute == "displayName":
        rename(world, principal, _string(attribute, value))
    elif attribute == "externalId":
        principal.external_id = _string(attribute, value)
    elif attribute == "active":
        _activate(principal, value)
    elif attribute == "roles":
        principal.roles = _roles(value)
    elif attribute == "members" and isinstance(principal, Group):
        principal.members = _members(world, principal, value)
    else:
        raise scim_error(400, f"Attribute {attribute} cannot be changed", "invalidPath")


def _string(attribute: str, value: Any) -> str:
    if not isinstance(value, str):
        raise scim_error(400, f"Invalid value for {attribute}", "invalidValue")
    return value


def _activate(principal: Principal, value: Any) -> None:
    if isinstance(principal, Group) or str(value).lower() not in ("true", "false"):
        raise scim_error(400, "Invalid value for active", "invalidValue")
    principal.active = str(value).lower() == "true"


def rename(world: World, principal: Principal, display_name: str) -> None:
    """Set a display name; only groups must have their own."""
    if isinstance(principal, Group):
        refuse_taken_group(world, display_name, but=principal)
    principal.display_name = display_name


def refuse_taken_group(world: World, display_name: str, but: Group | None = None) -> None:
    """Raise if a group needs another name."""
    if not display_name:
        raise scim_error(400, "Group displayName is required.", "invalidValue")
    wanted = display_name.casefold()
    for group in world.of_type(Group):
        if (but is None or group.id != but.id) and group.display_name.casefold() == wanted:
            raise scim_error(409, f"Group with name {display_name} already exists.", "uniqueness")


def refuse_taken_user(world: World, user_name: str) -> None:
    """Raise if a user with this address exists."""
    if any(user.user_name.casefold() == user_name.casefold() for user in world.of_type(User)):
        raise scim_error(409, f"User with username {user_name} already exists.", "uniqueness")


def _roles(value: Any) -> set[str]:
    roles = set(values(value))
    if unknown := roles - KNOWN_ROLES:
        raise scim_error(400, f"Invalid role: {', '.join(sorted(unknown))}", "invalidValue")
    return roles


def _members(world: World, group: Group, value: Any) -> set[int]:
    ids = values(value)
    for each in ids:
        if not each.isdecimal() or int(each) not in world.principals or int(each) == group.id:
            raise scim_error(404, f"Member with id {each} not found.")
    return {int(each) for each in ids}
