"""The stand-in Slack: one workspace with one installed app, on a loopback port."""

from typing import Literal

from aiohttp import web

from playground.faults import Faults
from playground.slack import (
    response_urls,
    web_api_chat,
    web_api_reading,
    web_api_views,
)
from playground.slack.entities import Json
from playground.slack.http_mode import HttpMode
from playground.slack.methods import BOT_SCOPES
from playground.slack.rate_limits import RATE_LIMITED, RateLimits
from playground.slack.socket_mode import SocketMode
from playground.slack.web_api import Api, Call, Tokens, WebApi
from playground.slack.workspace import Workspace
from provisioning.clock import Clock

LARGEST_UPLOAD = 64 * 1024 * 1024


class Slack:
    """Slack for one app: `await start()`, then point the app at `<base url>/api/`."""

    def __init__(  # noqa: PLR0913 - what one chooses when one creates and installs an app
        self,
        clock: Clock,
        faults: Faults,
        *,
        mode: Literal["socket", "http"] = "socket",
        request_url: str | None = None,
        bot_token: str = "xoxb-playground",
        app_token: str = "xapp-playground",
        signing_secret: str = "playground-signing-secret",
        scopes: tuple[str, ...] = BOT_SCOPES,
        commands: tuple[str, ...] = ("/sciclops",),
        events: tuple[str, ...] = ("app_home_opened", "app_mention"),
        plan_blocks: bool = True,
        port: int = 0,
    ) -> None:
        self.workspace = Workspace(clock, commands=commands, events=events)
        self.workspace.plan_blocks = plan_blocks
        self.limits = RateLimits(clock)
        self.sockets = SocketMode(self.workspace)
        self.http = HttpMode(self.workspace, request_url, signing_secret)
        self.signing_secret = signing_secret
        self.workspace.post.door = self.sockets if mode == "socket" else self.http
        self._api = Api(
            self.workspace,
            self.limits,
            Tokens(bot_token, app_token),
            set(scopes),
            open_socket=self.sockets.open if mode == "socket" else None,
        )
        handlers = web_api_chat.METHODS | web_api_reading.METHODS | web_api_views.METHODS
        self._web_api = WebApi(self._api, handlers)
        self._faults = faults
        self._port = port
        self._runner: web.AppRunner | None = None

    @property
    def calls(self) -> list[Call]:
        """Return every Web API call so far, oldest first."""
        return self._api.calls

    async def start(self) -> str:
        """Listen on a loopback port (free, or the one given) and return the base URL."""
        self.workspace.post.start()
        faulty = self._faults.middleware("slack", RATE_LIMITED)
        app = web.Application(middlewares=[faulty], client_max_size=LARGEST_UPLOAD)
        app.router.add_route("*", "/api/{method}", self._web_api.answer)
        app.router.add_get("/link/", self.sockets.connect)
        app.router.add_post("/actions/{team}/{key}", self._respond)
        app.router.add_post("/upload/v1/{file}", self._upload)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        self.workspace.base_url = f"http://127.0.0.1:{self._port}"
        return self.workspace.base_url

    async def stop(self) -> None:
        """Close every connection and stop listening; `start` resumes with the same state."""
        await self.workspace.post.stop()
        await self.sockets.stop()
        await self.http.stop()
        if self._runner is not None:
            await self._runner.cleanup()

    def snapshot(self) -> dict[str, object]:
        """Return the workspace and its traffic as plain JSON, without tokens."""
        deliveries: list[Json] = [
            {
                "id": one.id,
                "what": one.what,
                "user": one.user,
                "outcome": one.answer.outcome,
                "ack_ms": one.ack_ms,
                "attempts": len(one.attempts),
            }
            for one in self.workspace.deliveries
        ]
        calls = [{"method": one.method, "error": one.error} for one in self.calls]
        return {**self.workspace.snapshot(), "deliveries": deliveries, "calls": calls}

    async def _respond(self, request: web.Request) -> web.Response:
        return await response_urls.take(self.workspace, request)

    async def _upload(self, request: web.Request) -> web.Response:
        return await web_api_views.take_upload(self._api, request)
