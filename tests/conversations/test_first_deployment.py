"""The first deployment of a project fails: what its run says, and what mends it."""

from collections.abc import Iterator

import pytest
from conversation import RUN_SECONDS, Conversation
from played_runs import PlayedRunner
from shipping import merge
from waiting import wait_until

from playground.slack.reading import buttons, text_of
from playground.world import Playground


@pytest.fixture
def runner(playground: Playground) -> Iterator[PlayedRunner]:
    """Return what plays the runs; the first deployment of each will fail."""
    runner = playground.world.github.runner
    assert isinstance(runner, PlayedRunner)
    runner.failing.add("Deploy Development")
    runner.held.add("Deploy Development")
    runner.go_on.clear()
    yield runner
    runner.failing.clear()
    runner.held.clear()


async def let_go(playground: Playground) -> None:
    """Let what is held go on: the project waits for it by now."""
    runner = playground.world.github.runner
    assert isinstance(runner, PlayedRunner)
    runner.go_on.set()


def failed(playground: Playground, name: str) -> Conversation:
    """Return a conversation about a project whose first deployment has failed."""
    talk = Conversation(playground, name)
    talk.planned()
    talk.press("Confirm & Apply")
    talk.run_message("Deploying to Development")
    playground.run(let_go(playground))
    said = text_of(talk.run_message("Failed"))
    assert "Deploy Development failed" in said
    assert "Error: Deploy Development did not work" in said
    return talk


def test_a_retry_runs_again_what_people_have_merged_since(
    playground: Playground, runner: PlayedRunner
) -> None:
    talk = failed(playground, "first-1")
    merged = merge(talk, "fix: not enough")
    wait_until(lambda: merged.status == "completed", RUN_SECONDS)
    assert merged.conclusion == "failure"
    runner.failing.clear()
    talk.press("Retry")
    talk.run_message("Ready in")
    assert merged.attempt == 2
    assert all(run.attempt == 1 for run in talk.world.github.runs(talk.name) if run is not merged)


def test_a_retry_that_fails_again_says_so_once_more_and_a_merge_mends_it(
    playground: Playground, runner: PlayedRunner
) -> None:
    talk = failed(playground, "first-2")
    talk.press("Retry")
    (run,) = talk.world.github.runs(talk.name)
    wait_until(lambda: run.attempt == 2 and run.status == "completed", RUN_SECONDS)
    assert "Retry" in buttons(talk.run_message("Failed"))
    assert run.attempt == 2
    runner.failing.clear()
    merged = merge(talk, "fix: deploy")
    said = text_of(talk.run_message("Ready in"))
    assert "Mended by a later workflow run" in said
    assert str(merged.id) in said
    assert talk.labels() == set()
    news = "New project first-2"
    talk.sam.wait_for_message(news, channel="C0COMMUNITY", timeout=RUN_SECONDS)
