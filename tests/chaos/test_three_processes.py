"""Three processes on one PostgreSQL, and time moved on the clock: whatever is due happens once.

The life of a sandbox of 30 days, the age of keys, and what nobody answers.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

import pytest
from conversation import RUN_SECONDS, Conversation
from databases import PostgreSQL
from keys import Keys
from killed_kinds import STAGES_REMOVED, left_at_databricks, wait_for_the_gate
from played_runs import playing
from shipping import another_process, card
from waiting import wait_until

from playground.bot import BotProcess
from playground.github.runs import WorkflowRun
from playground.slack.entities import Message
from playground.slack.reading import buttons, text_of
from playground.world import Choices, Playground
from provisioning.sandbox import end_of

pytestmark = pytest.mark.timeout(600)

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
LIFE = 30 * DAY
"""What the form proposes."""
A_WHILE = 10 * MINUTE
"""After it, all sweeps but the daily one have been due again."""
DUE = 77 * DAY
"""Keys live for 90 days, and are due 14 days before their end."""
OWNERS = 2
SWEEPS = 11
"""At least so many sweeps are due every few minutes."""


@dataclass(frozen=True)
class Lives:
    """A sandbox, a project that stays, and one that was only planned; three bots see to them."""

    bots: tuple[BotProcess, ...]
    sandbox: Conversation
    stays: Conversation
    planned: Conversation
    until: date

    @property
    def messages(self) -> list[Message]:
        """Return everything that was ever said."""
        return self.sandbox.world.slack.workspace.messages

    def move(self, by: timedelta) -> None:
        """Move time, and wait until all that is due by then was looked at."""
        before = self._swept()
        self.sandbox.world.clock.advance(by)
        wait_until(lambda: self._swept() >= before + SWEEPS, RUN_SECONDS)

    def _swept(self) -> int:
        return sum(point == "after sweep" for bot in self.bots for _, point in list(bot.points))

    def before_the_end(self, left: timedelta) -> None:
        """Move time to shortly after so long before the sandbox's end."""
        self.move(end_of(self.until) - left + MINUTE - self.sandbox.world.clock.now())

    def said(self, *words: str) -> list[Message]:
        """Return the messages that say all of this."""
        return [one for one in self.messages if all(word in text_of(one) for word in words)]

    def told(self, number: int, *words: str) -> list[Message]:
        """Wait for so many messages that say this; there must not be more of them."""
        wait_until(lambda: len(self.said(*words)) >= number, RUN_SECONDS)
        found = self.said(*words)
        assert len(found) == number
        return found

    def each_once(self, title: str) -> None:
        """Wait until each owner was told of the keys of each stage, and nobody twice."""
        for stage in ("Development", "Testing", "Staging", "Production"):
            words = f"{self.stays.name} · {stage} · keys {title}"
            found = self.told(OWNERS, words)
            assert len({one.channel for one in found}) == OWNERS


@pytest.fixture(scope="module")
def playground(
    tmp_path_factory: pytest.TempPathFactory, postgresql: PostgreSQL
) -> Iterator[Playground]:
    """Return a playground on PostgreSQL whose projects have secrets."""
    choices = Choices(
        edit_seconds=0.3, authentication="secret", database_url=postgresql.new_database()
    )
    with playing(tmp_path_factory.mktemp("three"), choices) as started:
        yield started


@pytest.fixture(scope="module")
def lives(playground: Playground) -> Iterator[Lives]:
    """Make the projects, with three bots at work."""
    with ExitStack() as stack:
        others = [
            stack.enter_context(another_process(playground, name)) for name in ("second", "third")
        ]
        sandbox = Conversation(playground, "sand-3x")
        until = playground.world.clock.now().date() + LIFE
        sandbox.fill().fill({"lifetime": "sandbox"})
        sandbox.view_says("Sandbox until")
        assert sandbox.ada.submit() is None
        stays, planned = Conversation(playground, "stays-3x"), Conversation(playground, "plan-3x")
        stays.ask()
        planned.ask()
        for talk in (sandbox, stays):
            talk.run_message("Waiting for confirmation")
            talk.press("Confirm & Apply")
        planned.run_message("Waiting for confirmation")
        for talk in (sandbox, stays):
            talk.run_message("Ready in")
            wait_for_the_gate(talk)
            (first,) = playground.world.github.runs(talk.name)
            card(talk, first)
        yield Lives((playground.world.bot, *others), sandbox, stays, planned, until)


@pytest.fixture(autouse=True)
def nothing_was_posted_twice(lives: Lives) -> Iterator[None]:
    """Look at the keys of all messages, whoever has posted them."""
    yield
    keys = Counter(one.metadata["event_payload"]["key"] for one in lives.messages if one.metadata)
    assert {key: number for key, number in keys.items() if number > 1} == {}


def test_reviewers_are_reminded_once_and_what_nobody_answers_ends_once(lives: Lives) -> None:
    lives.move(4 * HOUR)
    for talk in (lives.sandbox, lives.stays):
        (run,) = talk.world.github.runs(talk.name)
        waiting = card(talk, run)
        wait_until(partial(reminders, lives, waiting), RUN_SECONDS)
        assert len(reminders(lives, waiting)) == 1
    lives.move(3 * DAY)
    ended = lives.planned.run_message("Timed out")
    assert set(buttons(ended)) == {"Retry"}
    for talk in (lives.sandbox, lives.stays):
        (run,) = talk.world.github.runs(talk.name)
        ended = card(talk, run, "Timed out")
        assert not buttons(ended)
        assert len(reminders(lives, ended)) == 1
        wait_until(partial(is_cancelled, run), RUN_SECONDS)
    lives.told(1, f"New project {lives.stays.name}")


def is_cancelled(run: WorkflowRun) -> bool:
    """Tell whether a workflow run was cancelled."""
    return run.conclusion == "cancelled"


def reminders(lives: Lives, release: Message) -> list[Message]:
    """Return the reminders in the thread of a release's card."""
    said = lives.said("this release still waits")
    return [one for one in said if one.thread_ts == release.ts]


def test_a_sandbox_is_warned_of_three_times_and_destroyed_once(lives: Lives) -> None:
    for number, left in enumerate((7 * DAY, DAY, HOUR), start=1):
        lives.before_the_end(left)
        lives.told(number, f"the sandbox {lives.sandbox.name} ends in")
    lives.before_the_end(-MINUTE)
    lives.sandbox.run_message("Destroy · Destroyed")
    lives.move(A_WHILE)
    lives.told(1, f"the sandbox {lives.sandbox.name} has ended")
    shown = lives.sandbox.run_messages()
    assert sum("· Destroy · Destroyed" in text_of(one) for one in shown) == 1
    runs = sorted(lives.sandbox.world.github.runs(lives.sandbox.name), key=lambda run: run.id)
    removed = [run.inputs["stage"] for run in runs if run.inputs.get("action") == "destroy"]
    assert removed == STAGES_REMOVED
    assert list(left_at_databricks(lives.sandbox)) == []
    lives.told(3, f"the sandbox {lives.sandbox.name} ends in")


def test_owners_are_told_once_of_keys_that_are_due_and_once_that_they_are_overdue(
    lives: Lives,
) -> None:
    assert lives.said("keys due") == []
    lives.move(DUE - LIFE)
    lives.each_once("due for rotation")
    lives.move(7 * DAY)
    lives.each_once("overdue for rotation")
    lives.move(A_WHILE)
    for title in ("due for rotation", "overdue for rotation"):
        lives.each_once(title)


def test_keys_that_are_overdue_are_rotated_once_where_that_is_automatic(
    playground: Playground, lives: Lives
) -> None:
    before = Keys(lives.stays).all()
    settings = playground.world.directory / "sciclops.toml"
    with settings.open("a") as more:
        more.write('\n[security]\nrotation = "automatic"\n')
    for bot in lives.bots:
        playground.run(bot.restart(), RUN_SECONDS)
    lives.move(DAY)
    lives.stays.run_message("Key rotation · Done")
    lives.move(A_WHILE)
    shown = lives.stays.run_messages()
    assert sum("· Key rotation ·" in text_of(one) for one in shown) == 1
    keys = Keys(lives.stays).all()
    assert {name for name in keys if keys[name] == before[name]} == set()
    assert Keys(lives.stays).are_tidy()
