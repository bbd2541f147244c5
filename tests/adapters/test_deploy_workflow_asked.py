"""The deploy workflow, asked for by hand or by a caller with more inputs, run by act."""

from collections.abc import Iterator

import pytest
from deploy_workflow import Outcome, Workshop, artifacts

pytestmark = pytest.mark.timeout(180)
GROUPS = ("gbx1", "gbx2")
SIDE = {"Dump Context": "success", "Set Jobs to Run": "success"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with artifacts() as server:
        yield server.url


@pytest.fixture(scope="module")
def groups(tmp_path_factory: pytest.TempPathFactory, url: str) -> Workshop:
    """A project in two workspace groups, with jobs to run and a model to tag."""
    shop = Workshop(
        tmp_path_factory.mktemp("groups"),
        url,
        groups='["gbx1", "gbx2"]',
        run_jobs='["train", "daily"]',
        model="model",
    )
    for group in GROUPS:
        for stage in ("Development", "Testing", "Staging", "Production", "Production-plan"):
            shop.know(f"{group}-{stage}")
    return shop


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory, url: str) -> Workshop:
    """A project whose environments hold secrets with the original names."""
    shop = Workshop(
        tmp_path_factory.mktemp("secret"),
        url,
        auth="secret",
        gated='["testing", "production"]',
        run_jobs='["train"]',
        model="model",
    )
    for environment in ("Development", "Testing-plan", "Testing"):
        shop.know(environment, secret=True)
    return shop


@pytest.fixture(scope="module")
def deployed_secretly(secret: Workshop) -> Outcome:
    """What a deployment up to Testing does in secret mode."""
    return secret.run("workflow_dispatch", {"inputs": {"stage": "testing"}})


@pytest.fixture(scope="module")
def pushed(groups: Workshop) -> Outcome:
    """What a push to main of that project does."""
    return groups.run("push")


def test_groups_follow_each_other_in_every_stage(groups: Workshop, pushed: Outcome) -> None:
    outcome = pushed
    assert set(outcome.jobs.values()) == {"success"}, outcome.everything
    steps = [name for name in outcome.names if name.startswith(("Deploy", "Plan"))]
    both = [(f"gbx1-{stage}", f"gbx2-{stage}") for stage in ("Development", "Testing", "Staging")]
    expected = [f"Deploy {environment}" for pair in both for environment in pair]
    for verb in ("Plan", "Deploy"):
        expected += [f"{verb} gbx1-Production", f"{verb} gbx2-Production"]
    assert steps == expected
    deployed = [call for call in groups.calls() if call["command"][1] == "deploy"][:8]
    assert len({call["env"]["ENVIRONMENT"] for call in deployed}) == 8
    for call in deployed:
        assert call["env"]["DATABRICKS_CLIENT_ID"] == f"sp-{call['env']['ENVIRONMENT']}"


def test_chosen_jobs_run_in_every_development_before_testing(pushed: Outcome) -> None:
    runs = {f"Run {job} in {g}-Development" for g in GROUPS for job in ("train", "daily")}
    first = pushed.names.index("Deploy gbx1-Testing")
    assert runs <= set(pushed.names[:first])


def test_a_models_newest_version_is_tagged_with_the_workflows(
    groups: Workshop, pushed: Outcome
) -> None:
    assert {f"Tag Model in {group}-Development" for group in GROUPS} <= set(pushed.names)
    newest = len(groups.world()["versions"])
    assert newest == 2
    path, tag = groups.world()["tags"][-1]
    assert path == "/api/2.0/mlflow/unity-catalog/model-versions/set-tag"
    assert tag["name"] == "main.proj.model"
    assert tag["version"] == str(newest)
    assert (tag["key"], tag["value"]) == ("workflow_version", "0.1.0")


def test_a_dispatch_stops_at_the_stage_that_was_asked_for(groups: Workshop) -> None:
    outcome = groups.run("workflow_dispatch", {"inputs": {"stage": "testing"}})
    deployed = [name for name in outcome.names if name.startswith("Deploy")]
    assert deployed == [f"Deploy {g}-{s}" for s in ("Development", "Testing") for g in GROUPS]


def test_destroy_takes_one_stage_away_in_all_groups(groups: Workshop) -> None:
    asked = {"inputs": {"stage": "staging", "action": "destroy"}}
    outcome = groups.run("workflow_dispatch", asked)
    assert outcome.jobs == SIDE | {f"Destroy {group}-Staging": "success" for group in GROUPS}
    left = [folder for folder in groups.world() if folder.startswith("/Workspace")]
    assert not [folder for folder in left if "-Staging/" in folder]
    assert [folder for folder in left if "-Production/" in folder]


def test_a_branch_deploys_to_no_stage(groups: Workshop) -> None:
    outcome = groups.run("workflow_dispatch", {"ref": "refs/heads/idea", "inputs": {}})
    assert outcome.jobs.get("Set Jobs to Run") == "failure", outcome.everything
    assert set(outcome.jobs) <= set(SIDE)
    assert "Stages are deployed from main only" in outcome.logs["Set Jobs to Run"]


def test_secret_mode_logs_in_with_the_environments_secrets(
    secret: Workshop, deployed_secretly: Outcome
) -> None:
    outcome = deployed_secretly
    assert set(outcome.jobs.values()) == {"success"}, outcome.everything
    assert "Plan Testing" in outcome.jobs
    for call in secret.calls():
        given, environment = call["env"], call["env"]["ENVIRONMENT"]
        where = "Testing-plan" if given["DATABRICKS_CLIENT_ID"].endswith("-plan") else environment
        assert given["DATABRICKS_AUTH_TYPE"] == "oauth-m2m"
        assert given["DATABRICKS_HOST"] == f"https://{where}.secret.example.com"
        if call["command"][:2] != ["api", "post"]:
            assert given["DATABRICKS_CLIENT_ID"] == f"sp-{where}"
            assert given["DATABRICKS_CLIENT_SECRET"] == f"dose-{where}"
            assert given["BUNDLE_VAR_job_cluster_policy_id"] == f"secret-policy-{where}"


def test_secret_mode_tags_models_as_the_principal_for_that(
    secret: Workshop, deployed_secretly: Outcome
) -> None:
    assert "Tag Model in Development" in deployed_secretly.jobs
    tagging = [call["env"] for call in secret.calls() if call["command"][:2] == ["api", "post"]]
    assert tagging[0]["DATABRICKS_CLIENT_ID"] == "tagger-Development"
    assert tagging[0]["DATABRICKS_CLIENT_SECRET"] == "tagging-Development"


def test_no_log_shows_a_secret(secret: Workshop, deployed_secretly: Outcome) -> None:
    assert "Deploy Testing" in deployed_secretly.jobs
    for value in secret.secrets.values():
        assert value not in deployed_secretly.everything
