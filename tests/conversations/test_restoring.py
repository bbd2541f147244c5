"""The database is lost and an older copy restored, as docs/operating.md says: what comes then."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conversation import ANSWER_SECONDS, PRINCIPALS, RUN_SECONDS, Conversation
from documents import tried
from waiting import wait_until

from playground.slack.reading import text_of
from playground.world import Playground
from provisioning import audit
from provisioning.database import Database


def shell(directory: Path, block: str) -> None:
    """Run what the document shows, in the bot's folder."""
    if not (directory / "data").exists():
        (directory / "data").symlink_to(directory / "bot")
        (directory / ".venv").symlink_to(sys.prefix)
    done = subprocess.run(
        ["bash", "-eu", "-c", block],
        cwd=directory,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def make_a_sandbox(talk: Conversation) -> None:
    """Ask for a sandbox, and wait until it is ready."""
    talk.fill().fill({"lifetime": "sandbox"})
    talk.view_says("Sandbox until")
    assert talk.ada.submit() is None
    talk.press("Confirm & Apply")
    talk.run_message("Ready in")


def destroy(talk: Conversation) -> None:
    """Ask for the destruction of a sandbox, and type its name."""
    talk.ada.type(f"/sciclops destroy {talk.name}")
    talk.ada.wait_for_view("Type", timeout=ANSWER_SECONDS)
    talk.ada.fill({"project": talk.name})
    assert talk.ada.submit() is None


def destructions(talk: Conversation) -> list[str]:
    """Return the messages that say that the project was destroyed."""
    shown = [text_of(message) for message in talk.run_messages()]
    return [text for text in shown if "· Destroyed" in text]


@pytest.fixture(scope="module")
def restored(playground: Playground) -> tuple[Conversation, Conversation]:
    """Return a project that was confirmed after the copy was made, and one that was destroyed."""
    world = playground.world
    gone, waiting = Conversation(playground, "short-1"), Conversation(playground, "late-1")
    make_a_sandbox(gone)
    waiting.planned()
    shell(world.directory, tried("back up SQLite"))

    waiting.press("Confirm & Apply")
    destroy(gone)
    waiting.run_message("Ready in")
    wait_until(lambda: destructions(gone), RUN_SECONDS)

    playground.run(world.bot.stop())
    shell(world.directory, tried("restore SQLite"))
    playground.run(world.bot.start(), timeout=120)
    return waiting, gone


def test_what_was_confirmed_since_is_confirmed_again_and_nothing_is_made_twice(
    restored: tuple[Conversation, Conversation],
) -> None:
    talk, _ = restored
    talk.ada.type(f"/sciclops status {talk.name}")
    assert "waiting for confirmation" in text_of(talk.told(talk.ada, "Latest run"))
    talk.ada.type(f"/sciclops confirm {talk.name}")
    asked = text_of(talk.told(talk.ada, "The plan's digest belongs after the run"))
    typed = re.search(r"/sciclops confirm \S+ [0-9a-f]{12}", asked)
    assert typed is not None
    before = text_of(talk.run_message("Ready in"))
    talk.ada.type(typed[0])
    talk.told(talk.ada, "Confirmed.")
    wait_until(lambda: text_of(talk.run_message()) != before, RUN_SECONDS)
    talk.run_message("Ready in")

    assert len(talk.principals()) == PRINCIPALS
    commits = talk.world.github.commits(talk.name)
    assert sum("Start from the template" in str(commit) for commit in commits) == 1


def test_what_was_destroyed_since_is_closed_by_destroying_it_again(
    restored: tuple[Conversation, Conversation],
) -> None:
    _, talk = restored
    talk.ada.type(f"/sciclops status {talk.name}")
    assert "State: ready" in text_of(talk.told(talk.ada, f"Project {talk.name}"))
    destroy(talk)
    wait_until(lambda: len(destructions(talk)) == 2, RUN_SECONDS)
    talk.ada.type(f"/sciclops destroy {talk.name}")
    talk.told(talk.ada, f"{talk.name} is gone already")


def test_the_restored_trail_is_whole(restored: tuple[Conversation, Conversation]) -> None:
    talk, _ = restored
    database = Database(f"sqlite:///{talk.world.directory / 'bot' / 'sciclops.sqlite'}")
    assert audit.trail(database, talk.name).fault is None
    database.close()
