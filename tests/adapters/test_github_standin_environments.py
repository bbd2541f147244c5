"""The stand-in GitHub's environments: reviewers, policies, variables, sealed secrets, Actions."""

from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from github import GithubException
from github.Environment import Environment
from github.EnvironmentDeploymentBranchPolicy import EnvironmentDeploymentBranchPolicyParams
from github.EnvironmentProtectionRuleReviewer import ReviewerParams
from github_standin import Standin, running
from nacl.public import PrivateKey, PublicKey, SealedBox

REPO = "/repos/acme/ada-7"
PRODUCTION = f"{REPO}/environments/Production"
CUSTOM = {"protected_branches": False, "custom_branch_policies": True}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Standin]:
    with running(tmp_path) as standin:
        standin.new_repo()
        yield standin
        assert standin.github.unknown_calls == []


def production(world: Standin, **settings: Any) -> Environment:
    return world.app().get_repo("acme/ada-7").create_environment("Production", **settings)


def put(world: Standin, body: object, path: str = PRODUCTION) -> Any:
    return world.call("PUT", path, body)


def held(world: Standin) -> Any:
    return world.github.repos["ada-7"].environments["Production"]


def test_reviewers_and_rules_are_kept_and_shown(world: Standin) -> None:
    team = world.app().get_organization("acme").get_team_by_slug("ml-reviewers")
    team.update_team_repository(world.app().get_repo("acme/ada-7"), "pull")
    environment = production(
        world,
        wait_timer=5,
        reviewers=[ReviewerParams("Team", 502), ReviewerParams("User", 1005)],
        prevent_self_review=True,
        deployment_branch_policy=EnvironmentDeploymentBranchPolicyParams(True, False),
    )
    assert held(world).reviewers == [("Team", 502), ("User", 1005)]
    rules = {rule.type: rule for rule in environment.protection_rules}
    assert set(rules) == {"wait_timer", "required_reviewers", "branch_policy"}
    shown = world.call("GET", PRODUCTION).json()
    required = next(r for r in shown["protection_rules"] if r["type"] == "required_reviewers")
    assert required["prevent_self_review"] is True
    assert [r["reviewer"]["id"] for r in required["reviewers"]] == [502, 1005]
    assert world.github.violations == []


def test_putting_again_resets_whatever_is_not_sent(world: Standin) -> None:
    put(world, {"reviewers": [{"type": "User", "id": 1005}], "wait_timer": 9})
    made = held(world).id
    production(world)
    assert (held(world).id, held(world).reviewers, held(world).wait_timer) == (made, [], 0)


def test_teams_without_access_and_strangers_are_dropped_without_a_word(world: Standin) -> None:
    reviewers = [
        {"type": "Team", "id": 502},
        {"type": "User", "id": 1006},
        {"type": "User", "id": 1002},
        {"type": "User", "id": 999},
    ]
    assert put(world, {"reviewers": reviewers}).status_code == 200
    assert held(world).reviewers == [("User", 1002)]


def test_six_reviewers_are_the_most(world: Standin) -> None:
    reviewers = [{"type": "User", "id": 1001}] * 6
    assert put(world, {"reviewers": reviewers}).status_code == 200
    refused = put(world, {"reviewers": [*reviewers, reviewers[0]]})
    assert refused.status_code == 422
    assert "No more than 6 items are allowed; 7 were supplied" in refused.json()["message"]


@pytest.mark.parametrize(
    "body",
    [
        {"wait_timer": 43201},
        {"prevent_self_review": True},
        {"deployment_branch_policy": {"protected_branches": True, "custom_branch_policies": True}},
        {"reviewers": [{"type": "App", "id": 1}]},
        {"reviewers": [{"type": "User"}]},
        {"no_such_setting": 1},
    ],
)
def test_settings_github_would_not_take_are_refused(world: Standin, body: object) -> None:
    assert put(world, body).status_code == 422
    assert world.github.repos["ada-7"].environments == {}


def test_the_bypass_of_admins_is_taken_though_it_is_not_documented(world: Standin) -> None:
    assert put(world, {"can_admins_bypass": False}).json()["can_admins_bypass"] is False
    assert world.github.violations == []


def test_private_repositories_need_the_enterprise_plan_for_reviewers(world: Standin) -> None:
    world.github.world.organisation.plan = "team"
    reviewers = {"reviewers": [{"type": "User", "id": 1005}]}
    refused = put(world, reviewers)
    assert refused.status_code == 422
    assert "ensure the billing plan supports the required reviewers" in refused.json()["message"]
    assert put(world, {"wait_timer": 1}).status_code == 422
    assert put(world, {"deployment_branch_policy": CUSTOM}).status_code == 200
    world.new_repo("open", visibility="public")
    path = "/repos/acme/open/environments/Production"
    assert put(world, reviewers, path).status_code == 200


def test_environments_are_listed_compared_without_case_and_deleted(world: Standin) -> None:
    repo = world.app().get_repo("acme/ada-7")
    for name in ("Development", "gbx2-Production", "feature/x"):
        repo.create_environment(name)
    repo.create_environment("development")
    names = [environment.name for environment in repo.get_environments()]
    assert names == ["Development", "gbx2-Production", "feature/x"]
    assert world.call("GET", f"{REPO}/environments/feature%2Fx").json()["name"] == "feature/x"
    repo.delete_environment("Development")
    assert world.call("GET", f"{REPO}/environments/Development").status_code == 404
    rules = f"{REPO}/environments/gbx2-Production/deployment_protection_rules"
    assert world.call("GET", rules).json()["total_count"] == 0


def test_branch_patterns_need_an_environment_that_takes_them(world: Standin) -> None:
    path = f"{PRODUCTION}/deployment-branch-policies"
    assert world.call("POST", path, {"name": "main"}).status_code == 404
    production(world)
    assert world.call("POST", path, {"name": "main"}).status_code == 404
    put(world, {"deployment_branch_policy": CUSTOM})
    made = world.call("POST", path, {"name": "main"}).json()
    assert (made["name"], made["type"]) == ("main", "branch")
    assert world.call("POST", path, {"name": "main"}).status_code == 303
    tag = world.call("POST", path, {"name": "prod/*", "type": "tag"}).json()
    assert tag["type"] == "tag"
    one = f"{path}/{made['id']}"
    assert world.call("PUT", one, {"name": "trunk"}).json()["name"] == "trunk"
    assert [p["name"] for p in world.call("GET", path).json()["branch_policies"]] == [
        "trunk",
        "prod/*",
    ]
    assert world.call("DELETE", one).status_code == 204
    assert world.call("GET", one).status_code == 404


# Variables and secrets


def test_variables_are_created_once_then_changed(world: Standin) -> None:
    environment = production(world)
    environment.create_variable("DATABRICKS_HOST", "https://dbc-1.example")
    with pytest.raises(GithubException) as refused:
        environment.create_variable("databricks_host", "https://dbc-2.example")
    assert refused.value.status == 409
    variable = environment.get_variable("DATABRICKS_HOST")
    assert variable.value == "https://dbc-1.example"
    assert variable.edit("https://dbc-2.example")
    assert held(world).variables["DATABRICKS_HOST"].value == "https://dbc-2.example"
    renamed = world.call("PATCH", f"{PRODUCTION}/variables/DATABRICKS_HOST", {"name": "HOST"})
    assert renamed.status_code == 204
    assert [v.name for v in environment.get_variables()] == ["HOST"]
    assert environment.delete_variable("HOST")
    assert world.call("GET", f"{PRODUCTION}/variables/HOST").status_code == 404


@pytest.mark.parametrize(
    ("name", "value"),
    [("GITHUB_X", "v"), ("1X", "v"), ("A B", "v"), ("A-B", "v"), ("", "v"), ("BIG", "x" * 49_153)],
)
def test_variables_github_would_not_take_are_refused(world: Standin, name: str, value: str) -> None:
    production(world)
    answer = world.call("POST", f"{PRODUCTION}/variables", {"name": name, "value": value})
    assert answer.status_code == 422
    assert held(world).variables == {}


def test_an_environment_holds_a_hundred_variables(world: Standin) -> None:
    production(world)
    for number in range(99):
        held(world).variables[f"V{number}"] = None
    path = f"{PRODUCTION}/variables"
    assert world.call("POST", path, {"name": "V99", "value": "x"}).status_code == 201
    assert world.call("POST", path, {"name": "V100", "value": "x"}).status_code == 422


def test_secrets_are_sealed_on_the_way_and_never_shown(world: Standin) -> None:
    environment = production(world)
    environment.create_secret("DATABRICKS_TOKEN", "dapi-first")
    environment.create_secret("DATABRICKS_TOKEN", "dapi-second é")
    assert world.github.secret_value("ada-7", "Production", "DATABRICKS_TOKEN") == "dapi-second é"
    assert [secret.name for secret in environment.get_secrets()] == ["DATABRICKS_TOKEN"]
    shown = world.call("GET", f"{PRODUCTION}/secrets/DATABRICKS_TOKEN")
    assert set(shown.json()) == {"name", "created_at", "updated_at"}
    assert environment.delete_secret("DATABRICKS_TOKEN")
    assert world.call("GET", f"{PRODUCTION}/secrets/DATABRICKS_TOKEN").status_code == 404
    with pytest.raises(LookupError):
        world.github.secret_value("ada-7", "Nowhere", "DATABRICKS_TOKEN")


def test_a_value_this_repositorys_key_does_not_open_is_refused(world: Standin) -> None:
    production(world)
    key = world.call("GET", f"{PRODUCTION}/secrets/public-key").json()
    stranger = SealedBox(PrivateKey.generate().public_key).encrypt(b"value")
    path = f"{PRODUCTION}/secrets/TOKEN"

    def status(sealed: bytes, key_id: str) -> int:
        body = {"encrypted_value": b64encode(sealed).decode(), "key_id": key_id}
        return put(world, body, path).status_code  # type: ignore[no-any-return]

    right = SealedBox(PublicKey(b64decode(key["key"]))).encrypt(b"value")
    assert status(stranger, key["key_id"]) == 422
    assert status(b"plain text", key["key_id"]) == 422
    assert status(right, "123") == 422
    assert put(world, {"encrypted_value": "not base64!", "key_id": "1"}, path).status_code == 422
    assert held(world).secrets == {}
    assert status(right, key["key_id"]) == 201
    assert status(right, key["key_id"]) == 204


# Actions


def test_actions_settings_of_organisation_and_repository(world: Standin) -> None:
    owner = world.github.personal_token("pat")
    path = "/orgs/acme/actions/permissions"
    assert world.call("GET", path).json()["enabled_repositories"] == "all"
    assert world.call("PUT", path, {"enabled_repositories": "none"}).status_code == 403
    body = {"enabled_repositories": "none", "sha_pinning_required": True}
    assert world.call("PUT", path, body, token=owner).status_code == 204
    assert world.call("GET", path).json()["sha_pinning_required"] is True
    one = f"{REPO}/actions/permissions"
    assert world.call("GET", one).json()["enabled"] is True
    assert put(world, {"enabled": True}, one).status_code == 409
    assert put(world, {"enabled": False}, one).status_code == 204
    assert world.call("GET", one).json() == {"enabled": False}
    assert world.call("GET", f"{one}/access").json() == {"access_level": "none"}
    assert put(world, {"access_level": "organization"}, f"{one}/access").status_code == 204
    assert world.github.repos["ada-7"].actions_access == "organization"
