"""Starts, holds, kills and restarts the bot's process, from outside, as an operator could."""

import asyncio
import json
import os
import random
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import aiohttp

from playground.children import Child, Children

READY_SECONDS = 90
PORTS = range(20_000, 30_000)
"""Below those that connections get: nobody takes one between our looking and the bot's binding."""


class BotDiedError(RuntimeError):
    """The bot's process ended by itself; its log says why."""


class BotRunsError(RuntimeError):
    """A bot was to be started while another runs."""


class BotProcess:
    """The bot as a process; `points` are the steps it went through, in order."""

    def __init__(
        self, settings: Path, clock: Path, log: Path, secrets: Mapping[str, str], port: int
    ) -> None:
        self._settings = settings
        self._clock = clock
        self.log = log
        self._secrets = secrets
        self._port = port
        self._process: Child | None = None
        self._listening: asyncio.Task[None] | None = None
        self._held = asyncio.Event()
        self._heard = asyncio.Event()
        self._unheard = 0
        self._turn = asyncio.Lock()
        self.points: list[tuple[str, str]] = []
        self.lives = 0
        """How often it was started."""

    @property
    def is_held(self) -> bool:
        """Tell whether the bot stands at a point where it was to hold."""
        return self._held.is_set()

    @property
    def pid(self) -> int:
        """Return the process id."""
        if self._process is None:
            raise BotDiedError("the bot was not started")
        return self._process.pid

    async def start(self, hold_at: tuple[str, ...] = ()) -> None:
        """Start the process and wait until it says that it is ready (GET /readyz)."""
        async with self._turn:
            await self._start(hold_at)

    async def spawn(self, hold_at: tuple[str, ...] = ()) -> None:
        """Start the process; `hold_at` names points such as `after plan 0` to stop dead at."""
        async with self._turn:
            await self._spawn(hold_at)

    async def restart(self, hold_at: tuple[str, ...] = ()) -> None:
        """Kill the process and start it anew, unless somebody has stopped it meanwhile."""
        async with self._turn:
            if self._process is None:
                raise BotDiedError("it was stopped")
            self._kill()
            await self._process.wait()
            await self._start(hold_at)

    async def _start(self, hold_at: tuple[str, ...]) -> None:
        await self._spawn(hold_at)
        await self.ready()

    async def _spawn(self, hold_at: tuple[str, ...]) -> None:
        if self._process is not None and self._process.returncode is None:
            raise BotRunsError("there is one bot at a time, and it runs")
        await self._gone()
        self._held.clear()
        self._unheard = 0
        self.lives += 1
        with self.log.open("ab") as out:
            self._process = await Children.start(
                "playground.bot_process",
                str(self._settings),
                str(self._clock),
                env={**_inherited(), **self._secrets},
                stderr=out,
            )
        await self._hold_at(hold_at)
        self._listening = asyncio.create_task(self._listen(self._process))

    async def hold_at(self, *points: str) -> None:
        """Make the bot stop dead at these points from now on; none makes it go on for ever.

        It knows when this returns, unless it is dead.
        """
        async with self._turn:
            await self._hold_at(points)
            if self._listening is not None and not self._listening.done():
                await self._heard.wait()

    async def _hold_at(self, points: tuple[str, ...]) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._unheard += 1
            self._heard.clear()
            self._process.stdin.write(json.dumps(points).encode() + b"\n")
            with suppress(ConnectionError):
                await self._process.stdin.drain()

    async def held(self) -> None:
        """Wait until the bot stands at a point where it was to hold."""
        await self._held.wait()

    async def ready(self) -> None:
        """Wait until the bot answers that it is ready; raise BotDiedError with its log if not."""
        url = f"http://127.0.0.1:{self._port}/readyz"
        try:
            async with asyncio.timeout(READY_SECONDS), aiohttp.ClientSession() as session:
                while not await self._is_ready(session, url):
                    await asyncio.sleep(0.05)
        except TimeoutError as late:
            raise BotDiedError(f"not ready in {READY_SECONDS} s: {self._last_words()}") from late

    async def _is_ready(self, session: aiohttp.ClientSession, url: str) -> bool:
        if self._process is None or self._process.returncode is not None:
            raise BotDiedError(self._last_words())
        try:
            async with session.get(url) as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    def _last_words(self) -> str:
        return self.log.read_text()[-4000:]

    async def kill(self) -> None:
        """Kill the process (SIGKILL): it gets no chance to say goodbye."""
        async with self._turn:
            self._kill()
            await self._gone()

    async def stop(self) -> None:
        """Ask the process to stop (SIGTERM), and wait for it."""
        async with self._turn:
            if self._process is not None and self._process.returncode is None:
                await self._ask_to_stop(self._process)
            await self._gone()

    async def _ask_to_stop(self, process: Child) -> None:
        process.terminate()
        try:
            async with asyncio.timeout(15):
                await process.wait()
        except TimeoutError:
            process.kill()

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def _gone(self) -> None:
        if self._process is not None:
            await self._process.wait()
        if self._listening is not None:
            await self._listening
        self._process = self._listening = None

    async def _listen(self, process: Child) -> None:
        if process.stdout is None:
            return
        async for line in process.stdout:
            said = json.loads(line)
            if "armed" in said:
                self._hear()
                continue
            self.points.append((said["operation"], said["point"]))
            if said["held"]:
                self._held.set()
        self._heard.set()

    def _hear(self) -> None:
        self._unheard -= 1
        if self._unheard == 0:
            self._heard.set()


def free_port() -> int:
    """Return a loopback port that nobody uses, and that the system gives nobody by itself."""
    for port in random.SystemRandom().sample(PORTS, 50):
        with socket.socket() as some:
            try:
                some.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port")


def _inherited() -> dict[str, str]:
    """Return what the bot's process gets of our environment: enough to run, nothing secret."""
    wanted = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH")
    return {name: value for name in wanted if (value := os.getenv(name)) is not None}
