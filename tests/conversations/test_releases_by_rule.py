"""The App's rule as the gate: two of several people, each once, and what breaks the glass."""

import pytest
from conversation import Conversation
from played_runs import PlayedRunner
from shipping import card, decide, find, link, merge, no_dialog_is_left_open, run_says
from waiting import wait_until

from playground.cast import ADA, GRACE, PAT, ROSA
from playground.github.runs import WorkflowRun
from playground.slack.reading import buttons, text_of
from playground.world import Choices, Playground

__all__ = ["no_dialog_is_left_open"]


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


def answers(run: WorkflowRun) -> list[tuple[str, str]]:
    """Return what GitHub has heard, and from whom."""
    return [(review.login, review.state) for review in run.reviews]


def test_the_rule_holds_production_alone_and_no_reviewer_does(talk: Conversation) -> None:
    environments = talk.world.github.repos[talk.name].environments
    ruled = {name for name, each in environments.items() if each.custom_rule}
    assert ruled == {"Production"}
    assert not any(each.reviewers for each in environments.values())


def test_who_asked_for_a_project_never_releases_its_first_deployment_which_our_app_has_begun(
    talk: Conversation,
) -> None:
    run = talk.world.github.runs(talk.name)[0]
    assert run.actor == "sciclops-bot[bot]"
    team = talk.world.github.world.teams["ml-reviewers"]
    team.members.add(ADA.github)
    try:
        talk.ada.press("Approve", on=card(talk, run))
        talk.told(talk.ada, "nobody releases their own deployment")
    finally:
        team.members.discard(ADA.github)
    assert not run.reviews


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
    talk.rosa.press("Approve", on=card(talk, run, "1 of 2"))
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


def test_nobody_releases_what_they_have_pushed_though_github_could_not_stop_them(
    talk: Conversation,
) -> None:
    run = merge(talk, "feat: my own", by=GRACE)
    talk.grace.press("Approve", on=card(talk, run))
    talk.told(talk.grace, "nobody releases their own deployment")
    assert "0 of 2" in text_of(card(talk, run))


def test_whoever_is_neither_reviewer_nor_in_the_group_is_refused(talk: Conversation) -> None:
    run = merge(talk, "feat: not for ada", by=GRACE)
    talk.ada.press("Approve", on=card(talk, run))
    talk.told(talk.ada, "only the project's reviewers and the people who release all projects")
    assert "0 of 2" in text_of(card(talk, run))


def test_whoever_is_unknown_at_github_is_refused_since_it_may_be_their_own(
    talk: Conversation,
) -> None:
    run = merge(talk, "feat: unknown")
    talk.dora.press("Approve", on=card(talk, run))
    talk.told(talk.dora, "I don't know which GitHub account is yours")


def test_a_reviewer_who_has_left_the_team_is_refused_at_the_click(talk: Conversation) -> None:
    run = merge(talk, "feat: later rights")
    shown = card(talk, run)
    team = talk.world.github.world.teams["ml-reviewers"]
    team.members.discard(ROSA.github)
    try:
        talk.rosa.press("Approve", on=shown)
        talk.told(talk.rosa, "only the project's reviewers and the people who release all projects")
    finally:
        team.members.add(ROSA.github)


def test_a_newer_commit_voids_what_was_approved(talk: Conversation) -> None:
    older = merge(talk, "feat: older")
    decide(talk, talk.rosa, older, "Approve")
    card(talk, older, "1 of 2")
    newer = merge(talk, "feat: newer")
    card(talk, newer, "0 of 2")
    assert not buttons(card(talk, older, "a newer commit waits"))
    wait_until(lambda: older.conclusion == "cancelled")
    assert not older.reviews


def test_another_attempt_voids_what_was_approved(talk: Conversation) -> None:
    run = merge(talk, "feat: once more")
    decide(talk, talk.rosa, run, "Approve")
    card(talk, run, "1 of 2")
    talk.world.github.cancel_run(ADA.github, run.id)
    card(talk, run, "the run has ended")
    talk.world.github.rerun(ADA.github, run.id)
    assert "attempt 2" in text_of(card(talk, run, "0 of 2"))
    decide(talk, talk.pat, run, "Approve")
    card(talk, run, "1 of 2")
    assert not run.reviews


def test_a_changed_plan_voids_what_was_approved_and_is_shown(
    talk: Conversation, runner: PlayedRunner
) -> None:
    run = merge(talk, "feat: planned anew")
    decide(talk, talk.rosa, run, "Approve")
    outdated = card(talk, run, "1 of 2")
    talk.playground.run(plan_again(runner, run))
    talk.pat.press("Approve", on=outdated)
    talk.told(talk.pat, "This card is out of date")
    card(talk, run, "1 to delete")
    assert find(talk, run, "Waiting for approval · 0 of 2")
    decide(talk, talk.pat, run, "Approve")
    card(talk, run, "1 of 2")
    decide(talk, talk.rosa, run, "Approve")
    run_says(talk, run, "Deployed to Production")


async def plan_again(runner: PlayedRunner, run: WorkflowRun) -> None:
    """Put another plan in the place of a run's, as `overwrite` of upload-artifact does."""
    run.artifacts[:] = [one for one in run.artifacts if one.name != "plan-Production"]
    runner.plan_anew(run, "Production", [{"action": "delete", "resource": "jobs.ada"}])


def test_what_waits_is_listed_for_whoever_may_release_it(talk: Conversation) -> None:
    run = merge(talk, "feat: to be listed")
    card(talk, run)
    talk.pat.type("/sciclops approvals")
    talk.told(talk.pat, "Approvals · 1 waiting, 1 for you")
    talk.pat.open_home()
    talk.pat.wait_for_home(f"{talk.name}: your decision on Production")
    decide(talk, talk.pat, run, "Approve")
    card(talk, run, "1 of 2")
    talk.pat.type("/sciclops approvals")
    talk.told(talk.pat, "Approvals · 1 waiting, 0 for you")
    talk.dora.type("/sciclops approvals")
    talk.told(talk.dora, "Approvals · 1 waiting, 0 for you")
