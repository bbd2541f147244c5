"""What the board tells of runs and releases as they are stored."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from test_release import a_release
from test_workflow_run import START, a_job, a_run

from provisioning.deployment_board import DeploymentBoard
from provisioning.release import NEWER, release_id
from provisioning.store import Store
from provisioning.text import Notice, link, plain, say
from provisioning.workflow_run import WorkflowRun


def a_board(store: Store) -> DeploymentBoard:
    """Return a board on which nobody is linked."""
    linking = SimpleNamespace(person_of=lambda _: None)
    policy = SimpleNamespace(channel="C0RUNS", announcements="C0COMMUNITY", logins={})
    return DeploymentBoard(store, cast("Any", linking), cast("Any", policy))


def test_whoever_rejected_an_earlier_attempt_is_not_said_to_have_released(
    each_store: Store,
) -> None:
    each_store.workflow_runs.see("ada-7", a_run())
    decided = {1: ("rejected", "rosa-p"), 2: ("approved", "grace-h"), 3: ("void", "")}
    for attempt, (state, login) in decided.items():
        asked = a_release(
            id=release_id(7, attempt, "Production"),
            attempt=attempt,
            asked_at=START,
            deadline=START,
        )
        each_store.releases.ask(asked)
        each_store.releases.move(
            asked.id, ["open"], cast("Any", state), changes={"decided_login": login}
        )
    followed = each_store.workflow_runs.get(7)
    assert followed is not None
    a_board(each_store).announce(followed, ("Production",))
    told = each_store.messages.get("announce:deployment:7")
    assert told is not None
    assert "grace-h" in str(told.content)

    each_store.releases.move(release_id(7, 2, "Production"), ["approved"], "void")
    a_board(each_store).announce(followed, ("Production",))
    told = each_store.messages.get("announce:deployment:7")
    assert told is not None
    assert "released by" not in str(told.content)


@pytest.mark.parametrize("conclusion", ["cancelled", "failure"])
def test_a_run_that_a_newer_one_has_superseded_is_not_shown_as_failed(
    each_store: Store, conclusion: str
) -> None:
    newer = a_run(id=8, sha="c" * 40, title="feat: newer", url="http://x/runs/8")
    job = a_job("Deploy Production", "completed", conclusion)
    over = a_run(status="completed", conclusion=conclusion, jobs=(job,))
    each_store.workflow_runs.see("ada-7", newer)
    each_store.workflow_runs.see("ada-7", over)
    each_store.releases.ask(a_release(asked_at=START, deadline=START))
    why = {"why": f"{NEWER}cccccccc"}
    each_store.releases.move(release_id(7, 1, "Production"), ["open"], "void", changes=why)
    shown = shown_of(each_store, over)
    assert shown.title == "ada-7 · Deployment · Superseded by commit cccccccc"
    assert plain(shown.body[0]) == "Superseded by workflow run 8: feat: newer"
    assert [(task.title, task.status) for task in shown.tasks] == [
        ("Deploy Production · superseded", "pending")
    ]
    assert not shown.buttons
    assert "failed" not in shown.summary


def shown_of(store: Store, run: WorkflowRun) -> Notice:
    """Show a run; return its message."""
    store.workflow_runs.see("ada-7", run)
    a_board(store).show_run(run.id)
    row = store.messages.get(f"deployment:{run.id}")
    assert row is not None
    return Notice.model_validate(row.content)


def test_a_run_of_a_pull_request_is_named_by_it_or_else_by_its_branch(each_store: Store) -> None:
    told = a_run(
        event="pull_request",
        branch="ada-1",
        title="feat: more",
        pull=12,
        url="http://x/acme/ada-7/actions/runs/7",
    )
    shown = shown_of(each_store, told)
    assert shown.title.startswith("ada-7 · Pull request #12 · ")
    (fact,) = [fact for fact in shown.facts if fact.label == "Pull request"]
    assert fact.value == say(link("#12 feat: more", "http://x/acme/ada-7/pull/12"))
    of_a_fork = shown_of(each_store, told.model_copy(update={"id": 8, "pull": 0, "sha": "b" * 40}))
    assert of_a_fork.title.startswith("ada-7 · Pull request of branch ada-1 · ")


def test_a_reminder_says_until_when_a_release_can_be_decided(each_store: Store) -> None:
    each_store.workflow_runs.see("ada-7", a_run())
    waiting = a_release(asked_at=START, deadline=START + timedelta(days=7))
    each_store.releases.ask(waiting)
    a_board(each_store).remind(waiting, 1)
    row = each_store.messages.get(f"{waiting.message}:reminder:1")
    assert row is not None
    said = Notice.model_validate(row.content).body[0]
    assert "It can be decided until 2026-12-02 09:00 UTC." in plain(said)
