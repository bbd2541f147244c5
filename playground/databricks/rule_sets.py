"""Who may use and manage the account's own resources: access-control rule sets."""

import re
from base64 import b64encode

from playground.databricks.call import Call, Json, Route, objects, strings
from playground.databricks.errors import RefusalError, denied, invalid, missing
from playground.databricks.state import (
    Group,
    Principal,
    RuleSet,
    ServicePrincipal,
    User,
    World,
    rule_set_name,
)

MANAGER, USER = "roles/servicePrincipal.manager", "roles/servicePrincipal.user"
ROLES = {
    "servicePrincipals": (MANAGER, USER),
    "groups": ("roles/group.manager",),
    "budgetPolicies": ("roles/budgetPolicy.manager", "roles/budgetPolicy.user"),
    "": ("roles/servicePrincipal.creator", "roles/group.creator", "roles/marketplace.admin"),
}
PREFIXES = {"users": User, "groups": Group, "servicePrincipals": ServicePrincipal}
ACCOUNT = "/api/2.0/preview/accounts/{account_id}/access-control"
WORKSPACE = "/api/2.0/preview/accounts/access-control"


def holds(world: World, who: Principal, over: ServicePrincipal, role: str) -> bool:
    """Tell whether `who` holds a role over a service principal, directly or through a group."""
    rules = world.rule_sets.get(rule_set_name(world.account_id, over))
    ids = world.identities(who)
    return rules is not None and any(
        principal.id in ids
        for each in rules.rules.get(role, ())
        if (principal := _principal(world, each))
    )


def _principal(world: World, reference: str) -> Principal | None:
    prefix, _, name = reference.partition("/")
    found = world.named(name)
    return found if isinstance(found, PREFIXES.get(prefix, ())) else None


def kind_of(call: Call, name: str) -> str:
    """Return the kind of resource that a rule set's name is about, or refuse the name."""
    account = re.escape(call.world.account_id)
    match = re.fullmatch(rf"accounts/{account}/(?:(\w+)/([^/]+)/)?ruleSets/default", name)
    if match is None or (match.group(1) or "") not in ROLES:
        raise invalid(f"Invalid rule set name: {name}")
    kind, resource = match.group(1) or "", match.group(2) or ""
    if kind and not _exists(call.world, kind, resource):
        raise missing(f"Resource {kind}/{resource} does not exist.")
    return kind


def _exists(world: World, kind: str, resource: str) -> bool:
    if kind == "servicePrincipals":
        return isinstance(world.named(resource), ServicePrincipal)
    if kind == "groups":
        found = world.principals.get(int(resource)) if resource.isdecimal() else None
        return isinstance(found, Group)
    return resource in world.budget_policies


def etag(rule_set: RuleSet) -> str:
    """Return the version of a rule set as the API writes it."""
    return b64encode(f"{rule_set.name}#{rule_set.version}".encode()).decode()


def written(rule_set: RuleSet) -> Json:
    """Return a rule set as the API writes it."""
    rules = [{"role": role, "principals": who} for role, who in rule_set.rules.items()]
    return {"name": rule_set.name, "etag": etag(rule_set)} | (
        {"grant_rules": rules} if rules else {}
    )


def _allowed(call: Call, name: str) -> RuleSet:
    kind = kind_of(call, name)
    over = call.world.named(name.split("/")[3]) if kind == "servicePrincipals" else None
    manages = isinstance(over, ServicePrincipal) and holds(call.world, call.caller, over, MANAGER)
    if not (call.is_account_admin or manages):
        raise denied(f"User is not authorized to access rule set {name}.")
    return call.world.rule_sets.get(name) or RuleSet(name)


def get(call: Call) -> Json:
    """Return a rule set; one that nobody wrote yet is empty, not missing."""
    return written(_allowed(call, call.asked("name")))


def put(call: Call) -> Json:
    """Replace all rules, if the caller has seen the present version."""
    name, proposal = call.text("name"), call.body.get("rule_set")
    rule_set = _allowed(call, name)
    if not isinstance(proposal, dict) or proposal.get("name") != name:
        raise invalid("rule_set.name must equal name")
    if not proposal.get("etag"):
        raise invalid("Missing required field: rule_set.etag")
    if proposal["etag"] != etag(rule_set):
        raise _conflict(rule_set)
    rules = _rules(call, kind_of(call, name), objects(proposal, "grant_rules"))
    call.world.rule_sets[name] = RuleSet(name, rule_set.version + 1, rules)
    return written(call.world.rule_sets[name])


def _conflict(rule_set: RuleSet) -> RefusalError:
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "RESOURCE_CONFLICT",
        "domain": "",
        "metadata": {"etag": etag(rule_set)},
    }
    message = f"The etag does not match the latest version of {rule_set.name}."
    body = {"error_code": "RESOURCE_CONFLICT", "message": message, "details": [info]}
    return RefusalError(409, body)


def _rules(call: Call, kind: str, proposed: list[Json]) -> dict[str, list[str]]:
    rules: dict[str, list[str]] = {}
    for rule in proposed:
        role = rule.get("role", "")
        if role not in ROLES[kind]:
            raise invalid(f"Role {role} is not assignable on this resource.")
        for reference in strings(rule, "principals"):
            _refuse_unknown(call.world, reference)
        rules.setdefault(role, []).extend(strings(rule, "principals"))
    return {role: sorted(set(who)) for role, who in rules.items()}


def _refuse_unknown(world: World, reference: str) -> None:
    prefix, _, name = reference.partition("/")
    if prefix not in PREFIXES or not name:
        raise invalid(f"Unsupported principal: {reference}")
    if _principal(world, reference) is None:
        raise missing(f"Principal {reference} does not exist.")


def assignable(call: Call) -> Json:
    """List the roles that can be given over a resource."""
    resource = call.asked("resource")
    kind = kind_of(call, f"{resource}/ruleSets/default")
    return {"roles": [{"name": role} for role in ROLES[kind]]}


ROUTES = (
    Route("GET", f"{ACCOUNT}/rule-sets", get, "anyone", "account"),
    Route("PUT", f"{ACCOUNT}/rule-sets", put, "anyone", "account"),
    Route("GET", f"{ACCOUNT}/assignable-roles", assignable, "anyone", "account"),
    Route("GET", f"{WORKSPACE}/rule-sets", get, "anyone", "workspace"),
    Route("PUT", f"{WORKSPACE}/rule-sets", put, "anyone", "workspace"),
    Route("GET", f"{WORKSPACE}/assignable-roles", assignable, "anyone", "workspace"),
)
