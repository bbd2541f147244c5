"""The App's own protection rule at the stand-in GitHub; deployments and jobs as check runs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scripted_runner import Script, Works, working
from waiting import wait_until

from playground.github.payloads import INSTALLED_EVENTS
from playground.github.world import APP_ID

SCRIPTS = [Script("bundle / Build"), Script("bundle / Deploy Production", "Production")]


@pytest.fixture
def works(tmp_path: Path) -> Iterator[Works]:
    with working(tmp_path, SCRIPTS) as held:
        yield held


def enable_rule(works: Works, **body: Any) -> Any:
    path = "/environments/Production/deployment_protection_rules"
    return works.call("POST", path, {"integration_id": APP_ID} | body)


def test_the_apps_rule_is_offered_enabled_and_disabled(works: Works) -> None:
    works.environment("Production")
    path = "/environments/Production/deployment_protection_rules"
    offered = works.call("GET", f"{path}/apps").json()
    assert offered["available_custom_deployment_protection_rule_integrations"][0]["id"] == APP_ID
    assert enable_rule(works, integration_id=7).status_code == 422
    made = enable_rule(works)
    assert made.status_code == 201
    assert enable_rule(works).status_code == 422
    assert works.call("GET", f"{path}/apps").json()["total_count"] == 0
    assert works.call("GET", path).json()["total_count"] == 1
    one = f"{path}/{made.json()['id']}"
    assert works.call("GET", one).json() == made.json()
    assert works.call("GET", f"{path}/1").status_code == 404
    assert works.call("DELETE", one).status_code == 204
    assert works.call("DELETE", one).status_code == 404
    assert works.call("GET", path).json()["total_count"] == 0
    works.github.world.organisation.plan = "team"
    assert "billing plan" in enable_rule(works).json()["message"]


def test_an_app_that_does_not_subscribe_to_the_event_is_no_rule(works: Works) -> None:
    works.environment("Production")
    INSTALLED_EVENTS.remove("deployment_protection_rule")
    try:
        path = "/environments/Production/deployment_protection_rules/apps"
        assert works.call("GET", path).json()["total_count"] == 0
        assert enable_rule(works).status_code == 422
    finally:
        INSTALLED_EVENTS.insert(0, "deployment_protection_rule")


def test_the_app_decides_as_the_rule_and_once_only(works: Works) -> None:
    works.environment("Production")
    enable_rule(works)
    run = works.wait(works.dispatch(), "waiting")
    works.refused(works.decide(run, "pat"))
    works.refused(works.rule(run, environment_name="Testing", state="approved"))
    assert works.rule(run, state="approved").status_code == 204
    works.wait(run, "completed")
    assert run.conclusion == "success"
    again = works.rule(run, state="rejected")
    assert again.status_code == 422
    assert again.json()["errors"] == "Deployment protection rule has already been reviewed"
    (approval,) = works.call("GET", f"/actions/runs/{run.id}/approvals").json()
    assert approval["user"]["login"] == "sciclops-bot[bot]"


def test_the_app_rejects_as_the_rule(works: Works) -> None:
    works.environment("Production")
    enable_rule(works)
    run = works.wait(works.dispatch(), "waiting")
    assert works.rule(run, state="rejected").status_code == 204
    assert works.wait(run, "completed").conclusion == "failure"


def test_people_s_tokens_are_no_rule_and_the_permission_is_needed(works: Works) -> None:
    works.environment("Production")
    enable_rule(works)
    run = works.wait(works.dispatch(), "waiting")
    body = {"environment_name": "Production", "state": "approved", "comment": "x"}
    path = f"/actions/runs/{run.id}/deployment_protection_rule"
    assert works.call("POST", path, body, **works.as_("pat")).status_code == 403
    works.github.world.installation_permissions["deployments"] = "read"
    assert works.rule(run, state="approved").status_code == 403


def test_ten_status_reports_decide_nothing_and_an_eleventh_is_refused(works: Works) -> None:
    works.environment("Production")
    enable_rule(works)
    run = works.wait(works.dispatch(), "waiting")
    assert [works.rule(run).status_code for _ in range(11)] == [204] * 10 + [422]
    assert works.rule(run, comment="x" * 1025).status_code == 422
    assert run.status == "waiting"
    assert works.rule(run, state="approved").status_code == 204


def test_reviewers_and_rule_both_must_let_it_in(works: Works) -> None:
    works.gated("rosa")
    enable_rule(works)
    run = works.wait(works.dispatch(), "waiting")
    assert works.rule(run, state="approved").status_code == 204
    assert len(works.pending(run)) == 1
    assert run.status == "waiting"
    assert works.decide(run, "rosa").status_code == 200
    works.wait(run, "completed")
    assert [(r.by_rule, r.state) for r in run.reviews] == [(True, "approved"), (False, "approved")]


# Deployments and checks


def test_deployments_are_listed_read_and_not_there(works: Works) -> None:
    run = works.wait(works.dispatch(), "completed")
    repo = works.standin.app().get_repo("acme/ada-7")
    (made,) = repo.get_deployments(environment="Production", sha=run.sha)
    assert (made.environment, made.ref, made.creator.login) == ("Production", "main", "pat")
    status = next(iter(made.get_statuses()))
    assert (status.state, status.environment) == ("success", "Production")
    assert made.get_status(status.id).id == status.id
    assert works.call("GET", f"/deployments/{made.id}/statuses/1").status_code == 404
    assert works.call("GET", "/deployments/1").status_code == 404
    assert works.call("GET", "/deployments?environment=Testing").json() == []


def test_jobs_are_check_runs_for_whoever_may_read_checks(works: Works) -> None:
    run = works.wait(works.dispatch(), "completed")
    path = f"/commits/{run.sha}/check-runs"
    assert works.call("GET", path).status_code == 200
    del works.github.world.installation_permissions["checks"]
    assert works.call("GET", path).status_code == 403
    own = {"token": works.github.personal_token("pat")}
    shown = works.call("GET", path, **own).json()["check_runs"]
    assert [(c["name"], c["conclusion"]) for c in shown] == [
        ("bundle / Build", "success"),
        ("bundle / Deploy Production", "success"),
    ]
    assert shown[0]["app"]["slug"] == "github-actions"
    one = works.call("GET", f"/check-runs/{shown[0]['id']}", **own)
    assert one.json()["name"] == "bundle / Build"
    named = works.call("GET", "/commits/main/check-runs?check_name=other&filter=all", **own)
    assert named.json()["total_count"] == 0
    assert works.call("GET", "/commits/nowhere/check-runs", **own).status_code == 422


def test_a_run_with_two_gates_is_decided_one_by_one(works: Works) -> None:
    number = works.gated("rosa")
    people = [{"type": "User", "id": works.github.world.find_user("grace").id}]
    other = works.environment("gbx2-Production", reviewers=people)
    works.runner.scripts = [
        Script("Deploy Production", "production"),
        Script("Deploy gbx2-Production", "gbx2-Production"),
    ]
    run = works.wait(works.dispatch(), "waiting")
    assert run.present_jobs[0].environment == "Production"
    works.refused(works.decide(run, "rosa", environment_ids=[other]))
    assert works.decide(run, "rosa", environment_ids=[number, other]).status_code == 200
    wait_until(lambda: [p["environment"]["id"] for p in works.pending(run)] == [other])
    assert works.decide(run, "grace", environment_ids=[other]).status_code == 200
    works.wait(run, "completed")
