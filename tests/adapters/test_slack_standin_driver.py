"""The test driver: a person at Slack, acted from another thread than the loop's."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import date, timedelta

import pytest
from slack_standin_app import CHANNEL, Bot, Running, running_bot, running_slack

from playground.cast import ADA, GRACE, ROSA
from playground.slack.driver import Person, SlackDriver
from playground.slack.entities import NotPossible


class Story:
    """Slack and the app in a thread of their own, and the driver that reaches them."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._stack = AsyncExitStack()
        self._thread.start()
        self.running, self.bot = asyncio.run_coroutine_threadsafe(self._open(), self.loop).result(
            10
        )
        self.driver = SlackDriver(self.running.slack, self.loop)

    async def _open(self) -> tuple[Running, Bot]:
        running = await self._stack.enter_async_context(running_slack())
        return running, await self._stack.enter_async_context(running_bot(running))

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._stack.aclose(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


@pytest.fixture
def story() -> Iterator[Story]:
    one = Story()
    try:
        yield one
    finally:
        one.close()


@pytest.fixture
def ada(story: Story) -> Person:
    return story.driver.as_person(ADA.slack)


def test_a_person_asks_and_another_confirms(story: Story, ada: Person) -> None:
    grace = story.driver.as_person(GRACE.slack)
    delivery = ada.type("/sciclops new")
    assert delivery is not None
    assert delivery.acked
    ada.wait_for_view(containing="New project")
    ada.fill({"name": "taken", "owners": [ROSA.slack], "until": date(2026, 12, 1)})
    assert ada.submit() == {"name": "Already taken"}
    ada.fill({"name": "demo", "team": "ml-reviewers"})
    state = ada.view().values
    assert state["owners"]["owners_entered"]["selected_users"] == [ROSA.slack]
    assert state["until"]["until_entered"]["selected_date"] == "2026-12-01"
    assert state["team"]["team_entered"]["selected_option"]["value"] == "ml-reviewers"
    assert ada.submit() is None
    assert not ada.has_view()
    question = grace.wait_for_message(containing="Create demo?")
    grace.press("Confirm & Apply")
    done = ada.wait_for_message(containing=f"Applied by {GRACE.slack}")
    assert done is question


def test_who_gets_a_dialog_too_late_asks_again(story: Story, ada: Person) -> None:
    ada.type("/sciclops later")
    story.running.clock.advance(timedelta(seconds=4))
    story.loop.call_soon_threadsafe(story.bot.hold.set)
    ada.wait_for_view(containing="New project")
    assert story.bot.heard == ["command later"] * 2
    assert story.running.slack.workspace.expired(ADA.slack) == 1


def test_empty_required_fields_never_leave_slacks_client(story: Story, ada: Person) -> None:
    ada.type("/sciclops new")
    ada.wait_for_view()
    sent = len(story.driver.deliveries)
    assert ada.submit() == {"name": "Please complete this required field."}
    assert len(story.driver.deliveries) == sent


def test_suggestions_are_what_the_app_offers(ada: Person) -> None:
    ada.type("/sciclops new")
    ada.wait_for_view()
    assert ada.suggest("team", "form") == ["platform"]
    assert ada.suggest("team", "nothing-like-it") == []
    with pytest.raises(NotPossible, match="not among the options"):
        ada.fill({"team": "nothing-like-it"})


def test_the_home_tab_and_a_mention(ada: Person) -> None:
    ada.open_home()
    assert ada.wait_for_home(containing="Your projects") is ada.home()
    ada.type("@sciclops hello")
    ada.wait_for_message(containing="you called?", channel=CHANNEL)


def test_redelivery_and_dropped_sockets_can_be_injected(story: Story, ada: Person) -> None:
    delivery = ada.type("/sciclops help")
    assert delivery is not None
    story.driver.redeliver(delivery, 2)
    assert story.bot.heard == ["command help"] * 3
    assert len(delivery.attempts) == 3
    story.driver.redeliver(delivery, 20, at_once=True)
    assert len(story.bot.heard) == 23
    assert story.driver.drop_sockets() == 1


def test_waiting_in_vain_says_what_there_was(ada: Person) -> None:
    ada.type("hello there")
    with pytest.raises(AssertionError, match=r"(?s)no message containing 'ready'.*hello there"):
        ada.wait_for_message(containing="ready", timeout=0.1)


def test_a_button_that_nobody_sees_cannot_be_pressed(ada: Person) -> None:
    with pytest.raises(NotPossible, match="sees no button 'Destroy It'"):
        ada.press("Destroy It")
    with pytest.raises(NotPossible, match="no modal open"):
        ada.submit()


def test_files_and_threads_are_visible(story: Story, ada: Person) -> None:
    async def share() -> None:
        client = story.bot.client
        posted = await client.chat_postMessage(channel=CHANNEL, text="run")
        await client.files_upload_v2(
            channel=CHANNEL, thread_ts=posted["ts"], filename="plan.txt", content="+1"
        )

    story.driver.run(share())
    parent = ada.wait_for_message(containing="run")
    ada.wait_until(ada.files)
    assert [one.name for one in ada.files()] == ["plan.txt"]
    assert len(ada.thread(parent)) == 1
    assert ada.visible_messages() == [parent]


def test_an_ephemeral_answer_is_only_its_readers(story: Story, ada: Person) -> None:
    ada.type("/sciclops text")
    ada.wait_for_message(containing="on it")
    assert story.driver.as_person(GRACE.slack).visible_messages() == []
