"""When keys are due, whose keys a stage has, and what a rotation keeps others from."""

from datetime import timedelta

import pytest
from rows import NOON, a_project, a_spec, an_operation

from provisioning.board import read_operation
from provisioning.delivery import Delivery
from provisioning.operation import Operation, Phase
from provisioning.ports import SecretFacts
from provisioning.project import Environment
from provisioning.rotation import Key, Rotation, chosen, is_stage, renewing
from provisioning.run_message import run_notice
from provisioning.store import BusyError, Store
from provisioning.tables import OperationRow
from provisioning.text import plain

TESTING = Environment(group="gbx1", stage="testing", name="Testing")


def a_key(days: float | None) -> Key:
    """Return a key that was made at noon and lives for so many days, or for ever."""
    expires = None if days is None else NOON + timedelta(days=days)
    facts = SecretFacts(id="secret-1", made_at=NOON, expires_at=expires)
    return Key(environment=TESTING, secret=facts)


@pytest.mark.parametrize(
    ("lives", "rotate_after", "due"),
    [(90, 90, 76), (90, 30, 30), (None, 90, 90), (730, 90, 90), (8, 90, 6), (20, 90, 15)],
)
def test_a_key_is_due_when_it_is_old_or_expires_soon(
    lives: float | None, rotate_after: int, due: int
) -> None:
    key = a_key(lives)
    assert key.due_at(timedelta(days=rotate_after)) == NOON + timedelta(days=due)


@pytest.mark.parametrize(
    ("day", "times"), [(0, 0), (75.9, 0), (76, 1), (82.9, 1), (83, 2), (90, 3)]
)
def test_owners_are_told_when_it_is_due_and_each_week_after(day: float, times: int) -> None:
    now = NOON + timedelta(days=day)
    assert a_key(90).times_due(timedelta(days=90), now) == times


def test_a_stage_has_its_environments_and_their_planners() -> None:
    two = a_spec().model_copy(update={"workspace_groups": ("gbx1", "gbx2")})
    identities = Delivery(authentication="secret").identities(two)
    production = set(chosen(identities, "production"))
    assert production == {
        f"{group}-Production{planner}" for group in ("gbx1", "gbx2") for planner in ("", "-plan")
    }
    assert set(chosen(identities, "all")) == {each.name for each in identities}
    assert is_stage("all")
    assert is_stage("staging")
    assert not is_stage("prod")


def begun(store: Store, kind: str, operation: str) -> OperationRow:
    """Begin an operation on the project."""
    row = an_operation(operation, minute=int(operation[-1]))
    row.kind = kind
    return store.operations.begin(row)


@pytest.fixture
def project(each_store: Store) -> str:
    """Return a project that was made."""
    each_store.projects.reserve_and_begin(a_project(), an_operation("op-0"))
    each_store.operations.end("op-0", "ready")
    return "ada-7"


def test_an_overlap_is_in_the_way_of_another_rotation_alone(
    each_store: Store, project: str
) -> None:
    begun(each_store, "rotate_keys", "op-1")
    with pytest.raises(BusyError):
        begun(each_store, "change_project", "op-2")
    each_store.operations.move("op-1", ["queued"], "overlapping", by="bot")
    with pytest.raises(BusyError):
        begun(each_store, "rotate_keys", "op-2")
    assert begun(each_store, "change_project", "op-3").project == project
    each_store.operations.end("op-3", "done")
    each_store.operations.move("op-1", ["overlapping"], "revoking", by="bot")
    with pytest.raises(BusyError):
        begun(each_store, "change_project", "op-4")


def a_rotation(phase: Phase, **known: object) -> Operation:
    """Return a rotation in a phase."""
    row = an_operation("op-1")
    row.kind, row.phase, row.request = "rotate_keys", phase, a_spec().model_dump(mode="json")
    rotation = Rotation.model_validate({"environments": ("Testing", "Staging")} | known)
    row.facts = {"rotation": rotation.model_dump(mode="json"), "made": True}
    return read_operation(row)


def test_the_message_shows_the_steps_of_a_rotation_and_no_plan() -> None:
    waits = a_rotation(
        "overlapping",
        renewed=("Testing", "Staging"),
        waits_for=("https://github.com/acme/ada-7/actions/runs/12",),
        deadline=NOON,
    )
    notice = run_notice(waits)
    assert notice.title == (
        "ada-7 · Key rotation · Keeping the old keys for deployments that began before"
    )
    assert [task.id for task in notice.tasks] == ["applying", "overlapping", "revoking"]
    assert plain(notice.tasks[1].output) == "for 12, at most until 2026-11-23 12:00 UTC"
    assert notice.buttons == ()


def test_a_rotation_that_waits_for_its_turn_can_be_cancelled() -> None:
    notice = run_notice(a_rotation("confirmed"))
    assert [button.label for button in notice.buttons] == ["Cancel Run"]
    assert notice.title.endswith("Waiting for GitHub's budget")


def test_what_a_rotation_begins_with_is_what_it_reads() -> None:
    facts = renewing(["Testing"])
    assert Rotation.model_validate(facts["rotation"]) == Rotation(environments=("Testing",))
