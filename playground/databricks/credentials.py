"""How a service principal proves itself: client secrets and federation policies."""

import re
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from playground.databricks.assignments import principal_by_id
from playground.databricks.call import Call, Json, Route, stamp
from playground.databricks.errors import api_error, denied, invalid, missing
from playground.databricks.rule_sets import MANAGER, holds
from playground.databricks.state import FederationPolicy, OAuthSecret, ServicePrincipal

SECRETS_EACH = 5
LONGEST = timedelta(days=730)
POLICY_ID = re.compile(r"[0-9a-z-]{1,63}")
ISSUER_HOSTS_WITHOUT_TLS = ("127.0.0.1", "localhost")
POLICY_FIELDS = ("issuer", "subject", "audiences", "subject_claim", "jwks_uri", "jwks_json")
IN_ACCOUNT = "/api/2.0/accounts/{account_id}/servicePrincipals/{service_principal_id}"
IN_WORKSPACE = "/api/2.0/accounts/servicePrincipals/{service_principal_id}"


def service_principal(call: Call) -> ServicePrincipal:
    """Return the service principal of the path; callers must be allowed to manage it."""
    found = principal_by_id(call, call.path["service_principal_id"])
    if not isinstance(found, ServicePrincipal):
        raise missing(f"Service principal {found.id} does not exist.")
    if not (call.is_account_admin or holds(call.world, call.caller, found, MANAGER)):
        raise denied(f"User does not have permission to manage service principal {found.id}.")
    return found


def secret_info(secret: OAuthSecret, now: datetime) -> Json:
    """Return what may be read of a secret later: everything but its value."""
    return {
        "id": secret.id,
        "secret_hash": sha256(secret.value.encode()).hexdigest(),
        "status": "ACTIVE" if secret.expires > now else "EXPIRED",
        "create_time": stamp(secret.created),
        "update_time": stamp(secret.created),
        "expire_time": stamp(secret.expires),
    }


def create_secret(call: Call) -> Json:
    """Make a secret; this answer is the only one that holds its value."""
    principal = service_principal(call)
    lifetime = _lifetime(call.body.get("lifetime"))
    if len(principal.secrets) >= SECRETS_EACH:
        raise invalid(f"Service principal {principal.id} already has {SECRETS_EACH} secrets.")
    value = f"dose{secrets.token_hex(16)}"
    secret = OAuthSecret(str(uuid4()), value, call.now, call.now + lifetime)
    principal.secrets[secret.id] = secret
    return secret_info(secret, call.now) | {"secret": value}


def _lifetime(raw: Any) -> timedelta:
    if raw is None:
        return LONGEST
    match = re.fullmatch(r"(\d{1,10})(\.\d+)?s", str(raw))
    lifetime = timedelta(seconds=int(match.group(1))) if match else timedelta()
    if not timedelta() < lifetime <= LONGEST:
        raise invalid(f"Invalid lifetime {raw}: expected 1s to {int(LONGEST.total_seconds())}s.")
    return lifetime


def list_secrets(call: Call) -> Json:
    """List secrets without their values."""
    infos = [secret_info(each, call.now) for each in service_principal(call).secrets.values()]
    return call.paged("secrets", infos, "page_size", 100)


def delete_secret(call: Call) -> Json:
    """Delete a secret; logins with it fail from now on."""
    if service_principal(call).secrets.pop(call.path["secret_id"], None) is None:
        raise missing(f"Secret {call.path['secret_id']} does not exist.")
    return {}


def written(call: Call, principal: ServicePrincipal, policy: FederationPolicy) -> Json:
    """Return a federation policy as the API writes it."""
    account = f"accounts/{call.world.account_id}"
    oidc = {name: getattr(policy, name) for name in POLICY_FIELDS}
    return {
        "name": f"{account}/servicePrincipals/{principal.id}/federationPolicies/{policy.policy_id}",
        "policy_id": policy.policy_id,
        "uid": policy.uid,
        "service_principal_id": principal.id,
        "description": policy.description,
        "oidc_policy": {name: value for name, value in oidc.items() if value},
        "create_time": stamp(policy.created),
        "update_time": stamp(policy.updated),
    }


def create_policy(call: Call) -> Json:
    """Let tokens of an outside issuer with one exact subject log in as this principal."""
    principal = service_principal(call)
    policy_id = call.query.get("policy_id") or str(uuid4())
    if not POLICY_ID.fullmatch(policy_id):
        raise invalid(
            f"Invalid federation policy id: '{policy_id}'. Must contain only 0-9, a-z, and hyphen."
        )
    if policy_id in principal.policies:
        raise api_error(409, "ALREADY_EXISTS", f"Federation policy {policy_id} already exists.")
    blank = FederationPolicy(policy_id, str(uuid4()), "", "", [], call.now, call.now)
    policy = _filled(call, blank, call.body)
    principal.policies[policy_id] = policy
    return written(call, principal, policy)


def _filled(call: Call, policy: FederationPolicy, body: Json) -> FederationPolicy:
    oidc = body.get("oidc_policy", {})
    if not isinstance(oidc, dict):
        raise invalid("oidc_policy must be an object")
    for name in POLICY_FIELDS:
        if name in oidc:
            setattr(policy, name, oidc[name])
    policy.description = str(body.get("description", policy.description))
    policy.audiences = policy.audiences or [call.world.account_id]
    _refuse_bad_policy(policy)
    return policy


def _refuse_bad_policy(policy: FederationPolicy) -> None:
    for name in ("issuer", "subject"):
        value: object = getattr(policy, name)
        if not isinstance(value, str) or not value:
            raise invalid(f"oidc_policy.{name} must be specified for service principal policies.")
    url = urlsplit(policy.issuer)
    if url.scheme != "https" and url.hostname not in ISSUER_HOSTS_WITHOUT_TLS:
        raise invalid(f"Invalid issuer '{policy.issuer}': it must be an https URL.")
    audiences: list[object] = [*policy.audiences]
    if "" in audiences or not all(isinstance(each, str) for each in audiences):
        raise invalid("Audiences must be non-empty strings.")
    if policy.jwks_uri and policy.jwks_json:
        raise invalid("Only one of jwks_uri and jwks_json can be specified.")


def find_policy(call: Call, principal: ServicePrincipal) -> FederationPolicy:
    """Return the policy of the path, or refuse."""
    policy = principal.policies.get(call.path["policy_id"])
    if policy is None:
        raise missing(f"Federation policy {call.path['policy_id']} does not exist.")
    return policy


def get_policy(call: Call) -> Json:
    """Return one federation policy."""
    principal = service_principal(call)
    return written(call, principal, find_policy(call, principal))


def list_policies(call: Call) -> Json:
    """List a principal's federation policies."""
    principal = service_principal(call)
    items = [written(call, principal, each) for each in principal.policies.values()]
    return call.paged("policies", items, "page_size", 100)


def update_policy(call: Call) -> Json:
    """Overwrite what the body sets; `update_mask` `*` replaces the whole policy."""
    principal = service_principal(call)
    old = find_policy(call, principal)
    draft = FederationPolicy(old.policy_id, old.uid, "", "", [], old.created, call.now)
    mask = call.query.get("update_mask", "")
    if mask != "*":
        for name in (*POLICY_FIELDS, "description"):
            setattr(draft, name, getattr(old, name))
    principal.policies[old.policy_id] = _filled(call, draft, _masked(call.body, mask))
    return written(call, principal, principal.policies[old.policy_id])


def _masked(body: Json, mask: str) -> Json:
    names = {each.strip() for each in mask.split(",") if each.strip()}
    if not names or mask == "*" or "oidc_policy" in names:
        return body
    known = {"description"} | {f"oidc_policy.{name}" for name in POLICY_FIELDS}
    if unknown := names - known:
        raise invalid(f"Invalid update_mask: {', '.join(sorted(unknown))}")
    oidc = body.get("oidc_policy", {})
    kept: Json = {"oidc_policy": {k: v for k, v in oidc.items() if f"oidc_policy.{k}" in names}}
    return kept | (
        {"description": body["description"]} if "description" in names & set(body) else {}
    )


def delete_policy(call: Call) -> Json:
    """Delete a federation policy; logins through it fail from now on."""
    principal = service_principal(call)
    del principal.policies[find_policy(call, principal).policy_id]
    return {}


_SECRETS = "/credentials/secrets"
_POLICIES = f"{IN_ACCOUNT}/federationPolicies"
ROUTES = (
    Route("POST", IN_ACCOUNT + _SECRETS, create_secret, "anyone", "account"),
    Route("GET", IN_ACCOUNT + _SECRETS, list_secrets, "anyone", "account"),
    Route("DELETE", f"{IN_ACCOUNT}{_SECRETS}/{{secret_id}}", delete_secret, "anyone", "account"),
    Route("POST", IN_WORKSPACE + _SECRETS, create_secret, "anyone", "workspace"),
    Route("GET", IN_WORKSPACE + _SECRETS, list_secrets, "anyone", "workspace"),
    Route(
        "DELETE", f"{IN_WORKSPACE}{_SECRETS}/{{secret_id}}", delete_secret, "anyone", "workspace"
    ),
    Route("POST", _POLICIES, create_policy, "account admin", "account"),
    Route("GET", _POLICIES, list_policies, "account admin", "account"),
    Route("GET", f"{_POLICIES}/{{policy_id}}", get_policy, "account admin", "account"),
    Route("PATCH", f"{_POLICIES}/{{policy_id}}", update_policy, "account admin", "account"),
    Route("DELETE", f"{_POLICIES}/{{policy_id}}", delete_policy, "account admin", "account"),
)
