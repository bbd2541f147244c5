"""Processes that have imported what they need when they begin: forks of one that did so before.

Each start of the bot imports for 1.5 seconds of processor time, which was a tenth of the suite.
A fork is a process like any other: it has its own memory, is killed by its id, and shares nothing
with the next one. What is about a bot's first breath is started afresh (`children.afresh`).

`python tests/nursery.py <fd> <module> <imports>` is the process that forks: over a socket it takes
the words and the environment of a child, with its stdin, stdout and stderr, and answers its id.
"""

import asyncio
import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from asyncio import StreamReader, StreamReaderProtocol, StreamWriter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import IO

IMPORTS = {
    "playground.bot_process": ("provisioning.adapters.databricks", "provisioning.adapters.github"),
    "playground.terraform": (),
}
"""The modules that run in forks, with what they import only later."""
ROOT = Path(__file__).parents[1]
LONGEST = 1 << 20


@dataclass(frozen=True)
class Wanted:
    """What a fork is to be; without an environment it has that of the process that forks."""

    words: Sequence[str]
    env: dict[str, str] | None


class Fork:
    """A forked process, as asyncio's own are; its exit status is not known."""

    def __init__(self, pid: int, stdin: StreamWriter, stdout: StreamReader) -> None:
        self.pid = pid
        self.stdin = stdin
        self.stdout = stdout
        self.returncode: int | None = None
        self._ended = asyncio.Event()
        try:
            self._handle = os.pidfd_open(pid)
        except ProcessLookupError:  # it has ended before we looked
            self._end()
        else:
            asyncio.get_running_loop().add_reader(self._handle, self._let_go)

    def _let_go(self) -> None:
        asyncio.get_running_loop().remove_reader(self._handle)
        os.close(self._handle)
        self._end()

    def _end(self) -> None:
        self.returncode = -1
        self.stdin.close()
        self._ended.set()

    async def wait(self) -> None:
        """Wait until it has ended."""
        await self._ended.wait()

    def kill(self) -> None:
        """Kill it (SIGKILL)."""
        self._send(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to stop (SIGTERM)."""
        self._send(signal.SIGTERM)

    def _send(self, number: signal.Signals) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)


class Nursery:
    """The processes that fork, one for each module, begun when the first fork is wanted."""

    def __init__(self) -> None:
        self._lines: dict[str, socket.socket] = {}
        self._forking: list[subprocess.Popen[bytes]] = []
        self._turn = threading.Lock()

    async def start(
        self,
        module: str,
        *words: str,
        env: Mapping[str, str] | None = None,
        stderr: IO[bytes] | None = None,
    ) -> Fork:
        """Fork a process that runs a module."""
        theirs_in, ours_in = os.pipe()
        ours_out, theirs_out = os.pipe()
        theirs = (theirs_in, theirs_out, 2 if stderr is None else stderr.fileno())
        wanted = Wanted(words, dict(env) if env is not None else None)
        try:
            pid = await asyncio.to_thread(self._fork, module, wanted, theirs)
        except BaseException:
            os.close(ours_in)
            os.close(ours_out)
            raise
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        loop, reader = asyncio.get_running_loop(), StreamReader()
        await loop.connect_read_pipe(lambda: StreamReaderProtocol(reader), os.fdopen(ours_out))
        transport, protocol = await loop.connect_write_pipe(
            lambda: StreamReaderProtocol(StreamReader()), os.fdopen(ours_in, "w")
        )
        return Fork(pid, StreamWriter(transport, protocol, None, loop), reader)

    def _fork(self, module: str, wanted: Wanted, fds: tuple[int, ...]) -> int:
        with self._turn:
            line = self._lines.get(module) or self._begin(module)
            try:
                socket.send_fds(line, [json.dumps(asdict(wanted)).encode()], list(fds))
                return int(line.recv(64))
            except (OSError, ValueError) as dead:
                self._lines.pop(module).close()
                raise RuntimeError(f"what forks {module} has died; stderr says why") from dead

    def _begin(self, module: str) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            fd = theirs.fileno()
            command = [sys.executable, __file__, str(fd), module, *IMPORTS[module]]
            self._forking.append(subprocess.Popen(command, cwd=ROOT, pass_fds=(fd,)))
        self._lines[module] = ours
        return ours

    def close(self) -> None:
        """End the processes that fork; what they have forked goes on."""
        for line in self._lines.values():
            line.close()
        for forking in self._forking:
            forking.wait()


# ---------------------------------------------------------------------- the process that forks


def main() -> None:
    """Import, then fork whenever that is asked for."""
    fd, name, *imports = sys.argv[1:]
    sys.path[0] = str(ROOT)
    module = importlib.import_module(name)
    if not hasattr(module, "main"):
        module = importlib.import_module(f"{name}.__main__")
    for each in imports:
        importlib.import_module(each)
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        raise RuntimeError(f"{name} starts threads when it is imported: it cannot be forked")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a child has ended
    gc.freeze()
    with socket.socket(fileno=int(fd)) as line:
        forked = _serve(line)
    if forked:
        _live(module, *forked)


def _serve(line: socket.socket) -> tuple[Wanted, list[int]] | None:
    """Fork until the line is closed; return only in a fork, with what it was asked to be."""
    while True:
        said, fds, _, _ = socket.recv_fds(line, LONGEST, 3)
        if not said:
            return None
        pid = os.fork()
        if pid == 0:
            return Wanted(**json.loads(said)), fds
        for each in fds:
            os.close(each)
        line.send(str(pid).encode())


def _live(module: ModuleType, wanted: Wanted, fds: list[int]) -> None:
    """Be the process that was asked for."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setpgid(0, 0)
    for target, fd in enumerate(fds):
        os.dup2(fd, target)
        os.close(fd)
    if wanted.env is not None:
        os.environ.clear()
        os.environ.update(wanted.env)
    sys.argv = [str(module.__file__), *wanted.words]
    module.main()


if __name__ == "__main__":
    main()
