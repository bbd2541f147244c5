"""A workspace group more: only environments are added, with secrets and gates like the others."""

import re

import pytest
from conversation import ANSWER_SECONDS, RUN_SECONDS, Conversation
from keys import Keys, status

from playground.slack.reading import text_of
from playground.world import Choices, Playground
from provisioning.delivery import SECRET_NAMES

STAGES = ("Development", "Testing", "Staging", "Production", "Production-plan")

pytestmark = pytest.mark.timeout(2 * RUN_SECONDS)


@pytest.fixture(scope="module")
def choices() -> Choices:
    """Return a playground with secrets, where our App's rule is the gate."""
    return Choices(edit_seconds=0.2, gate="app_rule", authentication="secret")


@pytest.fixture(scope="module")
def talk(playground: Playground) -> Conversation:
    """Return a conversation about a project in two groups."""
    talk = Conversation(playground, "groups-1")
    talk.make(workspace_groups=["gbx1", "gbx2"])
    return talk


def test_a_group_more_adds_its_environments_and_touches_no_other(talk: Conversation) -> None:
    environments = talk.world.github.repos[talk.name].environments
    before = {name: dict(each.secrets) for name, each in environments.items()}
    talk.ada.type(f"/sciclops change {talk.name}")
    talk.ada.wait_for_view("keeps its name")
    talk.ada.fill({"workspace_groups": ["gbx1"]})
    assert "gbx2 cannot be removed" in talk.refused()["workspace_groups"]
    talk.ada.fill({"workspace_groups": ["gbx1", "gbx2", "gbxphil"]})
    assert talk.ada.submit() is None
    said = text_of(talk.run_message("Change · Waiting for confirmation"))
    assert "Workspace groups added: + gbxphil" in said
    assert "0 to change, 0 to destroy" in said
    talk.press("Confirm & Apply")
    said = text_of(talk.run_message("Change · Changed"))
    assert "open a pull request" in said
    new = {f"gbxphil-{stage}" for stage in STAGES}
    assert set(environments) == {*before, *new}
    assert {name: dict(environments[name].secrets) for name in before} == before
    assert all(set(environments[name].secrets) == set(SECRET_NAMES) for name in new)
    assert {name for name in new if environments[name].custom_rule} == {"gbxphil-Production"}
    files = talk.world.github.files(talk.name, "sciclops/template")
    assert b"gbxphil-production:" in files["databricks.yml"]
    assert b"gbxphil" not in talk.world.github.files(talk.name, "main")["databricks.yml"]


def test_new_environments_have_keys_like_the_others_which_are_checked_and_rotated(
    talk: Conversation,
) -> None:
    talk.ada.type(f"/sciclops check {talk.name}")
    said = text_of(talk.told(talk.ada, "checks passed"))
    assert re.search(r"(\d+) of \1 checks passed", said), said
    keys = Keys(talk)
    old, others = keys.of("gbxphil-Testing"), keys.of("gbxphil-Staging")
    talk.ada.type(f"/sciclops rotate {talk.name} testing")
    talk.run_message("Key rotation · Done")
    assert keys.of("gbxphil-Testing") != old
    assert status(old) == 401
    assert status(keys.of("gbxphil-Testing")) == status(others) == 200


def test_what_a_failed_change_has_begun_goes_with_the_project(talk: Conversation) -> None:
    talk.ada.type(f"/sciclops change {talk.name}")
    talk.ada.wait_for_view("keeps its name")
    talk.ada.fill({"workspace_groups": ["gbx1", "gbx2", "gbxphil", "gbxpiil"]})
    assert talk.ada.submit() is None
    talk.run_message("Change · Waiting for confirmation")
    talk.world.providers.fail("databricks_cluster_policy", 1, "No")
    talk.press("Confirm & Apply")
    said = text_of(talk.run_message("Change · Failed"))
    assert "the specification before it is still in force" in said
    begun = [name for name in talk.principals() if "gbxpiil" in name]
    assert begun
    talk.ada.type(f"/sciclops destroy {talk.name}")
    talk.ada.wait_for_view("Type", timeout=ANSWER_SECONDS)
    talk.ada.fill({"project": talk.name})
    assert talk.ada.submit() is None
    talk.run_message("Destroy · Waiting for confirmation")
    talk.press("Confirm & Destroy", talk.grace)
    talk.run_message("Destroy · Destroyed")
    assert talk.principals() == []
