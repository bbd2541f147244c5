"""From a merge to production: the run in the channel, its card, decisions by proven people."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from conversation import Conversation
from played_runs import PlayedRunner
from shipping import card, decide, link, merge, run_says
from waiting import wait_until

from bot.answers import WAITING
from playground.cast import ADA, GRACE, PAT, ROSA
from playground.faults import Fault
from playground.slack.reading import buttons, text_of
from playground.world import Playground
from provisioning.release_outcomes import LAG

MANY = 100


@pytest.fixture(scope="module")
def talk(playground: Playground) -> Conversation:
    """Return a conversation about a project that is ready; Rosa and Grace review it."""
    talk = Conversation(playground, "ship-1")
    for person in (ROSA, GRACE, ADA):
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


def test_the_first_release_shows_its_plan_and_stages(talk: Conversation) -> None:
    run = talk.world.github.runs(talk.name)[0]
    shown = card(talk, run)
    said = text_of(shown)
    assert "First release" in said
    assert "Bundle plan: 1 to create" in said
    assert "Development ✓, Testing ✓, Staging ✓" in said
    assert set(buttons(shown)) == {"Approve", "Reject"}
    run_says(talk, run, "Waiting for approval of Production")


def test_a_merge_is_released_by_a_reviewer_and_announced(talk: Conversation) -> None:
    run = merge(talk, "feat: count purchases")
    assert "@" not in text_of(card(talk, run))
    listings = Fault("github", "delay", "/teams/.*/members$", times=MANY, seconds=0)
    talk.world.faults.add(listings)
    decide(talk, talk.rosa, run, "Approve", "looks right")
    shown = card(talk, run, "Approved by")
    talk.world.faults.clear()
    assert MANY - listings.times == 2, "once at the click and once at the decision"
    assert "looks right" in text_of(shown)
    assert not buttons(shown)
    run_says(talk, run, "Deployed to Production")
    assert run.conclusion == "success"
    (review,) = run.reviews
    assert (review.login, review.state) == (ROSA.github, "approved")
    assert review.comment == "looks right (decided in Slack)"
    news = talk.sam.wait_for_message(f"{talk.name} v0.1.0 is in Production", channel="C0COMMUNITY")
    assert "First production release: " in text_of(news)
    assert re.search(r"released by .*: feat: count purchases \(#\d+\)", text_of(news))


def test_the_next_card_names_the_commits_since_that_release(talk: Conversation) -> None:
    run = merge(talk, "fix: late events")
    said = text_of(card(talk, run))
    assert "1 commit since the last release" in said
    assert "fix: late events — " in said
    pulls = [one for one in talk.world.github.runs(talk.name) if one.title == "fix: late events"]
    assert len(pulls) == 2, "one when it was opened, one when it was closed"
    for pull in pulls:
        shown = text_of(run_says(talk, pull, "Pull request #"))
        assert re.search(r"Pull request: #\d+ fix: late events", shown)


def test_a_release_whose_forerunner_is_gone_from_git_is_not_called_the_first(
    talk: Conversation,
) -> None:
    deployments = talk.world.github.repos[talk.name].deployments
    last = [one for one in deployments.values() if one.environment == "Production"]
    known = [one.sha for one in last]
    for one in last:
        one.sha = "f" * 40
    said = text_of(card(talk, merge(talk, "fix: after a force push")))
    for one, sha in zip(last, known, strict=True):
        one.sha = sha
    assert "GitHub cannot compare with ffffffff, which was released there last" in said
    assert "First release" not in said
    assert "Author" in said


def test_a_rejection_needs_a_reason_and_ends_the_run_as_rejected(talk: Conversation) -> None:
    run = merge(talk, "feat: risky")
    talk.rosa.press("Reject", on=card(talk, run))
    talk.view_says("It is kept at GitHub", talk.rosa)
    assert talk.refused(talk.rosa) == {"comment": "Please complete this required field."}
    talk.rosa.fill({"comment": "not before Monday"})
    assert talk.rosa.submit() is None
    assert "not before Monday" in text_of(card(talk, run, "Rejected by"))
    shown = run_says(talk, run, "· Rejected")
    assert not buttons(shown)
    talk.told(talk.ada, "was rejected by")
    assert run.conclusion == "failure"


def test_a_stage_that_does_not_exist_starts_nothing(talk: Conversation) -> None:
    before = len(talk.world.github.runs(talk.name))
    talk.ada.type(f"/sciclops deploy {talk.name} main productoin")
    talk.told(talk.ada, "There is no stage “productoin”")
    talk.ada.type(f"/sciclops deploy {talk.name} staging really")
    talk.told(talk.ada, "Say at most one stage")
    assert len(talk.world.github.runs(talk.name)) == before


def test_what_the_workflow_would_refuse_is_refused_at_once(talk: Conversation) -> None:
    before = len(talk.world.github.runs(talk.name))
    talk.ada.type(f"/sciclops deploy {talk.name} v0.1.0")
    said = text_of(talk.told(talk.ada, "There is no stage “v0.1.0”"))
    assert "Stages are deployed from main only" in said
    assert "open a pull request" in said
    assert len(talk.world.github.runs(talk.name)) == before


def test_nobody_releases_their_own_deployment(talk: Conversation) -> None:
    run = merge(talk, "feat: my own", by=GRACE)
    talk.grace.press("Approve", on=card(talk, run))
    talk.told(talk.grace, "nobody releases their own deployment")
    assert not run.reviews
    assert buttons(card(talk, run))


def test_a_slow_github_costs_nobody_the_dialog_or_its_refusal(talk: Conversation) -> None:
    run = merge(talk, "feat: slow github", by=GRACE)
    shown = card(talk, run)
    talk.world.faults.add(Fault("github", "delay", "/members$", times=MANY, seconds=5))
    talk.rosa.press("Approve", on=shown)
    talk.grace.press("Approve", on=shown)
    talk.view_says(WAITING, talk.rosa)
    talk.view_says(WAITING, talk.grace)
    talk.view_says("It is kept at GitHub", talk.rosa)
    talk.view_says("nobody releases their own deployment", talk.grace)
    talk.world.faults.clear()
    assert talk.rosa.submit() is None
    run_says(talk, run, "Deployed to Production")


def test_whoever_is_no_reviewer_is_refused_and_it_is_noted(talk: Conversation) -> None:
    run = merge(talk, "feat: not for ada", by=GRACE)
    talk.ada.press("Approve", on=card(talk, run))
    talk.told(talk.ada, "only a reviewer of this environment decides on it")
    assert not run.reviews


def test_whoever_has_no_link_is_told_how_to_get_one(talk: Conversation) -> None:
    run = merge(talk, "feat: unlinked")
    talk.dora.press("Approve", on=card(talk, run))
    talk.told(talk.dora, "/sciclops link")
    assert not run.reviews


def test_rights_are_those_at_the_click_not_at_the_asking(talk: Conversation) -> None:
    run = merge(talk, "feat: later rights")
    shown = card(talk, run)
    team = talk.world.github.world.teams["ml-reviewers"]
    team.members.discard(ROSA.github)
    try:
        talk.rosa.press("Approve", on=shown)
        talk.told(talk.rosa, "only a reviewer of this environment decides on it")
    finally:
        team.members.add(ROSA.github)
    assert not run.reviews


def test_what_is_decided_on_github_is_shown_and_its_buttons_are_gone(talk: Conversation) -> None:
    run = merge(talk, "feat: decided elsewhere")
    card(talk, run)
    talk.world.github.review_deployment(
        ROSA.github, run.id, "Production", approved=True, comment="from the page"
    )
    shown = card(talk, run, "decided on GitHub")
    assert "from the page" in text_of(shown)
    assert not buttons(shown)
    run_says(talk, run, "Deployed to Production")


def test_what_an_administrator_lets_in_is_shown_as_that(talk: Conversation) -> None:
    run = merge(talk, "feat: past its reviewers")
    card(talk, run)
    github = talk.world.github
    github.repos[talk.name].environments["Production"].can_admins_bypass = True
    github.bypass_gate(PAT.github, run.id, "Production")
    run_says(talk, run, "Deployed to Production")
    talk.world.clock.advance(LAG + timedelta(seconds=10))
    shown = card(talk, run, "Let in at GitHub, past its reviewers")
    assert "Nothing was released" not in text_of(shown)
    assert not buttons(shown)
    assert not run.reviews


def test_a_newer_commit_withdraws_the_older_card_and_ends_its_run(talk: Conversation) -> None:
    older = merge(talk, "feat: older")
    card(talk, older)
    newer = merge(talk, "feat: newer")
    card(talk, newer)
    shown = card(talk, older, "a newer commit waits")
    assert not buttons(shown)
    wait_until(lambda: older.conclusion == "cancelled")
    assert not older.reviews
    shown = run_says(talk, older, f"Superseded by commit {newer.sha[:8]}")
    assert f"Superseded by workflow run {newer.id}" in text_of(shown)
    assert "Deploy Production · superseded" in text_of(shown)


def test_a_failed_stage_names_its_step_and_its_last_lines_and_is_rerun(
    talk: Conversation, runner: PlayedRunner
) -> None:
    runner.failing.add("Deploy Testing")
    run = merge(talk, "feat: fails in testing")
    shown = run_says(talk, run, "Deploy Testing failed at the step “Work”")
    assert "Error: Deploy Testing did not work" in text_of(shown)
    runner.failing.clear()
    talk.ada.press("Rerun", on=shown)
    run_says(talk, run, "Waiting for approval of Production")
    assert (run.attempt, run.triggering_actor) == (2, ADA.github)
    decide(talk, talk.rosa, run, "Approve")
    run_says(talk, run, "Deployed to Production")


def test_a_deployment_that_somebody_asks_for_is_theirs_at_github(talk: Conversation) -> None:
    talk.grace.type(f"/sciclops deploy {talk.name} main testing")
    talk.told(talk.grace, "GitHub is asked to deploy main")
    wait_until(lambda: talk.world.github.runs(talk.name)[-1].event == "workflow_dispatch", 20)
    run = talk.world.github.runs(talk.name)[-1]
    assert run.actor == GRACE.github
    run_says(talk, run, "Deployed to Testing")


def test_what_waits_and_what_ran_can_be_listed(talk: Conversation) -> None:
    run = merge(talk, "feat: to be listed")
    card(talk, run)
    talk.rosa.type("/sciclops approvals")
    shown = talk.told(talk.rosa, "Approvals · 1 waiting, 1 for you")
    assert re.search(rf"{run.sha[:8]}`? .*to be listed", text_of(shown))
    assert set(buttons(shown)) == {f"Approve {talk.name}", f"Reject {talk.name}"}
    talk.rosa.press(f"Reject {talk.name}", on=shown)
    talk.view_says("Reject release", talk.rosa)
    talk.sam.type(f"/sciclops runs {talk.name}")
    assert str(run.id) in text_of(talk.told(talk.sam, f"Runs · {talk.name}"))
    talk.sam.type(f"/sciclops status {talk.name}")
    said = text_of(talk.told(talk.sam, "Waits for approval"))
    assert f"Production ({run.sha[:8]})" in said
    assert "deployment: waiting for approval of production" in said
    talk.rosa.open_home()
    talk.rosa.wait_for_home(f"{talk.name}: your decision on Production")


def test_there_is_no_glass_to_break_in_front_of_github_s_reviewers(talk: Conversation) -> None:
    talk.pat.type("/sciclops break-glass rel-0123456789ab")
    talk.told(talk.pat, "lets nobody but them in, neither an administrator nor this bot")
