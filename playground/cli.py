"""`sciclops play`: the real bot against a world on this machine, and a page to use it."""

import asyncio
import logging
import shutil
import signal
from pathlib import Path
from typing import Annotated

import typer

from playground import terraform_runs
from playground.page.lab import Control
from playground.page.server import Page
from playground.settings_file import Choices
from playground.world import World

PORT = 8451


def play(
    port: Annotated[int, typer.Option(help="port of the page; 0 takes a free one")] = PORT,
    mode: Annotated[str, typer.Option(help="how Slack reaches the bot: socket or http")] = "socket",
    directory: Annotated[Path, typer.Option(help="emptied at the start")] = Path(".play"),
) -> None:
    """Start the playground and print the address of its page."""
    logging.basicConfig(level=logging.WARNING)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(mode=0o700, parents=True)
    asyncio.run(_play(World(directory.resolve(), Choices(mode=mode)), port))


async def _play(world: World, port: int) -> None:
    await world.start()
    page = Page(
        world.slack.workspace,
        {
            "GitHub": world.github.snapshot,
            "Databricks": world.databricks.snapshot,
            "Terraform": lambda: terraform_runs.snapshot(world.directory / "bot" / "terraform"),
        },
        world.faults,
        world.clock,
        controls=controls(world),
        port=port,
    )
    try:
        await world.bot.start()
        url = await page.start()
        typer.echo(f"\nSciCLOps playground: {url}\nType /sciclops new there. Ctrl+C stops it.\n")
        await _until_stopped()
    finally:
        await page.stop()
        await world.stop()


async def _until_stopped() -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()


def controls(world: World) -> dict[str, Control]:
    """Return the buttons that act on the bot's process."""

    async def kill(_: str) -> str:
        await world.bot.kill()
        await world.bot.start()
        return "The bot was killed (SIGKILL) and started again."

    async def crash_at(point: str) -> str:
        await world.bot.hold_at(point)
        asyncio.get_running_loop().create_task(_crash_when_held(world))
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


async def _crash_when_held(world: World) -> None:
    await world.bot.held()
    await world.bot.kill()
    await world.bot.start()
