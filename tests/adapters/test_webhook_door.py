"""The door for GitHub's webhooks, over HTTP: what is signed is heard, the rest is counted."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web
from storms import signature

from bot.webhooks import LARGEST_BODY, PATH, WebhookDoor, is_signed
from provisioning.adapters.github import App
from provisioning.adapters.github.webhooks import GitHubWebhooks
from provisioning.clock import MovableClock
from provisioning.deployment_ports import Sighting
from provisioning.errors import TemporaryError
from provisioning.store.workflow_runs import Heard

SECRET = "It's a Secret to Everybody"
NOW = datetime(2026, 11, 25, 9, tzinfo=UTC).isoformat()
APP = App(
    organisation="acme", api_url="http://127.0.0.1:9", app_id=1, installation_id=2, private_key=""
)


@dataclass
class Ears:
    """Stands for `Following`: says what a test wants of what it hears."""

    says: Heard = "look"
    error: Exception | None = None
    heard: list[Sighting] = field(default_factory=list)

    def hear(self, sighting: Sighting) -> Heard:
        """Hear of a run."""
        if self.error:
            raise self.error
        self.heard.append(sighting)
        return self.says


@dataclass
class House:
    """A door with somebody behind it."""

    url: str
    door: WebhookDoor
    ears: Ears
    session: aiohttp.ClientSession

    async def send(self, body: bytes, **headers: str | None) -> tuple[int, str]:
        """Send a body, signed as GitHub does unless a header (`_` for `-`) says otherwise."""
        sent = {
            "X-GitHub-Delivery": "guid-1",
            "X-GitHub-Event": "workflow_run",
            "X-Hub-Signature-256": signature(SECRET, body),
        }
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {name: value for name, value in {**sent, **changed}.items() if value is not None}
        async with self.session.post(self.url, data=BytesIO(body), headers=kept) as answer:
            return answer.status, (await answer.json())["said"]


@pytest.fixture
async def house() -> AsyncIterator[House]:
    ears = Ears()
    door = WebhookDoor(SECRET, GitHubWebhooks(APP, MovableClock()), cast("Any", ears))
    application = web.Application(client_max_size=LARGEST_BODY)
    application.router.add_post(PATH, door.handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession() as session:
        yield House(f"http://127.0.0.1:{port}{PATH}", door, ears, session)
    await runner.cleanup()


def told(**changed: object) -> bytes:
    """Return a `workflow_run` as GitHub tells it."""
    run = {
        "id": 7,
        "run_attempt": 1,
        "event": "push",
        "head_branch": "main",
        "head_sha": "a" * 40,
        "display_title": "feat: count",
        "actor": {"login": "ada"},
        "triggering_actor": {"login": "ada"},
        "html_url": "http://github.example/acme/ada-7/actions/runs/7",
        "path": ".github/workflows/deploy.yml",
        "status": "completed",
        "conclusion": "success",
        "created_at": NOW,
        "updated_at": NOW,
    }
    body = {"action": "completed", "workflow_run": run | changed}
    return json.dumps(body | {"repository": {"name": "ada-7", "owner": {"login": "acme"}}}).encode()


def test_the_signature_is_that_of_githubs_own_example() -> None:
    """From docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries."""
    published = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert is_signed(SECRET, b"Hello, World!", f"sha256={published}")
    assert not is_signed(SECRET, b"Hello, World?", f"sha256={published}")


def test_without_a_secret_nothing_is_signed() -> None:
    assert not is_signed("", b"{}", signature("", b"{}"))


async def test_what_is_signed_is_heard(house: House) -> None:
    assert await house.send(told()) == (202, "taken")
    (heard,) = house.ears.heard
    assert (heard.guid, heard.project, heard.run.conclusion) == ("guid-1", "ada-7", "success")
    assert house.door.counts == {"taken": 1}


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "sha256=",
        "sha256=" + "0" * 64,
        "sha1=" + "0" * 40,
        signature("another secret", told()),
        signature(SECRET, told()).upper(),
        signature(SECRET, told()) + "0",
        signature(SECRET, told()).removeprefix("sha256="),
        signature(SECRET, told(conclusion="failure")),
        "sha256=\udcff\udcfe" + "0" * 62,
    ],
)
async def test_what_is_not_signed_is_refused_and_counted(house: House, given: str | None) -> None:
    status, _ = await house.send(told(), X_Hub_Signature_256=given)
    assert status == 401
    assert not house.ears.heard
    assert house.door.counts == {"forged": 1}


@pytest.mark.parametrize("missing", ["X_GitHub_Delivery", "X_GitHub_Event"])
async def test_what_lacks_githubs_headers_is_unreadable(house: House, missing: str) -> None:
    status, _ = await house.send(told(), **{missing: None})
    assert status == 400
    assert house.door.counts == {"unreadable": 1}


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}", told(id="seven"), told(created_at="today")],
)
async def test_what_cannot_be_read_is_refused(house: House, body: bytes) -> None:
    status, _ = await house.send(body)
    assert status == 400
    assert house.door.counts == {"unreadable": 1}


@pytest.mark.parametrize("event", ["ping", "push", "installation", "deployment_status"])
async def test_a_ping_and_other_events_are_answered_and_change_nothing(
    house: House, event: str
) -> None:
    body = json.dumps({"zen": "Keep it logically awesome.", "hook_id": 1}).encode()
    assert await house.send(body, X_GitHub_Event=event) == (202, "ignored")
    assert not house.ears.heard


async def test_other_workflows_and_other_organisations_are_ignored(house: House) -> None:
    assert await house.send(told(path=".github/workflows/ci.yml")) == (202, "ignored")
    others = told().replace(b'"acme"', b'"evil"')
    assert await house.send(others) == (202, "ignored")
    assert not house.ears.heard


@pytest.mark.parametrize(
    ("heard", "said"), [("show", "taken"), ("known", "known"), ("foreign", "ignored")]
)
async def test_every_delivery_is_counted_by_what_became_of_it(
    house: House, heard: Heard, said: str
) -> None:
    house.ears.says = heard
    assert await house.send(told()) == (202, said)
    assert house.door.counts == {said: 1}


async def test_while_our_database_is_away_github_notes_that_it_failed(house: House) -> None:
    house.ears.error = TemporaryError("the database is away")
    status, _ = await house.send(told())
    assert status == 503
    assert house.door.counts == {"missed": 1}


async def test_a_body_that_is_too_large_is_refused_unread(house: House) -> None:
    status, _ = await house.send(b" " * (LARGEST_BODY + 1))
    assert status == 413
    assert house.door.counts == {"too large": 1}


async def test_without_a_signature_not_even_a_large_body_is_read(house: House) -> None:
    status, _ = await house.send(b" " * (LARGEST_BODY + 1), X_Hub_Signature_256=None)
    assert status == 401
    assert await house.send(told()) == (202, "taken")
