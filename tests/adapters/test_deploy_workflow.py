"""The deploy workflow, run by act: a project travels through its stages or stops for a reason."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from deploy_workflow import TOKEN, Outcome, Workshop, artifacts

pytestmark = pytest.mark.timeout(180)
STAGES = ["Development", "Testing", "Staging", "Production"]
UNGATED = [f"Deploy {stage}" for stage in STAGES[:3]]
ALL = [
    "Validate, Test and Build",
    "Version",
    *UNGATED,
    "Plan Production",
    "Deploy Production",
]


class Release:
    """A project of one workspace group, after its first push to main."""

    def __init__(self, shop: Workshop, store: dict[str, bytes]) -> None:
        self.shop, self.store = shop, store
        self.first = shop.commit("feat: a first job", {})
        self.outcome = shop.run("push", {"access_token": "planted-in-the-event"})

    def plan(self, run: int, environment: str = "Production") -> dict[str, Any]:
        """Return what the plan job of a run uploaded."""
        with zipfile.ZipFile(io.BytesIO(self.store[f"/{run}/1/plan-{environment}"])) as packed:
            assert packed.namelist() == ["plan.json"]
            found: dict[str, Any] = json.loads(packed.read("plan.json"))
            return found

    def at(self, commit: str) -> Outcome:
        """Run the workflow for a push of some commit."""
        self.shop.git("checkout", "--quiet", "-B", "main", commit)
        return self.shop.run("push")

    def held(self, stage: str = "production") -> str:
        """Return the commit that a stage holds."""
        folder = f"/Workspace/Users/sp-{stage.capitalize()}/.bundle/proj/{stage}"
        return str(self.shop.world()[folder]["commit"])


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    with artifacts() as server:
        shop = Workshop(tmp_path_factory.mktemp("shop"), server.url)
        for environment in (*STAGES, "Production-plan"):
            shop.know(environment)
        yield Release(shop, server.content)


def results(outcome: Outcome) -> dict[str, str]:
    """Return how the jobs ended, without the two that always run at the side."""
    beside = ("Dump Context", "Set Jobs to Run")
    return {name: result for name, result in outcome.jobs.items() if name not in beside}


def test_a_push_to_main_travels_through_the_stages_in_order(release: Release) -> None:
    assert results(release.outcome) == dict.fromkeys(ALL, "success"), release.outcome.everything
    assert list(results(release.outcome)) == ALL
    deployed = [call for call in release.shop.calls() if call["command"][1] == "deploy"]
    assert [call["command"][3] for call in deployed[:4]] == [one.lower() for one in STAGES]
    assert release.held()


def test_every_stage_is_deployed_by_its_own_principal_without_a_secret(release: Release) -> None:
    for call in release.shop.calls():
        if call["command"][1] == "deploy":
            environment = call["env"]["ENVIRONMENT"]
            assert call["env"]["DATABRICKS_CLIENT_ID"] == f"sp-{environment}"
            assert call["env"]["DATABRICKS_HOST"] == f"https://{environment}.example.com"
            assert call["env"]["DATABRICKS_AUTH_TYPE"] == "github-oidc"
            assert call["env"]["DATABRICKS_TOKEN_AUDIENCE"] == "account-1"
            assert call["env"]["DATABRICKS_CLIENT_SECRET"] == ""
            assert call["env"]["BUNDLE_VAR_job_cluster_policy_id"] == f"policy-{environment}"


def test_the_plan_of_a_gated_stage_is_made_by_the_reader(release: Release) -> None:
    plans = [
        call["env"]
        for call in release.shop.calls()
        if call["command"][1:4] == ["plan", "-t", "production"]
    ][:2]
    assert [one["DATABRICKS_CLIENT_ID"] for one in plans] == ["sp-Production-plan", "sp-Production"]
    for one in plans:
        assert one["BUNDLE_VAR_deployer"] == "sp-Production"
        assert one["BUNDLE_VAR_planner"] == "sp-Production-plan"


def test_the_plan_says_what_will_change(release: Release) -> None:
    plan = release.plan(1)
    assert {key: plan[key] for key in ("environment", "target", "commit", "version")} == {
        "environment": "Production",
        "target": "production",
        "commit": release.first,
        "version": "0.1.0",
    }
    assert len(plan["digest"]) == 64
    assert {"action": "create", "resource": "jobs.train", "name": "Train"} in plan["changes"]
    assert len(plan["changes"]) == 3


def test_the_first_release_takes_the_projects_version(release: Release) -> None:
    assert release.shop.tags()["v0.1.0"] == release.first
    for call in release.shop.calls()[:3]:
        assert (call["version"], call["env"]["BUNDLE_VAR_workflow_version"]) == ("0.1.0", "0.1.0")


def test_the_dump_holds_no_token(release: Release) -> None:
    dump = release.outcome.logs["Dump Context"]
    assert '"GITHUB_EVENT_NAME": "push"' in dump
    assert '"gated": "[\\"production\\"]"' in dump
    for leak in (TOKEN, "***", "planted-in-the-event"):
        assert leak not in dump
    assert TOKEN not in release.outcome.everything


def test_a_rerun_deploys_again_and_makes_no_other_tag(release: Release) -> None:
    before = release.shop.tags()
    assert results(release.at(release.first)) == dict.fromkeys(ALL, "success")
    assert release.shop.tags() == before
    assert release.plan(release.shop.number)["changes"] == []


def test_a_feature_raises_the_version_that_everything_carries(release: Release) -> None:
    commit = release.shop.commit("feat(job): more\n\n$(touch pwned)", {})
    assert results(release.at(commit)) == dict.fromkeys(ALL, "success")
    assert release.shop.tags()["v0.2.0"] == commit
    last = release.shop.calls()[-1]
    assert last["command"] == ["bundle", "deploy", "-t", "production", "--auto-approve"]
    assert (last["version"], last["env"]["BUNDLE_VAR_workflow_version"]) == ("0.2.0", "0.2.0")


def test_an_older_commit_replaces_nothing(release: Release) -> None:
    newer = release.shop.commit("fix: newer", {})
    assert results(release.at(newer)) == dict.fromkeys(ALL, "success")
    outcome = release.at(release.first)
    assert results(outcome)["Deploy Development"] == "failure"
    assert "which is newer than" in outcome.logs["Deploy Development"]
    assert "Deploy Testing" not in outcome.jobs
    assert release.held("development") == newer
    release.shop.git("checkout", "--quiet", "-B", "main", newer)


def test_a_stage_that_fails_stops_the_later_ones(release: Release) -> None:
    commit, before = release.shop.commit("fix: one", {}), release.held()
    release.shop.arm("fail-testing")
    outcome = release.at(commit)
    release.shop.disarm("fail-testing")
    assert results(outcome) == {
        "Validate, Test and Build": "success",
        "Version": "success",
        "Deploy Development": "success",
        "Deploy Testing": "failure",
    }
    assert release.held() == before


def test_a_workspace_that_changed_since_the_plan_stops_the_gated_job(release: Release) -> None:
    commit, before = release.shop.commit("fix: two", {}), release.held()
    release.shop.arm("meddle-production")
    outcome = release.at(commit)
    release.shop.disarm("meddle-production")
    assert results(outcome) == {**dict.fromkeys(ALL, "success"), "Deploy Production": "failure"}
    assert "The digest was" in outcome.logs["Deploy Production"]
    assert release.shop.calls()[-1]["command"][1] != "deploy"
    assert release.held() == before


def test_a_commit_made_since_the_plan_stops_the_gated_job(release: Release) -> None:
    commit, before = release.shop.commit("fix: three", {}), release.held()
    following = release.shop.commit("fix: four", {"more.txt": "more"}, push="refs/heads/next")
    release.shop.arm("move-production", following)
    outcome = release.at(commit)
    release.shop.disarm("move-production")
    assert results(outcome) == {**dict.fromkeys(ALL, "success"), "Deploy Production": "failure"}
    assert f"moved on to {following}" in outcome.logs["Deploy Production"]
    assert release.held() == before


def test_what_may_not_be_released_is_not_planned_either(release: Release) -> None:
    commit = release.shop.commit("fix: five", {})
    release.shop.commit("fix: six", {"more.txt": "still more"})
    outcome = release.at(commit)
    assert results(outcome)["Plan Production"] == "failure"
    assert "Deploy Production" not in outcome.jobs
    assert f"/{release.shop.number}/1/plan-Production" not in release.store


def test_a_failing_test_lets_nothing_be_tagged_or_deployed(release: Release) -> None:
    tags = release.shop.tags()
    failing = {"tests/test_proj.py": "def test_it():\n    assert not 'deployed'\n"}
    commit = release.shop.commit("feat: broken", failing)
    assert results(release.at(commit)) == {"Validate, Test and Build": "failure"}
    assert release.shop.tags() == tags
