"""From a push to production: runs in the channel, cards, decisions by proven people."""

from collections.abc import Iterator

import pytest
from conversation import RUN_SECONDS, Conversation
from played_runs import PlayedRunner
from waiting import wait_until

from playground.cast import ADA, GRACE, ROSA
from playground.slack.reading import buttons, text_of
from playground.world import Playground


@pytest.fixture(scope="module")
def shipped(playground: Playground) -> Conversation:
    """Return a conversation about a project that is ready; its first release waits."""
    talk = Conversation(playground, "ship-1")
    link(talk, ROSA.slack, ROSA.github)
    link(talk, ADA.slack, ADA.github)
    talk.make()
    return talk


def test_the_first_release_waits_with_the_change_in_view(shipped: Conversation) -> None:
    card = shipped.says("ship-1 · Production · Waiting for approval")
    said = text_of(card)
    assert "First release" in said
    assert "1 to create" in said
    assert "Development ✓, Testing ✓, Staging ✓" in said
    assert set(buttons(card)) == {"Approve", "Reject"}
