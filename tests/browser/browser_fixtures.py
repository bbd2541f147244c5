"""Fixtures of the browser tests: a browser, the page served, and seats for people."""

import os
from collections.abc import Iterator
from typing import cast

import pytest
from browser_seat import CHANNEL, CHROMIUM, QUIET, Seat, Served, Sitting, Window
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from playground.stage import page_of
from playground.world import Playground

PATIENCE_MS = 20_000
"""How long anything of the page may take here: a moment on a quiet machine."""
expect.set_options(timeout=PATIENCE_MS)

NETWORK = ("Failed to load resource", "WebSocket connection to")
"""What the browser itself logs about refusals and a server that is away: tests provoke these."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for one file: Playwright runs an event loop in this thread while it lasts."""
    if not CHROMIUM.exists():
        if os.getenv("CI"):
            pytest.fail(f"CI needs {CHROMIUM} (apt-get install chromium)")
        pytest.skip(f"{CHROMIUM} is not installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def served() -> Iterator[Served]:
    one = Served()
    yield one
    one.stop()


@pytest.fixture(scope="module")
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """Everybody's browser; the address says who looks, so people can share it."""
    one = chromium.new_context(reduced_motion="reduce")
    one.set_default_timeout(PATIENCE_MS)
    yield one
    one.close()


@pytest.fixture
def seat(context: BrowserContext, served: Served) -> Iterator[Seat]:
    """Windows for people; an error in a page's script fails the test."""
    pages: list[Sitting] = []

    def sit(user: str, place: str = f"c/{CHANNEL}", *, width: int = 1280) -> Sitting:
        page = cast("Sitting", context.new_page())
        page.errors = []
        pages.append(page)
        page.set_viewport_size({"width": width, "height": 800})
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.on("console", lambda line: _note(page, line))
        page.goto(f"{served.url}/as/{user}/{place}")
        page.wait_for_selector("body[data-live]")
        return page

    yield sit
    for page in pages:
        page.close()
    assert [one.errors for one in pages if one.errors] == []


@pytest.fixture
def window(playground: Playground, context: BrowserContext) -> Iterator[Window]:
    """Open a place of a playground's page as somebody, each in a window of their own."""
    page = page_of(playground.world)
    url = playground.run(page.start())
    opened: list[Page] = []

    def open_as(user: str, place: str = "c/C0SCICLOPS") -> Page:
        one = context.new_page()
        opened.append(one)
        one.set_viewport_size({"width": 1280, "height": 900})
        one.goto(f"{url}/as/{user}/{place}")
        one.wait_for_selector("body[data-live]")
        return one

    yield open_as
    for one in opened:
        one.close()
    playground.run(page.stop())


def _note(page: Sitting, line: ConsoleMessage) -> None:
    if line.type == "error" and not line.text.startswith(NETWORK):
        page.errors.append(line.text)
