"""Our App's own rule against the stand-in: enabled once, answered once, told of by a webhook."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from living_facts import Facts
from scripted_runner import Script, Works, working
from waiting import wait_until

from playground.github import hook_payloads
from playground.github.runs import WorkflowRun as TheirRun
from provisioning.adapters.github import App, Connection, GitHubRepositories
from provisioning.adapters.github.actions import GitHubActions
from provisioning.adapters.github.protection_rule import LONGEST_COMMENT, GitHubProtectionRule
from provisioning.adapters.github.webhooks import GitHubWebhooks
from provisioning.delivery import Delivery
from provisioning.deployment_ports import TooLateError, Verdict
from provisioning.errors import PermanentError, UserError

SCRIPTS = [Script("bundle / Deploy Production", "Production")]
YES, NO = (Verdict(approved=said, comment="2 of 2") for said in (True, False))


@pytest.fixture
def works(tmp_path: Path) -> Iterator[Works]:
    with working(tmp_path, list(SCRIPTS)) as works:
        yield works


@pytest.fixture
def app(works: Works) -> App:
    """Return our App at the stand-in."""
    return works.our_app()


@pytest.fixture
def connection(works: Works, app: App) -> Connection:
    return Connection(app, works.standin.clock)


@pytest.fixture
def rule(connection: Connection) -> GitHubProtectionRule:
    return GitHubProtectionRule(connection)


def waiting_run(works: Works, rule: GitHubProtectionRule) -> TheirRun:
    """Return a run that waits for the rule of Production."""
    works.environment("Production")
    rule.enable("ada-7", "Production")
    run = works.dispatch()
    wait_until(lambda: any(job.status == "waiting" for job in run.present_jobs))
    return run


def test_enabling_twice_enables_once(works: Works, rule: GitHubProtectionRule) -> None:
    works.environment("Production")
    rule.enable("ada-7", "Production")
    rule.enable("ada-7", "Production")
    path = "/environments/Production/deployment_protection_rules"
    assert works.call("GET", path).json()["total_count"] == 1


def test_an_environment_that_is_not_there_is_offered_no_rule(rule: GitHubProtectionRule) -> None:
    with pytest.raises(PermanentError, match="subscribe to the event deployment_protection_rule"):
        rule.enable("ada-7", "Nowhere")


def test_a_plan_without_custom_rules_is_told(works: Works, rule: GitHubProtectionRule) -> None:
    works.environment("Production")
    works.github.world.organisation.plan = "team"
    with pytest.raises(PermanentError, match="billing plan"):
        rule.enable("ada-7", "Production")


@pytest.mark.parametrize(("verdict", "ends"), [(YES, "success"), (NO, "failure")])
def test_the_rule_is_answered_as_our_app_and_once(
    works: Works, connection: Connection, rule: GitHubProtectionRule, verdict: Verdict, ends: str
) -> None:
    run = waiting_run(works, rule)
    look = GitHubActions(connection).look("ada-7", run.id)
    assert look is not None
    assert [(one.name, one.reviewers) for one in look.pending] == [("Production", ())]
    rule.answer("ada-7", run.id, "Production", verdict)
    works.wait(run, "completed")
    assert run.conclusion == ends
    with pytest.raises(TooLateError):
        rule.answer("ada-7", run.id, "Production", YES)
    (review,) = run.reviews
    assert (review.login, review.comment) == ("sciclops-bot[bot]", "2 of 2")


def test_a_long_comment_is_cut_to_what_github_takes(
    works: Works, rule: GitHubProtectionRule
) -> None:
    run = waiting_run(works, rule)
    rule.answer("ada-7", run.id, "Production", Verdict(approved=True, comment="x" * 2000))
    works.wait(run, "completed")
    assert len(run.reviews[0].comment) == LONGEST_COMMENT


def test_an_app_that_may_not_write_deployments_is_told_so(
    works: Works, rule: GitHubProtectionRule
) -> None:
    run = waiting_run(works, rule)
    works.github.world.installation_permissions["deployments"] = "read"
    with pytest.raises(PermanentError, match="does not let the App"):
        rule.answer("ada-7", run.id, "Production", YES)
    assert run.status == "waiting"


# Webhooks


def delivery(works: Works, run: TheirRun, **changes: Any) -> bytes:
    """Return the body of the webhook that asks the rule."""
    github = works.github
    (gate,) = github.hub.book.gates.waiting(run)
    body = hook_payloads.of_rule_request(github.world, gate)
    repository = {"name": "ada-7", "owner": {"login": "acme"}}
    return json.dumps({**body, "repository": repository, **changes}).encode()


def test_the_webhook_of_the_rule_tells_which_run_waits_and_nothing_that_prevails(
    works: Works, app: App, connection: Connection, rule: GitHubProtectionRule
) -> None:
    run = waiting_run(works, rule)
    webhooks = GitHubWebhooks(app, works.standin.clock)
    told = webhooks.read("guid-1", "deployment_protection_rule", delivery(works, run))
    assert told is not None
    assert told.sparse
    assert (told.run.id, told.run.sha, told.run.branch) == (run.id, run.sha, "main")
    look = GitHubActions(connection).look("ada-7", run.id)
    assert look is not None
    assert told.run.updated_at < look.run.updated_at


def test_a_webhook_of_the_rule_that_names_no_run_is_no_delivery(
    works: Works, app: App, rule: GitHubProtectionRule
) -> None:
    run = waiting_run(works, rule)
    forged = delivery(works, run, deployment_callback_url="http://elsewhere.example/runs/7")
    with pytest.raises(UserError, match="no delivery"):
        GitHubWebhooks(app, works.standin.clock).read("g", "deployment_protection_rule", forged)


# Verification


@pytest.fixture
def ruled(facts: Facts) -> Facts:
    """Return a made project whose Production is held by the rule alone."""
    environment = facts.environment("Production")
    environment.reviewers, environment.prevent_self_review = [], False
    environment.custom_rule = facts.github.world.next_id()
    return facts


def failures(facts: Facts) -> list[tuple[str, str]]:
    """Return what verification of an installation with the rule finds."""
    vendors, project = facts.project.vendors, facts.project
    delivery = Delivery(gate="app_rule")
    repositories = GitHubRepositories(vendors.connection, vendors.clock, delivery)
    found = repositories.verify(project.spec, project.files, facts.outputs)
    return [(finding.check, finding.detail) for finding in found if not finding.passed]


def test_a_project_that_the_rule_holds_passes(ruled: Facts) -> None:
    assert failures(ruled) == []


@pytest.mark.parametrize(
    ("check", "detail", "spoil"),
    [
        (
            "is held by the App's rule",
            "The App's rule is not enabled: nobody has to release.",
            lambda environment: setattr(environment, "custom_rule", None),
        ),
        (
            "is held by no other gate",
            "Deployments wait there: required_reviewers.",
            lambda environment: environment.reviewers.append(("Team", 502)),
        ),
        (
            "is held by no other gate",
            "Deployments wait there: wait_timer.",
            lambda environment: setattr(environment, "wait_timer", 5),
        ),
    ],
)
def test_each_fact_of_the_rule_fails_alone(
    ruled: Facts, check: str, detail: str, spoil: Callable[[Any], object]
) -> None:
    spoil(ruled.environment("Production"))
    assert failures(ruled) == [(f"environment Production {check}", detail)]
