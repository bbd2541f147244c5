"""Rulesets: create, read, change, delete, and which rules hold for a branch."""

from typing import cast

from playground.github import payloads, payloads_repo, rules
from playground.github.auth import LEVELS, installation_level
from playground.github.calls import Answer, Call, Operation, Refusal, not_found
from playground.github.world import APP_ID, Json, Ruleset

MERGE_METHODS = ["merge", "squash", "rebase"]


def _refuse_invalid(call: Call, current: Ruleset | None) -> None:
    errors = _name_errors(call, current) + _condition_errors(call)
    errors += [e for b in _actors(call) for e in _actor_errors(call, b)]
    for rule in cast("list[Json]", call.body.get("rules", [])):
        if rule["type"] not in rules.ENFORCED:
            errors.append(f"Invalid rule '{rule['type']}': this stand-in does not enforce it")
    if errors:
        kind = {"resource": "RepositoryRuleset", "code": "custom"}
        raise Refusal(422, "Validation Failed", [kind | {"message": e} for e in errors])


def _name_errors(call: Call, current: Ruleset | None) -> list[str]:
    name = call.text("name", current.name if current else "")
    if not name.strip():
        return ["Name can't be blank"]
    others = (r for r in call.repo.rulesets.values() if r is not current)
    return ["Name must be unique"] if any(r.name == name for r in others) else []


def _condition_errors(call: Call) -> list[str]:
    target = call.text("target", "branch")
    if target == "push":
        return ["Invalid target: this stand-in does not enforce push rulesets"]
    prefix = {"branch": "refs/heads/", "tag": "refs/tags/"}[target]
    include, exclude = _conditions(call.body)
    special = ("~ALL", "~DEFAULT_BRANCH") if target == "branch" else ("~ALL",)
    wrong = [p for p in include + exclude if p not in special and not p.startswith(prefix)]
    return [f"Invalid target patterns: '{pattern}'" for pattern in wrong]


def _conditions(body: Json) -> tuple[list[str], list[str]]:
    conditions = cast("dict[str, dict[str, list[str]]]", body.get("conditions") or {})
    names = conditions.get("ref_name", {})
    return names.get("include", []), names.get("exclude", [])


def _actors(call: Call) -> list[Json]:
    return cast("list[Json]", call.body.get("bypass_actors") or [])


def _actor_errors(call: Call, bypass: Json) -> list[str]:
    number = cast("int", bypass.get("actor_id") or 0)
    world = call.world
    known = {
        "Integration": number == APP_ID,
        "Team": world.team_by_id(number) is not None,
        "User": world.user_by_id(number) is not None,
        "RepositoryRole": number in rules.REPOSITORY_ROLES,
        "OrganizationAdmin": True,
        "DeployKey": True,
    }
    if known[cast("str", bypass["actor_type"])]:
        return []
    kind = "integration" if bypass["actor_type"] == "Integration" else bypass["actor_type"]
    return [f"Actor {number} {kind} must be part of the ruleset source or owner organization"]


def _stored_actors(actors: list[Json]) -> list[Json]:
    """GitHub gives organisation admins the id 0, whatever was sent."""
    return [
        {"bypass_mode": "always", "actor_id": None}
        | actor
        | ({"actor_id": 0} if actor["actor_type"] == "OrganizationAdmin" else {})
        for actor in actors
    ]


def _stored_rule(rule: Json) -> Json:
    defaults: dict[str, Json] = {
        "pull_request": {"allowed_merge_methods": MERGE_METHODS},
        "required_status_checks": {"do_not_enforce_on_create": False},
    }
    kind = cast("str", rule["type"])
    if kind not in defaults:
        return dict(rule)
    return rule | {"parameters": defaults[kind] | cast("Json", rule.get("parameters", {}))}


def _fill(call: Call, ruleset: Ruleset) -> None:
    ruleset.name = call.text("name", ruleset.name)
    ruleset.target = call.text("target", ruleset.target)
    ruleset.enforcement = call.text("enforcement", ruleset.enforcement)
    if "bypass_actors" in call.body:
        ruleset.bypass_actors = _stored_actors(_actors(call))
    if "conditions" in call.body:
        ruleset.include, ruleset.exclude = _conditions(call.body)
    if "rules" in call.body:
        ruleset.rules = [_stored_rule(r) for r in cast("list[Json]", call.body["rules"])]
    ruleset.updated_at = call.world.now()


def _sees_bypass(call: Call) -> bool:
    if call.actor.kind == "installation":
        level = installation_level(call.world, call.actor, "administration")
        return level is not None and LEVELS.index(level) > 0
    return call.role() == "admin"


def _body(call: Call, ruleset: Ruleset, *, whole: bool = True) -> Json:
    url = payloads_repo.api_url(call.root, call.world, call.repo)
    page = payloads_repo.html_url(call.root, call.world, call.repo)
    able = rules.bypasses(call.world, call.actor, call.repo, ruleset)
    body: Json = {
        "id": ruleset.id,
        "name": ruleset.name,
        "target": ruleset.target,
        "source_type": "Repository",
        "source": f"{call.org.login}/{call.repo.name}",
        "enforcement": ruleset.enforcement,
        "node_id": payloads.node_id("RepositoryRuleset", ruleset.id),
        "current_user_can_bypass": "always" if able else "never",
        "created_at": payloads.stamp(ruleset.created_at),
        "updated_at": payloads.stamp(ruleset.updated_at),
        "_links": {
            "self": {"href": f"{url}/rulesets/{ruleset.id}"},
            "html": {"href": f"{page}/rules/{ruleset.id}"},
        },
    }
    if not whole:
        return body
    if _sees_bypass(call):
        body["bypass_actors"] = ruleset.bypass_actors
    names = {"include": ruleset.include, "exclude": ruleset.exclude}
    return body | {"conditions": {"ref_name": names}, "rules": ruleset.rules}


def _ruleset(call: Call) -> Ruleset:
    found = call.repo.rulesets.get(int(call.params["ruleset_id"]))
    if found is None:
        raise not_found()
    return found


async def create(call: Call) -> Answer:
    """Create a ruleset."""
    _refuse_invalid(call, None)
    now = call.world.now()
    ruleset = Ruleset(call.world.next_id(), "", "branch", "", [], [], [], [], now, now)
    _fill(call, ruleset)
    call.repo.rulesets[ruleset.id] = ruleset
    return Answer(201, _body(call, ruleset))


async def read(call: Call) -> Answer:
    """Return one ruleset; who may bypass it, only to those who may change it."""
    return Answer(200, _body(call, _ruleset(call)))


async def every(call: Call) -> Answer:
    """List rulesets without their rules."""
    return call.page([_body(call, r, whole=False) for r in call.repo.rulesets.values()])


async def change(call: Call) -> Answer:
    """Change what the body names; the rest stays."""
    ruleset = _ruleset(call)
    call.body.setdefault("target", ruleset.target)
    _refuse_invalid(call, ruleset)
    _fill(call, ruleset)
    return Answer(200, _body(call, ruleset))


async def delete(call: Call) -> Answer:
    """Delete a ruleset."""
    del call.repo.rulesets[_ruleset(call).id]
    return Answer(204)


async def of_branch(call: Call) -> Answer:
    """List the rules that hold for a branch, which needn't exist."""
    source = {
        "ruleset_source_type": "Repository",
        "ruleset_source": f"{call.org.login}/{call.repo.name}",
    }
    return call.page(
        [
            rule | source | {"ruleset_id": ruleset.id}
            for ruleset in rules.matching(call.repo, f"refs/heads/{call.params['branch']}")
            for rule in ruleset.rules
        ]
    )


_ALL = "/repos/{owner}/{repo}/rulesets"
_ONE = f"{_ALL}/{{ruleset_id}}"
OPERATIONS = (
    Operation("GET", _ALL, every, "metadata:read"),
    Operation("POST", _ALL, create, "administration:write"),
    Operation("GET", _ONE, read, "metadata:read"),
    Operation("PUT", _ONE, change, "administration:write", when_archived=True),
    Operation("DELETE", _ONE, delete, "administration:write", when_archived=True),
    Operation("GET", "/repos/{owner}/{repo}/rules/branches/{branch}", of_branch, "metadata:read"),
)
