"""The App's rule while the bot dies, is away, or is asked by many at once through two processes."""

import asyncio

import pytest
from conversation import ANSWER_SECONDS, Conversation
from shipping import (
    card,
    decide,
    link,
    merge,
    no_dialog_is_left_open,
    run_says,
    second_process,
)
from waiting import wait_until

from playground.bot import BotProcess
from playground.cast import GRACE, PAT, ROSA
from playground.github.gates import LONGEST_NOTE
from playground.slack.reading import buttons
from playground.world import Choices, Playground

__all__ = ["no_dialog_is_left_open", "second_process"]
TIMES = 20


@pytest.fixture(scope="module")
def choices() -> Choices:
    """Return a playground where two people have to agree."""
    return Choices(edit_seconds=0.2, gate="app_rule", approvals_needed=2)


@pytest.fixture(scope="module")
def talk(playground: Playground) -> Conversation:
    """Return a conversation about a project that is ready."""
    talk = Conversation(playground, "rule-2")
    for person in (ROSA, GRACE, PAT):
        link(talk, person)
    talk.make()
    return talk


@pytest.mark.parametrize("verb", ["Approve", "Reject"])
@pytest.mark.parametrize("moment", ["before tell GitHub", "after tell GitHub", "after settle"])
def test_a_bot_that_dies_over_a_decision_tells_github_once(
    talk: Conversation, moment: str, verb: str
) -> None:
    bot = talk.world.bot
    run = merge(talk, f"feat: {verb.lower()} and die {moment.replace(' ', '-')}")
    decide(talk, talk.rosa, run, "Approve")
    card(talk, run, "1 of 2")
    talk.playground.run(bot.hold_at(moment))
    decide(talk, talk.pat, run, verb, "for the last time")
    talk.playground.run(bot.held())
    talk.playground.run(bot.kill())
    talk.playground.run(bot.start(), 100)
    done = {"Approve": "Approved", "Reject": "Rejected"}[verb]
    assert not buttons(card(talk, run, f"Production · {done}"))
    run_says(talk, run, {"Approve": "Deployed to Production", "Reject": "· Rejected"}[verb])
    assert [review.login for review in run.reviews] == ["sciclops-bot[bot]"]


def test_approvals_outlive_the_bot(talk: Conversation) -> None:
    run = merge(talk, "feat: one before, one after")
    decide(talk, talk.rosa, run, "Approve")
    card(talk, run, "1 of 2")
    talk.playground.run(talk.world.bot.kill())
    talk.playground.run(talk.world.bot.start(), 100)
    decide(talk, talk.pat, run, "Approve", "x" * 900)
    run_says(talk, run, "Deployed to Production")
    assert len(run.reviews[0].comment) <= LONGEST_NOTE


def test_what_began_to_wait_while_the_bot_was_down_is_asked_after_its_return(
    talk: Conversation,
) -> None:
    talk.playground.run(talk.world.bot.kill())
    run = merge(talk, "feat: while you were out")
    wait_until(lambda: any(job.status == "waiting" for job in run.present_jobs))
    talk.playground.run(talk.world.bot.start(), 100)
    assert set(buttons(card(talk, run, "0 of 2"))) == {"Approve", "Reject"}


def test_twenty_submissions_at_once_through_two_processes_are_two_approvals(
    talk: Conversation, second_process: BotProcess
) -> None:
    run = merge(talk, "feat: twenty at once")
    shown = card(talk, run)
    people = (talk.rosa, talk.pat, talk.grace)
    for person in people:
        person.press("Approve", on=shown)
        person.wait_for_view("It is kept at GitHub", timeout=ANSWER_SECONDS)
    views = [person.view() for person in people[:2]]

    async def submit_all() -> None:
        workspace = talk.world.slack.workspace
        await asyncio.gather(*(workspace.submit(view.user, view.id) for view in views))
        sent = [one for one in workspace.deliveries if one.what == "view_submission"][-2:]
        again = (workspace.redeliver(one, TIMES // 2 - 1, at_once=True) for one in sent)
        await asyncio.gather(*again)

    talk.playground.run(submit_all())
    card(talk, run, "Production · Approved")
    run_says(talk, run, "Deployed to Production")
    assert len(run.reviews) == 1
    assert run.reviews[0].comment.count("rosa (") == run.reviews[0].comment.count("pat (") == 1
    assert talk.refused(talk.grace)
    assert second_process.pid
