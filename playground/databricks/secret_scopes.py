"""Secret scopes: values by key, and who may read, write and manage them."""

import re
from base64 import b64decode, b64encode

from playground.databricks.call import Call, Json, Route, millis
from playground.databricks.errors import api_error, denied, invalid, missing
from playground.databricks.state import Scope, Secret

BASE = "/api/2.0/secrets"
NAME = re.compile(r"[\w.@-]{1,128}", re.ASCII)
LEVELS = ("READ", "WRITE", "MANAGE")
EVERYONE_HERE = "users"
VALUE_LIMIT = 128 * 1024
SECRETS_PER_SCOPE = 1000
SCOPES_PER_WORKSPACE = 1000


def scope_for(call: Call, level: str, name: str) -> Scope:
    """Return a scope on which the caller has at least `level`, or refuse."""
    scope = call.workspace.scopes.get(name)
    if scope is None:
        raise missing(f"Scope {name} does not exist!")
    if LEVELS.index(level) > _strongest(call, scope):
        raise denied(f"User {call.caller.name} does not have {level} permission on scope {name}")
    return scope


def _strongest(call: Call, scope: Scope) -> int:
    """Return the index of the caller's strongest level, -1 for none. Being admin gives nothing."""
    mine = {EVERYONE_HERE} | {
        each.name for id_ in call.world.identities(call.caller) if (each := call.world.by_id(id_))
    }
    return max(
        (LEVELS.index(level) for who, level in scope.acls.items() if who in mine), default=-1
    )


def create_scope(call: Call) -> Json:
    """Create a scope that its creator manages."""
    name = call.text("scope")
    if not NAME.fullmatch(name):
        raise invalid(
            "Scope name can only contain alphanumeric characters, dashes, underscores, @ and "
            "periods, and cannot exceed 128 characters."
        )
    if call.body.get("scope_backend_type", "DATABRICKS") != "DATABRICKS":
        raise invalid("Only the DATABRICKS backend is available in this workspace.")
    if name in call.workspace.scopes:
        raise api_error(400, "RESOURCE_ALREADY_EXISTS", f"Scope {name} already exists!")
    if len(call.workspace.scopes) >= SCOPES_PER_WORKSPACE:
        raise api_error(400, "RESOURCE_LIMIT_EXCEEDED", "The limit of 1000 scopes is reached.")
    manager = call.optional_text("initial_manage_principal") or call.caller.name
    if manager not in (EVERYONE_HERE, call.caller.name):
        raise invalid("The only supported initial_manage_principal is: users")
    call.workspace.scopes[name] = Scope(name, acls={manager: "MANAGE"})
    return {}


def list_scopes(call: Call) -> Json:
    """List the scopes that the caller can read."""
    readable = (s for s in call.workspace.scopes.values() if _strongest(call, s) >= 0)
    return {"scopes": [{"name": s.name, "backend_type": "DATABRICKS"} for s in readable]}


def delete_scope(call: Call) -> Json:
    """Delete a scope with all it holds."""
    del call.workspace.scopes[scope_for(call, "MANAGE", call.text("scope")).name]
    return {}


def put_acl(call: Call) -> Json:
    """Give a principal a level on a scope."""
    scope = scope_for(call, "MANAGE", call.text("scope"))
    who, level = call.text("principal"), call.text("permission")
    if level not in LEVELS:
        raise invalid(f"Invalid permission: {level}. It must be one of {', '.join(LEVELS)}.")
    principal = call.world.named(who)
    if who not in (EVERYONE_HERE, "admins") and (
        principal is None or call.world.level_in(call.workspace, principal) is None
    ):
        raise invalid(f"Principal {who} does not exist in this workspace.")
    scope.acls[who] = level
    return {}


def get_acl(call: Call) -> Json:
    """Return one principal's level."""
    scope, who = scope_for(call, "MANAGE", call.asked("scope")), call.asked("principal")
    if who not in scope.acls:
        raise missing(f"Failed to get secret acl for principal {who} for scope {scope.name}.")
    return {"principal": who, "permission": scope.acls[who]}


def list_acls(call: Call) -> Json:
    """List the levels of a scope."""
    scope = scope_for(call, "MANAGE", call.asked("scope"))
    return {"items": [{"principal": who, "permission": has} for who, has in scope.acls.items()]}


def delete_acl(call: Call) -> Json:
    """Take a principal's level away, the caller's own included: that locks the caller out."""
    scope, who = scope_for(call, "MANAGE", call.text("scope")), call.text("principal")
    if scope.acls.pop(who, None) is None:
        raise missing(f"Failed to get secret acl for principal {who} for scope {scope.name}.")
    return {}


def put_secret(call: Call) -> Json:
    """Store a value, replacing the one before."""
    scope, key = scope_for(call, "WRITE", call.text("scope")), call.text("key")
    if not NAME.fullmatch(key):
        raise invalid(f"Secret key {key} is invalid.")
    value = _value(call)
    if len(value) > VALUE_LIMIT:
        raise invalid("The maximum allowed secret value size is 128 KB.")
    if key not in scope.secrets and len(scope.secrets) >= SECRETS_PER_SCOPE:
        raise api_error(400, "RESOURCE_LIMIT_EXCEEDED", "The limit of 1000 secrets is reached.")
    scope.secrets[key] = Secret(value, call.now)
    return {}


def _value(call: Call) -> bytes:
    given = [name for name in ("string_value", "bytes_value") if name in call.body]
    if len(given) != 1:
        raise api_error(
            400, "MALFORMED_REQUEST", "Exactly one of string_value and bytes_value is required."
        )
    text = call.optional_text(given[0])
    if given == ["string_value"]:
        return text.encode()
    try:
        return b64decode(text, validate=True)
    except ValueError as error:
        raise invalid("bytes_value must be base64.") from error


def get_secret(call: Call) -> Json:
    """Return a value in base64 to people who may read the scope."""
    scope, key = scope_for(call, "READ", call.asked("scope")), call.asked("key")
    secret = _find(scope, key)
    return {"key": key, "value": b64encode(secret.value).decode()}


def _find(scope: Scope, key: str) -> Secret:
    if key not in scope.secrets:
        raise missing(f"Secret does not exist with scope: {scope.name} and key: {key}")
    return scope.secrets[key]


def list_secrets(call: Call) -> Json:
    """List keys and when they were written; values are never listed."""
    scope = scope_for(call, "READ", call.asked("scope"))
    return {
        "secrets": [
            {"key": key, "last_updated_timestamp": millis(secret.updated)}
            for key, secret in scope.secrets.items()
        ]
    }


def delete_secret(call: Call) -> Json:
    """Delete a value."""
    scope, key = scope_for(call, "WRITE", call.text("scope")), call.text("key")
    _find(scope, key)
    del scope.secrets[key]
    return {}


ROUTES = (
    Route("POST", f"{BASE}/scopes/create", create_scope, "anyone", "workspace"),
    Route("GET", f"{BASE}/scopes/list", list_scopes, "anyone", "workspace"),
    Route("POST", f"{BASE}/scopes/delete", delete_scope, "anyone", "workspace"),
    Route("POST", f"{BASE}/acls/put", put_acl, "anyone", "workspace"),
    Route("GET", f"{BASE}/acls/get", get_acl, "anyone", "workspace"),
    Route("GET", f"{BASE}/acls/list", list_acls, "anyone", "workspace"),
    Route("POST", f"{BASE}/acls/delete", delete_acl, "anyone", "workspace"),
    Route("POST", f"{BASE}/put", put_secret, "anyone", "workspace"),
    Route("GET", f"{BASE}/get", get_secret, "anyone", "workspace"),
    Route("GET", f"{BASE}/list", list_secrets, "anyone", "workspace"),
    Route("POST", f"{BASE}/delete", delete_secret, "anyone", "workspace"),
)
