"""The Bolt app: which payload goes to which door. Everything else is in `bot.edge`.

`AsyncApp` on one event loop: it acknowledges at once, whatever the backends do. Sync Bolt shares a
pool of five threads between all listeners and stops acknowledging when they are busy.
"""

import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from bot.edge import Edge
from bot.home import Home
from bot.settings import SlackSettings

log = logging.getLogger(__name__)

COMMAND = "/sciclops"
"""The slash command; manifest.yml declares it."""
EVENTS = ("app_home_opened",)
"""The events that we listen to; manifest.yml subscribes to them."""
ANYTHING = re.compile(".*", re.DOTALL)

Ack = Callable[..., Awaitable[Any]]


def web_client(settings: SlackSettings) -> AsyncWebClient:
    """Return the client; 429 is not retried here, because one budget governs all calls."""
    return AsyncWebClient(
        settings.bot_token.get_secret_value(),
        base_url=settings.api_url,
        timeout=10,
        retry_handlers=[AsyncConnectionErrorRetryHandler(1), AsyncServerErrorRetryHandler(2)],
    )


def bolt_app(settings: SlackSettings, client: AsyncWebClient, edge: Edge, home: Home) -> AsyncApp:
    """Return the app with its listeners."""
    app = AsyncApp(
        client=client,
        signing_secret=settings.signing_secret.get_secret_value() or None,
        request_verification_enabled=settings.mode == "http",
    )

    @app.command(COMMAND)
    async def slash(ack: Ack, body: dict[str, Any], respond: Callable[..., Any]) -> None:
        await edge.slash(ack, body, respond)

    @app.action(ANYTHING)
    async def action(ack: Ack, body: dict[str, Any], respond: Callable[..., Any]) -> None:
        if body["actions"][0]["type"] == "button":
            await edge.click(ack, body, respond)
        else:
            await edge.draft(ack, body)

    @app.options(ANYTHING)
    async def options(ack: Ack, body: dict[str, Any]) -> None:
        await edge.options(ack, body)

    @app.view("form")
    async def submit(ack: Ack, body: dict[str, Any]) -> None:
        await edge.submit(ack, body)

    @app.view(ANYTHING)
    async def other_view(ack: Ack) -> None:
        await ack()

    @app.event(EVENTS[0])
    async def home_opened(event: dict[str, Any]) -> None:
        if event.get("tab") == "home":
            await home.publish(event["user"])

    @app.event(ANYTHING)
    async def other_event() -> None:
        """Acknowledge events that a changed manifest may send."""

    @app.error
    async def failed(error: Exception, ack: Ack) -> None:
        log.error("a listener failed", exc_info=error)
        await ack()

    return app
