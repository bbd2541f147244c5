"""When a run is looked at, what a sighting calls for, and what follows from a look."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rows import a_project, an_operation
from test_deployment_board import a_board
from test_workflow_run import START, a_job, a_run
from waiting import wait_until

from provisioning.adapters.github.sightings import run_of, run_of_job
from provisioning.clock import MovableClock
from provisioning.deployment_ports import Look, Sighting
from provisioning.following import (
    LOOKERS,
    PACE,
    SHARE,
    SLOWLY,
    Follower,
    Following,
    calls_for,
    pace,
)
from provisioning.missed import Missed
from provisioning.store import Followed, Store
from provisioning.workflow_run import Status, WorkflowRun, merged

SECOND, MINUTE, HOUR, DAY = (
    timedelta(seconds=1),
    timedelta(minutes=1),
    timedelta(hours=1),
    timedelta(days=1),
)


@pytest.mark.parametrize(
    ("quiet", "every"),
    [
        (timedelta(), 5 * SECOND),
        (59 * SECOND, 5 * SECOND),
        (MINUTE, 15 * SECOND),
        (59 * MINUTE, 15 * SECOND),
        (HOUR, MINUTE),
        (23 * HOUR, MINUTE),
        (DAY, SLOWLY),
        (35 * DAY, SLOWLY),
    ],
)
def test_the_longer_a_run_is_quiet_the_more_seldom_it_is_looked_at(
    quiet: timedelta, every: timedelta
) -> None:
    assert pace(quiet) == every


def test_a_clock_that_is_behind_githubs_makes_no_difference() -> None:
    assert pace(-5 * SECOND) == PACE[0][1]


def test_fifty_runs_share_what_one_may_ask_of_github() -> None:
    assert pace(timedelta(), 50) == 50 * SHARE
    points_per_minute = 50 * 4 * (MINUTE / pace(timedelta(), 50))
    assert points_per_minute <= 450


def test_a_run_that_github_never_ends_costs_less_than_a_hundred_requests_an_hour() -> None:
    assert 4 * (HOUR / pace(2 * DAY)) < 100


KNOWN = a_run(status="in_progress", event="push")


def of_run(event: str = "workflow_run", attempt: int = 1, status: Status = "queued") -> Sighting:
    """Return a sighting of the run itself."""
    run = a_run(attempt, event="push", status=status)
    return Sighting(guid="g", event=event, project="ada-7", run=run)


def of_job(name: str, status: Status, conclusion: str = "", attempt: int = 1) -> Sighting:
    """Return a sighting of a job."""
    job = a_job(name, status, conclusion, attempt=attempt)
    run = a_run(attempt=attempt)
    return Sighting(guid="g", event="workflow_job", project="ada-7", run=run, job=job)


@pytest.mark.parametrize(
    ("sighting", "wanted"),
    [
        (of_run(status="queued"), "show"),
        (of_run(status="in_progress"), "show"),
        (of_run(status="waiting"), "look"),
        (of_run(status="completed"), "look"),
        (of_run(attempt=2, status="in_progress"), "look"),
        (of_run("deployment_review", status="in_progress"), "look"),
        (of_job("Build", "queued", attempt=2), "look"),
        (of_job("Build", "queued"), "show"),
        (of_job("Build", "in_progress"), "show"),
        (of_job("Build", "completed", "success"), "show"),
        (of_job("Build", "completed", "failure"), "look"),
        (of_job("Build", "completed", "cancelled"), "look"),
        (of_job("Deploy Production", "waiting"), "look"),
        (of_job("Deploy Development", "completed", "success"), "show"),
        (of_job("Run train in Development", "completed", "success"), "show"),
    ],
)
def test_a_sighting_calls_for_a_look_where_somebody_is_asked_or_told(
    sighting: Sighting, wanted: str
) -> None:
    assert calls_for(KNOWN, sighting, is_ready=True) == wanted


def test_a_project_that_is_not_ready_waits_for_its_first_deployment() -> None:
    deployed = of_job("Deploy Development", "completed", "success")
    assert calls_for(KNOWN, deployed, is_ready=False) == "look"
    assert calls_for(KNOWN, of_job("Version", "completed", "success"), is_ready=False) == "show"


def test_what_only_a_job_has_told_of_may_be_another_workflows_run() -> None:
    assert calls_for(a_run(), of_job("Build", "in_progress"), is_ready=True) == "look"


def test_who_began_a_run_is_not_forgotten_for_a_job_that_came_first_and_is_younger() -> None:
    job = {
        "id": 101,
        "run_id": 7,
        "run_attempt": 1,
        "name": "bundle / Build",
        "status": "queued",
        "conclusion": None,
        "steps": [],
        "head_branch": "main",
        "head_sha": "a" * 40,
        "html_url": "http://github.example/acme/ada-7/actions/runs/7/job/101",
        "created_at": (START + timedelta(seconds=5)).isoformat(),
        "started_at": (START + timedelta(seconds=5)).isoformat(),
        "completed_at": None,
    }
    by_job = run_of_job(job, "ada-7")
    told = a_run(status="queued", event="push", actor="ada-l")
    assert merged(merged(None, by_job), told).initiators == {"ada-l"}
    assert merged(merged(None, told), by_job).initiators == {"ada-l"}


@pytest.mark.parametrize(
    ("event", "numbers", "pull"),
    [
        ("pull_request", [7], 7),
        ("pull_request", [], 0),
        ("pull_request", None, 0),
        ("pull_request", [7, 8], 0),
        ("push", [7], 0),
    ],
)
def test_a_run_belongs_to_a_pull_request_where_github_tells(
    event: str, numbers: list[int] | None, pull: int
) -> None:
    found = {
        **dict.fromkeys(("head_branch", "conclusion", "status")),
        **dict.fromkeys(("head_sha", "display_title", "html_url", "path"), "any"),
        **dict.fromkeys(("created_at", "updated_at"), START.isoformat()),
        "id": 7,
        "event": event,
        "pull_requests": None if numbers is None else [{"number": one} for one in numbers],
    }
    known = run_of(found, "ada-7")
    assert known.pull == pull
    closed = run_of(found | {"pull_requests": [], "conclusion": "success"}, "ada-7")
    assert merged(known, closed).pull == merged(closed, known).pull == pull


@dataclass
class Looking:
    """Stands for `Following`: looks take until they are let go, and are counted."""

    store: Store
    runs: list[int] = field(default_factory=list)
    at_once: dict[int, int] = field(default_factory=dict)
    most_at_once: int = 0
    go_on: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None

    def since(self) -> None:
        """Begin."""

    def look(self, followed: Followed) -> None:
        """Look for as long as the test wants."""
        run = followed.run.id
        self.at_once[run] = self.at_once.get(run, 0) + 1
        self.most_at_once = max(self.most_at_once, self.at_once[run])
        self.runs.append(run)
        self.go_on.wait(10)
        self.at_once[run] -= 1
        if self.error:
            raise self.error
        self.store.workflow_runs.looked(followed, None)

    def has_looked_since(self, before: int) -> bool:
        """Tell whether there were more than so many looks."""
        return len(self.runs) > before


@contextmanager
def following(store: Store, find: Callable[[], None] = lambda: None) -> Iterator[Looking]:
    """Run a follower on a store until the end of the block."""
    looking = Looking(store)
    follower = Follower(cast("Any", looking), find)
    follower.start()
    try:
        yield looking
    finally:
        follower.stop()
        looking.go_on.set()


def test_a_run_is_looked_at_by_one_at_a_time_and_again_if_woken_meanwhile(store: Store) -> None:
    store.workflow_runs.see("ada-7", a_run())
    with following(store) as looking:
        wait_until(lambda: looking.runs == [7])
        for _ in range(20):
            store.workflow_runs.wake(7)
        looking.go_on.set()
        wait_until(lambda: len(looking.runs) > 1)
        wait_until(lambda: not store.workflow_runs.claim(1) and not any(looking.at_once.values()))
    assert looking.most_at_once == 1
    assert len(looking.runs) <= 4


def test_many_runs_are_looked_at_at_once(store: Store) -> None:
    for number in range(LOOKERS):
        store.workflow_runs.see("ada-7", a_run(id=number + 1))
    with following(store) as looking:
        wait_until(lambda: len(looking.runs) == LOOKERS)


def test_a_stop_does_not_wait_for_looks_that_github_keeps_waiting(store: Store) -> None:
    for number in range(LOOKERS + 1):
        store.workflow_runs.see("ada-7", a_run(id=number + 1))
    with following(store) as looking:
        wait_until(lambda: len(looking.runs) == LOOKERS)
    assert len(looking.runs) == LOOKERS


def test_a_look_that_breaks_leaves_its_run_to_be_looked_at_later(
    store: Store, clock: MovableClock
) -> None:
    store.workflow_runs.see("ada-7", a_run())
    with following(store) as looking:
        looking.error = RuntimeError("a defect of ours")
        looking.go_on.set()
        wait_until(lambda: looking.runs == [7])
        assert not store.workflow_runs.claim(1)
        clock.advance(timedelta(seconds=61))
        wait_until(lambda: looking.runs == [7, 7])


def test_however_often_it_is_woken_it_does_not_ask_for_new_runs_each_time(store: Store) -> None:
    asked: list[None] = []
    store.workflow_runs.see("ada-7", a_run())
    with following(store, lambda: asked.append(None)) as looking:
        looking.go_on.set()
        for _ in range(50):
            before = len(looking.runs)
            store.workflow_runs.wake(7)
            wait_until(partial(looking.has_looked_since, before))
    assert 1 <= len(asked) <= 3


def test_who_cannot_find_new_runs_goes_on_looking_at_known_ones(store: Store) -> None:
    def broken() -> None:
        raise RuntimeError("a defect of ours")

    store.workflow_runs.see("ada-7", a_run())
    with following(store, broken) as looking:
        wait_until(lambda: looking.runs == [7])


@dataclass
class OldProject:
    """GitHub with runs of a project."""

    runs: tuple[WorkflowRun, ...]

    def recent(self, project: str) -> tuple[WorkflowRun, ...]:
        """Return all runs."""
        del project
        return self.runs

    def look(self, project: str, run: int) -> Look:
        """Return one of them."""
        del project
        return Look(run=next(one for one in self.runs if one.id == run))


def test_what_had_ended_before_anything_was_followed_is_no_news(
    each_store: Store, clock: MovableClock
) -> None:
    each_store.projects.reserve_and_begin(a_project(state="ready"), an_operation())

    def ran(number: int, when: timedelta, status: Status) -> WorkflowRun:
        at = clock.now() + when
        return a_run(id=number, created_at=at, updated_at=at, status=status)

    github = OldProject(
        (
            ran(1, -2 * DAY, "completed"),
            ran(2, -DAY, "completed"),
            ran(3, -DAY, "waiting"),
            ran(4, HOUR, "completed"),
        )
    )
    parts: dict[str, Any] = {
        "store": each_store,
        "deployments": github,
        "releasing": SimpleNamespace(keep_up=lambda *_: True),
        "board": a_board(each_store),
        "policy": SimpleNamespace(webhooks=False),
        "redact": lambda text: text,
    }
    following = Following(**parts, clock=clock, on_seen=lambda _: None)
    following.since()
    each_store.workflow_runs.see("ada-7", github.runs[0])  # as a webhook that was lost tells late
    clock.advance(2 * HOUR)
    parts = {"deployments": github, "store": each_store, "policy": following.policy}
    Missed(following=following, webhooks=cast("Any", None), **parts).sweep()
    for followed in each_store.workflow_runs.claim(9):
        following.look(followed)
    assert [n for n in range(9) if each_store.messages.get(f"deployment:{n}")] == [3, 4]
