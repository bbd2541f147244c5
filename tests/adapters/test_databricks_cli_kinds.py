"""Every other kind of resource, and the other templates, through the command."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bundle_workshop import Workshop, workshop

BUNDLE = """
bundle:
  name: mixed
targets:
  development:
    mode: development
    default: true
resources:
  registered_models:
    model:
      name: ${var.name}
      catalog_name: gbx1_dev
      schema_name: ada_7
      comment: ours
  experiments:
    trial:
      name: ${workspace.root_path}/trial
  jobs:
    train:
      name: train
      schedule:
        quartz_cron_expression: 0 0 6 * * ?
        timezone_id: UTC
      tags:
        model: ${resources.registered_models.model.id}
        experiment: ${resources.experiments.trial.id}
variables:
  name:
    default: scores
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    with workshop(tmp_path) as held:
        yield held


def here(shop: Workshop, stage: str = "development") -> Any:
    shown: Any = shop.standin.databricks.snapshot()
    return next(each for each in shown["workspaces"] if each["name"] == f"acme-gbx1-{stage}")


def test_names_get_the_prefix_that_their_kind_bears(shop: Workshop) -> None:
    shop.write({"databricks.yml": BUNDLE})
    shop.bundle("deploy")
    shown = here(shop)
    model = "gbx1_dev.ada_7.dev_ada_7_development_scores"
    assert [each["name"] for each in shown["models"]] == [model]
    (experiment,) = shown["experiments"]
    assert experiment["name"].endswith("/mixed/development/[dev ada_7_development] trial")
    (job,) = shown["jobs"]
    assert job["name"] == "[dev ada_7_development] train"
    assert job["tags"] == {
        "dev": "ada_7_development",
        "model": model,
        "experiment": experiment["id"],
    }
    assert job["schedule"]["pause_status"] == "PAUSED"


def test_a_renamed_model_is_another_model_and_those_who_use_it_follow(shop: Workshop) -> None:
    shop.write({"databricks.yml": BUNDLE})
    shop.bundle("deploy")
    planned = shop.bundle("plan", "development", "-o", "json", "--var", "name=ranks")
    assert planned.actions == {
        "resources.experiments.trial": "skip",
        "resources.registered_models.model": "recreate",
        "resources.jobs.train": "update",
    }
    shop.bundle("deploy", "development", "--var", "name=ranks")
    (model,) = here(shop)["models"]
    (job,) = here(shop)["jobs"]
    assert model["name"] == job["tags"]["model"] == "gbx1_dev.ada_7.dev_ada_7_development_ranks"
    shop.bundle("destroy", "development", "--auto-approve")
    shown = here(shop)
    assert [shown[kind] for kind in ("jobs", "models", "experiments")] == [[], [], []]


def test_a_pipeline_runs_alone_and_as_a_task(shop: Workshop) -> None:
    shop.render("lakeflow_pipeline")
    shop.bundle("deploy")
    (pipeline,), (job,) = here(shop)["pipelines"], here(shop)["jobs"]
    assert pipeline["name"].startswith("[dev ada_7_development] ")
    assert pipeline["development"]
    keys = list(shop.bundle("summary", "development", "-o", "json").json["resources"]["pipelines"])
    assert "delivery" in shop.bundle("run", "development", keys[0]).out
    job_key = next(
        iter(shop.bundle("summary", "development", "-o", "json").json["resources"]["jobs"])
    )
    assert "delivery" in shop.bundle("run", "development", job_key).out
    assert job["name"].startswith("[dev ada_7_development] ")
    shop.bundle("destroy", "development", "--auto-approve")
    assert (here(shop)["pipelines"], here(shop)["jobs"]) == ([], [])


def test_a_dashboard_is_published_and_goes_to_the_trash(shop: Workshop) -> None:
    shop.render("dashboard_report")
    shop.bundle("deploy")
    (dashboard,) = here(shop)["dashboards"]
    assert dashboard["name"] == "[dev ada_7_development] ada-7"
    assert dashboard["published"]
    planned = shop.bundle("plan", "development", "-o", "json")
    assert set(planned.actions.values()) == {"skip"}, planned.out
    shop.bundle("destroy", "development", "--auto-approve")
    assert (here(shop)["dashboards"], here(shop)["jobs"]) == ([], [])


@pytest.mark.timeout(180)
def test_a_model_is_trained_promoted_tagged_and_scored(shop: Workshop) -> None:
    shop.render("ml_workflow")
    shop.bundle("deploy")
    assert shop.bundle("run", "development", "train_and_register_model").code == 0
    (model,) = here(shop)["models"]
    assert model["name"].startswith("gbx1_dev.ada_7.dev_ada_7_development_")
    assert model["aliases"] == {"champion": 1}
    assert model["tags"]["project_name"] == "ada-7"
    assert [each["status"] for each in model["versions"]] == ["READY"]
    scored = shop.bundle("run", "development", "scoring_feature_monitoring").out
    assert "Task monitor_features:" in scored
    shop.bundle("destroy", "development", "--auto-approve")
    shown = here(shop)
    assert [shown[kind] for kind in ("jobs", "models", "experiments")] == [[], [], []]
    assert shop.standin.databricks.unknown_calls == []
