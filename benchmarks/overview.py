"""Lists of 10,000 projects: how soon somebody has `/sciclops list` and their App Home.

The same bot answers with a dozen projects first and then with all of them, so that the ratio tells
what the number of projects costs. On SQLite, and on PostgreSQL where it is installed.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from conversation import Conversation
from crowd import Crowd
from databases import postgresql_binaries, serving
from figures import percentiles, say
from played_runs import playing
from waiting import wait_until

from playground.slack.reading import text_of
from playground.world import Choices, Playground
from provisioning.database import Database

FEW, MANY = 12, 10_000
OWNERS = ("U0ADA", *(f"U0OTHER{number}" for number in range(19)))
"""Each of them has 500 projects of the many."""
LOOKS = 30
SLOWEST_SECONDS = 30


def overview(directory: Path) -> None:
    """Measure on each kind of database."""
    _on(directory / "sqlite", "SQLite", "")
    if binaries := postgresql_binaries():
        with serving(binaries) as server:
            _on(directory / "postgresql", "PostgreSQL", server.new_database())


def _on(directory: Path, kind: str, url: str) -> None:
    choices = Choices(database_url=url)
    with playing(directory, choices) as playground:
        playground.world.slack.limits.strict = False
        file = playground.world.directory / "bot" / "sciclops.sqlite"
        database = Database(url or f"sqlite:///{file}")
        crowd = Crowd(playground.world.clock.now(), OWNERS, timedelta(days=60))
        done = 0
        for number in (FEW, MANY):
            crowd.join(database, range(done, number))
            done = number
            _measure(playground, f"{kind}, {number} projects")
        database.close()


def _measure(playground: Playground, what: str) -> None:
    talk = Conversation(playground, "none")
    looks: dict[str, Callable[[], None]] = {
        "list": lambda: _listed(talk, "list"),
        "list mine, a part of the name": lambda: _listed(talk, "list mine 0 2"),
        "App Home": lambda: _home(talk),
    }
    for name, look in looks.items():
        say(f"{name}, {what}", percentiles([_milliseconds(look) for _ in range(LOOKS)]))


def _milliseconds(look: Callable[[], None]) -> float:
    began = time.perf_counter()
    look()
    return (time.perf_counter() - began) * 1000


def _listed(talk: Conversation, words: str) -> None:
    """Type, and wait for the answer."""
    messages = talk.world.slack.workspace.messages
    known = len(messages)
    talk.ada.type(f"/sciclops {words}")
    wait_until(
        lambda: any("Projects · " in text_of(one) for one in messages[known:]), SLOWEST_SECONDS
    )


def _home(talk: Conversation) -> None:
    """Open App Home, and wait until it is shown anew."""
    before = talk.ada.home()
    shown = before.hash if before else ""
    talk.ada.open_home()

    def look() -> bool:
        now = talk.ada.home()
        return now is not None and now.hash != shown and "Your projects" in text_of(now)

    wait_until(look, SLOWEST_SECONDS)
