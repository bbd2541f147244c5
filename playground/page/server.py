"""The page's web server, on loopback only."""

import asyncio
import socket
import weakref
from collections.abc import Mapping
from datetime import tzinfo
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import WSCloseCode, web

from playground.cast import ADA
from playground.faults import Faults
from playground.github.server import GitHub
from playground.page.address import Address, parse
from playground.page.bench import Bench
from playground.page.deeds import Deeds
from playground.page.guards import guarded
from playground.page.lab import Control
from playground.page.live import Live
from playground.page.reader import Follow, nowhere
from playground.page.regions import HINTS, Scene, Snapshot
from playground.page.repository import AtGitHub
from playground.page.shell import Hints, document
from playground.page.source import Clone, Source, no_clone
from playground.slack.entities import NotPossible
from playground.slack.workspace import Workspace
from provisioning.clock import Clock

STATIC = Path(__file__).parent / "static"
LARGEST_ENTRY = 8 * 1024 * 1024
"""Bytes: people paste megabytes, and must then be told so by a field's error."""
Worlds = Mapping[str, Snapshot]


class Page:
    """Serves the chat client and the views behind it.

    `worlds` maps a name to a function that returns the stand-in's snapshot; `controls` are the
    buttons that act on the bot's process; `hints` is what the composer suggests after a slash;
    `source` reads a repository's files; `follow` says which place of this page, such as
    `source/ada-7`, a link's address stands for (None: it stays as it is); `github` adds pull
    requests and runs; `clone` says from where a person may clone a repository.
    """

    def __init__(  # noqa: PLR0913 - the composition root names them all
        self,
        workspace: Workspace,
        worlds: Worlds,
        faults: Faults,
        clock: Clock,
        *,
        controls: Mapping[str, Control] | None = None,
        hints: Hints = HINTS,
        source: Source | None = None,
        github: GitHub | None = None,
        follow: Follow = nowhere,
        clone: Clone = no_clone,
        zone: tzinfo | None = None,
        port: int = 0,
    ) -> None:
        self.scene = Scene(
            workspace=workspace,
            clock=clock,
            faults=faults,
            worlds=worlds,
            controls=controls or {},
            hints=hints,
            zone=zone,
            follow=follow,
            source=source,
            github=github,
            clone=clone,
        )
        self._port = port
        self._runner: web.AppRunner | None = None
        self._sockets: weakref.WeakSet[web.WebSocketResponse] = weakref.WeakSet()
        self._background: set[asyncio.Task[Any]] = set()

    async def start(self, listening: socket.socket | None = None) -> str:
        """Bind to loopback, or serve a socket that is bound already; return the base URL."""
        self._runner = web.AppRunner(self.app(), access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site: web.BaseSite = (
            web.SockSite(self._runner, listening)
            if listening
            else web.TCPSite(self._runner, "127.0.0.1", self._port)
        )
        await site.start()
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def stop(self) -> None:
        """Close every connection and stop listening."""
        for browser in list(self._sockets):
            await browser.close(code=WSCloseCode.GOING_AWAY)
        for deed in list(self._background):
            deed.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()

    def app(self) -> web.Application:
        """Return the application, to be served by whoever wants."""
        app = web.Application(middlewares=[guarded], client_max_size=LARGEST_ENTRY)
        app.router.add_get("/", self._landing)
        app.router.add_static("/static", STATIC)
        app.router.add_get("/as/{viewer}/live", self._live)
        app.router.add_get("/as/{viewer}/file/{file}/download", self._download)
        app.router.add_post("/as/{viewer}/do/{deed}", self._deed)
        app.router.add_get("/as/{rest:.*}", self._page)
        return app

    async def _landing(self, _: web.Request) -> web.StreamResponse:
        first = next(iter(self.scene.workspace.channels))
        raise web.HTTPFound(str(Address(ADA.slack, "channel", first)))

    async def _page(self, request: web.Request) -> web.StreamResponse:
        at = self._address(request.path_qs)
        if at.kind == "home":
            self._later(self.scene.workspace.open_home(at.viewer))
        html = document(self.scene.regions(at), at, self.scene.title(at), self.scene.hints)
        return web.Response(text=html, content_type="text/html")

    def _address(self, url: str) -> Address:
        at = parse(url)
        if at is None or not self.scene.exists(at):
            raise web.HTTPNotFound(text="There is no such place here, or not for this person.\n")
        return at

    async def _live(self, request: web.Request) -> web.StreamResponse:
        at = self._address(request.query.get("at", ""))
        browser = web.WebSocketResponse(heartbeat=20)
        await browser.prepare(request)
        self._sockets.add(browser)
        await Live(self.scene, at, browser).run()
        return browser

    async def _deed(self, request: web.Request) -> web.StreamResponse:
        viewer, name = request.match_info["viewer"], request.match_info["deed"]
        deeds = Deeds(self.scene.workspace, self.scene.reader(viewer), self._background)
        known = deeds.known | Bench(self.scene).known
        if self.scene.github is not None:
            known |= AtGitHub(self.scene.github, viewer).known
        deed = known.get(name)
        if deed is None or not self.scene.exists(Address(viewer, "faults")):
            raise web.HTTPNotFound(text="There is no such deed.\n")
        try:
            answer = web.json_response(await deed(await request.json()))
            self.scene.workspace.feed.changed()
            return answer
        except NotPossible as reason:
            return web.json_response({"problem": str(reason)}, status=409)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        file = self.scene.file(request.match_info["viewer"], request.match_info["file"])
        if file is None:
            raise web.HTTPNotFound(text="There is no such file, or not for this person.\n")
        disposition = f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"
        headers = {"Content-Disposition": disposition, "Content-Type": "text/plain; charset=utf-8"}
        return web.Response(body=file.content, headers=headers)

    def _later(self, deed: Any) -> None:
        task = asyncio.ensure_future(deed)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
