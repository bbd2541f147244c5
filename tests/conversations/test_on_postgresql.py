"""PostgreSQL instead of SQLite, by one setting: the same project comes to life."""

from collections.abc import Iterator

import pytest
from conversation import Conversation
from databases import PostgreSQL
from played_runs import playing

from playground.world import Choices, Playground


@pytest.fixture(scope="module")
def playground(
    tmp_path_factory: pytest.TempPathFactory, postgresql: PostgreSQL
) -> Iterator[Playground]:
    choices = Choices(edit_seconds=0.2, database_url=postgresql.new_database())
    with playing(tmp_path_factory.mktemp("on-postgresql"), choices) as started:
        yield started


def test_a_project_comes_to_life_on_postgresql(talk: Conversation) -> None:
    talk.make()
    assert talk.name in talk.world.github.repos
    assert not (talk.world.directory / "bot" / "sciclops.sqlite").exists()


def test_a_killed_bot_goes_on_from_postgresql(talk: Conversation) -> None:
    talk.ask()
    talk.run_message("Waiting for confirmation")
    talk.playground.run(talk.world.bot.hold_at("after push starter code"))
    talk.ada.press("Confirm & Apply")
    talk.playground.run(talk.world.bot.held())
    talk.playground.run(talk.world.bot.kill())
    talk.playground.run(talk.world.bot.start(), timeout=120)
    talk.run_message("Ready in")
    commits = talk.world.github.commits(talk.name)
    assert sum("Start from the template" in str(commit) for commit in commits) == 1
