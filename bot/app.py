"""The Bolt app: which payload goes to which door. Everything else is in `bot.edge`.

`AsyncApp` on one event loop: it acknowledges at once, whatever the backends do. Sync Bolt shares a
pool of five threads between all listeners and stops acknowledging when they are busy.
"""

import logging
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from bot.edge import Edge
from bot.home import Home, turn_of
from bot.payloads import key_of
from bot.settings import SlackSettings
from provisioning.log_context import about
from provisioning.metrics import Labels, Metrics

log = logging.getLogger(__name__)

COMMAND = "/sciclops"
"""The slash command; manifest.yml declares it."""
EVENTS = ("app_home_opened",)
"""The events that we listen to; manifest.yml subscribes to them."""
ANYTHING = re.compile(".*", re.DOTALL)

Ack = Callable[..., Awaitable[Any]]
Respond = Callable[..., Awaitable[Any]]
Body = dict[str, Any]


def web_client(settings: SlackSettings) -> AsyncWebClient:
    """Return the client; 429 is not retried here, because one budget governs all calls."""
    return AsyncWebClient(
        settings.bot_token.get_secret_value(),
        base_url=settings.api_url,
        timeout=10,
        retry_handlers=[AsyncConnectionErrorRetryHandler(1), AsyncServerErrorRetryHandler(2)],
    )


def posting_client(settings: SlackSettings) -> AsyncWebClient:
    """Return the publisher's client: it never repeats a call that may have worked."""
    return AsyncWebClient(
        settings.bot_token.get_secret_value(),
        base_url=settings.api_url,
        timeout=10,
        retry_handlers=[],
    )


def bolt_app(
    settings: SlackSettings,
    client: AsyncWebClient,
    edge: Edge,
    home: Home,
    metrics: Metrics | None = None,
) -> AsyncApp:
    """Return the app with its listeners; in HTTP mode it checks signatures and their age."""
    app = AsyncApp(
        client=client,
        signing_secret=settings.signing_secret.get_secret_value() or None,
        request_verification_enabled=settings.mode == "http",
    )
    doors = Doors(edge, home, metrics)
    app.command(COMMAND)(doors.slash)
    app.action(ANYTHING)(doors.action)
    app.options(ANYTHING)(doors.options)
    app.view("form")(doors.submit)
    app.view(ANYTHING)(doors.other_view)
    app.event(EVENTS[0])(doors.home_opened)
    app.event(ANYTHING)(doors.other_event)
    app.error(doors.failed)
    return app


class Doors:
    """The listeners; Bolt fills their arguments by name, and runs each in a task of its own."""

    def __init__(self, edge: Edge, home: Home, metrics: Metrics | None) -> None:
        self._edge = edge
        self._home = home
        self._metrics = metrics

    async def slash(self, ack: Ack, body: Body, respond: Respond) -> None:
        """Somebody typed the command."""
        with self._receiving(ack, body) as timed:
            await self._edge.slash(timed, body, respond)

    async def action(self, ack: Ack, body: Body, respond: Respond) -> None:
        """Somebody pressed a button, or changed a field that follows along."""
        with self._receiving(ack, body) as timed:
            if turn := turn_of(body["actions"][0]):
                await ack()
                await self._home.publish(body["user"]["id"], turn)
            elif body["actions"][0]["type"] == "button":
                await self._edge.click(timed, body, respond)
            else:
                await self._edge.draft(timed, body)

    async def options(self, ack: Ack, body: Body) -> None:
        """Somebody types into a type-ahead field."""
        with self._receiving(ack, body) as timed:
            await self._edge.options(timed, body)

    async def submit(self, ack: Ack, body: Body) -> None:
        """Somebody submitted a form."""
        with self._receiving(ack, body) as timed:
            await self._edge.submit(timed, body)

    async def other_view(self, ack: Ack) -> None:
        """Acknowledge views that only say something."""
        await ack()

    async def home_opened(self, event: Body) -> None:
        """Somebody opened the app's page."""
        if event.get("tab") == "home":
            await self._home.publish(event["user"])

    async def other_event(self) -> None:
        """Acknowledge events that a changed manifest may send."""

    async def failed(self, error: Exception, ack: Ack) -> None:
        """Log what no door caught; the person hears of it through Slack's own notice."""
        log.error("a listener failed", exc_info=error)
        await ack()

    @contextmanager
    def _receiving(self, ack: Ack, body: Body) -> Iterator[Ack]:
        """Let log lines about a payload name its request; time how soon it is acknowledged."""
        key, began = key_of(body), time.monotonic()

        async def timed(*args: Any, **kwargs: Any) -> Any:
            answer = await ack(*args, **kwargs)
            if self._metrics:
                took = timedelta(seconds=time.monotonic() - began)
                self._metrics.time("slack.acknowledged", took, Labels(kind=key.partition(":")[0]))
            return answer

        with about(request=key):
            yield timed
