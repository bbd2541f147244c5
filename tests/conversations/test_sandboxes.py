"""The life of a sandbox, in seconds: warned three times, extended, warned again, and destroyed.

Other processes sweep beside the bot: whatever they find due is told once all the same.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from conversation import ANSWER_SECONDS, RUN_SECONDS, Conversation
from waiting import wait_until

from bot.settings import load
from bot.wiring import Bot
from playground.slack.entities import Message, Surface
from playground.slack.reading import buttons, text_of
from playground.world import Playground
from provisioning import audit
from provisioning.sandbox import end_of
from provisioning.sandbox_times import SandboxTimes

DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
LIFE = 30 * DAY
"""What the form proposes."""


class Sandbox:
    """A sandbox that was just made, and two processes that sweep as the bot does."""

    def __init__(self, talk: Conversation) -> None:
        self.talk = talk
        world = talk.world
        settings = load(world.directory / "sciclops.toml", world.secrets())
        self.others = [Bot(settings, world.clock, None) for _ in range(2)]
        self.until = world.clock.now().date() + LIFE

    def move(self, before: timedelta) -> None:
        """Move time to so long before the end, and have the other processes sweep at once."""
        clock = self.talk.world.clock
        clock.advance(end_of(self.until) - before + SECOND - clock.now())
        sweeps = [SandboxTimes(one.store, one.requesting, clock) for one in 2 * self.others]
        with ThreadPoolExecutor(len(sweeps)) as pool:
            for swept in [pool.submit(one.sweep) for one in sweeps]:
                swept.result()

    def warnings(self) -> list[Message]:
        """Return every warning that the channel's thread has, settled ones as well."""
        thread = self.talk.ada.thread(self.talk.run_message("Ready in"))
        return [one for one in thread if f"the sandbox {self.talk.name} ends" in text_of(one)]

    def warned(self, number: int, left: str) -> Message:
        """Wait for the latest warning, which must be the only one more."""
        wait_until(lambda: len(self.warnings()) >= number, RUN_SECONDS)
        found = self.warnings()
        assert len(found) == number
        assert f"ends in {left}: " in text_of(found[-1])
        return found[-1]

    def answered(self, words: str, said: str) -> Message:
        """Type something as Ada; return the answer."""
        self.talk.ada.type(f"/sciclops {words}")
        return self.talk.told(self.talk.ada, said)


def shows(surface: Surface, until: date) -> bool:
    """Tell whether the end that a date means is shown, in each reader's own time zone."""
    return str(int(end_of(until).timestamp())) in json.dumps(surface.blocks)


@pytest.fixture(scope="module")
def sandbox(playground: Playground) -> Iterator[Sandbox]:
    """Ask for a sandbox as the form proposes it, and wait until it is ready."""
    talk = Conversation(playground, "sand-1")
    made = Sandbox(talk)
    talk.fill()
    talk.ada.fill({"lifetime": "sandbox"})
    form = text_of(talk.view_says("Sandbox until"))
    assert "everything in it is destroyed at the end of that day (UTC)" in form
    assert talk.ada.submit() is None
    talk.run_message("Waiting for confirmation")
    talk.press("Confirm & Apply")
    talk.run_message("Ready in")
    yield made
    for other in made.others:
        other.database.close()


@pytest.fixture(autouse=True)
def no_dialog_is_left_open(sandbox: Sandbox) -> Iterator[None]:
    """Close what a test left open."""
    yield
    sandbox.talk.world.slack.workspace.stacks.clear()


def test_status_and_home_show_the_end_with_the_days_left(sandbox: Sandbox) -> None:
    said = sandbox.answered(f"status {sandbox.talk.name}", "Sandbox until")
    assert shows(said, sandbox.until)
    assert "days left)" in text_of(said)
    sandbox.talk.ada.open_home()
    home = sandbox.talk.ada.wait_for_home("days left)", timeout=ANSWER_SECONDS)
    assert shows(home, sandbox.until)


def test_owners_are_warned_three_times_once_each(sandbox: Sandbox) -> None:
    sandbox.move(7 * DAY)
    first = sandbox.warned(1, "7 days")
    assert list(buttons(first)) == ["Extend", "Destroy Now"]
    assert "U0ADA U0GRACE the sandbox " in text_of(first)
    assert shows(first, sandbox.until)
    sandbox.move(DAY)
    sandbox.warned(2, "1 day")
    sandbox.move(HOUR)
    sandbox.warned(3, "1 hour")


def test_only_owners_and_the_platform_team_extend_and_only_so_far(sandbox: Sandbox) -> None:
    talk, name = sandbox.talk, sandbox.talk.name
    talk.sam.type(f"/sciclops extend {name}")
    talk.told(talk.sam, "only an owner of the project or the platform team can do that")
    sandbox.answered("extend", "Which sandbox? Type /sciclops extend and its name.")
    sandbox.answered("extend nothing-like-it", "There is no project “nothing-like-it”.")
    sandbox.answered(f"extend {name} tomorrow", "Give the new end date as year, month and day")
    said = sandbox.answered(f"extend {name} {sandbox.until}", f"{name} lives until")
    assert shows(said, sandbox.until)
    earlier = sandbox.until - DAY
    sandbox.answered(f"extend {name} {earlier}", "already: choose a later day.")


def test_an_owner_extends_it_in_the_dialog_and_warnings_begin_again(sandbox: Sandbox) -> None:
    talk = sandbox.talk
    latest = sandbox.warnings()[-1]
    talk.grace.press("Extend", on=latest)
    view = talk.view_says("Sandbox until", talk.grace)
    proposed = date.fromisoformat(view.values["until"]["until"]["selected_date"])
    assert proposed == sandbox.until + LIFE
    today = talk.world.clock.now().date()
    talk.grace.fill({"until": today + 91 * DAY})
    refused = talk.refused(talk.grace)
    assert "At most 90 days from today" in refused["until"]
    talk.grace.fill({"until": proposed})
    assert talk.grace.submit() is None
    settled = "Extended by U0GRACE"
    wait_until(lambda: all(settled in text_of(one) for one in sandbox.warnings()), RUN_SECONDS)
    assert all(shows(one, proposed) for one in sandbox.warnings())
    assert [list(buttons(one)) for one in sandbox.warnings()] == [[], [], []]
    entry = audit.history(sandbox.others[0].database, talk.name)[-1]
    assert (entry.who, entry.what) == (talk.grace.user, "extended the sandbox")
    said = sandbox.answered(f"status {talk.name}", "(30 days left, extended 1 time)")
    assert shows(said, proposed)
    sandbox.until = proposed
    sandbox.move(7 * DAY)
    sandbox.warned(4, "7 days")


def test_a_bot_that_was_down_gives_only_the_most_urgent_warning(sandbox: Sandbox) -> None:
    talk = sandbox.talk
    talk.playground.run(talk.world.bot.kill())
    talk.world.clock.advance(7 * DAY - 5 * HOUR)
    talk.playground.run(talk.world.bot.start(), 100)
    sandbox.warned(5, "5 hours")


def test_once_the_end_has_passed_its_destruction_begins(sandbox: Sandbox) -> None:
    talk = sandbox.talk
    talk.world.clock.advance(5 * HOUR)
    over = talk.says(f"the sandbox {talk.name} has ended")
    assert over.thread_ts == talk.run_message("Ready in").ts
    assert not buttons(sandbox.warnings()[-1])
    sandbox.answered(f"extend {talk.name}", f"{talk.name} is being destroyed")


def test_a_sandbox_that_never_became_ready_ends_too(playground: Playground) -> None:
    talk = Conversation(playground, "sand-2")
    until = talk.world.clock.now().date() + LIFE
    talk.fill().fill({"lifetime": "sandbox"})
    talk.view_says("Sandbox until")
    assert talk.ada.submit() is None
    talk.run_message("Waiting for confirmation")
    talk.world.providers.fail("databricks_grant", 100, "Not now")
    talk.press("Confirm & Apply")
    talk.run_message("Failed")
    talk.world.providers.clear()
    assert talk.principals() != []

    clock = talk.world.clock
    clock.advance(end_of(until) - clock.now() + SECOND)
    talk.says(f"the sandbox {talk.name} has ended")
    talk.run_message("Destroy · Destroyed")
    assert talk.principals() == []
    assert talk.world.github.repos[talk.name].archived
