"""Runs that write to GitHub take turns, within its limits for the whole installation."""

from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from rows import a_project, a_spec, an_operation

from bot.installation import policy_of
from bot.settings import load
from provisioning.board import read_operation
from provisioning.clock import MovableClock
from provisioning.engine import Engine
from provisioning.operation import STARTER_WRITES, TURNS, WRITING, Operation
from provisioning.runs import Action, Change, Counts, Plan
from provisioning.starting import Starting
from provisioning.store import Store, Turn
from provisioning.store.turns import LEDGER

EXAMPLE = Path(__file__).parents[2] / "sciclops.example.toml"
ONE = Turn(at_once=1, per_hour=100)
MANY = Turn(at_once=50, per_hour=100)


def begin(store: Store, run: str, phase: str, minute: int = 0) -> None:
    row = an_operation(run, project=run, minute=minute)
    row.phase = phase
    store.projects.reserve_and_begin(a_project(run), row)


def planned(phase: str, actions: dict[str, Action], writes: int = 0) -> Operation:
    """Return a run that waits for its turn to do this; `writes` were planned before at most."""
    changes = tuple(
        Change(address=f"{kind}.x", resource_type=kind, action=action)
        for kind, action in actions.items()
    )
    plan = Plan(digest="d", inputs="i", counts=Counts(), changes=changes, seconds=1, terraform="1")
    row = an_operation()
    row.phase, row.request = phase, a_spec().model_dump(mode="json")
    started = {phase: row.created_at.isoformat()}
    row.facts = {"plan": plan.model_dump(mode="json"), "writes": writes, "started": started}
    return read_operation(row)


def test_an_apply_costs_what_it_changes_at_github_and_the_starter_code() -> None:
    actions: dict[str, Action] = {
        "github_repository": "create",
        "github_team_repository": "replace",
        "github_branch_default": "import",
        "databricks_schema": "create",
    }
    assert planned("confirmed", actions, writes=50).writes == 2 + STARTER_WRITES


class NothingStarts:
    """Stands for the engine where only the turn matters."""

    def start(self, *_: str, **__: str) -> bool:
        """Start nothing."""
        return True


@pytest.mark.parametrize(("authentication", "cost"), [("oidc", 7), ("secret", 7 + 25)])
def test_a_turn_costs_the_secrets_of_every_environment_as_well(
    store: Store, authentication: str, cost: int
) -> None:
    wanted = planned("confirmed", {"github_repository": "create", "databricks_schema": "create"})
    row = an_operation("run-1")
    row.phase, row.request = "confirmed", a_spec().model_dump(mode="json")
    row.facts = {"plan": wanted.facts.model_dump(mode="json")["plan"]}
    store.projects.reserve_and_begin(a_project("ada-7"), row)
    policy = policy_of(load(EXAMPLE, {"SCICLOPS__DATABRICKS__AUTHENTICATION": authentication}))
    Starting(store, cast("Engine", NothingStarts()), policy).admit()
    (turn,) = (store.memos.get(LEDGER) or {})["writes"]
    assert turn["cost"] == cost
    admitted = store.operations.get("run-1")
    assert admitted is not None
    assert admitted.facts["writes"] == cost


def test_a_clean_up_costs_what_the_largest_of_the_applies_did() -> None:
    assert planned("to_clean", {"github_repository": "create"}, writes=50).writes == 50


def test_one_run_writes_at_a_time(store: Store) -> None:
    begin(store, "first", "applying")
    begin(store, "second", "confirmed")
    assert store.turns.grant("first:1", 10, WRITING, ONE)
    assert not store.turns.grant("second:1", 10, WRITING, ONE)
    store.operations.end("first", "ready")
    assert store.turns.grant("second:1", 10, WRITING, ONE)


@pytest.mark.parametrize("phase", WRITING)
def test_a_run_that_hangs_holds_the_others_up_for_an_hour_at_most(
    store: Store, clock: MovableClock, phase: str
) -> None:
    begin(store, "hung", phase)
    assert store.turns.grant("hung:1", 10, WRITING, ONE)
    clock.advance(timedelta(minutes=59))
    assert not store.turns.grant("second:1", 10, WRITING, ONE)
    clock.advance(timedelta(minutes=2))
    assert store.turns.grant("second:1", 10, WRITING, ONE)


def test_another_attempt_needs_a_turn_of_its_own(store: Store) -> None:
    begin(store, "first", "applying")
    assert store.turns.grant("first:1", 60, WRITING, ONE)
    store.operations.end("first", "failed")
    store.operations.retry("first", ["failed"], "to_clean", by="U-ada")
    begin(store, "second", "applying")
    assert store.turns.grant("second:1", 30, WRITING, ONE)
    assert not store.turns.grant("first:2", 10, WRITING, ONE)
    store.operations.end("second", "ready")
    assert not store.turns.grant("first:2", 60, WRITING, ONE)  # that many would be too many
    assert store.turns.grant("first:2", 10, WRITING, ONE)


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
    for minute, (run, phase) in enumerate(
        (("zoe", "confirmed"), ("ada", "to_clean"), ("mia", "confirmed"), ("eve", "waiting"))
    ):
        begin(store, run, phase, minute)
    assert [row.id for row in store.turns.waiting(TURNS)] == ["zoe", "ada", "mia"]
