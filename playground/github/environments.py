"""Environments: reviewers, timers and which branches or tags may deploy."""

from typing import cast

from playground.github import payloads, payloads_repo
from playground.github.calls import Answer, Call, Operation, Refusal, not_found
from playground.github.world import BranchPolicy, Environment, Json

MOST_REVIEWERS = 6
LONGEST_WAIT = 43_200
"""Minutes: 30 days."""


def environment(call: Call) -> Environment:
    """Return the environment of the path or answer 404."""
    found = call.repo.environment(call.params["environment_name"])
    if found is None:
        raise not_found()
    return found


def _url(call: Call, env: Environment) -> str:
    repo = payloads_repo.api_url(call.root, call.world, call.repo)
    return f"{repo}/environments/{env.name}"


def _body(call: Call, env: Environment) -> Json:
    page = payloads_repo.html_url(call.root, call.world, call.repo)
    return {
        "id": env.id,
        "node_id": payloads.node_id("Environment", env.id),
        "name": env.name,
        "url": _url(call, env),
        "html_url": f"{page}/deployments/activity_log?environments_filter={env.name}",
        "created_at": payloads.stamp(env.created_at),
        "updated_at": payloads.stamp(env.updated_at),
        "can_admins_bypass": env.can_admins_bypass,
        "protection_rules": _rules(call, env),
        "deployment_branch_policy": env.branch_policy,
    }


def _rules(call: Call, env: Environment) -> list[Json]:
    shown: list[tuple[str, Json]] = []
    if env.wait_timer:
        shown.append(("wait_timer", {"wait_timer": env.wait_timer}))
    if env.reviewers:
        people = [_reviewer(call, kind, number) for kind, number in env.reviewers]
        rule: Json = {"prevent_self_review": env.prevent_self_review, "reviewers": people}
        shown.append(("required_reviewers", rule))
    if env.branch_policy:
        shown.append(("branch_policy", {}))
    return [
        {
            "id": env.id * 10 + position,
            "node_id": payloads.node_id("Gate", env.id * 10 + position),
            "type": kind,
        }
        | rule
        for position, (kind, rule) in enumerate(shown)
    ]


def _reviewer(call: Call, kind: str, number: int) -> Json:
    team, user = call.world.team_by_id(number), call.world.user_by_id(number)
    if kind == "Team" and team:
        return {"type": "Team", "reviewer": payloads.team_short(call.root, team, call.org)}
    if user is None:
        raise not_found()
    return {"type": "User", "reviewer": payloads.simple_user(call.root, user)}


async def every(call: Call) -> Answer:
    """List the environments."""
    shown = [_body(call, env) for env in call.repo.environments.values()]
    return call.page(shown, "environments")


async def read(call: Call) -> Answer:
    """Return one environment."""
    return Answer(200, _body(call, environment(call)))


async def put(call: Call) -> Answer:
    """Create an environment or replace all of its settings: what isn't sent is reset."""
    wanted = cast("list[Json]", call.body.get("reviewers") or [])
    wait = cast("int", call.body.get("wait_timer") or 0)
    policy = cast("dict[str, bool] | None", call.body.get("deployment_branch_policy"))
    _refuse(call, wanted, wait, policy)
    now = call.world.now()
    name = call.params["environment_name"]
    env = call.repo.environment(name) or Environment(call.world.next_id(), name, now, now)
    env.wait_timer, env.branch_policy, env.updated_at = wait, policy, now
    env.prevent_self_review = call.flag("prevent_self_review")
    env.can_admins_bypass = call.flag("can_admins_bypass", True)
    env.reviewers = _with_access(call, wanted)
    if not _custom(env):
        env.patterns.clear()
    call.repo.environments[env.name] = env
    return Answer(200, _body(call, env))


def _refuse(call: Call, wanted: list[Json], wait: int, policy: dict[str, bool] | None) -> None:
    if not all({"type", "id"} <= item.keys() for item in wanted):
        raise Refusal(422, "Invalid request.\n\nA reviewer needs a type and an id.")
    if len(wanted) > MOST_REVIEWERS:
        raise Refusal(
            422,
            "Invalid request.\n\nNo more than 6 items are allowed; "
            f"{len(wanted)} were supplied for reviewers.",
        )
    if not 0 <= wait <= LONGEST_WAIT:
        raise Refusal(422, f"Invalid request.\n\n{wait} must be between 0 and {LONGEST_WAIT}.")
    if policy and policy["protected_branches"] == policy["custom_branch_policies"]:
        raise Refusal(
            422, "protected_branches and custom_branch_policies cannot have the same value"
        )
    if call.flag("prevent_self_review") and not wanted:
        raise Refusal(422, "prevent_self_review requires at least one reviewer")
    if wanted or wait:
        _refuse_plan(call, "required reviewers" if wanted else "wait timer")


def _refuse_plan(call: Call, rule: str) -> None:
    if call.org.plan != "enterprise" and call.repo.visibility != "public":
        raise Refusal(
            422,
            "Failed to create the environment protection rule. Please ensure the billing plan "
            f"supports the {rule} protection rule.",
        )


def _with_access(call: Call, wanted: list[Json]) -> list[tuple[str, int]]:
    """Keep the reviewers who can read the repository; GitHub drops the others without a word."""
    kept = []
    for item in wanted:
        kind, number = cast("str", item["type"]), cast("int", item["id"])
        team, user = call.world.team_by_id(number), call.world.user_by_id(number)
        if kind == "Team" and team and call.repo.id in team.repositories:
            kept.append((kind, number))
        if kind == "User" and user and call.world.role_of(user.login, call.repo):
            kept.append((kind, number))
    return list(dict.fromkeys(kept))


async def delete(call: Call) -> Answer:
    """Delete an environment with its variables and secrets."""
    del call.repo.environments[environment(call).name]
    return Answer(204)


# Branch and tag patterns


def _custom(env: Environment) -> bool:
    return bool(env.branch_policy and env.branch_policy["custom_branch_policies"])


def _pattern(policy: BranchPolicy) -> Json:
    node = payloads.node_id("GateBranchPolicy", policy.id)
    return {"id": policy.id, "node_id": node, "name": policy.name, "type": policy.type}


def _policy(call: Call) -> BranchPolicy:
    found = environment(call).patterns.get(int(call.params["branch_policy_id"]))
    if found is None:
        raise not_found()
    return found


async def patterns(call: Call) -> Answer:
    """List the patterns."""
    shown = [_pattern(policy) for policy in environment(call).patterns.values()]
    return call.page(shown, "branch_policies")


async def add_pattern(call: Call) -> Answer:
    """Add a pattern; there must be an environment that takes custom ones."""
    env = environment(call)
    if not _custom(env):
        raise not_found()
    kind = "tag" if call.text("type", "branch") == "tag" else "branch"
    name = call.text("name")
    if any(policy.name == name and policy.type == kind for policy in env.patterns.values()):
        return Answer(303)
    policy = BranchPolicy(call.world.next_id(), name, kind)  # type: ignore[arg-type]  # two literals
    env.patterns[policy.id] = policy
    return Answer(200, _pattern(policy))


async def read_pattern(call: Call) -> Answer:
    """Return one pattern."""
    return Answer(200, _pattern(_policy(call)))


async def change_pattern(call: Call) -> Answer:
    """Change a pattern's name."""
    policy = _policy(call)
    policy.name = call.text("name")
    return Answer(200, _pattern(policy))


async def delete_pattern(call: Call) -> Answer:
    """Delete a pattern."""
    del environment(call).patterns[_policy(call).id]
    return Answer(204)


_ALL = "/repos/{owner}/{repo}/environments"
_ONE = f"{_ALL}/{{environment_name}}"
_PATTERNS = f"{_ONE}/deployment-branch-policies"
_PATTERN = f"{_PATTERNS}/{{branch_policy_id}}"
OPERATIONS = (
    Operation("GET", _ALL, every, "actions:read"),
    Operation("GET", _ONE, read, "actions:read"),
    Operation("PUT", _ONE, put, "administration:write"),
    Operation("DELETE", _ONE, delete, "administration:write"),
    Operation("GET", _PATTERNS, patterns, "actions:read"),
    Operation("POST", _PATTERNS, add_pattern, "administration:write"),
    Operation("GET", _PATTERN, read_pattern, "actions:read"),
    Operation("PUT", _PATTERN, change_pattern, "administration:write"),
    Operation("DELETE", _PATTERN, delete_pattern, "administration:write"),
)
