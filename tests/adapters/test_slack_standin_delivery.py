"""How payloads travel: acks and their lack, retries by the clock, sockets that come and go."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_standin_app import CHANNEL, Running, ask, error_of, running_bot, running_slack

from playground.cast import ADA, BOT_USER_ID, GRACE
from playground.slack.entities import Attempt, Delivery, Message
from playground.slack.http_mode import signature


class RawApp:
    """An app that takes envelopes and acks only when told to."""

    def __init__(self, running: Running, session: aiohttp.ClientSession) -> None:
        self._running = running
        self._session = session

    async def url(self) -> str:
        client = self._running.client("xapp-playground")
        return str((await client.apps_connections_open(app_token="xapp-playground"))["url"])

    async def connect(self) -> aiohttp.ClientWebSocketResponse:
        socket = await self._session.ws_connect(await self.url())
        hello = await socket.receive_json()
        assert hello["type"] == "hello"
        return socket


@pytest.fixture
async def raw() -> AsyncIterator[tuple[Running, RawApp]]:
    async with running_slack() as running, aiohttp.ClientSession() as session:
        yield running, RawApp(running, session)


async def ack(socket: aiohttp.ClientWebSocketResponse, envelope: dict[str, Any]) -> None:
    await socket.send_json({"envelope_id": envelope["envelope_id"]})


def question(running: Running) -> Message:
    return running.workspace.add(Message(CHANNEL, "", BOT_USER_ID, "sure?", blocks=ask("sure?")))


async def after_three_seconds(running: Running, doing: asyncio.Task[Any], sent: int = 1) -> Any:
    """Let three seconds pass by the clock once something is under way."""
    assert await running.workspace.feed.until(lambda: len(running.workspace.deliveries) >= sent, 5)
    running.clock.advance(timedelta(seconds=4))
    return await doing


def acting(doing: Any) -> asyncio.Task[Any]:
    return asyncio.create_task(doing)


def is_late(attempt: Attempt) -> bool:
    return attempt.answer.outcome == "late"


# Without an ack -----------------------------------------------------------------------------


async def test_a_command_without_ack_times_out_for_its_person_only(
    raw: tuple[Running, RawApp],
) -> None:
    running, app = raw
    await app.connect()
    doing = acting(running.workspace.slash(ADA.slack, CHANNEL, "/sciclops new"))
    delivery: Delivery = await after_three_seconds(running, doing)
    assert delivery.answer.outcome == "late"
    [notice] = running.workspace.visible_messages(ADA.slack, CHANNEL)
    assert notice.text == '/sciclops failed with the error "operation_timeout"'
    assert running.workspace.visible_messages(GRACE.slack, CHANNEL) == []


async def test_a_late_ack_is_recorded_but_changes_nothing(raw: tuple[Running, RawApp]) -> None:
    running, app = raw
    socket = await app.connect()
    doing = acting(running.workspace.slash(ADA.slack, CHANNEL, "/sciclops new"))
    envelope = await socket.receive_json()
    delivery: Delivery = await after_three_seconds(running, doing)
    assert delivery.ack_ms is None
    await ack(socket, envelope)
    assert await running.workspace.feed.until(lambda: delivery.ack_ms, 5)
    assert not delivery.acked


async def test_a_click_without_ack_shows_a_triangle_and_is_never_sent_again(
    raw: tuple[Running, RawApp],
) -> None:
    running, app = raw
    await app.connect()
    message = question(running)
    delivery = await after_three_seconds(
        running, acting(running.workspace.click(ADA.slack, message, "confirm"))
    )
    assert message.warned == {ADA.slack}
    running.clock.advance(timedelta(hours=1))
    assert len(delivery.attempts) == 1


async def test_a_submission_without_ack_keeps_the_form_and_what_was_entered() -> None:
    async with running_slack() as running, running_bot(running):
        workspace = running.workspace
        await workspace.slash(ADA.slack, CHANNEL, "/sciclops new")
        [view] = (await workspace.feed.until(lambda: workspace.views(ADA.slack), 5)) or []
        sent = len(workspace.deliveries)
        await workspace.enter(ADA.slack, view, "name_entered", "name", "silence")
        doing = acting(workspace.submit(ADA.slack, view.id))
        await after_three_seconds(running, doing, sent + 2)
        assert view.trouble == "We had some trouble connecting. Try again?"
        assert view.values["name"]["name_entered"]["value"] == "silence"
        assert workspace.views(ADA.slack) == [view]


async def test_without_a_connection_a_command_cannot_be_dispatched() -> None:
    async with running_slack() as running:
        delivery = await running.workspace.slash(ADA.slack, CHANNEL, "/sciclops new")
        assert delivery is not None
        assert delivery.answer.outcome == "unreachable"
        [notice] = running.workspace.visible_messages(ADA.slack, CHANNEL)
        assert "dispatch_failed" in notice.text


async def test_lost_acks_look_like_no_ack(raw: tuple[Running, RawApp]) -> None:
    running, app = raw
    socket = await app.connect()
    running.workspace.post.lose_acks = 1
    doing = acting(running.workspace.slash(ADA.slack, CHANNEL, "/sciclops new"))
    await ack(socket, await socket.receive_json())
    assert await running.workspace.feed.until(lambda: not running.workspace.post.lose_acks, 5)
    running.clock.advance(timedelta(seconds=4))
    delivery = await doing
    assert delivery is not None
    assert delivery.answer.outcome == "late"


# Again --------------------------------------------------------------------------------------


async def test_events_are_retried_at_once_after_a_minute_and_after_five(
    raw: tuple[Running, RawApp],
) -> None:
    running, app = raw
    socket = await app.connect()
    doing = acting(running.workspace.open_home(ADA.slack))
    seen = [await socket.receive_json()]
    running.clock.advance(timedelta(seconds=4))
    delivery = await doing
    assert delivery is not None
    for pause in (timedelta(), timedelta(minutes=1), timedelta(minutes=5)):
        attempt = delivery.attempts[len(seen) - 1]
        assert await running.workspace.feed.until(partial(is_late, attempt), 5)
        running.clock.advance(pause)
        seen.append(await socket.receive_json())
        running.clock.advance(timedelta(seconds=4))
    assert [one["retry_attempt"] for one in seen] == [0, 1, 2, 3]
    assert [one["retry_reason"] for one in seen] == ["", "timeout", "timeout", "timeout"]
    assert len({one["payload"]["event_id"] for one in seen}) == 1
    assert len({one["envelope_id"] for one in seen}) == 4


async def test_an_event_acked_on_retry_is_not_sent_again(raw: tuple[Running, RawApp]) -> None:
    running, app = raw
    socket = await app.connect()
    doing = acting(running.workspace.open_home(ADA.slack))
    await socket.receive_json()
    running.clock.advance(timedelta(seconds=4))
    delivery = await doing
    assert delivery is not None
    await ack(socket, await socket.receive_json())
    assert await running.workspace.feed.until(lambda: delivery.acked, 5)
    assert len(delivery.attempts) == 2


async def test_a_redelivered_command_runs_the_listener_again() -> None:
    async with running_slack() as running, running_bot(running) as bot:
        delivery = await running.workspace.slash(ADA.slack, CHANNEL, "/sciclops help")
        assert delivery is not None
        attempts = await running.workspace.redeliver(delivery, 2)
        assert [one.answer.outcome for one in attempts] == ["acked", "acked"]
        assert bot.heard == ["command help"] * 3


# Sockets ------------------------------------------------------------------------------------


async def test_envelopes_have_slacks_shape(raw: tuple[Running, RawApp]) -> None:
    running, app = raw
    socket = await app.connect()
    doings = [acting(running.workspace.slash(ADA.slack, CHANNEL, "/sciclops new"))]
    doings.append(acting(running.workspace.click(ADA.slack, question(running), "confirm")))
    doings.append(acting(running.workspace.open_home(ADA.slack)))
    seen = {}
    for _ in doings:
        envelope = await socket.receive_json()
        seen[envelope["type"]] = envelope
        await ack(socket, envelope)
    await asyncio.gather(*doings)
    usual = {"envelope_id", "type", "payload", "accepts_response_payload"}
    assert set(seen["slash_commands"]) == usual
    assert seen["slash_commands"]["accepts_response_payload"] is True
    assert set(seen["interactive"]) == usual
    assert seen["interactive"]["accepts_response_payload"] is False
    assert set(seen["events_api"]) == usual | {"retry_attempt", "retry_reason"}


async def test_each_delivery_goes_to_one_of_several_connections(
    raw: tuple[Running, RawApp],
) -> None:
    running, app = raw
    sockets = [await app.connect(), await app.connect()]
    heard: list[int] = []

    async def serve(number: int) -> None:
        async for message in sockets[number]:
            heard.append(number)
            await ack(sockets[number], json.loads(message.data))

    serving = [asyncio.create_task(serve(number)) for number in (0, 1)]
    for _ in range(4):
        await running.workspace.slash(ADA.slack, CHANNEL, "/sciclops help")
    assert sorted(heard) == [0, 0, 1, 1]
    for socket in sockets:
        await socket.close()
    await asyncio.gather(*serving)


async def test_tickets_open_one_socket(raw: tuple[Running, RawApp]) -> None:
    _, app = raw
    async with aiohttp.ClientSession() as session:
        url = await app.url()
        async with session.ws_connect(url):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(url)
            assert refused.value.status == 403


async def test_ten_connections_are_the_limit(raw: tuple[Running, RawApp]) -> None:
    _, app = raw
    held = [await app.connect() for _ in range(10)]
    assert len(held) == 10
    assert await error_of(app.url()) == "too_many_websockets"


async def test_pings_are_answered_and_nonsense_is_ignored(raw: tuple[Running, RawApp]) -> None:
    running, app = raw
    socket = await app.connect()
    await socket.send_str("not json")
    await socket.send_str("[]")
    await socket.send_json({"envelope_id": "unknown"})
    doing = acting(running.workspace.slash(ADA.slack, CHANNEL, "/sciclops help"))
    await socket.ping()
    await ack(socket, await socket.receive_json())
    delivery = await doing
    assert delivery is not None
    assert delivery.acked


@pytest.mark.parametrize("how", ["refresh", "drop"])
async def test_the_app_comes_back_after_a_refresh_and_a_dropped_socket(how: str) -> None:
    async with running_slack() as running, running_bot(running) as bot:
        sockets = running.slack.sockets
        opened = len([one for one in running.slack.calls if one.method == "apps.connections.open"])
        if how == "refresh":
            await sockets.refresh()
        else:
            assert sockets.drop() == 1
        assert sockets.connections == 0 or how == "drop"

        def reconnected() -> bool:
            calls = [one for one in running.slack.calls if one.method == "apps.connections.open"]
            return len(calls) > opened and sockets.connections > 0

        assert await running.workspace.feed.until(reconnected, 20)
        delivery = await running.workspace.slash(ADA.slack, CHANNEL, "/sciclops help")
        assert delivery is not None
        assert delivery.acked
        assert bot.heard == ["command help"]


# HTTP ---------------------------------------------------------------------------------------


class Site:
    """A request URL that answers as it is told and remembers what it was sent."""

    def __init__(self) -> None:
        self.answers: list[web.Response] = []
        self.hanging = asyncio.Event()
        self.requests: list[tuple[dict[str, str], str]] = []

    async def take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((headers, await request.text()))
        if not self.answers:
            await self.hanging.wait()
            return web.Response()
        return self.answers.pop(0)


@asynccontextmanager
async def site(running: Running) -> AsyncIterator[Site]:
    one = Site()
    app = web.Application()
    app.router.add_post("/", one.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    running.slack.http.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    try:
        yield one
    finally:
        one.hanging.set()
        await runner.cleanup()


async def test_requests_are_signed() -> None:
    async with running_slack(mode="http", signing_secret="shared") as running:
        async with site(running) as there:
            there.answers = [web.Response()]
            await running.workspace.slash(ADA.slack, CHANNEL, "/sciclops new")
        [(headers, body)] = there.requests
        stamp = headers["x-slack-request-timestamp"]
        assert headers["x-slack-signature"] == signature("shared", stamp, body)
        assert headers["content-type"] == "application/x-www-form-urlencoded"


async def test_an_app_with_another_secret_refuses_and_the_person_hears_of_it() -> None:
    async with running_slack(mode="http") as running:
        running.slack.signing_secret = "the app knows another one"
        async with running_bot(running, "http") as bot:
            delivery = await running.workspace.slash(ADA.slack, CHANNEL, "/sciclops new")
    assert delivery is not None
    assert delivery.answer.outcome == "refused"
    assert bot.heard == []
    assert "dispatch_failed" in running.workspace.messages[-1].text


async def test_request_urls_are_challenged() -> None:
    async with running_slack(mode="http") as running:
        async with running_bot(running, "http"):
            assert await running.slack.http.verify_request_url()
        async with site(running) as there:
            there.answers = [web.Response(text="hello")]
            assert not await running.slack.http.verify_request_url()


async def test_http_retries_carry_their_number_and_reason() -> None:
    async with running_slack(mode="http") as running, site(running) as there:
        there.answers = [web.Response(status=500), web.Response(status=503), web.Response()]
        delivery = await running.workspace.open_home(ADA.slack)
        assert delivery is not None
        assert await running.workspace.feed.until(lambda: len(delivery.attempts) == 2, 5)
        assert await running.workspace.feed.until(
            lambda: delivery.attempts[1].answer.outcome == "refused", 5
        )
        running.clock.advance(timedelta(minutes=1))
        assert await running.workspace.feed.until(lambda: delivery.acked, 5)
        numbers = [headers.get("x-slack-retry-num") for headers, _ in there.requests]
        assert numbers == [None, "1", "2"]
        assert there.requests[1][0]["x-slack-retry-reason"] == "http_error"


async def test_an_app_can_ask_for_no_retry() -> None:
    async with running_slack(mode="http") as running, site(running) as there:
        there.answers = [web.Response(status=500, headers={"X-Slack-No-Retry": "1"})]
        delivery = await running.workspace.open_home(ADA.slack)
        running.clock.advance(timedelta(hours=1))
        assert delivery is not None
        assert delivery.answer.outcome == "refused"
    assert len(there.requests) == 1


async def test_a_request_url_that_hangs_or_is_down_is_noticed() -> None:
    async with running_slack(mode="http") as running:
        async with site(running):
            doing = acting(running.workspace.slash(ADA.slack, CHANNEL, "/sciclops new"))
            hanging: Delivery = await after_three_seconds(running, doing)
        down = await running.workspace.slash(ADA.slack, CHANNEL, "/sciclops new")
        assert down is not None
        assert (hanging.answer.outcome, down.answer.outcome) == ("late", "unreachable")


async def test_apps_over_http_have_no_sockets() -> None:
    async with running_slack(mode="http") as running:
        call = running.client().apps_connections_open(app_token="xapp-playground")
        assert await error_of(call) == "socket_mode_not_enabled"
