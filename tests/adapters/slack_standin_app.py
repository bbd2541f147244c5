"""A small real Bolt app, to prove that the stand-in speaks what the SDK expects."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from playground.faults import Faults
from playground.slack.server import Slack
from provisioning.clock import MovableClock

Json = dict[str, Any]
Mode = Literal["socket", "http"]
CHANNEL = "C0SCICLOPS"


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def field(block_id: str, element: Json, **more: Any) -> Json:
    return {
        "type": "input",
        "block_id": block_id,
        "label": plain(block_id),
        "element": {"action_id": f"{block_id}_entered", **element},
        **more,
    }


def form(callback_id: str = "form", hint: str = "") -> Json:
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain("New project"),
        "submit": plain("Create"),
        "close": plain("Cancel"),
        "notify_on_close": True,
        "private_metadata": "remember",
        "external_id": "",
        "blocks": [
            field("name", {"type": "plain_text_input"}, dispatch_action=True),
            field("team", {"type": "external_select", "min_query_length": 1}, optional=True),
            field("owners", {"type": "multi_users_select"}, optional=True),
            field("until", {"type": "datepicker"}, optional=True),
            *([{"type": "section", "block_id": "hint", "text": plain(hint)}] if hint else []),
        ],
    }


def ask(text: str) -> list[Json]:
    button = {
        "type": "button",
        "text": plain("Confirm & Apply"),
        "action_id": "confirm",
        "value": "run-1",
        "style": "primary",
    }
    return [
        {"type": "section", "block_id": "question", "text": plain(text)},
        {"type": "actions", "block_id": "choices", "elements": [button]},
    ]


class Bot:
    """The app: what it heard is in `heard`, in order."""

    def __init__(self, slack: Slack, base_url: str) -> None:
        client = AsyncWebClient("xoxb-playground", base_url=f"{base_url}/api/")
        self.app = AsyncApp(client=client, signing_secret=slack.signing_secret)
        self.client = client
        self.heard: list[str] = []
        self.bodies: list[Json] = []
        self.hold = asyncio.Event()
        self._listen()

    def _listen(self) -> None:
        self.app.command("/sciclops")(self.command)
        self.app.options("team_entered")(self.options)
        self.app.action("name_entered")(self.name_entered)
        self.app.view("form")(self.submitted)
        self.app.view_closed(re.compile("form|second"))(self.closed)
        self.app.action("confirm")(self.confirmed)
        self.app.event("app_home_opened")(self.home_opened)
        self.app.event("app_mention")(self.mentioned)

    def _note(self, what: str, body: Json) -> None:
        self.heard.append(what)
        self.bodies.append(body)

    async def command(self, ack: Any, body: Json, client: AsyncWebClient, respond: Any) -> None:
        self._note(f"command {body['text']}", body)
        if body["text"] == "silence":
            await self.hold.wait()
        await ack(**({"text": "on it"} if body["text"] == "text" else {}))
        if body["text"] == "later":
            await self.hold.wait()
        if body["text"] in ("new", "later"):
            await client.views_open(trigger_id=body["trigger_id"], view=form())
        if body["text"] == "respond":
            await respond("only you see this")

    async def options(self, ack: Any, body: Json) -> None:
        self._note(f"options {body['value']}", body)
        teams = ("ml-reviewers", "data-science", "platform")
        shown = [one for one in teams if body["value"] in one]
        await ack(options=[{"text": plain(one), "value": one} for one in shown])

    async def name_entered(self, ack: Any, body: Json, client: AsyncWebClient) -> None:
        self._note("typed", body)
        await ack()
        typed = body["actions"][0]["value"]
        view = body["view"]
        await client.views_update(
            view_id=view["id"], hash=view["hash"], view=form(hint=f"{typed} is free")
        )

    async def submitted(self, ack: Any, body: Json, client: AsyncWebClient) -> None:
        self._note("submitted", body)
        name = body["view"]["state"]["values"]["name"]["name_entered"]["value"]
        answers: dict[str, Json] = {
            "taken": {"response_action": "errors", "errors": {"name": "Already taken"}},
            "wrong-block": {"response_action": "errors", "errors": {"nowhere": "?"}},
            "wait": {"response_action": "update", "view": form(hint="Checking…")},
            "more": {"response_action": "push", "view": form("second")},
            "clear": {"response_action": "clear"},
            "bad-view": {"response_action": "update", "view": {**form(), "title": plain("x" * 25)}},
        }
        if name == "silence":
            await self.hold.wait()
        await ack(**answers.get(name, {}))
        if name not in answers:
            question = f"Create {name}?"
            await client.chat_postMessage(channel=CHANNEL, text=question, blocks=ask(question))

    async def closed(self, ack: Any, body: Json) -> None:
        self._note("closed", body)
        await ack()

    async def confirmed(self, ack: Any, body: Json, client: AsyncWebClient) -> None:
        self._note("confirmed", body)
        await ack()
        done = f"Applied by {body['user']['id']}"
        message = body["container"]["message_ts"]
        await client.chat_update(channel=CHANNEL, ts=message, text=done, blocks=[])

    async def home_opened(self, event: Json, body: Json, client: AsyncWebClient) -> None:
        self._note("home", body)
        greeting = {"type": "section", "text": plain("Your projects")}
        await client.views_publish(
            user_id=event["user"], view={"type": "home", "blocks": [greeting]}
        )

    async def mentioned(self, body: Json, say: Any) -> None:
        self._note("mentioned", body)
        await say("you called?")


class Running:
    """A stand-in with its clock and, if started, the app."""

    def __init__(self, slack: Slack, clock: MovableClock, faults: Faults, base_url: str) -> None:
        self.slack = slack
        self.workspace = slack.workspace
        self.clock = clock
        self.faults = faults
        self.base_url = base_url

    def client(self, token: str = "xoxb-playground") -> AsyncWebClient:
        return AsyncWebClient(token, base_url=f"{self.base_url}/api/")


@asynccontextmanager
async def running_slack(**options: Any) -> AsyncIterator[Running]:
    clock, faults = MovableClock(), Faults()
    slack = Slack(clock, faults, **options)
    base_url = await slack.start()
    try:
        yield Running(slack, clock, faults, base_url)
    finally:
        await slack.stop()


@asynccontextmanager
async def running_bot(running: Running, mode: Mode = "socket") -> AsyncIterator[Bot]:
    bot = Bot(running.slack, running.base_url)
    serve = _over_sockets if mode == "socket" else _over_http
    async with serve(running, bot):
        yield bot
        bot.hold.set()


@asynccontextmanager
async def _over_sockets(running: Running, bot: Bot) -> AsyncIterator[None]:
    handler = AsyncSocketModeHandler(bot.app, "xapp-playground", ping_interval=1)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    connected = await running.workspace.feed.until(lambda: running.slack.sockets.connections, 5)
    assert connected
    try:
        yield
    finally:
        bot.hold.set()
        await handler.close_async()  # type: ignore[no-untyped-call]


@asynccontextmanager
async def _over_http(running: Running, bot: Bot) -> AsyncIterator[None]:
    async def handle(request: web.Request) -> web.Response:
        answer = await bot.app.async_dispatch(await to_bolt_request(request))
        return await to_aiohttp_response(answer)

    site = web.Application()
    site.router.add_post("/slack/events", handle)
    runner = web.AppRunner(site, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    running.slack.http.request_url = f"http://127.0.0.1:{port}/slack/events"
    try:
        yield
    finally:
        bot.hold.set()
        await runner.cleanup()


async def error_of(call: Any) -> str:
    """Return the error code with which Slack refuses a call."""
    try:
        await call
    except SlackApiError as refusal:
        return str(refusal.response["error"])
    raise AssertionError("Slack accepted the call")
