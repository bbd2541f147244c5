"""What a stage that needs a release entails, what things are called, what they cost."""

from datetime import date
from pathlib import Path

import pytest
from rows import a_spec

from bot.installation import policy_of
from bot.settings import DeploymentSettings, load
from provisioning.delivery import SECRET_NAMES, Delivery
from provisioning.policy import Policy
from provisioning.project import STAGES, ProjectSpec

EXAMPLE = Path(__file__).parents[2] / "sciclops.example.toml"


def load_policy(gated: tuple[str, ...]) -> Policy:
    """Return the rules of the example, with other gates."""
    settings = load(EXAMPLE, {})
    gates = DeploymentSettings(gated_stages=gated)
    return policy_of(settings.model_copy(update={"deployment": gates}))


def spec(*groups: str) -> ProjectSpec:
    return a_spec().model_copy(update={"workspace_groups": groups})


def test_environments_targets_and_planners_are_named_alike() -> None:
    (*_, one) = spec("gbx1").environments()
    assert (one.name, one.target, one.planner_name) == (
        "Production",
        "production",
        "Production-plan",
    )
    (*_, two) = spec("gbx1", "gbx2").environments()
    assert (two.name, two.target, two.planner_name) == (
        "gbx2-Production",
        "gbx2-production",
        "gbx2-Production-plan",
    )
    assert (two.planner.group, two.planner.stage) == (two.group, two.stage)


def test_who_plans_never_waits_and_has_no_planner() -> None:
    delivery, wanted = Delivery(), spec("gbx1")
    assert [each.name for each in delivery.gated(wanted)] == ["Production"]
    (planner,) = delivery.planners(wanted)
    assert planner.name == "Production-plan"
    assert not delivery.is_gated(planner)


@pytest.mark.parametrize("gated", [(), ("staging", "production"), STAGES])
def test_every_principal_belongs_to_an_environment_or_to_its_planner(
    gated: tuple[str, ...],
) -> None:
    names = [each.name for each in Delivery(gated_stages=gated).identities(spec("gbx1"))]
    stages = [stage.capitalize() for stage in STAGES]
    assert names == [*stages, *(f"{stage}-plan" for stage in stages if stage.lower() in gated)]


def test_secrets_cost_writes_only_where_there_are_any() -> None:
    assert Delivery().secret_writes(spec("gbx1")) == 0
    secret = Delivery(authentication="secret")
    assert secret.secret_writes(spec("gbx1")) == 5 * len(SECRET_NAMES)
    assert secret.secret_writes(spec("gbx1", "gbx2")) == 10 * len(SECRET_NAMES)
    assert secret.federated(spec("gbx1")) == ()


@pytest.mark.parametrize(
    ("gated", "objection"),
    [
        ((), None),
        (("production",), "Production needs at least one reviewer."),
        (("staging", "production"), "Staging and Production need at least one reviewer."),
    ],
)
def test_reviewers_are_asked_for_where_something_is_gated(
    gated: tuple[str, ...], objection: str | None
) -> None:
    policy = load_policy(gated)
    wanted = a_spec().model_copy(update={"reviewers": ()})
    assert policy.objections(wanted, date(2026, 11, 25)).get("reviewers") == objection


@pytest.mark.parametrize("gated", [("prod",), ("production", "production"), ("Production",)])
def test_gated_stages_are_stages_each_named_once(gated: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="testing, staging, production, each once"):
        DeploymentSettings(gated_stages=gated)
