"""Long trials: a sample by default, all of them with `--prove`, always with a printed seed."""

import random
from collections.abc import Iterator

import pytest
from played_runs import playing

from playground.world import Choices, Playground


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    """Return the seed of this run: given with `--seed`, else by chance; it is printed."""
    given = request.config.getoption("--seed")
    chosen = int(given) if given else random.SystemRandom().randrange(1_000_000)
    print(f"\nchaos seed: {chosen} (repeat it with --seed {chosen})")  # noqa: T201 - the report
    return chosen


@pytest.fixture(scope="session")
def prove(request: pytest.FixtureRequest) -> bool:
    """Tell whether all trials are to be run."""
    return bool(request.config.getoption("--prove"))


@pytest.fixture
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    """Return a running playground."""
    with playing(tmp_path_factory.mktemp("chaos"), Choices(edit_seconds=0.3)) as started:
        yield started
