"""Processes that run one of our modules, beside the one that starts them."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Protocol

ROOT = Path(__file__).parents[1]


class Child(Protocol):
    """A process that was started; `stdin` and `stdout` are pipes to it."""

    @property
    def pid(self) -> int:
        """Return the process id."""

    @property
    def returncode(self) -> int | None:
        """Return None as long as the process lives."""

    @property
    def stdin(self) -> asyncio.StreamWriter | None:
        """Return what it reads from."""

    @property
    def stdout(self) -> asyncio.StreamReader | None:
        """Return what it writes to."""

    async def wait(self) -> object:
        """Wait until it has ended."""

    def kill(self) -> None:
        """Kill it (SIGKILL)."""

    def terminate(self) -> None:
        """Ask it to stop (SIGTERM)."""


class Start(Protocol):
    """A way to run a module as a process: `python -m <module> <words>`, in the project's folder."""

    async def __call__(
        self,
        module: str,
        *words: str,
        env: Mapping[str, str] | None = None,
        stderr: IO[bytes] | None = None,
    ) -> Child:
        """Start it with this environment (None: ours) and stderr, in a process group of its own."""


async def afresh(
    module: str,
    *words: str,
    env: Mapping[str, str] | None = None,
    stderr: IO[bytes] | None = None,
) -> Child:
    """Start a new interpreter."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *words,
        stdin=PIPE,
        stdout=PIPE,
        stderr=stderr,
        cwd=ROOT,
        env=env,
        process_group=0,  # Ctrl+C in a terminal is for us alone
    )


class Children:
    """How the playground starts processes; tests may choose another way."""

    start: Start = staticmethod(afresh)
