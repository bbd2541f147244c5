"""Runs the bot until it is told to stop; whatever was under way goes on at the next start."""

import asyncio
import logging
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp

from bot.app import bolt_app, posting_client, web_client
from bot.edge import Edge
from bot.health import Health
from bot.home import Home
from bot.publisher import Processes, Publisher
from bot.schedule import Schedule
from bot.settings import Settings
from bot.slack_connection import SlackConnection
from bot.webhooks import LARGEST_BODY, PATH, WebhookDoor
from bot.wiring import Bot
from provisioning.errors import UserError
from provisioning.following import Follower

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 2
SWITCH_SECONDS = 0.0005
"""How long a working thread keeps the interpreter from the one that acknowledges: Python's own
5 ms add up, since an acknowledgement has to get it several times."""


def missing_secrets(settings: Settings) -> tuple[str, ...]:
    """Return a line for each variable without which the bot cannot log in anywhere."""
    slack = settings.slack
    needed = {
        "SCICLOPS__SLACK__BOT_TOKEN": (slack.bot_token, "xoxb-"),
        "SCICLOPS__DATABRICKS__CLIENT_SECRET": (settings.databricks.client_secret, ""),
    }
    if slack.mode == "socket":
        needed["SCICLOPS__SLACK__APP_TOKEN"] = (slack.app_token, "xapp-")
    else:
        needed["SCICLOPS__SLACK__SIGNING_SECRET"] = (slack.signing_secret, "")
    if settings.terraform.state == "pg":
        needed["SCICLOPS__TERRAFORM__STATE_URL"] = (settings.terraform.state_url, "postgres")
    return tuple(
        f"{name}: set it{f'; it starts with {prefix}' if prefix else ''}"
        for name, (secret, prefix) in needed.items()
        if not secret.get_secret_value() or not secret.get_secret_value().startswith(prefix)
    )


def refuse_without_tokens(settings: Settings) -> None:
    """Raise UserError unless there is everything to log in with."""
    if wrong := missing_secrets(settings):
        raise UserError(
            "The bot does not start without its secrets (docs/connecting.md says where each comes "
            "from):\n  " + "\n  ".join(wrong)
        )


class Server:
    """The bot's processes within this process: engine, schedule, Slack connection, publisher."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._settings = bot.settings.slack
        at_once = bot.settings.limits.commands_at_once
        self._commands = ThreadPoolExecutor(at_once, thread_name_prefix="command")
        self._checks = ThreadPoolExecutor(at_once * 2, thread_name_prefix="check")
        self._client = web_client(self._settings)
        self._edge = Edge(
            bot.services, self._client, self._commands, self._checks, bot.engine.executor
        )
        home = Home(bot.services, self._client, self._commands)
        self._app = bolt_app(self._settings, self._client, self._edge, home, bot.metrics)
        self._publisher = Publisher(
            posting_client(self._settings),
            bot.services.store,
            bot.services.clock,
            Processes(bot.engine.executor, bot.engine.is_gone),
            bot.settings.limits.message_edit_seconds,
            self._settings.plan_blocks,
        )
        self._follower = Follower(bot.following, bot.first_deployment.find)
        secret = bot.settings.github.webhook_secret.get_secret_value()
        self._webhooks = WebhookDoor(secret, bot.webhooks, bot.following)
        self._schedule = Schedule(bot.engine, bot.services.clock, bot.sweeps.periods())
        self._slack = SlackConnection(self._settings, self._app, self._client)
        counts = {"webhooks": self._webhooks.counts, **bot.measured()}
        self._health = Health(bot.database.ping, bot.engine, self._slack.trouble, counts)

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT; then end the process, since threads may be waiting."""
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        self._bot.later.begin()
        await asyncio.to_thread(self._bot.engine.launch)
        web_server = await self._serve_http()
        tasks = [
            asyncio.create_task(self._connect()),
            asyncio.create_task(self._publisher.run()),
            asyncio.create_task(self._recover_forever()),
        ]
        self._schedule.start()
        self._follower.start()
        waiting = asyncio.create_task(stopping.wait())
        done, _ = await asyncio.wait([waiting, tasks[0]], return_when=asyncio.FIRST_COMPLETED)
        if tasks[0] in done and tasks[0].exception() is None:
            await waiting
        await self._stop(tasks, web_server)
        if tasks[0].done() and not tasks[0].cancelled():
            tasks[0].result()

    async def _stop(self, tasks: list[asyncio.Task[None]], web_server: web.AppRunner) -> None:
        log.info("stopping; what is under way goes on at the next start")
        self._schedule.stop()
        await asyncio.to_thread(self._follower.stop)
        await self._slack.close()
        await self._edge.stop()
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
        await web_server.cleanup()
        await asyncio.to_thread(self._bot.engine.stop)

    # ------------------------------------------------------------------ Slack

    async def _connect(self) -> None:
        await self._slack.open()
        log.info("SciCLOps is ready (%s)", self._settings.mode)

    async def _recover_forever(self) -> None:
        """Act upon what dead processes had stored, soon after they died."""
        while True:
            try:
                await self._edge.recover(self._bot.engine.is_gone)
            except Exception:
                log.exception("could not look for what dead processes left; trying again")
            await asyncio.sleep(HEARTBEAT_SECONDS)

    # ------------------------------------------------------------------ HTTP

    async def _serve_http(self) -> web.AppRunner:
        application = web.Application(client_max_size=LARGEST_BODY)
        application.router.add_post(PATH, self._webhooks.handle)
        self._health.add_to(application)
        if self._settings.mode == "http":
            application.router.add_post("/slack/events", slack_door(self._app))
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, self._settings.host, self._settings.port)
        await site.start()
        return runner


def slack_door(app: AsyncApp):  # type: ignore[no-untyped-def]
    """Return the handler of Slack's requests; Bolt checks their signature and age."""

    async def handle(request: web.Request) -> web.Response:
        bolt_request = await to_bolt_request(request)
        return await to_aiohttp_response(await app.async_dispatch(bolt_request))

    return handle


def serve(bot: Bot) -> None:
    """Run the bot and end the process."""
    sys.setswitchinterval(SWITCH_SECONDS)
    asyncio.run(Server(bot).run())
    os._exit(0)  # threads that wait for a vendor would keep the process alive
