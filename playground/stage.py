"""The page of a world: what is on it, and the buttons that act on the bot's process."""

import asyncio

from playground import terraform_runs
from playground.cast import ORGANISATION
from playground.page.lab import Control
from playground.page.server import Page
from playground.world import World


def page_of(world: World) -> Page:
    """Return the page, not yet started."""
    runs = world.directory / "bot" / "terraform"
    return Page(
        world.slack.workspace,
        {
            "GitHub": world.github.snapshot,
            "Databricks": world.databricks.snapshot,
            "Terraform": lambda: terraform_runs.snapshot(runs),
        },
        world.faults,
        world.clock,
        controls=controls(world),
        source=world.github.files,
        follow=lambda address: source_of(world, address),
    )


def source_of(world: World, address: str) -> str | None:
    """Return the page's own place for an address at the stand-in GitHub, if there is one."""
    start = f"{world.github.root}/{ORGANISATION}/"
    name = address.removeprefix(start).partition("/")[0]
    return f"source/{name}" if address.startswith(start) and name in world.github.repos else None


def controls(world: World) -> dict[str, Control]:
    """Return the buttons that act on the bot's process."""
    waiting: set[asyncio.Task[None]] = set()

    async def restart() -> None:
        await world.bot.kill()
        await world.bot.start()

    async def restart_when_held() -> None:
        await world.bot.held()
        await restart()

    async def kill(_: str) -> str:
        await restart()
        return "The bot was killed (SIGKILL) and started again."

    async def crash_at(point: str) -> str:
        await world.bot.hold_at(point)
        task = asyncio.create_task(restart_when_held())
        waiting.add(task)
        task.add_done_callback(waiting.discard)
        return f"The bot will be killed {point}, and started again."

    return {
        "kill": Control("Kill the Bot", kill, "SIGKILL, then a fresh start.", danger=True),
        "crash": Control(
            "Crash at a Step",
            crash_at,
            "Killed right there, then started again.",
            asks="Point, e.g. “after apply 0” or “before push starter code”",
            danger=True,
        ),
    }
