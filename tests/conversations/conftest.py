"""A playground with the real bot, shared by the conversations of one module."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from conversation import Conversation
from played_runs import PlayedRunner, playing

from playground.world import Choices, Playground

NUMBERS = count(1)
HERE = Path(__file__).parent
TEST_SECONDS = 300
"""A story holds several runs of Terraform; on a quiet machine it takes 20 seconds at most."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give stories more time than tests of one thing."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))


@pytest.fixture(scope="module")
def choices() -> Choices:
    """Return what the module's playground is like; modules override it."""
    return Choices(edit_seconds=0.2)


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory, choices: Choices) -> Iterator[Playground]:
    """Return a running playground."""
    directory: Path = tmp_path_factory.mktemp("playground")
    with playing(directory, choices) as started:
        yield started


@pytest.fixture
def talk(playground: Playground) -> Iterator[Conversation]:
    """Return a conversation about a project name of its own; afterwards all is well again."""
    yield Conversation(playground, f"ada-{next(NUMBERS)}x")
    playground.world.faults.clear()
    playground.world.providers.clear()
    playground.world.slack.workspace.stacks.clear()


@pytest.fixture
def runner(playground: Playground) -> PlayedRunner:
    """Return what plays the module's workflow runs."""
    runner = playground.world.github.runner
    assert isinstance(runner, PlayedRunner)
    return runner
