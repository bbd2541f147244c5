"""Who may release, until when, and what a card shows."""

from datetime import UTC, datetime, timedelta

import pytest
from test_workflow_run import a_job, a_run

from provisioning.release import (
    Card,
    Commit,
    Comparison,
    PlannedChange,
    Release,
    ReleasePlan,
    let_in_at,
    may_release,
    next_reminder,
    release_id,
)
from provisioning.release_message import Asked, release_notice
from provisioning.text import Span, code, plain
from provisioning.verdicts import Allowed, Refused
from provisioning.workflow_run import WorkflowJob

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
ADA = Commit(sha="a" * 40, title="feat: count purchases *too*", author="ada-l", url="http://x/c")


def a_release(**more: object) -> Release:
    """Return a release that waits."""
    plan = ReleasePlan(
        digest="d" * 64,
        commit="a" * 40,
        version="v0.2.0",
        changes=(
            PlannedChange(action="update", resource="jobs.daily", name="daily"),
            PlannedChange(action="delete", resource="jobs.old"),
        ),
    )
    since = Comparison(base="b" * 40, total=12, commits=(ADA,), url="http://x/compare")
    card = Card(
        commit=ADA,
        since=since,
        plan=plan,
        reviewers=("team:ml-reviewers",),
        logins=("rosa-p", "ada-l"),
        earlier=("Development", "Testing", "Staging"),
    )
    return Release.model_validate(
        {
            "id": release_id(7, 1, "Production"),
            "run": "7",
            "project": "ada-7",
            "environment": "Production",
            "attempt": 1,
            "sha": "a" * 40,
            "state": "open",
            "card": card,
            "asked_at": NOW,
            "deadline": NOW + timedelta(days=3),
            **more,
        }
    )


def login(name: str) -> Span:
    """Name a login of nobody in the chat."""
    return code(name)


def words(release: Release, asked: Asked | None = None) -> str:
    """Return all that a card says."""
    notice = release_notice(release, asked or Asked(people=("U0ROSA",)), login, "http://x/run")
    facts = (f"{fact.label}: {plain(fact.value)}" for fact in notice.facts)
    return "\n".join([notice.title, *map(plain, notice.body), *facts])


def test_nobody_releases_their_own_deployment_even_as_a_reviewer() -> None:
    verdict = may_release("Ada-L", reviewers={"ada-l", "rosa-p"}, initiators={"ada-l"})
    assert verdict == Refused(why="nobody releases their own deployment")


def test_only_a_reviewer_releases() -> None:
    assert isinstance(may_release("sam-s", reviewers={"rosa-p"}, initiators=set()), Refused)
    assert may_release("Rosa-P", reviewers={"rosa-p"}, initiators={"ada-l"}) == Allowed()


FAILED = a_job("Deploy Production", "completed", "failure")


@pytest.mark.parametrize(
    "job",
    [
        a_job("Deploy Production", "in_progress"),
        a_job("Deploy Production", "completed", "success"),
        FAILED.model_copy(update={"failed_step": "Deploy"}),
    ],
)
def test_a_deployment_that_has_worked_was_let_in(job: WorkflowJob) -> None:
    assert let_in_at(a_release(), a_run(jobs=(job,)))


@pytest.mark.parametrize(
    "job",
    [
        a_job("Deploy Production", "waiting"),
        a_job("Deploy Production", "queued"),
        a_job("Deploy Production", "completed", "cancelled"),
        a_job("Deploy Production", "completed", "success", attempt=2),
        a_job("Deploy Staging", "completed", "success"),
        FAILED,
    ],
)
def test_nothing_else_shows_that_a_deployment_was_let_in(job: WorkflowJob) -> None:
    assert let_in_at(a_release(), a_run(jobs=(job,))) is None


def test_reminders_back_off_and_end() -> None:
    hours = [(next_reminder(NOW, sent) or NOW) - NOW for sent in range(6)]
    assert [gap.total_seconds() / 3600 for gap in hours] == [4, 8, 16, 32, 64, 0]


def test_a_card_shows_commits_the_plan_earlier_stages_and_who_decides() -> None:
    said = words(a_release())
    assert "12 commits since the last release" in said
    assert "1 to change, 1 to delete" in said
    assert "change jobs.daily (daily)" in said
    assert "Development ✓, Testing ✓, Staging ✓" in said
    assert "May decide: U0ROSA" in said
    assert "v0.2.0" in said


def test_a_merge_is_not_listed_beside_its_change() -> None:
    before, change, merge = ("0" * 40, "a" * 40, "e" * 40)
    brought = Commit(sha=merge, title="Merge it", author="ada-l", parents=(before, change))
    alone = Commit(sha="f" * 40, title="Merge another", author="ada-l", parents=(merge, "9" * 40))
    since = Comparison(base=before, total=3, commits=(ADA, brought, alone))
    said = words(a_release(card=a_release().card.model_copy(update={"since": since})))
    assert "2 commits since the last release" in said
    assert "feat: count purchases" in said
    assert "Merge another" in said, "its change is older than what is listed"
    assert "Merge it" not in said


def test_a_card_without_a_plan_says_so_and_what_guards_then() -> None:
    card = a_release().card.model_copy(update={"plan": None, "since": None})
    said = words(a_release(card=card))
    assert "The bundle plan could not be read" in said
    assert "First release" in said


def test_a_card_that_cannot_be_compared_does_not_call_itself_the_first_release() -> None:
    card = a_release().card.model_copy(update={"base": "b" * 40, "since": None})
    said = words(a_release(card=card))
    assert "GitHub cannot compare with bbbbbbbb, which was released there last" in said
    assert "First release" not in said


def test_buttons_carry_commit_attempt_and_plan_and_are_gone_once_it_is_decided() -> None:
    waits = release_notice(a_release(), Asked(), login, "")
    assert [button.label for button in waits.buttons] == ["Approve", "Reject"]
    assert waits.buttons[0].words[2] == "aaaaaaaa-1-dddddddd"
    decided = a_release(state="approved", decided_login="rosa-p", comment="ship it")
    done = release_notice(decided, Asked(), login, "")
    assert not done.buttons
    assert "Approved by rosa-p: ship it" in words(decided)


def test_what_github_took_counts_not_what_was_on_its_way_there() -> None:
    said = words(
        a_release(
            state="rejected", verdict="approved", decided_login="rosa-p", why="decided on GitHub"
        )
    )
    assert "Rejected by rosa-p, decided on GitHub" in said
    assert "Approved" not in said


def test_what_timed_out_is_not_called_rejected() -> None:
    said = words(a_release(state="expired", why="nobody decided in time"))
    assert "Timed out" in said
    assert "ejected" not in said
