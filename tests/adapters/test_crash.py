"""Crashing the real bot from the page: one crash at a time, and one bot at a time."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from conversation import Conversation
from played_runs import playing

from playground.bot import BotProcess, BotRunsError
from playground.crash import Crash
from playground.page.lab import faults_view
from playground.slack.entities import NotPossible
from playground.stage import controls
from playground.world import Playground


@pytest.fixture
def playground(tmp_path: Path) -> Iterator[Playground]:
    with playing(tmp_path) as started:
        yield started


@pytest.fixture
async def crash(tmp_path: Path) -> Crash:
    """A crash of a bot that was not started."""
    bot = BotProcess(tmp_path / "settings", tmp_path / "clock", tmp_path / "log", {}, 1)
    return Crash(bot)


def bots() -> list[str]:
    """Return the bots that this process has started."""
    children = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    pids = {pid for one in children for pid in one.read_text().split()}
    lines = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids}
    return [pid for pid, line in lines.items() if b"\0-m\0playground.bot_process\0" in line]


@pytest.mark.parametrize("point", ["", "after lunch", "apply 0", "before", "before  apply 0"])
async def test_an_unknown_point_is_refused_with_those_there_are(crash: Crash, point: str) -> None:
    with pytest.raises(
        NotPossible, match=r"before or after one of: prepare, .*, await deployment\."
    ):
        await crash.arm(point)
    assert crash.armed == ""


async def test_one_crash_is_armed_at_a_time_until_it_is_disarmed(crash: Crash) -> None:
    await crash.arm("before apply 0")
    with pytest.raises(NotPossible, match="armed already, before apply 0"):
        await crash.arm("after apply 0")
    await crash.disarm()
    assert crash.armed == ""
    with pytest.raises(NotPossible, match="No crash is armed"):
        await crash.disarm()
    await crash.arm("after apply 0")
    assert crash.armed == "after apply 0"


def test_however_often_it_is_crashed_and_killed_there_is_one_bot(playground: Playground) -> None:
    world = playground.world
    offered = controls(world)

    async def all_at_once() -> None:
        await asyncio.gather(*(offered["kill"].act("") for _ in range(3)))

    async def armed(point: str) -> None:
        await offered["crash"].act(point)

    async def a_second() -> None:
        await world.bot.start()

    def page() -> str:
        return faults_view(world.faults, world.clock, offered)

    assert "Armed" not in page()
    playground.run(armed("after prepare"))
    assert "Armed: the bot will be killed after prepare" in page()
    assert "Crash at a Step" not in page()
    playground.run(all_at_once())
    assert len(bots()) == 1
    with pytest.raises(BotRunsError):
        playground.run(a_second())
    before = world.bot.pid
    Conversation(playground, "crash-1x").planned()
    assert "after prepare" in {point for _, point in world.bot.points}
    assert "Armed" not in page()
    assert world.bot.pid != before
    assert len(bots()) == 1
