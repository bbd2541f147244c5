"""What the community hears by itself: new versions and a weekly digest, once with three bots.

The bot itself is one of them; two other processes sweep beside it.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from conversation import ANSWER_SECONDS, Conversation
from waiting import wait_until

from bot.settings import load
from bot.wiring import Bot
from playground.github.objects import GitStore
from playground.github.repos import commit_files
from playground.github.seed import PLATFORM_REPOSITORY, REUSABLE_WORKFLOW
from playground.slack.entities import Message
from playground.slack.reading import text_of
from playground.world import Playground

COMMUNITY = "C0COMMUNITY"
QUARTER, WEEK = timedelta(minutes=15), timedelta(days=7)


@pytest.fixture(scope="module")
def others(playground: Playground) -> Iterator[tuple[Bot, ...]]:
    """Return two more processes' view of the same database."""
    world = playground.world
    settings = load(world.directory / "sciclops.toml", world.secrets())
    bots = tuple(Bot(settings, world.clock, None) for _ in range(2))
    yield bots
    for bot in bots:
        bot.database.close()


def at_once(sweeps: list[Callable[[], None]]) -> None:
    """Run sweeps side by side, each twice."""
    with ThreadPoolExecutor(2 * len(sweeps)) as pool:
        for swept in [pool.submit(sweep) for sweep in 2 * sweeps]:
            swept.result()


def news(talk: Conversation, words: str) -> list[Message]:
    """Return what the community was told with these words."""
    return [one for one in talk.sam.visible_messages(COMMUNITY) if words in text_of(one)]


def test_a_new_version_of_the_workflow_is_told_once(
    talk: Conversation, others: tuple[Bot, ...]
) -> None:
    wait_until(lambda: others[0].store.news.told("workflow") is not None, ANSWER_SECONDS)
    world = talk.world.github.world
    repo = world.repos[PLATFORM_REPOSITORY]
    files = {REUSABLE_WORKFLOW: b"on: workflow_call\n"}
    commit = commit_files(world, repo, files, "feat: more")
    for tag in ("v1.1.0", "v1"):
        GitStore(repo.path).set_ref(f"refs/tags/{tag}", commit)
    talk.world.clock.advance(QUARTER)
    at_once([bot.version_news.sweep for bot in others])
    told = talk.sam.wait_for_message("of the deploy workflow: v1.1.0", channel=COMMUNITY)
    assert "Projects that call v1 run it from their next deployment on" in text_of(told)
    talk.playground.run(talk.world.bot.kill())
    talk.playground.run(talk.world.bot.start(), 100)
    talk.ada.type("/sciclops help")
    talk.told(talk.ada, "You can say:")
    assert len(news(talk, "deploy workflow")) == 1
    assert not news(talk, "template"), "nothing is news at the first start"


def test_a_week_is_told_once_and_a_quiet_one_not_at_all(
    talk: Conversation, others: tuple[Bot, ...]
) -> None:
    times = others[0].settings.digest.times
    assert times is not None
    wait_until(lambda: others[0].store.news.told("digest") is not None, ANSWER_SECONDS)
    talk.planned()
    clock = talk.world.clock
    clock.advance(times.latest(clock.now()) + WEEK - clock.now() + timedelta(hours=1))
    at_once([bot.digest.sweep for bot in others])
    told = talk.sam.wait_for_message("The week in figures", channel=COMMUNITY)
    assert "People who did something: 1" in text_of(told)
    due = times.latest(clock.now() + 2 * WEEK).isoformat()
    clock.advance(2 * WEEK)
    wait_until(lambda: others[0].store.news.told("digest") == due, ANSWER_SECONDS)
    assert len(news(talk, "in figures")) == 1
