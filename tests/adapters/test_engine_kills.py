"""Processes die by SIGKILL, from outside, at named points; others finish what they had begun."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import pytest
from databases import KINDS, opened
from engine_bench import Process
from engine_process import STEPS, World
from sqlmodel import select
from waiting import wait_until

from provisioning.clock import SystemClock
from provisioning.database import Database
from provisioning.engine import Engine, Steps
from provisioning.tables import ExecutorRow

POINTS = tuple(product(STEPS, ("before", "after")))
SAMPLE = (("one", "before"), ("three", "after"))
"""A kill costs a start of a process: on PostgreSQL the points that differ most must do."""


@pytest.fixture(params=KINDS)
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Database]:
    with opened(request.param, tmp_path, request) as database:
        yield database


def effects(directory: Path, operation: str) -> list[str]:
    world = directory / "world"
    lines = world.read_text().splitlines() if world.exists() else []
    return [line.split()[1] for line in lines if line.split()[0] == operation]


@pytest.mark.parametrize(
    ("place", "points"), [("sqlite", POINTS), ("postgresql", SAMPLE)], indirect=["place"], ids=str
)
def test_an_operation_killed_at_every_point_is_finished_step_by_step(
    place: Database, points: tuple[tuple[str, str], ...], tmp_path: Path
) -> None:
    kills = Counter[str]()
    for step, moment in points:
        process = Process(place, tmp_path, f"{step}:{moment}")
        if not kills:
            process.tell("start op-1")
        process.hear(f"step op-1 {step} {moment}")
        process.kill()
        kills[f"{step} {moment}"] += 1
    last = Process(place, tmp_path)
    last.hear(f"step op-1 {STEPS[-1]} after")
    assert last.stop() == "stopped True"

    assert len(kills) == len(points)
    # A kill between an effect and its checkpoint repeats that effect, and nothing else does.
    expected = Counter({step: 1 + kills[f"{step} after"] for step in STEPS})
    assert effects(tmp_path, "op-1") == list(expected.elements())


@contextmanager
def another_process(database: Database, directory: Path) -> Iterator[Engine]:
    """A living process beside those that die: this one."""
    world = World(directory)
    engine = Engine(database, SystemClock(), directory)
    engine.register("world", world.run)
    engine.register("sweep", world.sweep)
    engine.launch()
    try:
        yield engine
    finally:
        assert engine.stop()


def test_a_living_process_takes_over_from_a_dead_one_within_five_seconds(
    place: Database, tmp_path: Path
) -> None:
    victim = Process(place, tmp_path, "two:after")
    victim.tell("start op-1")
    victim.hear("step op-1 two after")
    with another_process(place, tmp_path) as survivor:
        assert survivor.reap() == frozenset()
        victim.kill()
        wait_until(lambda: survivor.state("op-1", "create") == "finished", seconds=5)

        assert effects(tmp_path, "op-1") == ["one", "two", "two", "three"]
        with place.reading() as session:
            assert session.exec(select(ExecutorRow.id)).all() == [survivor.executor]
        assert not (tmp_path / "executors" / f"{victim.executor}.lock").exists()


def test_a_process_that_hangs_keeps_its_work_and_goes_on_with_it(
    place: Database, tmp_path: Path
) -> None:
    hanging = Process(place, tmp_path, "two:before")
    hanging.tell("start op-1")
    hanging.hear("step op-1 two before")
    hanging.hang()
    with another_process(place, tmp_path) as survivor:
        assert survivor.reap() == frozenset()
        assert survivor.state("op-1", "create") == "running"
        assert effects(tmp_path, "op-1") == ["one"]
        hanging.kill()
        wait_until(lambda: survivor.state("op-1", "create") == "finished")
    assert effects(tmp_path, "op-1") == ["one", "two", "three"]


def test_what_waits_behind_dead_work_keeps_its_order(place: Database, tmp_path: Path) -> None:
    victim = Process(place, tmp_path, "one:before")
    for operation in ("op-1", "op-2", "op-3"):
        victim.tell(f"start {operation}")
        victim.hear(f"started {operation}")
    victim.hear("step op-1 one before")
    victim.kill()

    with another_process(place, tmp_path) as survivor:
        wait_until(lambda: survivor.state("op-3", "create") == "finished")

    lines = (tmp_path / "world").read_text().splitlines()
    assert lines == [f"op-{number} {step}" for number in (1, 2, 3) for step in STEPS]


def test_two_processes_sweep_each_slot_once(place: Database, tmp_path: Path) -> None:
    other = Process(place, tmp_path)
    slots = [f"12:{minute:02}" for minute in range(0, 60, 10)]
    with another_process(place, tmp_path) as survivor:
        for slot in slots:
            other.tell(f"sweep {slot}")
        mine = [survivor.sweep("sweep", slot) for slot in slots]
        theirs = [other.hear(f"swept {slot}").endswith("True") for slot in slots]
        world = tmp_path / "world"
        wait_until(lambda: world.exists() and len(world.read_text().splitlines()) >= len(slots))

        assert [a != b for a, b in zip(mine, theirs, strict=True)] == [True] * len(slots)
        assert other.stop() == "stopped True"
    counted = Counter(world.read_text().splitlines())
    assert counted == Counter(f"{slot} sweep" for slot in slots)


def test_an_orderly_stop_leaves_unfinished_work_to_the_next_process(
    place: Database, tmp_path: Path
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    world = World(tmp_path)

    def hold(operation: str) -> None:
        begun.set()
        assert go_on.wait(10)
        world.happen(operation, "held")

    def work(steps: Steps, operation: str) -> None:
        steps.do("hold", hold, operation)
        steps.do("then", world.happen, operation, "then")

    first = Engine(place, SystemClock(), tmp_path)
    first.register("work", work)
    first.launch()
    first.start("work", "op-1", project="ada-7", part="create")
    assert begun.wait(10)
    stopping = threading.Thread(target=first.stop)
    stopping.start()
    wait_until(lambda: first.stopping)
    go_on.set()
    stopping.join()
    assert effects(tmp_path, "op-1") == ["held"]

    second = Engine(place, SystemClock(), tmp_path)
    second.register("work", work)
    second.launch()
    wait_until(lambda: second.state("op-1", "create") == "finished")
    assert second.stop()
    assert effects(tmp_path, "op-1") == ["held", "then"]
