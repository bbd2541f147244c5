"""Clean Up waits for its turn at GitHub like every run, and can be stopped while it does."""

import re

import pytest
from conversation import ANSWER_SECONDS, PRINCIPALS, RUN_SECONDS, Conversation
from waiting import wait_until

from playground.slack.reading import buttons, text_of
from playground.world import Choices, Playground

MANAGE = "User does not have MANAGE on Catalog"
FEDERATION = "databricks_service_principal_federation_policy"
"""Principals and the repository are removed after it."""
ASSIGNMENT = "databricks_permission_assignment"
SOME = 40
"""So many resources are made at least before the first of the grants fails."""
WAITING = "Clean-up waiting for GitHub's budget · number 1 in the queue"


@pytest.fixture(scope="module")
def choices() -> Choices:
    """Return a playground in which one run writes to GitHub at a time."""
    return Choices(edit_seconds=0.2, github_writing_applies=1)


@pytest.fixture
def other(playground: Playground, talk: Conversation) -> Conversation:
    """Return a conversation about another project."""
    return Conversation(playground, talk.name.replace("ada", "eve"))


def failed(talk: Conversation) -> None:
    """Make a project fail half-way."""
    talk.planned()
    talk.world.providers.fail("databricks_grant", 100, MANAGE)
    talk.press("Confirm & Apply")
    talk.run_message("Failed")
    talk.world.providers.clear()


def removed_and_left(said: str) -> int:
    """Return how many resources a run's message accounts for, as removed or as left behind."""
    removed = re.search(r"This clean-up removed (\d+) resources\.", said)
    left = re.search(r"Left behind: (\d+) resources? exist", said)
    assert left, said
    return int(left[1]) + (int(removed[1]) if removed else 0)


def has_schemas(talk: Conversation) -> bool:
    """Tell whether a schema of the project is at Databricks."""
    name = talk.name.replace("-", "_")
    return any(full.endswith(f".{name}") for full in talk.world.databricks.schemas)


def exists(talk: Conversation) -> bool:
    """Tell whether the project's repository is at GitHub, unarchived."""
    repository = talk.world.github.repos.get(talk.name)
    return repository is not None and not repository.archived


def test_a_clean_up_waits_for_its_turn_and_is_cancelled_while_it_waits(
    talk: Conversation, other: Conversation
) -> None:
    failed(talk)
    other.planned()
    other.world.providers.hold(ASSIGNMENT)
    other.press("Confirm & Apply")
    other.run_message("Applying")
    talk.press("Clean Up")
    talk.told(talk.ada, f"Removing what was made for {talk.name} when it is its turn at GitHub.")
    run = talk.run_message(WAITING)
    assert set(buttons(run)) == {"Cancel Run"}
    talk.press("Cancel Run")
    talk.told(talk.ada, f"The run of {talk.name} is cancelled.")
    run = talk.run_message("Clean-up cancelled")
    assert "This clean-up removed no resources." in text_of(run)
    assert "What was made so far stays until somebody retries or cleans up." in text_of(run)
    assert set(buttons(run)) == {"Retry", "Clean Up"}
    assert removed_and_left(text_of(talk.says("Left behind: "))) > SOME
    assert exists(talk)
    talk.press("Clean Up")
    talk.run_message(WAITING)
    other.world.providers.clear()
    other.run_message("Ready in")
    talk.run_message("Cleaned up")
    assert not exists(talk)


def test_a_clean_up_that_hangs_is_cancelled_and_says_what_it_removed(
    talk: Conversation, other: Conversation
) -> None:
    failed(talk)
    standing = removed_and_left(text_of(talk.run_message()))
    assert standing > SOME
    talk.world.providers.hold(FEDERATION)
    talk.press("Clean Up")
    talk.run_message("Cleaning up · ")
    other.planned()
    other.press("Confirm & Apply")
    other.told(other.ada, "Confirmed. It is applied when it is its turn at GitHub.")
    other.run_message("Confirmed, waiting for GitHub's budget · number 1 in the queue")
    wait_until(lambda: not has_schemas(talk), RUN_SECONDS)
    talk.press("Cancel Run", talk.grace)
    talk.told(talk.grace, f"The run of {talk.name} stops as soon as the calls under way have ended")
    run = talk.run_message("Cleaning up · stopping", timeout=ANSWER_SECONDS)
    assert buttons(run) == {}
    talk.world.providers.clear()
    run = talk.run_message("Clean-up cancelled")
    said = text_of(run)
    assert "Cancelled by U0GRACE" in said
    assert set(buttons(run)) == {"Clean Up"}
    assert "What is left stays until somebody cleans up." in said
    assert "Clean Up removes the rest and frees the name" in said
    assert removed_and_left(said) == standing
    assert len(talk.principals()) == PRINCIPALS
    assert exists(talk)
    other.run_message("Ready in")
    talk.press("Clean Up")
    talk.run_message("Cleaned up")
    assert not exists(talk)
