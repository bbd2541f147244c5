"""Releases while the bot is away, while nobody answers, and while many answer at once."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from conversation import ANSWER_SECONDS, Conversation
from shipping import card, decide, find, link, merge, run_says, second_process
from waiting import wait_until

from playground.bot import BotProcess
from playground.cast import GRACE, ROSA
from playground.github.runs import WorkflowRun
from playground.slack.reading import buttons, text_of
from playground.world import Playground

__all__ = ["second_process"]
TIMES = 20


@pytest.fixture(scope="module")
def talk(playground: Playground) -> Conversation:
    """Return a conversation about a project that is ready."""
    talk = Conversation(playground, "time-1")
    for person in (ROSA, GRACE):
        link(talk, person)
    talk.make()
    return talk


@pytest.fixture(autouse=True)
def no_dialog_is_left_open(talk: Conversation) -> Iterator[None]:
    """Close what a test left open."""
    yield
    talk.world.slack.workspace.stacks.clear()


def waiting(run: WorkflowRun) -> bool:
    """Tell whether a run waits at a gate."""
    return any(job.status == "waiting" for job in run.present_jobs)


def test_what_began_to_wait_while_the_bot_was_down_is_asked_after_its_return(
    talk: Conversation,
) -> None:
    bot = talk.world.bot
    talk.playground.run(bot.kill())
    run = merge(talk, "feat: while you were out")
    wait_until(lambda: waiting(run))
    talk.playground.run(bot.start(), 100)
    assert set(buttons(card(talk, run))) == {"Approve", "Reject"}
    decide(talk, talk.rosa, run, "Approve")
    run_says(talk, run, "Deployed to Production")


def test_what_was_decided_on_github_while_the_bot_was_down_is_shown_after_its_return(
    talk: Conversation,
) -> None:
    run = merge(talk, "feat: decided meanwhile")
    card(talk, run)
    talk.playground.run(talk.world.bot.kill())
    talk.world.github.review_deployment(
        ROSA.github, run.id, "Production", approved=True, comment="meanwhile"
    )
    wait_until(lambda: run.status == "completed")
    talk.playground.run(talk.world.bot.start(), 100)
    assert not buttons(card(talk, run, "decided on GitHub"))
    run_says(talk, run, "Deployed to Production")


@pytest.mark.parametrize("moment", ["before tell GitHub", "after tell GitHub", "after settle"])
def test_a_bot_that_dies_over_a_decision_takes_it_once(talk: Conversation, moment: str) -> None:
    bot = talk.world.bot
    run = merge(talk, f"feat: dies {moment.replace(' ', '-')}")
    card(talk, run)
    talk.playground.run(bot.hold_at(moment))
    decide(talk, talk.rosa, run, "Approve", "once")
    talk.playground.run(bot.held())
    talk.playground.run(bot.kill())
    talk.playground.run(bot.start(), 100)
    card(talk, run, "Approved by")
    run_says(talk, run, "Deployed to Production")
    assert [review.login for review in run.reviews] == [ROSA.github]


def test_twenty_submissions_at_once_through_two_processes_are_one_decision(
    talk: Conversation, second_process: BotProcess
) -> None:
    run = merge(talk, "feat: twenty at once")
    shown = card(talk, run)
    people = (talk.rosa, talk.grace)
    for person in people:
        person.press("Approve", on=shown)
        person.wait_for_view("It is kept at GitHub", timeout=ANSWER_SECONDS)
    views = [person.view() for person in people]

    async def submit_all() -> None:
        workspace = talk.world.slack.workspace
        await asyncio.gather(*(workspace.submit(view.user, view.id) for view in views))
        sent = [one for one in workspace.deliveries if one.what == "view_submission"][-2:]
        again = (workspace.redeliver(one, TIMES // 2 - 1, at_once=True) for one in sent)
        await asyncio.gather(*again)

    talk.playground.run(submit_all())
    card(talk, run, "Approved by")
    run_says(talk, run, "Deployed to Production")
    assert len(run.reviews) == 1
    assert second_process.pid


def test_reviewers_are_reminded_and_in_the_end_it_times_out_and_frees_the_queue(
    talk: Conversation,
) -> None:
    run = merge(talk, "feat: nobody answers")
    shown = card(talk, run)
    talk.world.clock.advance(timedelta(hours=4, minutes=1))
    reminder = talk.says("this release still waits")
    assert reminder.thread_ts == shown.ts
    talk.world.clock.advance(timedelta(days=3))
    ended = card(talk, run, "Timed out")
    assert not buttons(ended)
    assert "ejected" not in text_of(ended)
    wait_until(lambda: run.conclusion == "cancelled", 60)
    run_says(talk, run, "Timed out")
    assert find(talk, run, "Waiting for approval") is None
