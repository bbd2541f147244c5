"""`sciclops play`: the real bot against a world on this machine, and a page to use it."""

import asyncio
import logging
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from playground.directory import door, empty, taken
from playground.page.server import Page
from playground.settings_file import Choices
from playground.stage import page_of
from playground.world import World

PORT = 8451
LAST_PORT = 65_535


def play(
    port: Annotated[
        int, typer.Option(min=0, max=LAST_PORT, help="port of the page; 0 takes a free one")
    ] = PORT,
    mode: Annotated[str, typer.Option(help="how Slack reaches the bot: socket or http")] = "socket",
    directory: Annotated[Path, typer.Option(help="made anew at each start")] = Path(".play"),
) -> None:
    """Start the playground and print the address of its page."""
    if mode not in ("socket", "http"):
        raise typer.BadParameter("choose socket or http", param_hint="--mode")
    logging.basicConfig(level=logging.WARNING)
    with taken(directory) as note, door(port) as listening:
        note.write("at http://{}:{}".format(*listening.getsockname()))
        note.flush()
        empty(directory)
        typer.echo(f"{directory} is made anew at each start; what was in it is gone.")
        world = World(directory.resolve(), Choices(mode=mode))
        asyncio.run(_play(world, page_of(world), listening))


async def _play(world: World, page: Page, listening: socket.socket) -> None:
    stopped = _told_to_stop()
    running = asyncio.create_task(_start(world, page, listening))
    try:
        await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if stopped.done():
            running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await stopped
    finally:
        await page.stop()
        await world.stop()


async def _start(world: World, page: Page, listening: socket.socket) -> None:
    typer.echo("Starting the stand-ins, the Terraform providers and the bot …")
    await world.start()
    await world.bot.start()
    url = await page.start(listening)
    typer.echo(f"\n  SciCLOps playground: {url}\n  Type /sciclops new there. Ctrl+C stops it.\n")


def _told_to_stop() -> "asyncio.Task[bool]":
    """Return what is done as soon as somebody presses Ctrl+C or ends us, from now on."""
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    return asyncio.create_task(told.wait())
