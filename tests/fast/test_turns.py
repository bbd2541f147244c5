"""Runs that write to GitHub take turns, within its limits for the whole installation."""

from datetime import timedelta

from rows import a_project, an_operation

from provisioning.clock import MovableClock
from provisioning.operation import WRITING
from provisioning.store import Store, Turn

ONE = Turn(at_once=1, per_hour=100)
MANY = Turn(at_once=50, per_hour=100)


def begin(store: Store, run: str, phase: str, minute: int = 0) -> None:
    row = an_operation(run, project=run, minute=minute)
    row.phase = phase
    store.projects.reserve_and_begin(a_project(run), row)


def test_one_run_writes_at_a_time(store: Store) -> None:
    begin(store, "first", "applying")
    begin(store, "second", "confirmed")
    assert not store.turns.grant("second:1", 10, WRITING, ONE)
    store.operations.end("first", "ready")
    assert store.turns.grant("second:1", 10, WRITING, ONE)


def test_an_hour_holds_so_many_writes_and_no_more(store: Store, clock: MovableClock) -> None:
    granted = [store.turns.grant(f"run-{number}:1", 30, WRITING, MANY) for number in range(5)]
    assert granted == [True, True, True, False, False]
    clock.advance(timedelta(minutes=61))
    assert store.turns.grant("run-3:1", 30, WRITING, MANY)


def test_who_has_a_turn_keeps_it_and_pays_once(store: Store) -> None:
    assert all(store.turns.grant("run-0:1", 60, WRITING, MANY) for _ in range(3))
    assert store.turns.grant("run-1:1", 40, WRITING, MANY)
    assert not store.turns.grant("run-2:1", 1, WRITING, MANY)


def test_a_run_larger_than_an_hour_gets_its_turn_when_nobody_else_wrote(store: Store) -> None:
    assert store.turns.grant("huge:1", 1000, WRITING, MANY)
    assert not store.turns.grant("next:1", 1, WRITING, MANY)


def test_the_queue_is_first_come_first_served(store: Store) -> None:
    for minute, run in enumerate(("zoe", "ada", "mia")):
        begin(store, run, "confirmed", minute)
    assert [row.id for row in store.turns.waiting()] == ["zoe", "ada", "mia"]
