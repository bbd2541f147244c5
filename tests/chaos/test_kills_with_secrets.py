"""`kill -9` around the writing of secrets: each environment ends with one that works."""

import random
from collections.abc import Iterator

import pytest
from conversation import Conversation
from kills import Killer, Trial
from played_runs import playing

from playground.world import Choices, Playground


@pytest.fixture
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    """Return a running playground whose projects have secrets."""
    choices = Choices(edit_seconds=0.3, authentication="secret")
    with playing(tmp_path_factory.mktemp("secrets"), choices) as started:
        yield started


def secrets_of(playground: Playground, name: str) -> dict[str, tuple[list[str], str]]:
    """Return each environment's secrets: those of its principal, and the one that GitHub has."""
    principals = {each.display_name: each for each in playground.world.databricks.principals}
    return {
        environment.name: (
            [s.value for s in principals[f"{name}-{environment.name.lower()}"].secrets.values()],
            environment.secrets["DATABRICKS_TOKEN"].value.decode(),
        )
        for environment in playground.world.github.repos[name].environments.values()
    }


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "point",
    [
        "after find who needs a secret",
        "before write secrets of Testing",
        "after write secrets of Production-plan",
    ],
)
def test_whatever_is_killed_when_every_environment_has_one_secret_in_the_end(
    playground: Playground, seed: int, point: str
) -> None:
    killer = Killer(playground, random.Random(seed))
    ended = killer.run_trial(Trial(name="secret-1x", point=point))
    assert "Ready in" in ended, ended
    assert killer.faults_of(Conversation(playground, "secret-1x")) == []
    found = secrets_of(playground, "secret-1x")
    assert len(found) == 5
    assert [name for name, (held, known) in found.items() if held != [known]] == []
