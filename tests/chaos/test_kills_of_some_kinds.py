"""A sample of the kills of every kind: two kinds, each at a moment by chance.

Other modules of the suite kill what makes, changes, stores secrets in and destroys projects.
"""

import random
from collections.abc import Iterator

import pytest
from keys import LoggingIn
from killed_kinds import Looked, Projects, Rotated
from kills import Kill, Killed, Killer
from played_runs import playing

from playground.world import Choices, Playground

SAMPLE: tuple[type[Killed], ...] = (Rotated, Looked)


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    """Return a running playground whose projects have secrets."""
    choices = Choices(edit_seconds=0.3, authentication="secret")
    with playing(tmp_path_factory.mktemp("some-kinds"), choices) as started:
        started.world.github.runner = LoggingIn(started.world.github.hub.book)
        yield started


@pytest.fixture(scope="module")
def projects(playground: Playground) -> Projects:
    """Return the projects of the module."""
    return Projects(playground)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", SAMPLE, ids=lambda kind: kind.name)
def test_killed_at_some_moment_it_ends_truthfully_and_nothing_happens_twice(
    projects: Projects, seed: int, kind: type[Killed]
) -> None:
    dice = random.Random(f"{seed} {kind.name}")
    killer, work = Killer(projects.playground), kind(projects.talk_for(kind))
    kill = Kill(
        requests=dice.randint(1, kind.requests),
        with_terraform=kind.runs_terraform and dice.random() < 0.5,
    )
    where, wrong = killer.run_trial(work, kill)
    assert not wrong, f"{kill}, {where} (seed {seed}): {wrong}"
