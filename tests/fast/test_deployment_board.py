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
from provisioning.text import Notice, plain


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
    each_store.workflow_runs.see("ada-7", over)
    each_store.workflow_runs.see("ada-7", newer)
    each_store.releases.ask(a_release(asked_at=START, deadline=START))
    why = {"why": f"{NEWER}cccccccc"}
    each_store.releases.move(release_id(7, 1, "Production"), ["open"], "void", changes=why)
    a_board(each_store).show_run(7)
    row = each_store.messages.get("deployment:7")
    assert row is not None
    shown = Notice.model_validate(row.content)
    assert shown.title == "ada-7 · Deployment · Superseded by commit cccccccc"
    assert plain(shown.body[0]) == "Superseded by workflow run 8: feat: newer"
    assert [(task.title, task.status) for task in shown.tasks] == [
        ("Deploy Production · superseded", "pending")
    ]
    assert not shown.buttons
    assert "failed" not in shown.summary


def test_a_reminder_says_until_when_a_release_can_be_decided(each_store: Store) -> None:
    each_store.workflow_runs.see("ada-7", a_run())
    waiting = a_release(asked_at=START, deadline=START + timedelta(days=7))
    each_store.releases.ask(waiting)
    a_board(each_store).remind(waiting, 1)
    row = each_store.messages.get(f"{waiting.message}:reminder:1")
    assert row is not None
    said = Notice.model_validate(row.content).body[0]
    assert "It can be decided until 2026-12-02 09:00 UTC." in plain(said)
