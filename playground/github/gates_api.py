"""Deciding on waiting deployments, and the App's own protection rule of an environment."""

from datetime import timedelta
from typing import cast

from playground.github import payloads_deployments, payloads_runs
from playground.github.auth import check
from playground.github.calls import Answer, Call, Operation, Refusal, not_found
from playground.github.environments import environment
from playground.github.gates import LONGEST_NOTE, Gate, Verdict, may_approve
from playground.github.payloads import INSTALLED_EVENTS, stamp
from playground.github.runs import Review
from playground.github.runs_api import run_of
from playground.github.world import APP_ID, Environment, Json


async def pending(call: Call) -> Answer:
    """List the environments before which the run waits, and whether the caller may decide."""
    gates = call.hub.book.gates.waiting(run_of(call))
    by_environment = {gate.environment.id: gate for gate in gates}
    return Answer(200, [_pending(call, gate) for gate in by_environment.values()])


def _pending(call: Call, gate: Gate) -> Json:
    env, world = gate.environment, call.world
    login = call.actor.login
    can = bool(login) and gate.reviewed is None and may_approve(world, login, gate.run, env)
    names = ("id", "node_id", "name", "url", "html_url")
    short = payloads_deployments.environment_short(world, call.repo, env)
    return {
        "environment": {name: short[name] for name in names},
        "wait_timer": int(gate.wait / timedelta(minutes=1)),
        "wait_timer_started_at": stamp(gate.opened_at) if gate.wait else None,
        "current_user_can_approve": can,
        "reviewers": payloads_deployments.reviewers(world, env),
    }


async def decide(call: Call) -> Answer:
    """Approve or reject as a reviewer: with a person's token only."""
    check(call.world, call.actor, "deployments:write", call.repo)
    run = run_of(call)
    review = _review(call, "")
    chosen = cast("list[int]", call.body["environment_ids"])
    decided = call.hub.book.review(run, chosen, review)
    shown = [payloads_deployments.deployment(call.world, call.repo, one) for one in decided]
    return Answer(200, shown)


def _review(call: Call, name: str, *, by_rule: bool = False) -> Review:
    state: Verdict = "approved" if call.text("state") == "approved" else "rejected"
    login = payloads_runs.BOT if by_rule else call.actor.login
    now = call.world.now()
    return Review(name, state, call.text("comment"), login, now, by_rule)


async def approvals(call: Call) -> Answer:
    """List what was decided, and by whom, in all attempts."""
    shown = []
    for review in run_of(call).reviews:
        env = call.repo.environment(review.environment)
        known = [_dated(call, env)] if env else []
        user = payloads_runs.who(call.world, review.login)
        body = {"state": review.state, "comment": review.comment, "user": user}
        shown.append(body | {"environments": known})
    return Answer(200, shown)


def _dated(call: Call, env: Environment) -> Json:
    short = payloads_deployments.environment_short(call.world, call.repo, env)
    return short | {"created_at": stamp(env.created_at), "updated_at": stamp(env.updated_at)}


async def decide_by_rule(call: Call) -> Answer:
    """Approve or reject as the App that is the rule, or report how its checks stand."""
    if call.actor.kind != "installation":
        raise Refusal(403, "Resource not accessible by personal access token")
    run, name = run_of(call), call.text("environment_name")
    if len(call.text("comment")) > LONGEST_NOTE:
        raise Refusal(422, f"Comment is too long (maximum is {LONGEST_NOTE} characters)")
    if "state" in call.body:
        call.hub.book.rule(run, _review(call, name, by_rule=True))
    else:
        call.hub.book.gates.add_note(run, name, call.text("comment"))
    return Answer(204)


# The rule itself


async def rules(call: Call) -> Answer:
    """List the custom protection rules that are enabled."""
    env = environment(call)
    shown = [payloads_deployments.protection_rule(env)] if env.custom_rule else []
    return call.page(shown, "custom_deployment_protection_rules")


async def enable(call: Call) -> Answer:
    """Enable the App's protection rule on an environment."""
    env = environment(call)
    if call.body.get("integration_id") != APP_ID or not _has_a_rule():
        raise Refusal(422, "Integration does not provide a custom deployment protection rule")
    if env.custom_rule:
        raise Refusal(422, "Deployment protection rule is already enabled")
    if call.org.plan != "enterprise" and call.repo.visibility != "public":
        raise Refusal(
            422,
            "Failed to create the environment protection rule. Please ensure the billing plan "
            "supports the custom deployment protection rule.",
        )
    env.custom_rule = call.world.next_id()
    return Answer(201, payloads_deployments.protection_rule(env))


def _has_a_rule() -> bool:
    """Say whether the App subscribes to the event that makes it a rule."""
    return "deployment_protection_rule" in INSTALLED_EVENTS


def _enabled(call: Call) -> Environment:
    env = environment(call)
    if env.custom_rule != int(call.params["protection_rule_id"]):
        raise not_found()
    return env


async def rule(call: Call) -> Answer:
    """Return one rule that is enabled."""
    return Answer(200, payloads_deployments.protection_rule(_enabled(call)))


async def disable(call: Call) -> Answer:
    """Disable a rule; who waits for it already goes on waiting."""
    _enabled(call).custom_rule = None
    return Answer(204)


async def offered(call: Call) -> Answer:
    """List the Apps whose rules could be enabled."""
    env = environment(call)
    is_offered = _has_a_rule() and not env.custom_rule
    apps = [payloads_deployments.rule_app()] if is_offered else []
    return call.page(apps, "available_custom_deployment_protection_rule_integrations")


_RUN = "/repos/{owner}/{repo}/actions/runs/{run_id}"
_RULES = "/repos/{owner}/{repo}/environments/{environment_name}/deployment_protection_rules"
OPERATIONS = (
    Operation("GET", f"{_RUN}/pending_deployments", pending, "actions:read"),
    Operation("POST", f"{_RUN}/pending_deployments", decide, "user"),
    Operation("GET", f"{_RUN}/approvals", approvals, "actions:read"),
    Operation("POST", f"{_RUN}/deployment_protection_rule", decide_by_rule, "deployments:write"),
    Operation("GET", _RULES, rules, "actions:read"),
    Operation("POST", _RULES, enable, "administration:write"),
    Operation("GET", f"{_RULES}/apps", offered, "actions:read"),
    Operation("GET", f"{_RULES}/{{protection_rule_id}}", rule, "actions:read"),
    Operation("DELETE", f"{_RULES}/{{protection_rule_id}}", disable, "administration:write"),
)
