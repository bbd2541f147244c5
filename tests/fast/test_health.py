"""What whoever watches the process is told: what is red, and why."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

from bot import health
from bot.health import Health
from provisioning.clock import MovableClock
from provisioning.database import Database
from provisioning.engine import Engine
from provisioning.errors import TemporaryError


def answers() -> None:
    """Be a database that answers."""


async def is_connected() -> str:
    return ""


async def is_away() -> str:
    return "Slack does not answer; trying again"


@pytest.fixture
def engine(database: Database, clock: MovableClock, tmp_path: Path) -> Engine:
    """Return an engine that was not launched."""
    return Engine(database, clock, tmp_path)


@asynccontextmanager
async def served(watched: Health) -> AsyncIterator[str]:
    """Serve it, and return its address."""
    application = web.Application()
    watched.add_to(application)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    yield f"http://{host}:{port}"
    await runner.cleanup()


async def ask(address: str, path: str) -> tuple[int, dict[str, Any]]:
    async with ClientSession() as session, session.get(address + path) as answer:
        return answer.status, await answer.json()


async def test_readiness_names_what_is_red(engine: Engine) -> None:
    async with served(Health(answers, engine, is_away, {})) as address:
        status, said = await ask(address, "/readyz")
    assert status == 503
    assert said == {
        "ready": False,
        "database": "ok",
        "engine": "not launched yet",
        "slack": "Slack does not answer; trying again",
    }


async def test_a_real_database_answers_and_one_that_is_away_is_red(
    database: Database, engine: Engine, tmp_path: Path
) -> None:
    away = Database(f"sqlite:///{tmp_path / 'nowhere' / 'x.sqlite'}")
    for known, expected in ((database, "ok"), (away, "does not answer")):
        async with served(Health(known.ping, engine, is_connected, {})) as address:
            _, said = await ask(address, "/readyz")
        assert said["database"] == expected
    with pytest.raises(TemporaryError):
        away.ping()


async def test_a_database_that_hangs_is_red_in_time_and_costs_one_thread(engine: Engine) -> None:
    returns, asked = threading.Event(), []

    def hangs() -> None:
        asked.append(threading.current_thread().name)
        returns.wait(60)

    async with served(Health(hangs, engine, is_connected, {}, seconds=0.05)) as address:
        for _ in range(3):
            _, said = await ask(address, "/readyz")
            assert said["database"] == "does not answer"
        assert len(asked) == 1
        returns.set()
        _, said = await ask(address, "/readyz")
        assert said["database"] == "ok"


async def test_the_process_lives_whatever_is_red_and_shows_its_counts(engine: Engine) -> None:
    counts = {"webhooks": {"taken": 3}}
    async with served(Health(answers, engine, is_away, counts)) as address:
        assert await ask(address, "/healthz") == (200, {"ok": True, **counts})
    assert health.DATABASE_SECONDS < 5, "whoever probes does not wait longer"
