"""Slack in trouble: slow down, missing permissions, lost and deleted messages, old workspaces."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from conversation import ANSWER_SECONDS, RUN_SECONDS, Conversation
from waiting import wait_until

from playground import cast
from playground.faults import Fault, Kind
from playground.slack.reading import buttons, text_of

CHANNEL = "C0SCICLOPS"
POST, UPDATE = "chat.postMessage", "chat.update"


def stop(talk: Conversation) -> None:
    """End the run, so that it keeps nothing busy."""
    talk.press("Discard")
    talk.run_message("Discarded")


def test_slack_asks_to_slow_down_and_the_last_state_is_shown_nevertheless(
    talk: Conversation,
) -> None:
    for method in (POST, UPDATE, UPDATE):
        talk.world.faults.add(Fault("slack", "status", method, status=429, seconds=2))
    struck = talk.world.faults.struck
    talk.planned()
    talk.world.faults.add(Fault("slack", "status", UPDATE, times=3, status=429, seconds=1))
    talk.press("Confirm & Apply")
    talk.run_message("Ready in")
    talk.says(f"Plan for {talk.name}")
    assert talk.world.faults.struck - struck >= 4
    assert len(talk.run_messages()) == 1


def test_slacks_own_errors_pass(talk: Conversation) -> None:
    talk.world.faults.add(Fault("slack", "status", POST, times=4, status=503))
    talk.world.faults.add(Fault("slack", "status", UPDATE, times=4, status=500))
    talk.planned()
    stop(talk)
    assert len(talk.run_messages()) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_answer_that_the_response_url_refuses_is_whispered(
    talk: Conversation, status: int
) -> None:
    fault = talk.world.faults.add(Fault("slack", "status", "/actions/", status=status))
    talk.sam.type(f"/sciclops status {talk.name}-{status}")
    said = talk.told(talk.sam, f"There is no project “{talk.name}-{status}”.")
    assert fault.times == 0
    assert said.channel == CHANNEL


def test_an_answer_that_can_reach_nobody_where_they_asked_comes_directly(
    talk: Conversation,
) -> None:
    for pattern in ("/actions/", "chat.postEphemeral"):
        talk.world.faults.add(Fault("slack", "status", pattern, times=9, status=500))
    talk.sam.type(f"/sciclops status {talk.name}")
    said = talk.told(talk.sam, f"There is no project “{talk.name}”.")
    assert said.channel.startswith("D")


@pytest.mark.parametrize("kind", ["status", "delay"])
def test_a_form_that_slacks_trouble_kept_from_being_taken_is_kept(
    talk: Conversation, kind: Kind
) -> None:
    """The delay is longer than we wait for an answer."""
    talk.fill(data_access=["gbx1_prod.sales|read"])
    entered = {block: dict(actions) for block, actions in talk.ada.view().values.items()}
    talk.playground.run(talk.world.bot.kill())  # who somebody is is remembered for a while
    talk.playground.run(talk.world.bot.start(), timeout=RUN_SECONDS)
    talk.world.faults.add(Fault("slack", kind, "users.info", status=503, seconds=8))
    assert talk.ada.submit() is None
    view = talk.view_says("⚠ Slack did not answer; please try again.")
    assert {block: dict(actions) for block, actions in view.values.items()} == entered
    assert talk.ada.submit() is None
    stop(talk)


def test_a_message_that_arrived_unnoticed_is_not_posted_twice(talk: Conversation) -> None:
    fault = Fault("slack", "drop", POST, times=3, after_effect=True)
    talk.world.faults.add(fault)
    talk.planned()
    stop(talk)
    assert fault.times < 3
    assert len(talk.run_messages()) == 1
    run = talk.run_message("Discarded")
    summaries = [one.text for one in talk.ada.thread(run) if one.text]
    assert len(summaries) == len(set(summaries))


def test_a_deleted_message_is_posted_again(talk: Conversation) -> None:
    run = talk.planned()

    async def delete() -> None:
        talk.world.slack.workspace.delete(run)

    talk.playground.run(delete())
    talk.sam.wait_until(
        lambda: None if run in talk.sam.visible_messages() and not run.deleted else run
    )
    talk.ada.type(f"/sciclops discard {talk.name}")
    again = talk.run_message("Discarded")
    assert again.ts != run.ts
    assert not again.deleted


def test_whoever_asked_hears_that_the_bot_is_not_in_the_channel(talk: Conversation) -> None:
    members = talk.world.slack.workspace.channels[CHANNEL].members
    members.discard(cast.BOT_USER_ID)
    try:
        talk.ask()
        said = talk.ada.wait_for_message(
            f"I cannot post about {talk.name} in its channel", timeout=RUN_SECONDS
        )
    finally:
        members.add(cast.BOT_USER_ID)
    assert said.channel.startswith("D")
    assert "invite me to the channel: /invite @SciCLOps" in said.text
    talk.world.clock.advance(timedelta(minutes=10))
    stop(talk)


def status(talk: Conversation, state: str) -> None:
    """Ask for the status until it is this."""

    def seen() -> bool:
        talk.ada.type(f"/sciclops status {talk.name}")
        return state in text_of(talk.told(talk.ada, f"Project {talk.name}"))

    wait_until(seen, RUN_SECONDS)


def test_a_run_and_its_thread_appear_once_the_bot_is_in_the_channel(talk: Conversation) -> None:
    members = talk.world.slack.workspace.channels[CHANNEL].members
    talk.fill()
    members.discard(cast.BOT_USER_ID)
    try:
        assert talk.ada.submit() is None
        status(talk, "waiting for confirmation")
        assert talk.run_messages() == []
    finally:
        members.add(cast.BOT_USER_ID)
    talk.world.clock.advance(timedelta(minutes=10))
    run = talk.run_message("Waiting for confirmation", timeout=ANSWER_SECONDS)
    talk.says(f"Plan for {talk.name}")
    talk.file("plan-text-")
    assert len(talk.run_messages()) == 1
    assert talk.ada.thread(run)
    stop(talk)


def test_a_message_in_an_archived_channel_shows_how_it_stands_once_that_is_undone(
    talk: Conversation,
) -> None:
    run = talk.planned()
    talk.file("plan-log-")
    channel = talk.world.slack.workspace.channels[CHANNEL]
    channel.archived = True
    try:
        talk.ada.type(f"/sciclops discard {talk.name}", channel="C0COMMUNITY")
        talk.told(talk.ada, "Discarded. Nothing was made")
        calls = talk.world.slack.calls
        wait_until(lambda: any(call.error == "is_inactive" for call in calls), ANSWER_SECONDS)
        assert "Waiting for confirmation" in text_of(run)
    finally:
        channel.archived = False
    talk.world.clock.advance(timedelta(minutes=10))
    assert talk.run_message("Discarded", timeout=ANSWER_SECONDS) is run


def test_whoever_asked_hears_that_the_channel_is_archived(talk: Conversation) -> None:
    channel = talk.world.slack.workspace.channels[CHANNEL]
    talk.fill()
    channel.archived = True
    try:
        assert talk.ada.submit() is None
        said = talk.ada.wait_for_message(
            f"I cannot post about {talk.name} in its channel", timeout=RUN_SECONDS
        )
    finally:
        channel.archived = False
    assert "unarchive the channel" in said.text
    talk.world.clock.advance(timedelta(minutes=10))
    stop(talk)


@pytest.fixture
def old_workspace(talk: Conversation) -> Iterator[Conversation]:
    """Return a conversation in a workspace that knows no plan blocks."""
    talk.world.slack.workspace.plan_blocks = False
    yield talk
    talk.world.slack.workspace.plan_blocks = True


def test_a_workspace_without_plan_blocks_gets_classic_ones(old_workspace: Conversation) -> None:
    talk = old_workspace
    run = talk.planned()
    kinds = [block["type"] for block in run.blocks]
    assert "plan" not in kinds
    said = text_of(run)
    assert "Planned · " in said
    assert "to add, 0 to change, 0 to destroy" in said
    assert {"Confirm & Apply", "Discard"} <= set(buttons(run))
    stop(talk)
