"""Drift: found by itself, told once, planned back only after a Yes, over by itself."""

from datetime import timedelta
from typing import Any

import pytest
from conversation import RUN_SECONDS, Conversation
from waiting import wait_until

from playground.databricks.state import ServicePrincipal
from playground.faults import Fault
from playground.slack.entities import Message
from playground.slack.reading import buttons, text_of
from playground.world import Playground

A_ROUND = timedelta(hours=25)
VARIABLE = (
    'module.staging.module.identity["deployer"]'
    '.github_actions_environment_variable.this["DATABRICKS_CLIENT_ID"]'
)
TRUST = (
    'module.testing.module.identity["deployer"]'
    ".databricks_service_principal_federation_policy.github[0]"
)


@pytest.fixture(scope="module")
def living(playground: Playground) -> Conversation:
    """Return a conversation about a project that is ready."""
    talk = Conversation(playground, "drifting-1")
    talk.make()
    return talk


def variable(talk: Conversation) -> Any:
    """Return a variable of Staging at GitHub."""
    environment = talk.world.github.repos[talk.name].environments["Staging"]
    return environment.variables["DATABRICKS_CLIENT_ID"]


def principal(talk: Conversation) -> ServicePrincipal:
    """Return Testing's principal."""
    named = (one for one in talk.world.databricks.principals)
    return next(one for one in named if one.display_name == f"{talk.name}-testing")


def told(talk: Conversation, title: str) -> list[Message]:
    """Return the channel's messages with such a title."""
    heading = f"{talk.name} · {title}"
    return [one for one in talk.ada.visible_messages() if heading in text_of(one)]


def waits_for(talk: Conversation, title: str) -> Message:
    """Wait until the channel has exactly such a message."""
    return talk.ada.wait_until(lambda: next(iter(told(talk, title)), None), timeout=RUN_SECONDS)


def test_drift_is_told_once_and_reconciled_after_a_yes(living: Conversation) -> None:
    kept = variable(living).value
    trusted = [one.subject for one in principal(living).policies.values()]
    variable(living).value = "somebody-else"
    principal(living).policies.clear()
    living.world.clock.advance(A_ROUND)
    found = waits_for(living, "Drift")
    assert "2 resources have been changed outside SciCLOps" in text_of(found)
    assert VARIABLE in text_of(found)
    assert TRUST in text_of(found)
    assert set(buttons(found)) == {"Reconcile", "Look Again"}

    living.ada.press("Look Again", on=found)
    living.told(living.ada, f"{living.name}: 2 resources have drifted.")
    assert len(told(living, "Drift")) == 1

    living.sam.press("Reconcile", on=found)
    living.told(living.sam, "Not done: only the requester, an owner of the project")
    living.ada.press("Reconcile", on=found)
    run = living.run_message("Reconcile · Waiting for confirmation")
    assert "+1 ~1 -0" in text_of(run)
    assert variable(living).value == "somebody-else"
    living.grace.type(f"/sciclops drift {living.name}")
    living.told(living.grace, "has a run under way")
    living.press("Confirm & Apply")
    living.run_message("Reconcile · Done")
    assert variable(living).value == kept
    assert [one.subject for one in principal(living).policies.values()] == trusted
    waits_for(living, "Drift · Over")
    assert len(told(living, "Drift")) == 1


def test_a_look_that_fails_is_told_and_the_next_one_closes_it(living: Conversation) -> None:
    fault = living.world.faults.add(Fault("github", "status", times=10_000, status=500))
    living.ada.type(f"/sciclops drift {living.name}")
    living.told(living.ada, f"Could not look for drift of {living.name}: ")
    shown = waits_for(living, "Could not look for drift")
    assert "Terraform could not plan" in text_of(shown)
    living.world.faults.active.remove(fault)
    living.ada.press("Look Again", on=shown)
    living.told(living.ada, f"{living.name} has not drifted")
    waits_for(living, "Looking for drift works again")
    assert told(living, "Could not look for drift") == []
    runs = living.world.directory / "bot" / "terraform" / "projects" / living.name / "runs"
    assert any(runs.iterdir())
    wait_until(lambda: not list(runs.glob("look-*")), RUN_SECONDS)  # they hold a plan's values


def test_where_nothing_differs_a_reconciliation_asks_nobody(living: Conversation) -> None:
    living.ada.type(f"/sciclops reconcile {living.name}")
    living.told(living.ada, f"Terraform plans {living.name} back to what was asked for")
    said = text_of(waits_for(living, "Reconcile · Nothing to change"))
    assert "Everything that Terraform manages is as it was asked for." in said
    assert "Confirm" not in said
