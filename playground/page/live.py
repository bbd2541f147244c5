"""Live pages: each browser hears over a WebSocket which parts of its page look different now."""

import asyncio
from collections.abc import Mapping

from aiohttp import web

from playground.page.address import Address
from playground.page.html import Html
from playground.page.regions import Scene
from playground.page.shell import Region
from playground.slack.feed import Subscription

LOOK_AGAIN = 1.0
"""Seconds between looks at what has no change feed: the worlds, the clock, the faults."""
SHARE = 3
"""A page takes at most one part in this many of the loop's time for drawing."""
IDLE_SHARE = 20
"""The same when nothing has been heard of a change."""
Sent = dict[str, str | dict[str, str]]
Patch = dict[str, object]


def difference(sent: Sent, regions: Mapping[str, Region]) -> Patch:
    """Return what has changed since `sent`, and note it there."""
    patch: Patch = {}
    for name, content in regions.items():
        change = (
            _html(sent, name, content) if isinstance(content, Html) else _list(sent, name, content)
        )
        if change is not None:
            patch[name] = change
    return patch


def _html(sent: Sent, name: str, content: Html) -> dict[str, str] | None:
    if sent.get(name) == content:
        return None
    sent[name] = content
    return {"html": content}


def _list(sent: Sent, name: str, listed: list[tuple[str, Html]]) -> dict[str, object] | None:
    fresh: dict[str, str] = dict(listed)
    old = sent.get(name)
    known = old if isinstance(old, dict) else {}
    if old is not None and list(known.items()) == list(fresh.items()):
        return None
    sent[name] = fresh
    changed = {key: html for key, html in fresh.items() if known.get(key) != html}
    return {"order": list(fresh), "items": changed}


class Live:
    """One browser's connection."""

    def __init__(self, scene: Scene, at: Address, socket: web.WebSocketResponse) -> None:
        self._scene = scene
        self._at = at
        self._socket = socket
        self._sent: Sent = {}
        self._took = 0.0

    async def run(self) -> None:
        """Send changes until the browser leaves."""
        leaving = asyncio.create_task(self._until_gone())
        try:
            with self._scene.workspace.subscribe() as changes:
                while not leaving.done() and self._scene.exists(self._at):
                    await self._send()
                    await self._next(changes, leaving)
        except ConnectionResetError:
            return
        finally:
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)

    async def _send(self) -> None:
        """Draw, send what differs, and leave the loop to others for a while."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        patch = difference(self._sent, self._scene.regions(self._at))
        self._took = loop.time() - started
        if patch:
            await self._socket.send_json(patch)
        await asyncio.sleep(self._took * (SHARE - 1))

    async def _next(self, changes: Subscription, leaving: "asyncio.Task[None]") -> None:
        news = asyncio.create_task(changes.get())
        try:
            pause = max(LOOK_AGAIN, self._took * IDLE_SHARE)
            await asyncio.wait({news, leaving}, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
        finally:
            news.cancel()

    async def _until_gone(self) -> None:
        async for _ in self._socket:
            pass
