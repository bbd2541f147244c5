"""While somebody else holds a project, nobody goes on with it; saying No stays free."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rows import a_project, a_spec, an_approval, an_operation
from test_release_gates import ruled
from test_workflow_run import START, a_run

from bot.installation import policy_of
from bot.settings import load
from provisioning import audit
from provisioning.breaking_glass import REPEATABLE, BreakingGlass
from provisioning.clock import MovableClock
from provisioning.database import Database
from provisioning.desk import Desk
from provisioning.release import Release
from provisioning.store import LockedError, Store
from provisioning.tables import ProjectLockRow

POLICY = policy_of(load(Path(__file__).parents[2] / "sciclops.example.toml", {}))
RULED = POLICY.model_copy(update={"gate": "app_rule", "break_glass_group": "S-glass"})


class Everybody:
    """Everybody is active and in every group."""

    def is_among(self, user: str, people: tuple[str, ...]) -> bool:
        """Tell that somebody is in a group."""
        return bool(user and people)


class Engine:
    """Takes every start, remembers none."""

    def __init__(self) -> None:
        self.started: list[str] = []

    def start(self, name: str, operation: str, *, project: str, part: str) -> bool:
        """Take work."""
        self.started.append(f"{name} {operation} {project} {part}")
        return True

    def state(self, operation: str, part: str) -> str:
        """Know of nothing, as after a long time."""
        del operation, part
        return "unknown"


class Office:
    """Ada's project, whose run has failed, locked by Grace."""

    def __init__(self, database: Database, store: Store, clock: MovableClock) -> None:
        self.database, self.store, self.engine = database, store, Engine()
        engine, people = cast("Any", self.engine), cast("Any", Everybody())
        self.desk = Desk(store, engine, POLICY, people, clock, lambda text: text)
        row = an_operation()
        row.request = a_spec().model_dump(mode="json")
        store.projects.reserve_and_begin(a_project(), row)
        store.operations.remember("op-1", made=True)
        releasing = SimpleNamespace(policy=RULED, store=store, engine=engine, clock=clock)
        self.glass = BreakingGlass(cast("Any", releasing), cast("Any", None), people)

    def locked(self) -> None:
        """Let Grace lock the project."""
        lock = ProjectLockRow(
            project="ada-7", id="lock-1", holder="U-grace", reason="audit", since=START
        )
        assert self.store.locks.take(lock).holder == "U-grace"

    def refused(self) -> list[str]:
        """Return what the audit trail says was refused."""
        trail = audit.history(self.database, "ada-7")
        deeds = [row.detail for row in trail if row.what == "refused"]
        return [name for detail in deeds for name, why in detail.items() if why == "locked"]

    def broken_late(self, asked_before: timedelta, clock: MovableClock) -> Release:
        """Return a release for which glass was broken once it had timed out, asked so long ago."""
        asked = clock.now() - asked_before
        self.store.workflow_runs.see("ada-7", a_run())
        late = ruled(asked_at=asked, deadline=asked, state="expired", verdict="override")
        return self.store.releases.ask(late)


@pytest.fixture
def office(database: Database, store: Store, clock: MovableClock) -> Office:
    return Office(database, store, clock)


def test_nobody_retries_or_cleans_up(office: Office) -> None:
    office.store.operations.end("op-1", "failed")
    office.locked()
    for deed in (office.desk.retry, office.desk.clean_up):
        with pytest.raises(LockedError, match="ada-7 is locked by U-grace"):
            deed(office.desk.find("op-1"), by="U-ada")
    assert office.desk.find("op-1").phase == "failed"
    assert office.refused() == ["retry", "clean up"]

    office.desk.retry(office.desk.find("op-1"), by="U-grace")
    assert office.desk.find("op-1").phase == "queued"


def test_nobody_consents_but_refusing_stays_free(office: Office) -> None:
    office.store.operations.move("op-1", ["queued"], "waiting", by="bot")
    question = an_approval("ap-1", question="data|gbx1_prod.sales|read")
    office.store.approvals.ask(question)
    office.locked()
    with pytest.raises(LockedError):
        office.desk.answer("ap-1", granted=True, by="U-dora")
    assert office.refused() == ["consent"]
    office.desk.answer("ap-1", granted=False, by="U-dora", comment="not this")
    settled = office.store.approvals.get("ap-1")
    assert settled is not None
    assert settled.state == "refused"


def test_nobody_breaks_glass(office: Office) -> None:
    office.store.workflow_runs.see("ada-7", a_run())
    release = office.store.releases.ask(ruled(asked_at=START, deadline=START + timedelta(days=3)))
    office.locked()
    with pytest.raises(LockedError):
        office.glass.find(release.id, "U-ada")
    assert office.refused() == ["break glass"]
    assert office.glass.find(release.id, "U-grace").id == release.id


def test_a_broken_glass_is_gone_on_with_as_long_as_github_repeats_a_run(
    office: Office, clock: MovableClock
) -> None:
    release = office.broken_late(timedelta(days=20), clock)
    office.glass.sweep()
    assert office.engine.started == [f"release.begin_again {release.id} release:ada-7 begin again"]


def test_an_old_one_is_told_of_no_more(office: Office, clock: MovableClock) -> None:
    office.broken_late(REPEATABLE + timedelta(days=1), clock)
    office.glass.sweep()
    assert office.engine.started == []
