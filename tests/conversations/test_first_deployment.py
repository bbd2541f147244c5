"""The first deployment of a project fails: what its run says, and what mends it."""

from collections.abc import Iterator

import pytest
from conversation import RUN_SECONDS, Conversation
from played_runs import PlayedRunner
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


def test_retry_runs_again_what_failed(playground: Playground, runner: PlayedRunner) -> None:
    talk = failed(playground, "first-1")
    runner.failing.clear()
    talk.press("Retry")
    talk.run_message("Ready in")
    (run,) = talk.world.github.runs(talk.name)
    assert run.attempt == 2


@pytest.mark.usefixtures("runner")
def test_a_retry_that_fails_again_says_so_once_more(playground: Playground) -> None:
    talk = failed(playground, "first-2")
    talk.press("Retry")
    (run,) = talk.world.github.runs(talk.name)
    wait_until(lambda: run.attempt == 2 and run.status == "completed", RUN_SECONDS)
    assert "Retry" in buttons(talk.run_message("Failed"))
    assert run.attempt == 2
