"""The publisher's loop: it can always be stopped, and of several processes one sends."""

import asyncio
import linecache
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from rows import a_message, a_project, an_operation
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.publisher import Processes, Publisher
from provisioning.clock import MovableClock
from provisioning.store import Store


class Slow(AsyncWebClient):
    """A Slack that takes a message once it may answer; one that `breaks` never answers."""

    def __init__(self) -> None:
        super().__init__("xoxb-1")
        self.posted: list[str] = []
        self.posting = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.breaks = False

    async def api_call(self, api_method: str, **words: Any) -> Any:
        """Post a message after a while, or show that nothing was posted so far."""
        if api_method == "conversations.history":
            assert not self.posted
            return {"messages": []}
        assert api_method == "chat.postMessage"
        self.posting.set()
        await self.may_answer.wait()
        if self.breaks:
            raise TimeoutError
        self.posted.append(str(words["json"]["metadata"]))
        return {"ts": f"{len(self.posted)}.1"}


class Outside(AsyncWebClient):
    """A Slack whose channel of runs the bot is not in."""

    def __init__(self) -> None:
        super().__init__("xoxb-1")
        self.said: list[tuple[str, str]] = []
        self.refused: list[str] = []

    async def api_call(self, api_method: str, **words: Any) -> Any:
        """Open a direct channel, or take a message to one; refuse what the other one is about."""
        sent = words["json"] if "json" in words else words["params"]
        if api_method == "conversations.open":
            return {"channel": {"id": f"D-{sent['users']}"}}
        if sent["channel"] == "C-runs":
            self.refused.append(api_method)
            answer = {"ok": False, "error": "not_in_channel"}
            refusal: Callable[..., SlackApiError] = SlackApiError
            raise refusal("refused", answer)
        self.said.append((sent["channel"], sent["text"]))
        return {"ts": f"{len(self.said)}.1"}


def a_publisher(
    client: AsyncWebClient, store: Store, this: str = "one", dead: tuple[str, ...] = ()
) -> Publisher:
    return Publisher(client, store, MovableClock(), Processes(this, dead.__contains__), 3)


async def test_while_one_process_posts_a_message_no_other_one_does(store: Store) -> None:
    client = Slow()
    one, other = a_publisher(client, store), a_publisher(client, store, "other")
    store.messages.show(a_message())
    sending = asyncio.create_task(one.send_owed())
    await client.posting.wait()
    await other.send_owed()
    client.may_answer.set()
    await sending
    await other.send_owed()
    assert len(client.posted) == 1


async def test_what_a_dead_process_was_posting_is_posted_by_another_one(store: Store) -> None:
    client = Slow()
    client.may_answer.set()
    store.messages.show(a_message())
    store.messages.mark_sending("op-1:progress", by="one")
    await a_publisher(client, store, "other").send_owed()
    assert client.posted == []
    await a_publisher(client, store, "other", dead=("one",)).send_owed()
    assert len(client.posted) == 1


async def test_what_one_process_could_not_post_another_one_does(store: Store) -> None:
    broken, client = Slow(), Slow()
    broken.breaks = True
    for each in (broken, client):
        each.may_answer.set()
    store.messages.show(a_message())
    await a_publisher(broken, store).send_owed()
    await a_publisher(client, store, "other").send_owed()
    assert len(client.posted) == 1


async def test_each_run_s_requester_hears_once_that_the_bot_is_not_in_the_channel(
    store: Store, clock: MovableClock
) -> None:
    client = Outside()
    publisher = Publisher(client, store, clock, Processes("one", set().__contains__), 3)
    for number, who in ((1, "U-ada"), (2, "U-ada")):
        name = f"ada-{number}"
        run = an_operation(f"op-{number}", name, by=who)
        store.projects.reserve_and_begin(a_project(name, by=who), run)
        store.messages.show(a_message(f"run:op-{number}", urgent=True))
    await publisher.send_owed()
    clock.advance(timedelta(hours=1))
    await publisher.send_owed()
    assert client.refused == ["chat.postMessage"] * 2 + ["conversations.history"] * 2
    told = [(channel, words.partition(" in its channel")[0]) for channel, words in client.said]
    assert told == [
        ("D-U-ada", "I cannot post about ada-1"),
        ("D-U-ada", "I cannot post about ada-2"),
    ]


async def test_a_message_about_no_run_that_is_refused_holds_up_no_other(store: Store) -> None:
    client = Outside()
    store.messages.show(a_message("fleet-1", urgent=True))
    store.messages.show(a_message("announce:digest:1", urgent=True))
    await a_publisher(client, store).send_owed()
    assert client.refused == ["chat.postMessage"] * 2
    assert client.said == []


async def a_turn_of_the_loop() -> None:
    passed = asyncio.Event()
    asyncio.get_running_loop().call_soon(passed.set)
    await passed.wait()


def waits_for_news(running: "asyncio.Task[None]") -> bool:
    """Tell whether the loop has nothing to send."""
    (frame,) = running.get_stack()
    return "news.wait()" in linecache.getline(frame.f_code.co_filename, frame.f_lineno)


@pytest.mark.parametrize("turns", range(4))
async def test_news_at_the_moment_of_the_stop_do_not_keep_it_running(
    store: Store, turns: int
) -> None:
    publisher = a_publisher(AsyncWebClient("xoxb-1"), store)
    running = asyncio.create_task(publisher.run())
    while not waits_for_news(running):
        await a_turn_of_the_loop()
    store.messages.on_show()
    for _ in range(turns):
        await a_turn_of_the_loop()
    running.cancel()
    done, _ = await asyncio.wait({running}, timeout=5)
    assert done == {running}
    assert running.cancelled()
