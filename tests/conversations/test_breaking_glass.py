"""Break-glass: a named few release without approvals, with a reason, and everybody hears of it."""

from datetime import timedelta

import pytest
from conversation import ANSWER_SECONDS, Conversation
from shipping import (
    REASON,
    break_glass,
    card,
    decide,
    link,
    merge,
    no_dialog_is_left_open,
    release_of,
    run_says,
)
from waiting import wait_until

from playground.cast import ADA, GRACE, PAT, ROSA
from playground.slack.reading import text_of
from playground.world import Choices, Playground
from provisioning import audit
from provisioning.database import Database

__all__ = ["no_dialog_is_left_open"]


@pytest.fixture(scope="module")
def choices() -> Choices:
    """Return a playground where two people have to agree, and Ada and Pat may break glass."""
    return Choices(edit_seconds=0.2, gate="app_rule", approvals_needed=2)


@pytest.fixture(scope="module")
def talk(playground: Playground) -> Conversation:
    """Return a conversation about a project that is ready."""
    talk = Conversation(playground, "glass-1")
    for person in (ROSA, GRACE, ADA, PAT):
        link(talk, person)
    talk.make()
    return talk


def test_one_s_own_deployment_is_let_in_and_everybody_hears_of_it(talk: Conversation) -> None:
    run = merge(talk, "fix: the shop")
    break_glass(talk, run)
    run_says(talk, run, "Deployed to Production")
    assert REASON in text_of(card(talk, run, "Let in by break-glass"))
    loud = talk.says("BREAK-GLASS: glass-1 to Production without approvals")
    assert REASON in text_of(loud)
    assert GRACE.slack in text_of(loud)
    for owner in (talk.ada, talk.grace):
        talk.told(owner, "BREAK-GLASS")
    (review,) = run.reviews
    assert review.comment == (
        f"BREAK-GLASS, let in without approvals, in Slack by ada (U0ADA): {REASON}"
    )


def test_the_audit_trail_names_who_why_and_what(talk: Conversation) -> None:
    url = f"sqlite:///{talk.world.directory / 'bot' / 'sciclops.sqlite'}"
    trail = audit.history(Database(url), talk.name)
    (broken,) = [entry for entry in trail if entry.what == "release being override"]
    assert (broken.who, broken.detail["login"]) == (ADA.slack, ADA.github)
    assert broken.detail["comment"] == REASON
    assert broken.detail["plan"] == "d" * 64


def test_a_reason_and_the_project_s_name_are_asked_for(talk: Conversation) -> None:
    run = merge(talk, "fix: confirm me")
    talk.ada.type(f"/sciclops break-glass {release_of(talk, run)}")
    talk.ada.wait_for_view("are missing", timeout=ANSWER_SECONDS)
    talk.ada.fill({"reason": "now", "project": "glass-2"})
    assert set(talk.refused(talk.ada)) == {"reason", "project"}
    assert not run.reviews


def test_others_are_refused(talk: Conversation) -> None:
    run = merge(talk, "fix: not for rosa")
    talk.rosa.type(f"/sciclops break-glass {release_of(talk, run)}")
    talk.told(talk.rosa, "only members of the break-glass group may do it")
    assert not run.reviews


def test_a_rejection_is_never_overridden_not_even_in_a_later_attempt(talk: Conversation) -> None:
    run = merge(talk, "fix: rejected")
    decide(talk, talk.rosa, run, "Reject", "no")
    rejected = release_of(talk, run, "Rejected by")
    talk.ada.type(f"/sciclops break-glass {rejected}")
    talk.told(talk.ada, "never for a rejection")
    run_says(talk, run, "· Rejected")
    talk.world.github.rerun(ADA.github, run.id)
    talk.pat.type(f"/sciclops break-glass {release_of(talk, run, 'attempt 2')}")
    talk.told(talk.pat, "never for a rejection")


def test_what_has_timed_out_is_begun_again_and_let_in(talk: Conversation) -> None:
    run = merge(talk, "fix: too late")
    card(talk, run)
    talk.world.clock.advance(timedelta(days=3, hours=1))
    card(talk, run, "Timed out")
    wait_until(lambda: run.conclusion == "cancelled", 60)
    break_glass(talk, run, "Timed out")
    run_says(talk, run, "Deployed to Production")
    assert (run.attempt, run.conclusion) == (2, "success")
    assert REASON in text_of(card(talk, run, "Let in by break-glass"))


def test_a_bot_that_dies_over_broken_glass_lets_it_in_and_cries_out(talk: Conversation) -> None:
    bot = talk.world.bot
    run = merge(talk, "fix: dies over it")
    card(talk, run)
    talk.playground.run(bot.hold_at("before tell GitHub"))
    break_glass(talk, run)
    talk.playground.run(bot.held())
    talk.playground.run(bot.kill())
    talk.playground.run(bot.start(), 100)
    run_says(talk, run, "Deployed to Production")
    assert len(run.reviews) == 1
    talk.says(f"commit {run.sha[:8]}, in with 0 of 2 approvals")


def test_a_bot_that_dies_before_it_begins_again_does_so_after_its_return(
    talk: Conversation,
) -> None:
    bot = talk.world.bot
    run = merge(talk, "fix: dies before beginning again")
    card(talk, run)
    talk.world.clock.advance(timedelta(days=3, hours=1))
    card(talk, run, "Timed out")
    wait_until(lambda: run.conclusion == "cancelled", 60)
    talk.playground.run(bot.hold_at("before begin again"))
    break_glass(talk, run, "Timed out")
    talk.playground.run(bot.held())
    talk.playground.run(bot.kill())
    talk.playground.run(bot.start(), 100)
    run_says(talk, run, "Deployed to Production")
    assert run.attempt == 2


def test_what_something_newer_has_replaced_stays_out(talk: Conversation) -> None:
    older = merge(talk, "fix: older")
    named = release_of(talk, older)
    newer = merge(talk, "fix: newer")
    card(talk, newer)
    card(talk, older, "a newer commit waits")
    talk.ada.type(f"/sciclops break-glass {named}")
    talk.told(talk.ada, "a newer commit waits")
