"""The publisher's loop: it can always be stopped."""

import asyncio
import linecache

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.publisher import Publisher
from provisioning.clock import MovableClock
from provisioning.store import Store


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
    publisher = Publisher(AsyncWebClient("xoxb-1"), store, MovableClock(), 3)
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
