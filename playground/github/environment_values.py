"""Variables and sealed secrets of environments."""

import re

from playground.github import payloads
from playground.github.calls import Answer, Call, Operation, Refusal, not_found
from playground.github.environments import environment
from playground.github.world import Json, Secret, Variable

LARGEST_VALUE = 48 * 1024
MOST_VALUES = 100
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _refuse_name(kind: str, name: str) -> None:
    if name.upper().startswith("GITHUB_"):
        raise Refusal(422, f"{kind} names must not start with GITHUB_.")
    if not _NAME.fullmatch(name):
        raise Refusal(
            422,
            f"{kind} names can only contain alphanumeric characters ([a-z], [A-Z], [0-9]) or "
            "underscores (_). Spaces are not allowed. Must start with a letter ([a-z], [A-Z]) or "
            "underscores (_).",
        )


def _refuse_amount(kind: str, held: int, size: int) -> None:
    if size > LARGEST_VALUE:
        raise Refusal(422, f"{kind} value is too large: the maximum is 48 KB.")
    if held >= MOST_VALUES:
        raise Refusal(422, f"{kind} limit of {MOST_VALUES} reached for this environment.")


def _dates(item: Variable | Secret) -> Json:
    created, updated = payloads.stamp(item.created_at), payloads.stamp(item.updated_at)
    return {"created_at": created, "updated_at": updated}


# Variables


def _variable(call: Call) -> tuple[str, Variable]:
    name = call.params["name"].upper()
    found = environment(call).variables.get(name)
    if found is None:
        raise not_found()
    return name, found


async def variables(call: Call) -> Answer:
    """List the variables; ten to a page unless asked otherwise."""
    held = environment(call).variables
    call.query = {"per_page": "10"} | dict(call.query)
    shown = [{"name": n, "value": v.value} | _dates(v) for n, v in sorted(held.items())]
    return call.page(shown, "variables")


async def read_variable(call: Call) -> Answer:
    """Return one variable."""
    name, found = _variable(call)
    return Answer(200, {"name": name, "value": found.value} | _dates(found))


async def create_variable(call: Call) -> Answer:
    """Create a variable; one that exists is a conflict."""
    held = environment(call).variables
    name, value = call.text("name").upper(), call.text("value")
    _refuse_name("Variable", name)
    if name in held:
        raise Refusal(409, "Already exists - Variable already exists")
    _refuse_amount("Variable", len(held), len(value.encode()))
    now = call.world.now()
    held[name] = Variable(value, now, now)
    return Answer(201, {})


async def change_variable(call: Call) -> Answer:
    """Change a variable's value, its name or both."""
    held = environment(call).variables
    old, variable = _variable(call)
    name, value = call.text("name", old).upper(), call.text("value", variable.value)
    _refuse_name("Variable", name)
    if name != old and name in held:
        raise Refusal(409, "Already exists - Variable already exists")
    _refuse_amount("Variable", 0, len(value.encode()))
    del held[old]
    held[name] = Variable(value, variable.created_at, call.world.now())
    return Answer(204)


async def delete_variable(call: Call) -> Answer:
    """Delete a variable."""
    del environment(call).variables[_variable(call)[0]]
    return Answer(204)


# Secrets


async def public_key(call: Call) -> Answer:
    """Return the key to seal secrets with."""
    environment(call)
    key_id, key = call.vault.public_key(call.repo.id)
    return Answer(200, {"key_id": key_id, "key": key})


async def secrets(call: Call) -> Answer:
    """List the secrets' names."""
    held = environment(call).secrets
    shown = [{"name": name} | _dates(secret) for name, secret in sorted(held.items())]
    return call.page(shown, "secrets")


def _secret(call: Call) -> tuple[str, Secret]:
    name = call.params["secret_name"].upper()
    found = environment(call).secrets.get(name)
    if found is None:
        raise not_found()
    return name, found


async def read_secret(call: Call) -> Answer:
    """Return a secret's name and dates, never its value."""
    name, found = _secret(call)
    return Answer(200, {"name": name} | _dates(found))


async def put_secret(call: Call) -> Answer:
    """Create (201) or replace (204) a secret that this repository's key opens."""
    held, name = environment(call).secrets, call.params["secret_name"].upper()
    _refuse_name("Secret", name)
    value = call.vault.open(call.repo.id, call.text("key_id"), call.text("encrypted_value"))
    old, now = held.get(name), call.world.now()
    _refuse_amount("Secret", 0 if old else len(held), len(value))
    held[name] = Secret(value, old.created_at if old else now, now)
    return Answer(204) if old else Answer(201, {})


async def delete_secret(call: Call) -> Answer:
    """Delete a secret."""
    del environment(call).secrets[_secret(call)[0]]
    return Answer(204)


_ENV = "/repos/{owner}/{repo}/environments/{environment_name}"
_VARIABLE = f"{_ENV}/variables/{{name}}"
_SECRET = f"{_ENV}/secrets/{{secret_name}}"
OPERATIONS = (
    Operation("GET", f"{_ENV}/variables", variables, "environments:read"),
    Operation("POST", f"{_ENV}/variables", create_variable, "environments:write"),
    Operation("GET", _VARIABLE, read_variable, "environments:read"),
    Operation("PATCH", _VARIABLE, change_variable, "environments:write"),
    Operation("DELETE", _VARIABLE, delete_variable, "environments:write"),
    Operation("GET", f"{_ENV}/secrets/public-key", public_key, "environments:read"),
    Operation("GET", f"{_ENV}/secrets", secrets, "environments:read"),
    Operation("GET", _SECRET, read_secret, "environments:read"),
    Operation("PUT", _SECRET, put_secret, "environments:write"),
    Operation("DELETE", _SECRET, delete_secret, "environments:write"),
)
