"""What people do with a project that is ready: link, merge, review, release."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from conversation import ANSWER_SECONDS, Conversation
from waiting import wait_until

from playground.bot import BotProcess, free_port
from playground.cast import ADA, GRACE, Person
from playground.github.runs import WorkflowRun
from playground.slack.entities import Message
from playground.slack.reading import text_of
from playground.world import Playground

CODE = re.compile(r"[A-Z0-9]{4}-[A-Z0-9]{4}")
INTERVAL = timedelta(seconds=6)
"""GitHub wants to be asked at most every five seconds."""
REASON = "the shop is down, reviewers are asleep"
"""Why glass is broken."""


def link(talk: Conversation, person: Person) -> None:
    """Let somebody link their GitHub account, as `/sciclops link` says."""
    typing = talk.playground.person(person.slack)
    typing.type("/sciclops link")
    told = talk.told(typing, "Link your GitHub account")
    flow = talk.world.github.device_flow
    code = next(word for word in text_of(told).split() if CODE.fullmatch(word))
    assert "all set" in flow.enter(person.github, code)
    talk.world.clock.advance(INTERVAL)
    typing.press("I Have Entered It", on=told)
    talk.told(typing, f"Linked: at GitHub you are {person.github}")


def merge(talk: Conversation, title: str, by: Person = ADA) -> WorkflowRun:
    """Merge a change through a reviewed pull request; return the run that its push begins."""
    github, name = talk.world.github, talk.name
    branch = title.lower().replace(" ", "-").replace(":", "")
    before = {run.id for run in github.runs(name) if run.event == "push"}
    github.push(by.github, name, {f"notes/{branch}.md": f"# {title}\n"}, title, branch)
    pull = github.open_pull_request(by.github, name, branch, title)
    wait_until(lambda: all(run.status == "completed" for run in _of_pulls(talk)), talk.run_seconds)
    reviewer = GRACE if by is ADA else ADA
    github.review_pull_request(reviewer.github, name, pull.number)
    github.merge_pull_request(by.github, name, pull.number)
    return next(run for run in github.runs(name) if run.event == "push" and run.id not in before)


def _of_pulls(talk: Conversation) -> list[WorkflowRun]:
    return [run for run in talk.world.github.runs(talk.name) if run.event == "pull_request"]


def card(talk: Conversation, run: WorkflowRun, says: str = "Waiting for approval") -> Message:
    """Wait until the card of a run's release to Production says this."""
    return talk.ada.wait_until(lambda: find(talk, run, says), timeout=talk.run_seconds)


def find(talk: Conversation, run: WorkflowRun, says: str) -> Message | None:
    """Return the card of a run, if it says this now."""
    for message in reversed(talk.ada.visible_messages()):
        text = text_of(message)
        if f"Workflow run: {run.id}" in text and says in text:
            return message
    return None


def run_says(talk: Conversation, run: WorkflowRun, words: str) -> Message:
    """Wait until the channel message of a workflow run says this."""

    def look() -> Message | None:
        for message in reversed(talk.ada.visible_messages()):
            text = text_of(message)
            if f"Workflow run `{run.id}`" in text and words in text:
                return message
        return None

    return talk.ada.wait_until(look, timeout=talk.run_seconds)


def decide(talk: Conversation, person: Any, run: WorkflowRun, verb: str, comment: str = "") -> None:
    """Press Approve or Reject on a run's card, and submit the dialog with a comment."""
    person.press(verb, on=card(talk, run))
    person.wait_for_view("It is kept at GitHub", timeout=ANSWER_SECONDS)
    if comment:
        person.fill({"comment": comment})
    errors = person.submit()
    assert errors is None, errors


def release_of(talk: Conversation, run: WorkflowRun, says: str = "Release") -> str:
    """Return the id that a run's card shows."""
    words = text_of(card(talk, run, says)).replace("`", " ").split()
    return next(word for word in words if word.startswith("rel-"))


def break_glass(talk: Conversation, run: WorkflowRun, says: str = "Waiting for approval") -> None:
    """Break glass as Ada, who has pushed what is released."""
    talk.ada.type(f"/sciclops break-glass {release_of(talk, run, says)}")
    talk.ada.wait_for_view("are missing", timeout=ANSWER_SECONDS)
    talk.ada.fill({"reason": REASON, "project": talk.name})
    assert talk.ada.submit() is None


@pytest.fixture(autouse=True)
def no_dialog_is_left_open(talk: Conversation) -> Iterator[None]:
    """Close what a test left open, where a module shares its conversation."""
    yield
    talk.world.slack.workspace.stacks.clear()


@pytest.fixture
def second_process(talk: Conversation) -> Iterator[BotProcess]:
    """Run another bot on the same database: Slack hands each delivery to either of them."""
    with another_process(talk.playground, "second") as other:
        assert other.pid != talk.world.bot.pid
        yield other


@contextmanager
def another_process(playground: Playground, name: str) -> Iterator[BotProcess]:
    """Run one more bot on a playground's database."""
    world, port = playground.world, free_port()
    secrets = world.secrets() | {"SCICLOPS__SLACK__PORT": str(port)}
    log = world.directory / f"{name}.log"
    other = BotProcess(
        world.directory / "sciclops.toml", world.directory / "clock", log, secrets, port
    )
    playground.run(other.start(), 100)
    try:
        yield other
    finally:
        playground.run(other.stop())
