"""Many projects requested at once: all become ready, within GitHub's and Slack's limits.

Three by default, twenty with `make prove`. GitHub's limit by the hour is the real one for twenty
(500 content-creating requests, scaled down for three); those by the minute are ten times as high,
and our pause between writes is a tenth, so that the trial takes minutes instead of hours.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from conversation import Conversation
from played_runs import playing
from proofs import write_proof

from playground.github.limits import Limits
from playground.slack.reading import text_of
from playground.world import Choices, Playground

SECONDS = 300
SWEEP_SECONDS = 25
HOURS = 4
WAITING = "waiting for GitHub's budget"


@pytest.fixture
def number(*, prove: bool) -> int:
    """Return how many projects are requested."""
    return 20 if prove else 3


@pytest.fixture
def playground(
    tmp_path_factory: pytest.TempPathFactory, number: int, seed: int
) -> Iterator[Playground]:
    del seed  # printed, though nothing here is left to chance
    hourly = 500 if number == 20 else 160
    limits = Limits(
        per_hour=50_000,
        creating_per_minute=800,
        creating_per_hour=hourly,
        points_per_minute=9_000,
    )
    choices = Choices(
        confirm="nobody",
        edit_seconds=3,
        github_write_pause=0.1,
        github_writing_applies=1,
        github_writes_per_hour=hourly - 50,
    )
    with playing(tmp_path_factory.mktemp("many"), choices, limits) as started:
        yield started


def states(talks: list[Conversation]) -> list[str]:
    """Return the headline of every run message; a run without one has yet to say something."""
    texts = [text_of(message) for talk in talks for message in talk.run_messages()[:1]]
    shown = [text.split(" · ", 1)[1].splitlines()[0] for text in texts]
    return shown + [""] * (len(talks) - len(shown))


@pytest.mark.timeout(3600)
def test_projects_requested_at_once_all_become_ready(
    playground: Playground, number: int, *, prove: bool
) -> None:
    talks = [Conversation(playground, f"many-{place:02}") for place in range(number)]
    for talk in talks:
        talk.ask()
    hours = 0
    while not _all_ready(talks):
        if _is_stuck(talks):
            hours += 1
            playground.world.clock.advance(timedelta(minutes=61))
    assert 0 < hours <= HOURS, "the hourly limit was never met, or met again and again"
    refused = [call for call in playground.world.slack.calls if call.error == "ratelimited"]
    assert not refused, f"Slack had to slow us down {len(refused)} times"
    if prove:
        rows = [(talk.name, state) for talk, state in zip(talks, states(talks), strict=True)]
        rows.append(("hours waited for GitHub's limit (the clock was moved)", str(hours)))
        rows.append(("Slack calls in all", str(len(playground.world.slack.calls))))
        title = "Twenty projects requested at once, within GitHub's and Slack's limits"
        write_proof("many-projects", title, 0, ("Project", "State"), rows)


def _all_ready(talks: list[Conversation]) -> bool:
    """Wait until all are ready, or those that are not wait for GitHub's budget; say which."""

    def look() -> str | None:
        now = states(talks)
        failed = [talk for talk, state in zip(talks, now, strict=True) if state == "Failed"]
        assert not failed, [text_of(talk.run_messages()[0])[:600] for talk in failed]
        left = [state for state in now if not state.startswith("Ready in")]
        if not left:
            return "ready"
        return "waiting" if all(WAITING in state for state in left) else None

    return talks[0].ada.wait_until(look, timeout=max(SECONDS, SECONDS * len(talks) / 5)) == "ready"


def _is_stuck(talks: list[Conversation]) -> bool:
    """Tell whether nobody gets a turn for longer than a sweep takes to come round."""

    def look() -> bool | None:
        left = [state for state in states(talks) if not state.startswith("Ready in")]
        return None if left and all(WAITING in state for state in left) else True

    try:
        return not talks[0].ada.wait_until(look, timeout=SWEEP_SECONDS)
    except AssertionError:
        return True
