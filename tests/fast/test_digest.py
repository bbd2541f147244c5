"""The weekly digest: when it is due, what it counts, and that it comes once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rows import a_project, an_operation
from test_workflow_run import a_job, a_run

from bot.digest_settings import DigestSettings
from provisioning.clock import MovableClock
from provisioning.digest import SUBJECT, Digest, digest_notice
from provisioning.digest_times import DigestTimes, Week
from provisioning.store import Store
from provisioning.store.usage import Usage
from provisioning.tables import OperationRow
from provisioning.text import Notice, plain

MONDAY = DigestTimes(weekday=0, hour=9)
DAY, WEEK = timedelta(days=1), timedelta(days=7)
DUE = datetime(2026, 11, 23, 9, tzinfo=UTC)
"""A Monday, nine o'clock."""


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (DUE - timedelta(seconds=1), DUE - WEEK),
        (DUE, DUE),
        (DUE + 6 * DAY, DUE),
        (DUE + WEEK, DUE + WEEK),
    ],
)
def test_a_digest_is_due_at_an_hour_of_a_weekday(now: datetime, due: datetime) -> None:
    assert MONDAY.latest(now) == due


def test_the_hour_is_that_of_the_time_zone_in_summer_and_in_winter() -> None:
    berlin = DigestTimes(weekday=0, hour=9, time_zone="Europe/Berlin")
    before, after = datetime(2026, 10, 19, 7, tzinfo=UTC), datetime(2026, 10, 26, 8, tzinfo=UTC)
    assert berlin.latest(after - timedelta(minutes=1)) == before
    assert berlin.latest(after) == after
    week = berlin.week(before, after)
    assert week == Week(since=before, until=after)
    assert digest_notice(week, Usage(projects=1)).title == "The week in figures"


def test_no_digest_is_due_twice_and_missed_weeks_are_told_of_by_one() -> None:
    assert MONDAY.week(DUE, DUE + 6 * DAY) is None
    next_one = DUE + WEEK
    assert MONDAY.week(DUE, next_one + 2 * DAY) == Week(since=DUE, until=next_one)
    late = DUE + 5 * WEEK
    assert MONDAY.week(DUE, late + DAY) == Week(since=late - WEEK, until=late)


def test_another_weekday_makes_one_week_longer_and_none_shorter() -> None:
    tuesday = MONDAY.model_copy(update={"weekday": 1})
    assert tuesday.week(DUE, DUE + DAY) is None
    week = tuesday.week(DUE, DUE + 8 * DAY)
    assert week == Week(since=DUE, until=DUE + 8 * DAY)
    assert digest_notice(week, Usage(projects=1)).title == "The days in figures"


def test_settings_say_when_and_refuse_a_zone_that_nobody_knows() -> None:
    assert DigestSettings().times == MONDAY
    assert DigestSettings(weekday="off").times is None
    for unknown in ("Europe/Gotham", "../etc", "Europe", ""):
        with pytest.raises(ValueError, match="take a name like Europe/Berlin"):
            DigestSettings(time_zone=unknown)


def test_what_did_not_happen_is_left_out_and_a_week_of_nothing_is_empty() -> None:
    week = Week(since=DUE - WEEK, until=DUE)
    assert Usage(expiring=3).is_empty
    assert not Usage(releases={"production": 1}).is_empty
    said = digest_notice(week, Usage(people=2, rotations=1, keys=5))
    assert {fact.label: plain(fact.value) for fact in said.facts} == {
        "People who did something": "2",
        "Keys rotated": "5 in 1 rotation",
    }


# ---------------------------------------------------------------------- counted from rows


def ended(store: Store, number: int, kind: str, phase: str, **more: Any) -> OperationRow:
    """Have an operation that has ended now."""
    row = an_operation(f"op-{number}", "ada-7", minute=number)
    row.kind = kind
    for name, value in more.items():
        setattr(row, name, value)
    with store._database.writing() as session:
        session.add(row)
    return store.operations.end(row.id, phase, by="bot")


def test_a_week_is_counted_from_our_own_rows(each_store: Store, clock: MovableClock) -> None:
    store = each_store
    store.projects.reserve_and_begin(a_project(by="U-ada"), an_operation("op-0", by="U-ada"))
    since = clock.now() - timedelta(hours=1)
    until = since + WEEK
    store.operations.end("op-0", "ready", by="bot")
    ended(store, 1, "create_project", "failed")
    ended(store, 2, "rotate_keys", "done", facts={"rotation": {"renewed": ["A", "B", "C"]}})
    ended(store, 3, "destroy_project", "done", request={"sandbox_until": "2026-11-22"})
    ended(store, 4, "destroy_project", "done", request={"sandbox_until": None})
    store.note("ada-7", "U-grace", "locked", {})
    store.note("ada-7", "U-ada", "unlocked", {})
    sandbox = a_project("sand-1", by="U-ada")
    sandbox.spec = {**sandbox.spec, "sandbox_until": (until + 2 * DAY).date().isoformat()}
    store.projects.reserve_and_begin(sandbox, an_operation("op-9", "sand-1"))
    later = a_project("sand-2", by="U-ada")
    later.spec = {**later.spec, "sandbox_until": (until + 9 * DAY).date().isoformat()}
    store.projects.reserve_and_begin(later, an_operation("op-8", "sand-2"))
    found = store.usage.between(since, until, WEEK)
    assert found == Usage(
        projects=1,
        people=2,
        sandboxes_destroyed=1,
        projects_destroyed=1,
        rotations=1,
        keys=3,
        expiring=1,
    )
    assert store.usage.between(until, until + WEEK, WEEK).is_empty


def test_releases_are_counted_by_the_stage_that_they_reached(each_store: Store) -> None:
    runs, both = each_store.workflow_runs, ("gbx1-Production", "gbx2-Production")
    at = a_job("x", "completed").completed_at
    assert at is not None
    jobs = tuple(
        a_job(f"Deploy {name}", "completed", "success", number=number)
        for number, name in enumerate(("Development", *both))
    )
    runs.see("ada-7", a_run(event="push", status="completed", jobs=jobs))
    failed = (a_job("Deploy Development", "completed", "failure"),)
    runs.see("ada-7", a_run(id=8, event="push", status="completed", jobs=failed))
    runs.see("ada-7", a_run(id=9, event="pull_request", jobs=jobs[:1]))
    runs.see("ada-7", a_run(id=10, event="push", jobs=jobs[:1]))
    found = each_store.usage.between(at, at + WEEK, WEEK)
    assert found.releases == {"development": 2, "production": 1}
    assert not each_store.usage.between(at - WEEK, at, WEEK).releases


# ---------------------------------------------------------------------- told once


@pytest.fixture
def digest(each_store: Store, clock: MovableClock) -> Digest:
    """Return a digest that has begun on the Monday before."""
    clock.advance(DUE + 520 * WEEK - clock.now())
    digest = Digest(each_store, clock, MONDAY, "C0COMMUNITY")
    digest.sweep()
    return digest


def told(digest: Digest) -> list[Notice]:
    return [
        Notice.model_validate(row.content)
        for row in digest.store.messages.owed()
        if row.key.startswith("announce:digest:")
    ]


def test_the_first_start_tells_nothing_and_a_quiet_week_neither(
    digest: Digest, clock: MovableClock
) -> None:
    digest.store.note("ada-7", "U-ada", "locked", {})
    digest.sweep()
    assert told(digest) == []
    clock.advance(2 * WEEK)
    digest.sweep()
    assert told(digest) == []
    assert digest.store.news.told(SUBJECT) == MONDAY.latest(clock.now()).isoformat()


def test_a_week_is_told_once_by_three_processes_and_after_five_weeks_away(
    digest: Digest, clock: MovableClock
) -> None:
    digest.store.note("ada-7", "U-ada", "locked", {})
    clock.advance(WEEK + DAY)
    with ThreadPoolExecutor(6) as pool:
        for swept in [pool.submit(digest.sweep) for _ in range(6)]:
            swept.result()
    (only,) = told(digest)
    assert plain(only.facts[0].value) == "1"
    clock.advance(5 * WEEK - DAY)
    digest.store.note("ada-7", "U-ada", "unlocked", {})
    digest.sweep()
    assert len(told(digest)) == 1, "what was done just now is the next week's"
    clock.advance(WEEK)
    digest.sweep()
    digest.sweep()
    assert len(told(digest)) == 2


def test_who_wants_none_gets_none(each_store: Store, clock: MovableClock) -> None:
    off = Digest(each_store, clock, None, "C0COMMUNITY")
    off.sweep()
    assert each_store.news.told(SUBJECT) is None
