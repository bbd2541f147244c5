"""The same without a public address: the bot asks GitHub, and misses nothing."""

import time

import pytest
from conversation import Conversation
from shipping import card, decide, link, merge, run_says
from waiting import wait_until

from playground.cast import ROSA
from playground.slack.reading import buttons
from playground.world import Choices, Playground

SECONDS = 60
"""So soon after its return the bot has found everything."""


@pytest.fixture(scope="module")
def choices() -> Choices:
    """Return a playground whose GitHub has nobody to tell."""
    return Choices(edit_seconds=0.2, webhooks=False)


@pytest.fixture(scope="module")
def talk(playground: Playground) -> Conversation:
    """Return a conversation about a project that is ready."""
    talk = Conversation(playground, "poll-1")
    link(talk, ROSA)
    talk.make()
    return talk


def test_a_release_is_asked_decided_and_followed_to_its_end(talk: Conversation) -> None:
    run = merge(talk, "feat: found by asking")
    decide(talk, talk.rosa, run, "Approve", "fine")
    card(talk, run, "Approved by")
    run_says(talk, run, "Deployed to Production")


def test_a_decision_on_github_is_found_too(talk: Conversation) -> None:
    run = merge(talk, "feat: decided on the page")
    card(talk, run)
    github = talk.world.github
    github.review_deployment(ROSA.github, run.id, "Production", approved=False, comment="no")
    assert not buttons(card(talk, run, "Rejected by"))
    run_says(talk, run, "· Rejected")


def test_what_began_to_wait_while_the_bot_was_down_is_found_by_asking(talk: Conversation) -> None:
    talk.playground.run(talk.world.bot.kill())
    run = merge(talk, "feat: nobody was told")
    wait_until(lambda: any(job.status == "waiting" for job in run.present_jobs))
    talk.playground.run(talk.world.bot.start(), 100)
    began = time.monotonic()
    assert set(buttons(card(talk, run))) == {"Approve", "Reject"}
    assert time.monotonic() - began < SECONDS
    talk.playground.run(talk.world.bot.kill())
    github = talk.world.github
    github.review_deployment(ROSA.github, run.id, "Production", approved=True, comment="meanwhile")
    wait_until(lambda: run.status == "completed")
    talk.playground.run(talk.world.bot.start(), 100)
    assert not buttons(card(talk, run, "decided on GitHub"))
    run_says(talk, run, "Deployed to Production")
