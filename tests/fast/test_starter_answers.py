"""What the bot answers of a template's questions by itself, and what templates make of it."""

from pathlib import Path

import pytest
import yaml
from rows import a_spec

from provisioning.adapters.bundle_templates import BundleTemplates
from provisioning.delivery import Delivery
from provisioning.errors import UserError
from provisioning.project import STAGES, ProjectSpec
from provisioning.questions import Answer
from provisioning.starter import starter_answers

TEMPLATES = BundleTemplates(Path(__file__).parents[2] / "bundle_templates")
CATALOGS = {
    group: {stage: f"{group}_{stage[:4]}" for stage in reversed(STAGES)}
    for group in ("gbx2", "gbx1", "other")
}


def of_groups(*groups: str) -> ProjectSpec:
    return a_spec().model_copy(update={"workspace_groups": groups})


def test_with_one_group_targets_are_the_stages() -> None:
    assert starter_answers(of_groups("gbx1"), CATALOGS) == {
        "project_name": "ada-7",
        "github_team": "data-science",
        "targets": "development=gbx1_deve,testing=gbx1_test,staging=gbx1_stag,production=gbx1_prod",
        "gated_targets": "production",
        "groups": "",
        "gated_stages": "production",
        "authentication": "oidc",
    }


@pytest.mark.parametrize("chosen", [("gbx1", "gbx2"), ("gbx2", "gbx1")])
def test_groups_travel_in_the_order_of_the_settings(chosen: tuple[str, ...]) -> None:
    delivery = Delivery(gated_stages=("production", "staging"), authentication="secret")
    answers = starter_answers(of_groups(*chosen), CATALOGS, delivery)
    assert answers["groups"] == "gbx2,gbx1"
    assert answers["gated_stages"] == "staging,production"
    assert answers["gated_targets"] == ("gbx2-staging,gbx1-staging,gbx2-production,gbx1-production")
    assert answers["authentication"] == "secret"
    targets = [target.partition("=")[0] for target in str(answers["targets"]).split(",")]
    assert targets == [f"{group}-{stage}" for stage in STAGES for group in ("gbx2", "gbx1")]


def test_a_group_that_is_gone_from_the_settings_is_left_out() -> None:
    answers = starter_answers(of_groups("gbx1", "lost"), CATALOGS)
    assert "lost" not in str(answers["targets"])
    assert answers["groups"] == ""


@pytest.mark.parametrize("template", TEMPLATES.names())
def test_every_template_accepts_what_the_bot_says(template: str) -> None:
    for gated in ((), ("production",), STAGES[1:]):
        delivery = Delivery(gated_stages=gated)
        known = starter_answers(of_groups("gbx1", "gbx2"), CATALOGS, delivery)
        TEMPLATES.check(template, known)
        whole = yaml.safe_load(TEMPLATES.render(template, known)["databricks.yml"])
        assert len(whole["targets"]) == 8
        waiting = [name for name, about in whole["targets"].items() if "permissions" in about]
        assert waiting == [name for name in whole["targets"] if name.split("-")[1] in gated]
        assert ("planner" in whole["variables"]) == bool(gated)


@pytest.mark.parametrize("template", TEMPLATES.names())
def test_what_no_target_can_be_called_is_refused(template: str) -> None:
    refused: list[dict[str, Answer]] = [
        {"targets": ""},
        {"targets": "development=a b"},
        {"targets": "production"},
        {"targets": "elsewhere=a"},
        {"gated_targets": "a,"},
        {"groups": "one"},
        {"authentication": "password"},
    ]
    for answers in refused:
        with pytest.raises(UserError) as found:
            TEMPLATES.check(template, {"project_name": "ada-7", **answers})
        assert found.value.field == next(iter(answers))
