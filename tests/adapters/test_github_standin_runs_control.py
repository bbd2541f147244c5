"""Cancelling and repeating runs at the stand-in GitHub."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from scripted_runner import Script, Works, working
from waiting import wait_until

from playground.github.calls import Refusal

HELD = [Script("bundle / Build", held=True)]


@pytest.fixture
def works(tmp_path: Path) -> Iterator[Works]:
    with working(tmp_path) as held:
        yield held


def test_a_run_is_cancelled_once(tmp_path: Path) -> None:
    with working(tmp_path, HELD) as works:
        run = works.wait(works.dispatch(), "in_progress")
        assert works.call("POST", f"/actions/runs/{run.id}/cancel").status_code == 202
        works.wait(run, "completed")
        assert run.conclusion == run.present_jobs[0].conclusion == "cancelled"
        again = works.call("POST", f"/actions/runs/{run.id}/cancel")
        assert again.status_code == 409
        assert again.json()["message"] == "Cannot cancel a workflow run that is completed."
        assert works.call("POST", f"/actions/runs/{run.id}/force-cancel").status_code == 409


def test_force_cancel_waits_for_nothing(tmp_path: Path) -> None:
    with working(tmp_path, HELD) as works:
        works.runner.stubborn = True
        run = works.wait(works.dispatch(), "in_progress")
        assert works.call("POST", f"/actions/runs/{run.id}/force-cancel").status_code == 202
        assert works.run_json(run)["conclusion"] == "cancelled"
        works.runner.stubborn = False
        works.github.rerun("pat", run.id)
        wait_until(lambda: works.runner.runs == [(run.id, 1), (run.id, 2)])
        works.soon(works.runner.go_on.set)
        wait_until(lambda: works.run_json(run)["conclusion"] == "success")


def test_a_rerun_is_another_attempt(works: Works) -> None:
    works.runner.scripts = [Script("Build"), Script("Deploy", conclusion="failure")]
    run = works.wait(works.dispatch("pat"), "completed")
    works.runner.scripts[1].conclusion = "success"
    repo = works.standin.app().get_repo("acme/ada-7")
    assert repo.get_workflow_run(run.id).rerun()
    wait_until(lambda: run.attempt == 2 and run.status == "completed")
    present = works.run_json(run)
    assert (present["run_attempt"], present["conclusion"]) == (2, "success")
    assert present["triggering_actor"]["login"] == "sciclops-bot[bot]"
    assert present["actor"]["login"] == "pat"
    first = works.call("GET", f"/actions/runs/{run.id}/attempts/1").json()
    assert (first["run_attempt"], first["conclusion"]) == (1, "failure")
    assert first["triggering_actor"]["login"] == "pat"
    jobs = works.call("GET", f"/actions/runs/{run.id}/attempts/1/jobs").json()["jobs"]
    assert [(j["name"], j["conclusion"], j["run_attempt"]) for j in jobs] == [
        ("Build", "success", 1),
        ("Deploy", "failure", 1),
    ]
    assert works.call("GET", f"/actions/runs/{run.id}/jobs").json()["total_count"] == 2
    every = works.call("GET", f"/actions/runs/{run.id}/jobs?filter=all").json()
    assert every["total_count"] == 4


def test_failed_jobs_are_repeated_with_what_needs_them(works: Works) -> None:
    works.runner.scripts = [
        Script("Build"),
        Script("Test", needs=("Build",), conclusion="failure"),
        Script("Deploy", needs=("Test",)),
    ]
    run = works.wait(works.dispatch(), "completed")
    works.runner.scripts[1].conclusion = "success"
    assert works.call("POST", f"/actions/runs/{run.id}/rerun-failed-jobs").status_code == 201
    wait_until(lambda: run.attempt == 2 and run.status == "completed")
    assert list(run.only_jobs) == ["Test", "Deploy"]
    refused = works.call("POST", f"/actions/runs/{run.id}/rerun-failed-jobs")
    assert refused.status_code == 403
    job = run.present_jobs[-1]
    assert works.call("POST", f"/actions/jobs/{job.id}/rerun").status_code == 201
    wait_until(lambda: run.attempt == 3 and run.status == "completed")
    assert list(run.only_jobs) == ["Deploy"]
    old = run.jobs[1][0]
    assert works.call("POST", f"/actions/jobs/{old.id}/rerun").status_code == 403


def test_what_runs_or_is_too_old_is_not_repeated(tmp_path: Path) -> None:
    with working(tmp_path, HELD) as works:
        run = works.wait(works.dispatch(), "in_progress")
        refused = works.call("POST", f"/actions/runs/{run.id}/rerun")
        assert (refused.status_code, refused.json()["message"]) == (
            403,
            "This workflow is already running",
        )
        works.soon(works.runner.go_on.set)
        works.wait(run, "completed")
        works.standin.clock.advance(timedelta(days=31))
        late = works.call("POST", f"/actions/runs/{run.id}/rerun")
        assert "over a month ago" in late.json()["message"]


def test_a_person_cancels_and_repeats_as_their_role_allows(tmp_path: Path) -> None:
    with working(tmp_path, HELD) as works:
        run = works.wait(works.dispatch(), "in_progress")
        with pytest.raises(Refusal):
            works.github.cancel_run("ada", run.id)
        works.github.cancel_run("pat", run.id)
        works.wait(run, "completed")
        works.github.rerun("pat", run.id)
        assert run.attempt == 2
        works.github.cancel_run("pat", run.id)
        works.wait(run, "completed")


def test_deleting_a_repository_ends_its_runs(tmp_path: Path) -> None:
    with working(tmp_path, HELD) as works:
        run = works.wait(works.dispatch(), "in_progress")
        assert works.call("DELETE", "").status_code == 204
        works.wait(run, "completed")
        assert run.conclusion == "cancelled"


def test_a_runner_that_forgets_to_finish_is_a_failure(works: Works) -> None:
    class Lazy:
        async def run(self, run: Any) -> None:
            works.github.hub.book.add_job(run, "Build")

        async def cancel(self, run: Any) -> None:
            raise AssertionError(run)

    works.github.runner = Lazy()
    run = works.wait(works.dispatch(), "completed")
    assert (run.conclusion, run.present_jobs[0].conclusion) == ("failure", "skipped")
