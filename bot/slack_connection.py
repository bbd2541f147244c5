"""The bot's connection to Slack: waited for while Slack is away, and how it stands."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import aiohttp
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.settings import SlackSettings
from provisioning.errors import UserError

log = logging.getLogger(__name__)

CONNECTIONS = 2
"""Socket Mode connections: Slack allows ten and delivers to any one, so one may drop."""
PING_SECONDS = 3
"""With this an aborted connection is noticed after 2.5 s instead of 10."""
PAUSE_SECONDS = 2
REFUSALS = ("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired")
BOT_TOKEN = "SCICLOPS__SLACK__BOT_TOKEN"
APP_TOKEN = "SCICLOPS__SLACK__APP_TOKEN"
WHERE = {
    BOT_TOKEN: "Copy the Bot User OAuth Token from the app's page.",
    APP_TOKEN: "Copy an App-Level Token with connections:write from the app's page.",
}


class SlackConnection:
    """Opened once; afterwards Slack's client keeps it up by itself."""

    def __init__(self, settings: SlackSettings, app: AsyncApp, client: AsyncWebClient) -> None:
        self._settings = settings
        self._app = app
        self._client = client
        self._handlers: list[AsyncSocketModeHandler] = []
        self._trouble = "not connected yet"

    async def open(self) -> None:
        """Wait for Slack if it is away; raises UserError if it refuses a token."""
        await self._patiently(self._client.auth_test, BOT_TOKEN)
        if self._settings.mode == "socket":
            token = self._settings.app_token.get_secret_value()
            for _ in range(CONNECTIONS):
                handler = AsyncSocketModeHandler(self._app, token, ping_interval=PING_SECONDS)
                self._handlers.append(handler)
                await self._patiently(handler.connect_async, APP_TOKEN)
        self._trouble = ""

    async def close(self) -> None:
        """Take nothing more from Slack."""
        for handler in self._handlers:
            await handler.close_async()  # type: ignore[no-untyped-call]

    async def trouble(self) -> str:
        """Say why nothing can come from Slack at present, or return an empty string."""
        if self._trouble or self._settings.mode == "http":
            return self._trouble
        for handler in self._handlers:
            if await handler.client.is_connected():
                return ""
        return "no connection is up; they are opened again"

    async def _patiently(self, ask: Callable[[], Awaitable[object]], token: str) -> None:
        while True:
            try:
                await ask()
            except SlackApiError as error:
                said = error.response["error"]
                if said in REFUSALS:
                    raise UserError(f"Slack refuses {token}: {said}. {WHERE[token]}") from error
                self._trouble = f"Slack says {said}; trying again"
            except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError):
                self._trouble = "Slack does not answer; trying again"
            else:
                return
            log.warning("%s", self._trouble)
            await asyncio.sleep(PAUSE_SECONDS)
