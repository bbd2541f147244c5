"""A bot process in small, for tests that kill it: a durable engine whose world is a file.

It says over its link what it does, obeys orders (`start <operation>`, `sweep <slot>`, `stop`), and
freezes for good at `<step>:<before|after>`, so that whoever hears it can kill it exactly there.
"""

import threading
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal

from provisioning.clock import SystemClock
from provisioning.database import Database
from provisioning.engine import Engine, Steps

STEPS = ("one", "two", "three")


class World:
    """What the effects leave behind: a line for each."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "world"

    def happen(self, operation: str, step: str) -> int:
        """Leave one line, in one write that survives our death."""
        with self._file.open("a") as file:
            file.write(f"{operation} {step}\n")
        return len(step)

    def run(self, steps: Steps, operation: str) -> None:
        """Do everything there is to do for an operation."""
        for step in STEPS:
            assert steps.do(step, self.happen, operation, step) == len(step)

    def sweep(self, steps: Steps, slot: str) -> None:
        """Do one thing for a slot."""
        steps.do("sweep", self.happen, slot, "sweep")


def main(link: "Connection[str, str]", url: str, directory: Path, freeze_at: str) -> None:
    """Work until told to stop."""

    def observe(operation: str, step: str, moment: Literal["before", "after"]) -> None:
        link.send(f"step {operation} {step} {moment}")
        if f"{step}:{moment}" == freeze_at:
            threading.Event().wait()

    database = Database(url)
    world = World(directory)
    engine = Engine(database, SystemClock(), directory, observe=observe)
    engine.register("world", world.run)
    engine.register("sweep", world.sweep)
    engine.launch()
    link.send(f"ready {engine.executor}")
    while (order := link.recv().split())[0] != "stop":
        match order:
            case ["start", operation]:
                engine.start("world", operation, project="ada-7", part="create")
                link.send(f"started {operation}")
            case ["sweep", slot]:
                link.send(f"swept {slot} {engine.sweep('sweep', slot)}")
            case _:
                raise ValueError(order)
    link.send(f"stopped {engine.stop()}")
    database.close()
