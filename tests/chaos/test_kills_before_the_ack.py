"""Killed between storing and acknowledging: whatever was stored is acted upon, once."""

import pytest
from conversation import Conversation
from waiting import wait_until

from playground.slack.reading import text_of
from playground.world import Playground

pytestmark = pytest.mark.timeout(300)


def die_and_come_back(playground: Playground) -> None:
    """Wait until the bot holds, kill it there, and start it again."""
    playground.run(playground.world.bot.held(), timeout=60)
    playground.run(playground.world.bot.kill())
    playground.run(playground.world.bot.start(), timeout=120)


def test_a_click_that_was_stored_counts_although_it_was_never_acknowledged(
    playground: Playground,
) -> None:
    talk = Conversation(playground, "stored-1x")
    talk.planned()
    playground.run(playground.world.bot.hold_at("after store"))
    delivery = talk.press("Confirm & Apply")
    assert not delivery.acked
    die_and_come_back(playground)
    talk.run_message("Ready in")
    assert len(talk.run_messages()) == 1


def test_a_submission_that_was_stored_makes_one_project_although_the_dialog_hangs(
    playground: Playground,
) -> None:
    talk = Conversation(playground, "stored-2x")
    talk.fill()
    playground.run(playground.world.bot.hold_at("after reserve"))
    talk.ada.submit()
    talk.view_says("Checking…")
    die_and_come_back(playground)
    talk.run_message("Waiting for confirmation")
    assert len(talk.run_messages()) == 1
    talk.view_says("on its way")


def test_a_command_that_was_stored_is_answered_after_the_restart(playground: Playground) -> None:
    talk = Conversation(playground, "stored-3x")
    playground.run(playground.world.bot.hold_at("after store"))
    talk.ada.type("/sciclops list")
    die_and_come_back(playground)
    answer = talk.ada.wait_for_message("There is no project.", timeout=60)
    wait_until(lambda: answer.reader == talk.ada.user or answer.channel.startswith("D"))
    assert "There is no project." in text_of(answer)
