"""`sciclops play`: the real bot against a world on this machine, and a page to use it."""

import asyncio
import logging
import shutil
import signal
from pathlib import Path
from typing import Annotated

import typer

from playground.settings_file import Choices
from playground.stage import page_of
from playground.world import World

PORT = 8451
MARK = ".sciclops-playground"
"""A file by which a playground's directory is known: nothing else is ever emptied."""


def play(
    port: Annotated[int, typer.Option(help="port of the page; 0 takes a free one")] = PORT,
    mode: Annotated[str, typer.Option(help="how Slack reaches the bot: socket or http")] = "socket",
    directory: Annotated[Path, typer.Option(help="emptied at the start")] = Path(".play"),
) -> None:
    """Start the playground and print the address of its page."""
    if mode not in ("socket", "http"):
        raise typer.BadParameter("choose socket or http", param_hint="--mode")
    logging.basicConfig(level=logging.WARNING)
    _empty(directory)
    asyncio.run(_play(World(directory.resolve(), Choices(mode=mode)), port))


def _empty(directory: Path) -> None:
    if directory.exists() and any(directory.iterdir()) and not (directory / MARK).exists():
        raise typer.BadParameter(
            f"{directory} holds something that is not a playground's; name another directory",
            param_hint="--directory",
        )
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(mode=0o700, parents=True)
    (directory / MARK).touch()


async def _play(world: World, port: int) -> None:
    typer.echo("Starting the stand-ins, the Terraform providers and the bot …")
    await world.start()
    page = page_of(world, port)
    try:
        await world.bot.start()
        url = await page.start()
        typer.echo(
            f"\n  SciCLOps playground: {url}\n  Type /sciclops new there. Ctrl+C stops it.\n"
        )
        await _until_stopped()
    finally:
        await page.stop()
        await world.stop()


async def _until_stopped() -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()
