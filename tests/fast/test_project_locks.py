"""Who may lock, who is told of a lock taken over, and when Terraform's own lock may go."""

from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rows import a_project, a_spec, an_operation

from provisioning import audit
from provisioning.clock import MovableClock
from provisioning.database import Database
from provisioning.errors import UserError
from provisioning.project_locks import ProjectLocks
from provisioning.redaction import SecretRedactor
from provisioning.state_locks import StateLock
from provisioning.store import Store

PLATFORM = "S0PLATFORM"


@dataclass
class Staff:
    """Pat is in the platform team; who is gone has left."""

    gone: set[str] = field(default_factory=set)

    def is_active(self, user: str) -> bool:
        """Tell whether somebody is still there."""
        return user not in self.gone

    def is_among(self, user: str, people: tuple[str, ...]) -> bool:
        """Tell whether somebody is in a group."""
        return user == "U-pat" and PLATFORM in people


@dataclass
class States:
    """Terraform's locks, as one project may have one."""

    lock: StateLock | None = None

    def find(self, project: str) -> StateLock | None:
        """Return the lock."""
        del project
        return self.lock

    def release(self, project: str, lock: str) -> None:
        """Let go of it."""
        assert self.lock is not None
        assert self.lock.id == lock, project
        self.lock = None


@dataclass
class Desk:
    """The locks of a project that is ready."""

    locks: ProjectLocks
    staff: Staff
    states: States
    store: Store


@pytest.fixture
def desk(each_store: Store, clock: MovableClock) -> Desk:
    each_store.projects.reserve_and_begin(a_project(owners=("U-ada", "U-grace")), an_operation())
    each_store.operations.end("op-1", "ready")
    staff, states = Staff(), States()
    policy = SimpleNamespace(platform_group=PLATFORM)
    locks = ProjectLocks(
        each_store, cast("Any", staff), cast("Any", policy), clock, SecretRedactor(), states
    )
    return Desk(locks, staff, states, each_store)


def locked(desk: Desk, by: str = "U-grace", over: str = "") -> str:
    held = desk.locks.lock("ada-7", "moving", by=by, key=f"click:{by}", over=over)
    assert held.holder == by
    return held.id


def test_owners_and_the_platform_team_lock_and_nobody_else(
    desk: Desk, each_database: Database
) -> None:
    for by in ("U-ada", "U-pat"):
        locked(desk, by)
        assert desk.locks.unlock("ada-7", by=by) is None
    with pytest.raises(UserError, match="Only an owner of ada-7 or the platform team"):
        desk.locks.lock("ada-7", "moving", by="U-eve", key="click:1")
    with pytest.raises(UserError, match="Only an owner of ada-7 or the platform team"):
        desk.locks.unlock("ada-7", by="U-eve")
    noted = audit.history(each_database, "ada-7")[-2:]
    assert [(row.who, row.what) for row in noted] == [("U-eve", "refused")] * 2


def test_who_is_no_owner_any_more_may_still_give_their_lock_back(desk: Desk) -> None:
    locked(desk)
    desk.store.projects.become("ada-7", "ready", {"spec": a_project(owners=("U-ada",)).spec})
    assert desk.locks.unlock("ada-7", by="U-grace") is None
    assert desk.store.locks.of("ada-7") is None


@pytest.mark.parametrize("gone", ["", "U-grace"])
def test_the_lock_of_who_has_left_is_taken_over_alike_and_nobody_is_written_to(
    desk: Desk, clock: MovableClock, gone: str
) -> None:
    lock = locked(desk)
    desk.staff.gone = {gone}
    clock.advance(timedelta(hours=3))
    standing = desk.locks.lock("ada-7", "mine", by="U-ada", key="click:2")
    assert standing.holder == "U-grace"
    locked(desk, "U-ada", over=lock)
    news = desk.store.messages.get(f"lock:{lock}:taken")
    assert (news is None) == bool(gone)
    if news is not None:
        assert news.recipient == "U-grace"
        assert "You had locked it for 3 hours: moving." in str(news.content)


def test_what_is_gone_is_not_locked_and_a_secret_in_a_reason_is_taken_out(desk: Desk) -> None:
    held = desk.locks.lock("ada-7", f"see dapi{'0a' * 16}", by="U-ada", key="click:1")
    assert "dapi0a" not in held.reason
    desk.locks.unlock("ada-7", by="U-ada")
    desk.store.projects.become("ada-7", "gone")
    with pytest.raises(UserError, match="gone"):
        desk.locks.lock("ada-7", "moving", by="U-ada", key="click:2")


def test_a_lock_of_terraform_s_goes_only_if_nothing_of_ours_holds_it(
    desk: Desk, each_database: Database
) -> None:
    stuck = StateLock(id="8e3f", who="eve@laptop")
    desk.states.lock = stuck
    with pytest.raises(UserError, match="Only the platform team"):
        desk.locks.release_state("ada-7", "8e3f", by="U-ada")
    with pytest.raises(UserError, match="another lock by now: ID 8e3f"):
        desk.locks.release_state("ada-7", "9999", by="U-pat")
    desk.states.lock = stuck.model_copy(update={"held_by": "the bot's own Terraform"})
    with pytest.raises(UserError, match="the bot's own Terraform holds it"):
        desk.locks.release_state("ada-7", "8e3f", by="U-pat")
    desk.states.lock = stuck
    row = an_operation("op-2", minute=5)
    row.request = a_spec().model_dump(mode="json")
    desk.store.operations.begin(row)
    with pytest.raises(UserError, match="a run under way"):
        desk.locks.release_state("ada-7", "8e3f", by="U-pat")
    desk.store.operations.end("op-2", "failed")
    assert desk.locks.release_state("ada-7", "8e3f", by="U-pat") == stuck
    last = audit.history(each_database, "ada-7")[-1]
    assert (last.who, last.what, last.detail["id"]) == (
        "U-pat",
        "released Terraform's lock",
        "8e3f",
    )
    assert desk.locks.release_state("ada-7", "8e3f", by="U-pat") is None
