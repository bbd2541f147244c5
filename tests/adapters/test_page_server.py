"""The page's server over HTTP: whom it answers, and what it refuses."""

import asyncio
import json
from collections.abc import AsyncIterator
from io import BytesIO

import pytest
from aiohttp import ClientSession, WSServerHandshakeError
from page_demo import CHANNEL, Demo

from playground.slack.entities import Message


@pytest.fixture
async def demo() -> Demo:
    return Demo()


@pytest.fixture
async def url(demo: Demo) -> AsyncIterator[str]:
    yield await demo.page.start()
    await demo.page.stop()


@pytest.fixture
async def browser() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


async def test_it_listens_on_loopback_only(url: str) -> None:
    assert url.startswith("http://127.0.0.1:")


async def test_the_first_page_is_ada_s_channel(url: str, browser: ClientSession) -> None:
    async with browser.get(url) as answer:
        assert answer.url.path == f"/as/U0ADA/c/{CHANNEL}"
        assert "Welcome, Ada." in await answer.text()


async def test_a_foreign_host_name_gets_nothing(url: str, browser: ClientSession) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example:80", "localhost.evil.example"):
        async with browser.get(f"{url}/as/U0ADA/home", headers={"Host": host}) as answer:
            assert answer.status == 421


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null", "https://127.0.0.1"])
async def test_another_site_can_do_nothing(
    url: str, browser: ClientSession, demo: Demo, origin: str | None
) -> None:
    headers = {"Origin": origin} if origin else {}
    sent = {"channel": CHANNEL, "text": "hello"}
    before = len(demo.workspace.messages)
    async with browser.post(f"{url}/as/U0ADA/do/send", json=sent, headers=headers) as answer:
        assert answer.status == 403
    with pytest.raises(WSServerHandshakeError, match="403"):
        await browser.ws_connect(f"{url}/as/U0ADA/live?at=/as/U0ADA/home", headers=headers)
    assert len(demo.workspace.messages) == before


async def test_every_answer_forbids_what_the_page_does_not_need(
    url: str, browser: ClientSession
) -> None:
    for path in ("/as/U0ADA/home", "/as/U0ADA/nowhere", "/static/page.js"):
        async with browser.get(url + path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_strangers_places_and_deeds_are_not_found(url: str, browser: ClientSession) -> None:
    for path in ("/as/U0GIL/home", "/as/U0ADA/c/C0NONE", "/as/U0ADA/file/F9/download"):
        async with browser.get(url + path) as answer:
            assert answer.status == 404
    for path in ("/as/U0GIL/do/send", "/as/U0ADA/do/harm"):
        async with browser.post(url + path, json={}, headers={"Origin": url}) as answer:
            assert answer.status == 404


async def test_what_slack_s_client_does_not_allow_is_refused_with_the_reason(
    url: str, browser: ClientSession
) -> None:
    for deed, sent, reason in (
        ("send", {"channel": CHANNEL, "text": "/sciclops new", "thread": "1.2"}, "threads"),
        ("press", {"surface": "view:V1", "block": "b", "action": "a"}, "not there any more"),
        ("advance", {"seconds": "-5"}, "above 0"),
        ("redeliver", {}, "nothing has been delivered"),
        ("control", {"name": "x"}, "no such control"),
    ):
        async with browser.post(
            f"{url}/as/U0ADA/do/{deed}", json=sent, headers={"Origin": url}
        ) as answer:
            assert answer.status == 409
            assert reason in (await answer.json())["problem"]


async def test_nobody_presses_in_somebody_else_s_form(
    url: str, browser: ClientSession, demo: Demo
) -> None:
    await demo.workspace.slash("U0ADA", CHANNEL, "/sciclops new")
    view = demo.workspace.views("U0ADA")[0]
    sent = {"surface": f"view:{view.id}", "block": "name", "action": "value", "value": "x"}
    async with browser.post(
        f"{url}/as/U0SAM/do/enter", json=sent, headers={"Origin": url}
    ) as answer:
        assert answer.status == 409
    assert view.values["name"]["value"]["value"] is None


async def test_a_megabyte_in_a_field_is_stored_and_complained_about(
    url: str, browser: ClientSession, demo: Demo
) -> None:
    await demo.workspace.slash("U0ADA", CHANNEL, "/sciclops new")
    view = demo.workspace.views("U0ADA")[0]
    sent = {"surface": f"view:{view.id}", "block": "why", "action": "value", "value": "x" * 2**20}
    body = BytesIO(json.dumps(sent).encode())
    async with browser.post(
        f"{url}/as/U0ADA/do/enter", data=body, headers={"Origin": url}
    ) as answer:
        assert answer.status == 200
    await demo.workspace.submit("U0ADA", view.id)
    assert view.errors["why"] == "Please enter at most 3000 characters."


async def test_a_change_reaches_a_listening_browser_and_only_the_change(
    url: str, browser: ClientSession, demo: Demo
) -> None:
    at = f"/as/U0ADA/c/{CHANNEL}"
    async with (
        asyncio.timeout(10),
        browser.ws_connect(f"{url}/as/U0ADA/live?at={at}", headers={"Origin": url}) as socket,
    ):
        everything = await socket.receive_json()
        assert {"sidebar", "header", "messages", "modal"} <= set(everything)
        said = demo.workspace.add(Message(CHANNEL, "", "U0PAT", "news"))
        change = await socket.receive_json()
        assert list(change["messages"]["items"]) == [f"m-{said.ts}"]
        assert change["messages"]["order"][-1] == f"m-{said.ts}"


async def test_a_downloaded_file_is_never_run_by_a_browser(
    url: str, browser: ClientSession, demo: Demo
) -> None:
    demo.workspace.files["F1"].name = 'a"; x=\n<b>.html'
    async with browser.get(f"{url}/as/U0ADA/file/F1/download") as answer:
        assert await answer.read() == demo.workspace.files["F1"].content
        assert answer.content_type == "text/plain"
        disposition = answer.headers["Content-Disposition"]
        assert disposition == "attachment; filename*=UTF-8''a%22%3B%20x%3D%0A%3Cb%3E.html"


async def test_an_entry_waits_quietly_until_enter_is_pressed(
    url: str, browser: ClientSession, demo: Demo
) -> None:
    await demo.workspace.slash("U0ADA", CHANNEL, "/sciclops new")
    view = demo.workspace.views("U0ADA")[0]
    sent = {"surface": f"view:{view.id}", "block": "name", "action": "value", "value": "ada"}
    for quiet, heard in ((True, 0), (False, 1)):
        before = len(demo.app.heard)
        async with browser.post(
            f"{url}/as/U0ADA/do/enter", json=sent | {"quiet": quiet}, headers={"Origin": url}
        ) as answer:
            assert answer.status == 200
        assert view.values["name"]["value"]["value"] == "ada"
        assert len(demo.app.heard) - before == heard
