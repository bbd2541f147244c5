"""The App's rule as the gate: two of several people, each once, and what breaks the glass."""

import asyncio
from collections.abc import Iterator

import pytest
from conversation import ANSWER_SECONDS, Conversation
from played_runs import PlayedRunner
from shipping import card, decide, find, link, merge, run_says
from waiting import wait_until

from playground.cast import ADA, GRACE, PAT, ROSA
from playground.github.runs import WorkflowRun
from playground.slack.reading import buttons, text_of
from playground.world import Choices, Playground


@pytest.fixture(scope="module")
def choices() -> Choices:
    """Return a playground where two people have to agree."""
    return Choices(edit_seconds=0.2, gate="app_rule", approvals_needed=2)


@pytest.fixture(scope="module")
def talk(playground: Playground) -> Conversation:
    """Return a conversation about a project that is ready.

    Rosa and Grace review it; Pat and Grace may release every project; Ada and Pat break glass.
    """
    talk = Conversation(playground, "rule-1")
    for person in (ROSA, GRACE, ADA, PAT):
        link(talk, person)
    talk.make()
    return talk


@pytest.fixture(autouse=True)
def no_dialog_is_left_open(talk: Conversation) -> Iterator[None]:
    """Close what a test left open."""
    yield
    talk.world.slack.workspace.stacks.clear()


@pytest.fixture
def runner(talk: Conversation) -> PlayedRunner:
    """Return what plays the runs."""
    runner = talk.world.github.runner
    assert isinstance(runner, PlayedRunner)
    return runner


def answers(run: WorkflowRun) -> list[tuple[str, str]]:
    """Return what GitHub has heard, and from whom."""
    return [(review.login, review.state) for review in run.reviews]


def test_the_rule_holds_production_alone_and_no_reviewer_does(talk: Conversation) -> None:
    environments = talk.world.github.repos[talk.name].environments
    ruled = {name for name, each in environments.items() if each.custom_rule}
    assert ruled == {"Production"}
    assert not any(each.reviewers for each in environments.values())


def test_two_people_release_and_the_card_counts_them(talk: Conversation) -> None:
    run = merge(talk, "feat: two of them")
    shown = card(talk, run, "Waiting for approval · 0 of 2")
    assert set(buttons(shown)) == {"Approve", "Reject"}
    decide(talk, talk.rosa, run, "Approve", "looks right")
    talk.told(talk.rosa, "1 of 2 approvals are there")
    waits = card(talk, run, "Waiting for approval · 1 of 2")
    assert "1 of 2" in text_of(waits)
    assert "looks right" in text_of(waits)
    assert buttons(waits)
    assert not run.reviews
    decide(talk, talk.pat, run, "Approve", "me too")
    done = card(talk, run, "Production · Approved")
    assert "looks right" in text_of(done)
    assert "me too" in text_of(done)
    assert not buttons(done)
    run_says(talk, run, "Deployed to Production")
    assert answers(run) == [("sciclops-bot[bot]", "approved")]
    assert run.reviews[0].comment == (
        "Approved in Slack by rosa (U0ROSA): looks right; pat (U0PAT): me too"
    )


def test_the_same_person_counts_once(talk: Conversation) -> None:
    run = merge(talk, "feat: twice the same")
    decide(talk, talk.rosa, run, "Approve")
    card(talk, run, "1 of 2")
    decide(talk, talk.rosa, run, "Approve")
    talk.told(talk.rosa, "You have approved this already")
    assert not run.reviews


def test_one_rejection_settles_whatever_was_approved(talk: Conversation) -> None:
    run = merge(talk, "feat: one no")
    decide(talk, talk.rosa, run, "Approve")
    card(talk, run, "1 of 2")
    decide(talk, talk.pat, run, "Reject", "not on a Friday")
    assert "not on a Friday" in text_of(card(talk, run, "Rejected by"))
    run_says(talk, run, "· Rejected")
    assert answers(run) == [("sciclops-bot[bot]", "rejected")]
