"""A person in front of a browser, and the page that is served to them."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Protocol, TypeVar

from page_demo import CHANNEL, Demo
from playwright.sync_api import Page
from waiting import wait_until

__all__ = ["CHANNEL", "CHROMIUM", "QUIET", "Seat", "Served", "Sitting", "Window"]
CHROMIUM = Path("/usr/bin/chromium")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
Result = TypeVar("Result")
Window = Callable[..., Page]
"""Opens a place of a playground's page: `window("U0ADA", "home")`."""


class Sitting(Page):
    """A page with what went wrong in its scripts."""

    errors: list[str]


class Seat(Protocol):
    """Opens a browser for a person: `seat("U0ADA", "home")`."""

    def __call__(self, user: str, place: str = ..., *, width: int = ...) -> Sitting:
        """Return the person's page once it is live."""


class Served:
    """The demo's page in an event loop of its own, as browsers reach it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.demo, self.url = self.run(self._start())

    async def _start(self) -> tuple[Demo, str]:
        demo = Demo()
        return demo, await demo.page.start()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run something where the workspace lives, and return what it returns."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until something is true of the workspace."""
        wait_until(condition, 5)

    def hold(self) -> None:
        """Let the app answer nothing until `release`."""
        self._loop.call_soon_threadsafe(self.demo.app.hold.clear)

    def release(self) -> None:
        """Let the app answer again."""
        self._loop.call_soon_threadsafe(self.demo.app.hold.set)

    def restart(self) -> None:
        """Serve the same page at the same address again."""
        assert self.run(self.demo.restarted(self.url)) == self.url

    def stop(self) -> None:
        """Stop serving."""
        self.run(self.demo.page.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
