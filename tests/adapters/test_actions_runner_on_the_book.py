"""The runner and the stand-in's own book together: dispatched, gated, reviewed, told by webhook."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripted_runner import PATH, Works, working
from waiting import wait_until

from playground.actions.runner import ActRunner

WORKFLOW = """\
name: deploy
on:
  workflow_dispatch:
    inputs:
      correlation: {type: string}
run-name: deploy ${{ inputs.correlation }}
permissions: {}
jobs:
  build:
    runs-on: ubuntu-latest
    permissions: {contents: read}
    steps:
      - uses: actions/checkout@v4
      - run: git log --oneline
  deploy:
    name: Deploy Production
    needs: build
    runs-on: ubuntu-latest
    environment: Production
    steps:
      - run: echo deployed by $GITHUB_ACTOR
"""


@contextmanager
def really_working(directory: Path) -> Iterator[Works]:
    """Put the real runner in the scripted one's place; at the end it serves no more."""
    with working(directory) as works:
        runner = ActRunner(works.github, works.github.hub.book, directory / "actions")
        works.github.push("pat", "ada-7", {PATH: WORKFLOW}, "A real workflow [skip ci]")
        works.github.runner = runner
        try:
            yield works
        finally:
            asyncio.run_coroutine_threadsafe(runner.close(), works.github.loop).result(30)


def test_a_dispatched_run_waits_for_its_reviewer_and_ends(tmp_path: Path) -> None:
    with really_working(tmp_path) as works:
        gate = works.gated("rosa")
        run = works.dispatch("pat", correlation="c-1")
        wait_until(lambda: run.status == "waiting", 30)
        assert run.title == "deploy c-1"
        decision = {"environment_ids": [gate], "state": "approved", "comment": "ship"}
        path = f"/actions/runs/{run.id}/pending_deployments"
        answer = works.call("POST", path, decision, **works.as_("rosa"))
        assert answer.status_code == 200, answer.text
        wait_until(lambda: run.status == "completed", 30)
        assert run.conclusion == "success"
        assert {job.name: job.conclusion for job in run.present_jobs} == {
            "build": "success",
            "Deploy Production": "success",
        }
        assert "deployed by pat" in run.present_jobs[1].log


def test_cancelling_a_waiting_run_ends_it(tmp_path: Path) -> None:
    with really_working(tmp_path) as works:
        works.gated("rosa")
        run = works.dispatch("pat")
        wait_until(lambda: run.status == "waiting", 30)
        assert works.call("POST", f"/actions/runs/{run.id}/cancel").status_code == 202
        wait_until(lambda: run.status == "completed", 30)
        assert run.conclusion == "cancelled"
        assert run.present_jobs[1].conclusion == "cancelled"
