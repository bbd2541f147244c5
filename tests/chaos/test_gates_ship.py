"""What stands before Production, every job executed: changed plans, n of m, broken glass."""

from collections.abc import Iterator

import pytest
from conversation import EXECUTED_SECONDS, Conversation
from shipping import REASON, break_glass, card, decide, link, merge, run_says

from playground.cast import ADA, GRACE, PAT, ROSA
from playground.databricks.deployed import Job
from playground.slack.reading import buttons, text_of
from playground.world import Choices, running

pytestmark = pytest.mark.timeout(2400)


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Conversation]:
    """Return a conversation about a project whose first release is in Production."""
    with running(tmp_path_factory.mktemp("gates"), Choices(edit_seconds=0.3)) as playground:
        talk = Conversation(playground, "changed-1", EXECUTED_SECONDS)
        for person in (ROSA, ADA):
            link(talk, person)
        talk.make()
        (first,) = talk.world.github.runs(talk.name)
        decide(talk, talk.rosa, first, "Approve")
        run_says(talk, first, "Deployed to Production")
        yield talk


def production_job(talk: Conversation) -> Job:
    """Return the project's job in Production's workspace, as it is there now."""
    jobs = talk.world.databricks.workspace("gbx1", "production").jobs.values()
    (mine,) = (job for job in jobs if job.settings["name"] == talk.name)
    return mine


def version(talk: Conversation) -> str:
    """Return which version Production's job says that it is."""
    return str(production_job(talk).settings["tags"]["version"])


def test_what_was_changed_by_hand_after_its_card_is_not_deployed_over(talk: Conversation) -> None:
    before, run = version(talk), merge(talk, "feat: count purchases")
    assert "1 to change" in text_of(card(talk, run))
    wanted = production_job(talk).settings["timeout_seconds"]
    production_job(talk).settings["timeout_seconds"] = 60
    decide(talk, talk.rosa, run, "Approve", "looks right")
    shown = run_says(talk, run, "Deploy Production failed")
    said = text_of(shown)
    assert "· Failed" in said
    assert "Nothing was deployed there: something has changed since the plan" in said
    assert "The digest was" in said
    assert (version(talk), production_job(talk).settings["timeout_seconds"]) == (before, 60)
    talk.ada.press("Rerun", on=shown)
    again = card(talk, run, "attempt 2")
    assert "Waiting for approval" in text_of(again)
    assert buttons(again)
    decide(talk, talk.rosa, run, "Approve", "as it was meant")
    run_says(talk, run, "Deployed to Production")
    assert production_job(talk).settings["timeout_seconds"] == wanted
    assert version(talk) != before


def test_what_was_approved_before_a_newer_commit_is_not_deployed_after_it(
    talk: Conversation,
) -> None:
    bot, before, older = talk.world.bot, version(talk), merge(talk, "feat: older")
    card(talk, older)
    talk.playground.run(bot.hold_at("before tell GitHub"))
    decide(talk, talk.rosa, older, "Approve")
    talk.playground.run(bot.held())
    newer = merge(talk, "feat: newer")
    talk.playground.run(bot.kill())
    talk.playground.run(bot.start(), 100)
    said = text_of(run_says(talk, older, "Deploy Production failed"))
    assert "If there is a newer commit, release its run instead" in said
    assert f"moved on to {newer.sha}" in said
    assert buttons(card(talk, newer))
    assert version(talk) == before


def test_two_people_release_and_broken_glass_lets_in(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    choices = Choices(edit_seconds=0.3, gate="app_rule", approvals_needed=2)
    with running(tmp_path_factory.mktemp("ruled"), choices) as playground:
        two_release_and_one_breaks_glass(Conversation(playground, "ruled-1", EXECUTED_SECONDS))


def two_release_and_one_breaks_glass(talk: Conversation) -> None:
    """Release with both approvals, then without any; each is really deployed."""
    for person in (ROSA, GRACE, ADA, PAT):
        link(talk, person)
    talk.make()
    (first,) = talk.world.github.runs(talk.name)
    decide(talk, talk.rosa, first, "Approve", "looks right")
    card(talk, first, "Waiting for approval · 1 of 2")
    assert not talk.world.databricks.workspace("gbx1", "production").jobs
    decide(talk, talk.pat, first, "Approve", "me too")
    run_says(talk, first, "Deployed to Production")
    released = version(talk)
    run = merge(talk, "fix: the shop")
    break_glass(talk, run)
    run_says(talk, run, "Deployed to Production")
    assert version(talk) != released
    assert REASON in text_of(card(talk, run, "Let in by break-glass"))
    assert REASON in text_of(talk.says(f"BREAK-GLASS: {talk.name} to Production"))
