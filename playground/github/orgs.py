"""The organisation, its people and its custom properties."""

from typing import cast

from playground.github import payloads
from playground.github.auth import installation_level
from playground.github.calls import Answer, Call, Operation, Refusal, invalid, not_found
from playground.github.world import Json, User


def _sees_plan(call: Call) -> bool:
    if call.actor.kind == "installation":
        wanted = ("organization_administration", "organization_plan")
        return any(installation_level(call.world, call.actor, name) for name in wanted)
    return call.actor.login in call.org.owners


async def organisation(call: Call) -> Answer:
    """Return the organisation; its plan only to those who may read its administration."""
    return Answer(200, payloads.organisation_full(call.root, call.world, see_plan=_sees_plan(call)))


async def members(call: Call) -> Answer:
    """List the members, owners only with `role=admin`."""
    wanted = {"admin": call.org.owners, "member": call.org.members - call.org.owners}
    logins = wanted.get(call.query.get("role", "all"), call.org.members)
    users = [user for user in call.world.users.values() if user.login in logins]
    return call.page([payloads.simple_user(call.root, user) for user in users])


def known_user(call: Call) -> User:
    """Return the person of the path or answer 404."""
    user = call.world.find_user(call.params["username"])
    if user is None:
        raise not_found()
    return user


async def is_member(call: Call) -> Answer:
    """Say by 204 or 404 whether somebody is a member."""
    if known_user(call).login not in call.org.members:
        raise not_found()
    return Answer(204)


async def membership(call: Call) -> Answer:
    """Return somebody's membership of the organisation."""
    user = known_user(call)
    if user.login not in call.org.members:
        raise not_found()
    url = f"{payloads.api(call.root)}/orgs/{call.org.login}"
    return Answer(
        200,
        {
            "url": f"{url}/memberships/{user.login}",
            "state": "active",
            "role": "admin" if user.login in call.org.owners else "member",
            "organization_url": url,
            "organization": payloads.organisation_simple(call.root, call.org),
            "user": payloads.simple_user(call.root, user),
        },
    )


async def user(call: Call) -> Answer:
    """Return a person's profile."""
    found = known_user(call)
    return Answer(200, payloads.public_user(call.root, found, call.org.created_at))


async def user_by_id(call: Call) -> Answer:
    """Return a person's profile by numeric id."""
    found = call.world.user_by_id(int(call.params["account_id"]))
    if found is None:
        raise not_found()
    return Answer(200, payloads.public_user(call.root, found, call.org.created_at))


async def me(call: Call) -> Answer:
    """Return the person whose token calls."""
    found = call.world.find_user(call.actor.login)
    if found is None:
        raise Refusal(403, "Resource not accessible by integration")
    return Answer(200, payloads.private_user(call.root, found, call.org.created_at))


async def property_schema(call: Call) -> Answer:
    """List the organisation's custom properties."""
    return Answer(200, list(call.org.properties.values()))


async def one_property(call: Call) -> Answer:
    """Return one custom property."""
    found = call.org.properties.get(call.params["custom_property_name"])
    if found is None:
        raise not_found()
    return Answer(200, found)


async def define_property(call: Call) -> Answer:
    """Create or replace a custom property."""
    name = call.params["custom_property_name"]
    url = f"{payloads.api(call.root)}/orgs/{call.org.login}/properties/schema/{name}"
    if call.body["value_type"] in ("single_select", "multi_select"):
        if not call.body.get("allowed_values"):
            raise invalid("OrgCustomProperty", "allowed_values", "missing_field")
    elif call.body.get("allowed_values"):
        raise invalid("OrgCustomProperty", "allowed_values", "invalid")
    shape: Json = {"property_name": name, "url": url, "source_type": "organization"}
    defaults: Json = {"required": False, "values_editable_by": "org_actors"}
    call.org.properties[name] = shape | defaults | call.body
    return Answer(200, call.org.properties[name])


async def property_values(call: Call) -> Answer:
    """List a repository's values, those never set by their default or null."""
    return Answer(
        200,
        [
            {
                "property_name": name,
                "value": call.repo.properties.get(name, schema.get("default_value")),
            }
            for name, schema in call.org.properties.items()
        ],
    )


async def set_property_values(call: Call) -> Answer:
    """Set, or with null unset, values of properties that exist."""
    wanted = cast("list[Json]", call.body["properties"])
    for item in wanted:
        _refuse_value(call, cast("str", item["property_name"]), item["value"])
    for item in wanted:
        name, value = cast("str", item["property_name"]), item["value"]
        if value is None:
            call.repo.properties.pop(name, None)
        else:
            call.repo.properties[name] = cast("str | list[str]", value)
    return Answer(204)


def _refuse_value(call: Call, name: str, value: object) -> None:
    schema = call.org.properties.get(name)
    if schema is None:
        raise Refusal(422, f"Property '{name}' does not exist")
    several = schema["value_type"] == "multi_select"
    if value is not None and isinstance(value, list) != several:
        raise Refusal(422, f"Property '{name}' value is of the wrong type")
    allowed = cast("list[str] | None", schema.get("allowed_values"))
    values = value if isinstance(value, list) else [value]
    if value is not None and allowed and not set(values) <= set(allowed):
        raise Refusal(422, f"Property '{name}' value is not one of the allowed values")


OPERATIONS = (
    Operation("GET", "/orgs/{org}", organisation, ""),
    Operation("GET", "/orgs/{org}/members", members, "members:read"),
    Operation("GET", "/orgs/{org}/members/{username}", is_member, "members:read"),
    Operation("GET", "/orgs/{org}/memberships/{username}", membership, "members:read"),
    Operation("GET", "/users/{username}", user, ""),
    Operation("GET", "/user/{account_id}", user_by_id, ""),
    Operation("GET", "/user", me, "user"),
    Operation(
        "GET",
        "/orgs/{org}/properties/schema",
        property_schema,
        "organization_custom_properties:read",
    ),
    Operation(
        "GET",
        "/orgs/{org}/properties/schema/{custom_property_name}",
        one_property,
        "organization_custom_properties:read",
    ),
    Operation(
        "PUT",
        "/orgs/{org}/properties/schema/{custom_property_name}",
        define_property,
        "organization_custom_properties:admin",
    ),
    Operation("GET", "/repos/{owner}/{repo}/properties/values", property_values, "metadata:read"),
    Operation(
        "PATCH",
        "/repos/{owner}/{repo}/properties/values",
        set_property_values,
        "repository_custom_properties:write",
    ),
)
