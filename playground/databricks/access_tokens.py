"""Bearer tokens: issued, recognised, expired by the clock; personal ones as an API of their own."""

import secrets
from datetime import datetime, timedelta
from typing import Literal

from playground.databricks.call import Call, Json, Route, millis
from playground.databricks.errors import api_error, denied, invalid, missing
from playground.databricks.state import Principal, ServicePrincipal, Token, Workspace, World

ACCESS_LIFETIME = timedelta(hours=1)
PERSONAL_LIFETIME = timedelta(days=730)


def issue_access(
    world: World, principal: Principal, workspace: Workspace | None, now: datetime
) -> Token:
    """Return a new access token; one of the account's works in the holder's workspaces too."""
    world.tokens = {key: each for key, each in world.tokens.items() if each.expires > now}
    where = workspace.id if workspace else None
    value = f"eyJ{secrets.token_urlsafe(48)}"
    token = Token(value, principal.id, "oauth", where, now, now + ACCESS_LIFETIME)
    world.tokens[value] = token
    return token


def issue_personal(
    world: World, principal: Principal, workspace: Workspace, now: datetime, lifetime: timedelta
) -> Token:
    """Return a new personal access token of one workspace."""
    value = f"dapi{secrets.token_hex(16)}"
    token = Token(value, principal.id, "pat", workspace.id, now, now + lifetime)
    token.id = secrets.token_hex(32)
    world.tokens[value] = token
    return token


def recognised(
    world: World, authorization: str, workspace: Workspace | None, now: datetime
) -> Principal:
    """Return who calls; refuse what is no token of this host, expired, or of somebody gone."""
    scheme, _, value = authorization.partition(" ")
    token = world.tokens.get(value)
    if scheme.lower() != "bearer" or (workspace is None and token and token.kind == "pat"):
        raise _unauthenticated()
    principal = world.principals.get(token.principal_id) if token else None
    if token is None or token.expires <= now or principal is None or not principal.active:
        raise api_error(403, "403", "Invalid access token.")
    if token.workspace_id not in (None, workspace.id if workspace else None):
        raise api_error(403, "403", "Invalid access token.")
    if workspace and world.level_in(workspace, principal) is None:
        raise api_error(403, "403", f"Unauthorized access to Org: {workspace.id}")
    return principal


def _unauthenticated() -> Exception:
    return api_error(
        401, "401", "Credential was not sent or was of an unsupported type for this API."
    )


def _lifetime(call: Call) -> timedelta:
    seconds = call.body.get("lifetime_seconds", int(PERSONAL_LIFETIME.total_seconds()))
    if not isinstance(seconds, int) or not 0 < seconds <= PERSONAL_LIFETIME.total_seconds():
        raise invalid(f"Invalid lifetime_seconds: {seconds}")
    return timedelta(seconds=seconds)


def _made(call: Call, principal: Principal) -> Token:
    token = issue_personal(call.world, principal, call.workspace, call.now, _lifetime(call))
    token.comment, token.created_by = call.optional_text("comment"), call.caller.id
    return token


def public(token: Token) -> Json:
    """Return what may be read of a token later."""
    return {
        "token_id": token.id,
        "comment": token.comment,
        "creation_time": millis(token.created),
        "expiry_time": millis(token.expires),
    }


def _managed(call: Call, token: Token) -> Json:
    creator = call.world.by_id(token.created_by)
    return public(token) | {
        "owner_id": token.principal_id,
        "created_by_id": token.created_by,
        "created_by_username": creator.name if creator else "",
        "workspace_id": call.workspace.id,
    }


def _here(call: Call, owner: Literal["caller", "anyone"]) -> list[Token]:
    return [
        token
        for token in call.world.tokens.values()
        if (token.kind, token.workspace_id) == ("pat", call.workspace.id)
        and (owner == "anyone" or token.principal_id == call.caller.id)
    ]


def create_own(call: Call) -> Json:
    """Create a token of the caller; this answer is the only one that holds its value."""
    token = _made(call, call.caller)
    return {"token_value": token.value, "token_info": public(token)}


def list_own(call: Call) -> Json:
    """List the caller's tokens."""
    return {"token_infos": [public(each) for each in _here(call, "caller")]}


def create_on_behalf(call: Call) -> Json:
    """Create a token of a service principal that is in this workspace."""
    principal = call.world.named(call.text("application_id"))
    if not isinstance(principal, ServicePrincipal):
        raise missing(f"Service principal {call.text('application_id')} does not exist.")
    if call.world.level_in(call.workspace, principal) is None:
        raise denied(f"Service principal {principal.name} is not in workspace {call.workspace.id}.")
    token = _made(call, principal)
    return {"token_value": token.value, "token_info": _managed(call, token)}


def list_all(call: Call) -> Json:
    """List all tokens of the workspace."""
    return {"token_infos": [_managed(call, each) for each in _here(call, "anyone")]}


def _delete(call: Call, token_id: str, owner: Literal["caller", "anyone"]) -> Json:
    for token in _here(call, owner):
        if token.id == token_id:
            del call.world.tokens[token.value]
            return {}
    raise missing(f"Token with id {token_id} does not exist.")


def delete_own(call: Call) -> Json:
    """Revoke one of the caller's tokens."""
    return _delete(call, call.text("token_id"), "caller")


def delete_any(call: Call) -> Json:
    """Revoke any token of the workspace."""
    return _delete(call, call.path["token_id"], "anyone")


MANAGED = "/api/2.0/token-management"
ROUTES = (
    Route("POST", "/api/2.0/token/create", create_own, "anyone", "workspace"),
    Route("GET", "/api/2.0/token/list", list_own, "anyone", "workspace"),
    Route("POST", "/api/2.0/token/delete", delete_own, "anyone", "workspace"),
    Route(
        "POST", f"{MANAGED}/on-behalf-of/tokens", create_on_behalf, "workspace admin", "workspace"
    ),
    Route("GET", f"{MANAGED}/tokens", list_all, "workspace admin", "workspace"),
    Route("DELETE", f"{MANAGED}/tokens/{{token_id}}", delete_any, "workspace admin", "workspace"),
)
