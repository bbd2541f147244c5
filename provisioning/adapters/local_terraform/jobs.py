"""One detached Terraform job and its folder: start it once, find it again, stop it.

Whatever happened to the processes can be read from the folder: `ended.json` says how it ended; a
held lock, or a living child, says that it runs; `started.json` alone says that it was killed.
"""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any, Literal

from provisioning.adapters.local_terraform import keeper
from provisioning.adapters.local_terraform.places import private_folder, write_private
from provisioning.errors import TemporaryError

State = Literal["new", "running", "ended", "killed", "cancelled"]
POLL_SECONDS = 0.05
STARTS = 5
SIGNALS = (signal.SIGINT, signal.SIGINT, signal.SIGKILL)
"""A first interrupt lets running calls finish, a second abandons them (as Terraform has it)."""


@dataclass(frozen=True)
class Ending:
    """How a job ended: `status` is None when its processes vanished, negative for a signal."""

    state: Literal["ended", "killed", "cancelled"]
    status: int | None = None
    seconds: float = 0
    interrupted: bool = False


class Job:
    """A job in its folder. Several processes may look at one folder; one keeper runs it."""

    def __init__(self, folder: Path, grace: float) -> None:
        self.folder = folder
        self.events = folder / "events.jsonl"
        self._grace = grace
        self._pause = Event()

    def state(self) -> State:
        """Return where the job stands. The order of the questions closes the races."""
        started = self._read("started.json")
        if self._is_locked():
            return "running"
        if self._path("ended.json").exists():
            return "ended"
        if started is None:
            return "cancelled" if self._interrupts() else "new"
        return "running" if keeper.is_alive(started["child"]) else "killed"

    def cancel_unless_started(self) -> None:
        """Make sure that a job which is still new is never started."""
        private_folder(self.folder)
        if self.state() == "new":
            self._path("interrupt-1").touch(mode=0o600)

    def start(
        self,
        commands: Sequence[Sequence[str]],
        directory: Path,
        environment: Callable[[], Mapping[str, str]],
    ) -> None:
        """Start a new job; a job that anybody has started before is left alone."""
        if self.state() != "new":
            return
        private_folder(self.folder)
        job = {"commands": commands, "in": str(directory)}
        write_private(self._path("job.json"), json.dumps(job))
        for _ in range(STARTS):
            if self.state() != "new":
                return
            trouble = self._spawn_keeper(environment())
        if self.state() == "new":
            raise TemporaryError(
                f"Terraform could not be started; nothing has been changed. {trouble}".strip()
            )

    def follow(self, tick: Callable[[], None]) -> Ending:
        """Call `tick` again and again until the job is over; return how it ended."""
        while (state := self.state()) == "running":
            tick()
            self._pause.wait(POLL_SECONDS)
        if state == "new":
            raise TemporaryError(f"nobody has started the Terraform job in {self.folder.name}")
        ended = self._read("ended.json") if state == "ended" else None
        if ended is None:
            return Ending("cancelled" if state == "cancelled" else "killed", None, self.seconds())
        return Ending("ended", ended["status"], ended["seconds"], self._interrupts() > 0)

    def stop(self) -> None:
        """Interrupt a running job; called again after the grace, more and more firmly."""
        started, sent = self._read("started.json"), self._interrupts()
        if started is None or sent == len(SIGNALS):
            return
        if sent and self._age(f"interrupt-{sent}") < self._grace:
            return
        with contextlib.suppress(FileExistsError, ProcessLookupError):
            self._path(f"interrupt-{sent + 1}").touch(mode=0o600, exist_ok=False)
            if any(keeper.is_alive(started[who]) for who in ("keeper", "child")):
                os.killpg(started["group"], SIGNALS[sent])

    def seconds(self) -> float:
        """Return for how long it has run; 0 before it starts."""
        return self._age("lock") if self._path("started.json").exists() else 0

    def log(self, skip: int = 0) -> bytes:
        """Return what the commands wrote so far, without the first `skip` bytes."""
        if not self.events.exists():
            return b""
        with self.events.open("rb") as events:
            events.seek(skip)
            return events.read()

    def _spawn_keeper(self, environment: Mapping[str, str]) -> str:
        script = [sys.executable, "-I", "-S", keeper.__file__, str(self.folder)]
        done = subprocess.run(
            script,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            check=False,
        )
        return done.stderr.strip().rpartition("\n")[2]

    def _is_locked(self) -> bool:
        try:
            lock = os.open(self._path("lock"), os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def _interrupts(self) -> int:
        return sum(self._path(f"interrupt-{n}").exists() for n in range(1, len(SIGNALS) + 1))

    def _age(self, name: str) -> float:
        # A process's own time, not the clock port's: moving the clock must not end it.
        return max(0.0, time.time() - self._path(name).stat().st_mtime)

    def _read(self, name: str) -> Any:
        try:
            return json.loads(self._path(name).read_text())
        except FileNotFoundError:
            return None

    def _path(self, name: str) -> Path:
        return self.folder / name
