"""SCIM as Databricks speaks it: how principals are written, filtered, paged and patched."""

import re
from collections.abc import Callable
from typing import Any

from playground.databricks.call import Call, Json
from playground.databricks.errors import scim_error
from playground.databricks.state import Group, Principal, ServicePrincipal, User, World

CORE = "urn:ietf:params:scim:schemas:core:2.0:"
LIST_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
SCHEMAS = {
    User: CORE + "User",
    Group: CORE + "Group",
    ServicePrincipal: CORE + "ServicePrincipal",
}
RESOURCES = {User: "Users", Group: "Groups", ServicePrincipal: "ServicePrincipals"}
PAGE_SIZE = 10000
CLAUSE = re.compile(
    r'\s*([\w.]+)\s+(eq|ne|co|sw)\s+("(?:[^"\\]|\\.)*"|[\w.@-]+)\s*(?:(and|or)\s|$)', re.IGNORECASE
)
COMPARE: dict[str, Callable[[str, str], bool]] = {
    "eq": lambda have, want: have == want,
    "ne": lambda have, want: have != want,
    "co": lambda have, want: want in have,
    "sw": lambda have, want: have.startswith(want),
}
FILTERABLE = ("displayName", "userName", "externalId", "applicationId", "id", "active")


def memberships(world: World) -> dict[int, list[Group]]:
    """Return the groups that each principal is directly in."""
    found: dict[int, list[Group]] = {}
    for group in world.of_type(Group):
        for member in group.members:
            found.setdefault(member, []).append(group)
    return found


def written(
    world: World, principal: Principal, known: dict[int, list[Group]] | None = None
) -> Json:
    """Return a principal as a SCIM resource; absent attributes are left out, as Databricks does.

    Whoever writes many passes the `memberships` as `known`.
    """
    groups = (memberships(world) if known is None else known).get(principal.id, [])
    resource: Json = {
        "schemas": [SCHEMAS[type(principal)]],
        "id": str(principal.id),
        "displayName": principal.display_name,
        "externalId": principal.external_id,
        "groups": [reference(group) for group in groups],
        "roles": [{"value": role} for role in sorted(principal.roles)],
    } | _particulars(world, principal)
    return {key: value for key, value in resource.items() if value not in ("", [])}


def _particulars(world: World, principal: Principal) -> Json:
    match principal:
        case User():
            email = {"value": principal.user_name, "type": "work", "primary": True}
            return {
                "userName": principal.user_name,
                "active": principal.active,
                "emails": [email],
                "name": _split_name(principal.display_name),
            }
        case ServicePrincipal():
            return {"applicationId": principal.application_id, "active": principal.active}
        case Group():
            known = (world.by_id(each) for each in sorted(principal.members))
            return {
                "members": [reference(each) for each in known if each],
                "meta": {"resourceType": "Group"},
            }
        case _:
            return {}


def _split_name(display_name: str) -> Json:
    given, _, family = display_name.partition(" ")
    return {"givenName": given, "familyName": family}


def reference(principal: Principal) -> Json:
    """Return how another resource mentions this one."""
    return {
        "value": str(principal.id),
        "display": principal.display_name,
        "$ref": f"{RESOURCES[type(principal)]}/{principal.id}",
    }


def matching(expression: str) -> Callable[[Json], bool]:
    """Return the test that a SCIM filter describes; `and` binds tighter than `or`."""
    if not expression.strip():
        return lambda _: True
    alternatives: list[list[Callable[[Json], bool]]] = [[]]
    position = 0
    while position < len(expression):
        clause = CLAUSE.match(expression, position)
        if clause is None:
            raise scim_error(400, f"Given filter operator is not supported: {expression}",
                             "invalidFilter")  # fmt: skip
        alternatives[-1].append(_clause(*clause.group(1, 2, 3)))
        if (clause.group(4) or "").lower() == "or":
            alternatives.append([])
        position = clause.end()
    return lambda resource: any(all(test(resource) for test in each) for each in alternatives)


def _clause(attribute: str, operator: str, literal: str) -> Callable[[Json], bool]:
    key = next((each for each in FILTERABLE if each.lower() == attribute.lower()), None)
    if key is None:
        raise scim_error(400, f"Given filter attribute is not supported: {attribute}",
                         "invalidFilter")  # fmt: skip
    quoted = literal.startswith('"')
    wanted = re.sub(r"\\(.)", r"\1", literal[1:-1]) if quoted else literal
    compare = COMPARE[operator.lower()]
    return lambda resource: compare(str(resource.get(key, "")).casefold(), wanted.casefold())


def listed(call: Call, resources: list[Json]) -> Json:
    """Answer a list request: filter, order, page (`startIndex` counts from 1) and project."""
    keep = matching(call.query.get("filter", ""))
    found = [resource for resource in resources if keep(resource)]
    if by := call.query.get("sortBy"):
        found.sort(key=lambda resource: str(resource.get(by, "")))
        if call.query.get("sortOrder") == "descending":
            found.reverse()
    start, size = _number(call, "startIndex", 1), _number(call, "count", PAGE_SIZE)
    page = found[max(start, 1) - 1 :][:size]
    return {
        "schemas": [LIST_RESPONSE],
        "totalResults": len(found),
        "startIndex": start,
        "itemsPerPage": len(page),
        "Resources": [projected(call, resource) for resource in page],
    }


def _number(call: Call, name: str, default: int) -> int:
    value = call.query.get(name, str(default))
    if not value.isdecimal():
        raise scim_error(400, f"Invalid value for {name}: {value}", "invalidValue")
    return int(value)


def projected(call: Call, resource: Json) -> Json:
    """Keep only the attributes that the caller asked for; `id` always stays."""
    wanted = {each.split(".")[0].strip() for each in _names(call, "attributes")}
    unwanted = set(_names(call, "excludedAttributes"))
    return {
        key: value
        for key, value in resource.items()
        if key in ("id", "schemas") or ((not wanted or key in wanted) and key not in unwanted)
    }


def _names(call: Call, parameter: str) -> list[str]:
    return [each for each in call.query.get(parameter, "").split(",") if each]


def values(raw: Any) -> list[str]:
    """Return the `value`s of a multi-valued attribute (`[{"value": "12"}]`)."""
    items = raw if isinstance(raw, list) else [raw]
    found = [item.get("value") if isinstance(item, dict) else item for item in items]
    if not all(isinstance(each, str) for each in found):
        raise scim_error(400, "Expected a list of objects with a value", "invalidSyntax")
    return [str(each) for each in found]
