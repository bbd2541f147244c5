"""Actions settings: what may run, who may reuse workflows, how OIDC subjects are built."""

import re
from typing import cast

from playground.github.calls import Answer, Call, Operation, Refusal
from playground.github.oidc import subject_prefix
from playground.github.world import SubjectClaim

_CLAIM = re.compile(r"[A-Za-z0-9_]+")


async def organisation_permissions(call: Call) -> Answer:
    """Return which repositories may run which actions."""
    return Answer(
        200,
        {
            "enabled_repositories": call.org.actions_repositories,
            "allowed_actions": call.org.allowed_actions,
            "sha_pinning_required": call.org.sha_pinning_required,
        },
    )


async def set_organisation_permissions(call: Call) -> Answer:
    """Set which repositories may run which actions."""
    org = call.org
    org.actions_repositories = call.text("enabled_repositories")
    org.allowed_actions = call.text("allowed_actions", org.allowed_actions)
    org.sha_pinning_required = call.flag("sha_pinning_required", org.sha_pinning_required)
    return Answer(204)


async def permissions(call: Call) -> Answer:
    """Return whether the repository runs actions, and which."""
    if not call.repo.actions_enabled:
        return Answer(200, {"enabled": False})
    return Answer(
        200,
        {
            "enabled": True,
            "allowed_actions": call.repo.allowed_actions,
            "sha_pinning_required": call.org.sha_pinning_required,
        },
    )


async def set_permissions(call: Call) -> Answer:
    """Set whether the repository runs actions, and which."""
    if call.flag("enabled") and call.org.actions_repositories == "none":
        raise Refusal(409, "Actions is disabled for this organization")
    call.repo.actions_enabled = call.flag("enabled")
    call.repo.allowed_actions = call.text("allowed_actions", call.repo.allowed_actions)
    return Answer(204)


async def access(call: Call) -> Answer:
    """Return who outside the repository may use its workflows."""
    return Answer(200, {"access_level": call.repo.actions_access})


async def set_access(call: Call) -> Answer:
    """Set who outside the repository may use its workflows."""
    call.repo.actions_access = call.text("access_level")
    return Answer(204)


async def subject(call: Call) -> Answer:
    """Return how OIDC subjects of this repository are built."""
    claim = call.repo.subject
    body: dict[str, object] = {
        "use_default": claim.use_default,
        "use_immutable_subject": claim.immutable,
        "sub_claim_prefix": subject_prefix(call.org, call.repo),
    }
    if not claim.use_default:
        body["include_claim_keys"] = claim.include_claim_keys
    return Answer(200, body)


async def set_subject(call: Call) -> Answer:
    """Choose the default subject or the claims it consists of."""
    keys = cast("list[str]", call.body.get("include_claim_keys", []))
    use_default = call.flag("use_default")
    if not use_default and not keys:
        raise Refusal(422, "include_claim_keys is required when use_default is false")
    if len(set(keys)) != len(keys) or not all(_CLAIM.fullmatch(key) for key in keys):
        raise Refusal(422, "include_claim_keys must be unique alphanumeric strings")
    immutable = call.flag("use_immutable_subject", call.repo.subject.immutable)
    call.repo.subject = SubjectClaim(use_default, [] if use_default else keys, immutable)
    return Answer(201, {})


_REPO = "/repos/{owner}/{repo}/actions"
_ORG = "/orgs/{org}/actions/permissions"
_SUBJECT = f"{_REPO}/oidc/customization/sub"
OPERATIONS = (
    Operation("GET", _ORG, organisation_permissions, "organization_administration:read"),
    Operation("PUT", _ORG, set_organisation_permissions, "organization_administration:write"),
    Operation("GET", f"{_REPO}/permissions", permissions, "administration:read"),
    Operation("PUT", f"{_REPO}/permissions", set_permissions, "administration:write"),
    Operation("GET", f"{_REPO}/permissions/access", access, "administration:read"),
    Operation("PUT", f"{_REPO}/permissions/access", set_access, "administration:write"),
    Operation("GET", _SUBJECT, subject, "actions:read"),
    Operation("PUT", _SUBJECT, set_subject, "actions:write"),
)
