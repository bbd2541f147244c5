"""The App's rule without a public address, and without linked accounts: the settings vouch."""

import pytest
from conversation import Conversation
from shipping import card, decide, merge, run_says

from playground.cast import GRACE, PAT, ROSA
from playground.slack.reading import buttons
from playground.world import Choices, Playground


@pytest.fixture(scope="module")
def choices() -> Choices:
    """Return a playground whose GitHub tells nobody anything, and where nobody links."""
    vouched = {person.slack: person.github for person in (ROSA, GRACE, PAT)}
    return Choices(edit_seconds=0.2, webhooks=False, gate="app_rule", logins=vouched)


@pytest.fixture(scope="module")
def talk(playground: Playground) -> Conversation:
    """Return a conversation about a project that is ready."""
    talk = Conversation(playground, "rule-3")
    talk.make()
    return talk


def test_one_approval_is_enough_where_one_is_asked_for(talk: Conversation) -> None:
    run = merge(talk, "feat: found by asking")
    decide(talk, talk.rosa, run, "Approve", "fine")
    card(talk, run, "Approved by")
    run_says(talk, run, "Deployed to Production")
    assert run.reviews[0].login == "sciclops-bot[bot]"


def test_who_is_vouched_for_does_not_release_their_own_either(talk: Conversation) -> None:
    run = merge(talk, "feat: my own", by=GRACE)
    talk.grace.press("Approve", on=card(talk, run))
    talk.told(talk.grace, "nobody releases their own deployment")
    assert buttons(card(talk, run))


def test_who_is_not_vouched_for_is_told_whom_to_ask(talk: Conversation) -> None:
    run = merge(talk, "feat: unknown")
    talk.dora.press("Approve", on=card(talk, run))
    talk.told(talk.dora, "I don't know which GitHub account is yours")
