"""An engine in this process, and others in processes that tests may kill."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path

import engine_process
from waiting import wait_until

from provisioning.attempts import Setback
from provisioning.clock import MovableClock
from provisioning.database import Database
from provisioning.engine import Engine, Limits, Patience, Steps

ENDED = ("finished", "failed")


class Bench:
    """An engine whose operations do what each test says."""

    def __init__(self, database: Database, directory: Path) -> None:
        self.clock = MovableClock()
        self.database = database
        self.observed: list[tuple[str, str, str]] = []
        self._bodies: dict[str, Callable[[Steps], object]] = {}
        patience = Patience(first=0.01, longest=0.05, total=60)
        self.engine = Engine(
            database,
            self.clock,
            directory,
            Limits(operations_at_once=4, patience=patience),
            observe=lambda *seen: self.observed.append(seen),
        )
        self.setbacks: list[tuple[str, Setback | None]] = []
        self.engine.report(lambda *told: self.setbacks.append(told))
        self.engine.register("any", self._act)

    def _act(self, steps: Steps, subject: str) -> None:
        self._bodies[subject](steps)

    def start(
        self, operation: str, body: Callable[[Steps], object], *, project: str = "ada-7"
    ) -> bool:
        """Start an operation of one part, which does what `body` does."""
        self._bodies[operation] = body
        return self.engine.start("any", operation, project=project, part="create")

    def prepare_sweep(self, slot: str, body: Callable[[Steps], object]) -> None:
        """Say what the sweep of a slot does."""
        self._bodies[slot] = body

    def end_of(self, operation: str) -> str:
        """Wait for the end of an operation and return how it ended."""
        wait_until(lambda: self.engine.state(operation, "create") in ENDED)
        return self.engine.state(operation, "create")

    def run(self, operation: str, body: Callable[[Steps], object]) -> str:
        """Start an operation, wait for its end and return how it ended."""
        assert self.start(operation, body)
        return self.end_of(operation)


# Forked from a server that has imported everything: a start costs milliseconds, not seconds.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["provisioning.engine"])


class Process:
    """`engine_process.py`, as a process of its own that may be killed."""

    def __init__(self, database: Database, directory: Path, freeze_at: str = "") -> None:
        self._link, theirs = PROCESSES.Pipe()
        arguments = (theirs, database.url, directory, freeze_at)
        self._process = PROCESSES.Process(target=engine_process.main, args=arguments, daemon=True)
        self._process.start()
        theirs.close()
        self.executor = self.hear("ready").split()[1]

    def tell(self, order: str) -> None:
        """Give an order."""
        self._link.send(order)

    def hear(self, beginning: str, seconds: float = 20) -> str:
        """Return the next thing it says that begins so; what it says before is passed over."""
        while True:
            assert self._link.poll(seconds), f"not heard within {seconds} s: {beginning}"
            said: str = self._link.recv()
            if said.startswith(beginning):
                return said

    def kill(self) -> None:
        """End the process as a power cut would (SIGKILL)."""
        self._process.kill()
        self._close()

    def hang(self) -> None:
        """Make the process stand still (SIGSTOP); it lives and keeps its lock."""
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def stop(self) -> str:
        """End the process as an operator would; return what it said last."""
        self.tell("stop")
        said = self.hear("stopped")
        self._close()
        return said

    def _close(self) -> None:
        self._process.join(timeout=20)
        assert self._process.exitcode is not None
        self._process.close()
        self._link.close()
