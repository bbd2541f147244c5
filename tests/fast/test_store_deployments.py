"""Workflow runs and releases in both databases: heard once, looked at in turns, settled once."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, ClassVar, cast

from rows import a_project, an_operation
from test_release import a_release
from test_workflow_run import START, a_run

from provisioning import audit
from provisioning.clock import MovableClock
from provisioning.database import Database
from provisioning.release import ReleaseState
from provisioning.store import Store
from provisioning.store.workflow_runs import LATEST_KEPT
from provisioning.sweeps import Sweeps


def test_a_delivery_that_comes_twice_is_taken_in_once(each_store: Store) -> None:
    runs = each_store.workflow_runs
    told = [runs.deliver("guid-1", "workflow_run", "ada-7", a_run(seconds=1)) for _ in range(2)]
    assert told == ["look", "known"]
    assert runs.known(["guid-1", "guid-2"]) == {"guid-1"}


def test_a_run_is_claimed_by_one_and_is_due_again_if_whoever_claimed_it_dies(
    each_store: Store, clock: MovableClock
) -> None:
    runs = each_store.workflow_runs
    runs.see("ada-7", a_run())
    assert [one.run.id for one in runs.claim(5)] == [7]
    assert not runs.claim(5)
    clock.advance(timedelta(minutes=2))
    assert [one.run.id for one in runs.claim(5)] == [7]


def test_a_wake_during_a_look_is_not_lost(each_store: Store) -> None:
    runs = each_store.workflow_runs
    runs.see("ada-7", a_run())
    (claimed,) = runs.claim(1)
    runs.wake(7)
    runs.looked(claimed, None)
    assert [one.run.id for one in runs.claim(1)] == [7]


def test_a_run_that_is_over_is_not_looked_at_again_unless_woken(each_store: Store) -> None:
    runs = each_store.workflow_runs
    runs.see("ada-7", a_run(status="completed", conclusion="success"))
    (claimed,) = runs.claim(1)
    runs.looked(claimed, None)
    assert not runs.claim(1)
    assert not runs.count_unended()
    runs.wake(7)
    assert runs.claim(1)


def test_a_sighting_that_calls_for_no_look_leaves_the_run_at_rest(each_store: Store) -> None:
    runs = each_store.workflow_runs
    runs.deliver("guid-1", "workflow_run", "ada-7", a_run())
    (claimed,) = runs.claim(1)
    runs.looked(claimed, None)
    heard = runs.deliver("guid-2", "workflow_job", "ada-7", a_run(seconds=1), lambda _: "show")
    assert heard == "show"
    assert not runs.claim(1)


def test_the_run_of_a_closed_pull_request_is_known_by_the_one_before(each_store: Store) -> None:
    of_a_pull = a_run(event="pull_request", branch="ada-1", sha="a" * 40)
    each_store.workflow_runs.see("ada-7", of_a_pull.model_copy(update={"pull": 12}))
    closed = each_store.workflow_runs.see("ada-7", of_a_pull.model_copy(update={"id": 8}))
    assert closed.run.pull == 12
    other = of_a_pull.model_copy(update={"id": 9, "sha": "b" * 40})
    assert each_store.workflow_runs.see("ada-7", other).run.pull == 0


def test_a_run_of_another_workflow_is_followed_no_more(
    each_store: Store, clock: MovableClock
) -> None:
    runs = each_store.workflow_runs
    runs.see("ada-7", a_run())
    runs.disown(7)
    assert runs.deliver("guid-1", "workflow_job", "ada-7", a_run(seconds=1)) == "foreign"
    assert not runs.claim(1)
    assert not runs.of_project("ada-7")
    assert not runs.count_unended()
    clock.advance(timedelta(days=8))
    runs.forget_deliveries(timedelta(days=7))
    assert runs.get(7) is None


def test_after_a_start_everything_under_way_is_due(each_store: Store) -> None:
    runs = each_store.workflow_runs
    runs.see("ada-7", a_run())
    runs.see("ada-8", a_run(id=8, status="completed", conclusion="success"))
    for claimed in runs.claim(2):
        runs.looked(claimed, None)
    runs.wake_unended()
    assert [one.run.id for one in runs.claim(5)] == [7]


def test_what_failed_is_forgotten_with_its_attempt(each_store: Store) -> None:
    runs = each_store.workflow_runs
    runs.see("ada-7", a_run(status="completed", conclusion="failure"))
    runs.note(7, failure="Error: of the first attempt")
    assert runs.see("ada-7", a_run(seconds=1, status="completed")).failure
    assert not runs.see("ada-7", a_run(attempt=2, seconds=2)).failure


def test_twenty_who_decide_at_once_are_one_decision(each_store: Store) -> None:
    times = 20
    each_store.workflow_runs.see("ada-7", a_run())
    release = each_store.releases.ask(a_release(asked_at=START, deadline=START))
    with ThreadPoolExecutor(times) as pool:
        moved = pool.map(
            lambda who: each_store.releases.move(
                release.id, ["open"], "deciding", by=f"U{who}", changes={"decided_by": f"U{who}"}
            ),
            range(times),
        )
        won = [one for one in moved if one]
    assert len(won) == 1
    settled = each_store.releases.get(release.id)
    assert settled is not None
    assert settled.decided_by == won[0].decided_by


def test_a_release_is_asked_once_and_due_at_its_reminder_and_its_deadline(
    each_store: Store,
) -> None:
    each_store.workflow_runs.see("ada-7", a_run())
    hour = timedelta(hours=1)
    wanted = a_release(asked_at=START, remind_at=START + hour, deadline=START + 9 * hour)
    assert each_store.releases.ask(wanted) == each_store.releases.ask(wanted)
    assert not each_store.releases.due(START)
    assert each_store.releases.due(START + hour)
    assert each_store.releases.remind(wanted.id, 1, None)
    assert not each_store.releases.remind(wanted.id, 1, None)
    assert not each_store.releases.due(START + hour)
    assert each_store.releases.due(START + 9 * hour)


def test_every_settlement_is_in_the_audit_trail_with_its_artefact(
    each_store: Store, each_database: Database
) -> None:
    each_store.workflow_runs.see("ada-7", a_run())
    release = each_store.releases.ask(a_release(asked_at=START, deadline=START))
    each_store.releases.move(
        release.id, ["open"], "approved", by="U0ROSA", changes={"decided_login": "rosa-p"}
    )
    trail = audit.history(each_database, "ada-7")
    assert [(entry.who, entry.what) for entry in trail] == [
        (audit.US, "release asked"),
        ("U0ROSA", "release approved"),
    ]
    detail = trail[-1].detail
    assert (detail["login"], detail["attempt"], detail["plan"]) == ("rosa-p", 1, "d" * 64)


DAYS_90 = timedelta(days=90)


def see_runs(store: Store, now: datetime, project: str, numbers: Iterable[int]) -> None:
    store.projects.reserve_and_begin(a_project(project), an_operation(project, project))
    for number in numbers:
        run = a_run(id=number, status="completed", conclusion="success")
        times = {"created_at": START + timedelta(seconds=number), "updated_at": now}
        store.workflow_runs.see(project, run.model_copy(update=times))


def known(store: Store, numbers: Iterable[int]) -> list[int]:
    return [number for number in numbers if store.workflow_runs.get(number)]


def settle(store: Store, run: int, environment: str, to: ReleaseState) -> str:
    asked_at = START + timedelta(seconds=run)
    named = {"id": f"rel-{run}-{environment}", "run": str(run), "environment": environment}
    release = store.releases.ask(a_release(asked_at=asked_at, deadline=START, **named))
    if to != "open":
        store.releases.move(release.id, ["open"], to)
    return release.id


def test_a_living_project_keeps_its_latest_runs_for_ever_and_others_for_a_while(
    each_store: Store, clock: MovableClock
) -> None:
    many = range(1, LATEST_KEPT + 4)
    see_runs(each_store, clock.now(), "ada-7", many)
    clock.advance(timedelta(days=89))
    assert each_store.workflow_runs.forget(DAYS_90) == 0
    clock.advance(timedelta(days=2))
    each_store.memos.set("lost:1", {})
    assert each_store.workflow_runs.forget(DAYS_90) == 3
    assert known(each_store, many) == list(many)[3:]
    assert each_store.memos.get("lost:1") is None


def test_a_project_that_is_gone_keeps_only_what_has_not_ended(
    each_store: Store, clock: MovableClock
) -> None:
    see_runs(each_store, clock.now(), "ada-7", [1, 2])
    see_runs(each_store, clock.now(), "grace-1", [3])
    each_store.workflow_runs.see("ada-7", a_run(id=4, status="waiting"))
    settle(each_store, 1, "Production", "open")
    settle(each_store, 2, "Production", "approved")
    each_store.projects.become("ada-7", "gone")
    clock.advance(timedelta(days=91))
    assert each_store.workflow_runs.forget(DAYS_90) == 1
    assert known(each_store, range(1, 5)) == [1, 3, 4]
    assert [one.run for one in each_store.releases.of_project("ada-7")] == ["1"]


def test_each_environments_last_releases_are_kept_with_their_runs(
    each_store: Store, clock: MovableClock
) -> None:
    see_runs(each_store, clock.now(), "ada-7", range(1, LATEST_KEPT + 7))
    for run in (1, 2):
        settle(each_store, run, "Production", "approved")
    settle(each_store, 3, "gbx2-Production", "approved")
    for run in (4, 5):
        settle(each_store, run, "Production", "rejected")
    clock.advance(timedelta(days=91))
    assert each_store.workflow_runs.forget(DAYS_90) == 3
    assert known(each_store, range(1, 7)) == [2, 3, 5]
    assert [one.run for one in each_store.releases.of_project("ada-7")] == ["2", "3", "5"]


def test_the_sweep_keeps_runs_for_as_long_as_it_is_set(
    each_store: Store, clock: MovableClock
) -> None:
    see_runs(each_store, clock.now(), "ada-7", range(1, LATEST_KEPT + 2))
    nobody = cast("Any", None)
    sweeps = Sweeps(each_store, nobody, cast("Any", Dispatched()), clock, timedelta(days=40))
    clock.advance(timedelta(days=39))
    sweeps.forget()
    assert each_store.workflow_runs.get(1)
    clock.advance(timedelta(days=2))
    sweeps.forget()
    assert known(each_store, (1, 2)) == [2]


class Dispatched:
    """Stands for the engine: what became of each dispatch."""

    states: ClassVar = {"run-1": "finished", "run-2": "failed", "run-3": "running"}

    def state(self, dispatch: str, part: str) -> str:
        """Return it; one that was stored just now is not yet known."""
        return self.states.get(dispatch, "unknown") if part == "dispatch" else "unknown"

    def forget(self, *_: object) -> None:
        """Forget nothing."""


def test_what_people_asked_to_begin_is_dropped_once_it_is_done(each_store: Store) -> None:
    for number in range(1, 5):
        each_store.memos.set(f"dispatch:run-{number}", {"by": "U-ada"})
    each_store.memos.set("dispatched", {})
    nobody = cast("Any", None)
    Sweeps(each_store, nobody, cast("Any", Dispatched()), MovableClock()).forget()
    assert set(each_store.memos.keys("dispatch:")) == {"dispatch:run-3", "dispatch:run-4"}
    assert each_store.memos.get("dispatched") is not None
