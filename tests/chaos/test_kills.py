"""`kill -9` while a project is made: it ends ready, once.

This is a sample; test_kills_of_every_kind.py has all of it.
"""

import random
from collections.abc import Iterator

import pytest
from killed_kinds import Created, Projects
from kills import Kill, Killer
from played_runs import playing

from playground.crash import POINTS, STEPS
from playground.world import Choices, Playground


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    """Return a running playground."""
    with playing(tmp_path_factory.mktemp("kills"), Choices(edit_seconds=0.3)) as started:
        yield started


@pytest.fixture(scope="module")
def projects(playground: Playground) -> Projects:
    """Return the projects of the module."""
    return Projects(playground)


def test_the_boundaries_are_those_of_a_real_run_and_a_planted_double_is_found(
    projects: Projects,
) -> None:
    killer, work = Killer(projects.playground), Created(projects.talk_for(Created))
    steps, _ = killer.rehearse(work)
    assert tuple(steps) == STEPS
    every = work.talk.world.databricks.principals
    mine = [one for one in every if one.display_name.startswith(f"{work.talk.name}-")]
    mine[0].display_name = mine[1].display_name
    assert f"2 principals {mine[1].display_name}" in killer.faults_of(work)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("at", ["a boundary", "any moment"])
def test_whatever_is_killed_when_each_project_ends_ready_once(
    projects: Projects, seed: int, at: str
) -> None:
    dice = random.Random(f"{seed} {at}")
    kill = Kill(point=dice.choice(POINTS), with_terraform=dice.random() < 0.5)
    if at == "any moment":
        number = dice.randint(1, Created.requests)
        kill = Kill(requests=number, with_terraform=dice.random() < 0.5)
    work = Created(projects.talk_for(Created))
    where, wrong = Killer(projects.playground).run_trial(work, kill)
    assert not wrong, f"{kill}, {where} (seed {seed}): {wrong}"
