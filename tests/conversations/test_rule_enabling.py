"""The step that enables the App's rule: told when it fails, done once whatever dies, cleaned up."""

import pytest
from conversation import Conversation

from playground.slack.reading import text_of
from playground.world import Choices


@pytest.fixture(scope="module")
def choices() -> Choices:
    """Return a playground where three people have to agree."""
    return Choices(edit_seconds=0.2, gate="app_rule", approvals_needed=3)


def ruled(talk: Conversation) -> list[str]:
    """Return the environments of the project that the rule holds."""
    environments = talk.world.github.repos[talk.name].environments
    return [name for name, each in environments.items() if each.custom_rule]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_bot_that_dies_over_it_enables_the_rule_once(talk: Conversation, moment: str) -> None:
    bot = talk.world.bot
    talk.planned()
    talk.playground.run(bot.hold_at(f"{moment} enable the rule of Production"))
    talk.press("Confirm & Apply")
    talk.playground.run(bot.held(), 100)
    talk.playground.run(bot.kill())
    talk.playground.run(bot.start(), 100)
    talk.run_message("Ready in")
    assert ruled(talk) == ["Production"]


def test_a_plan_without_rules_fails_the_run_before_any_code_and_clean_up_leaves_nothing(
    talk: Conversation,
) -> None:
    organisation = talk.world.github.world.organisation
    talk.planned()
    plan, organisation.plan = organisation.plan, "team"
    try:
        talk.press("Confirm & Apply")
        said = text_of(talk.run_message("Failed"))
    finally:
        organisation.plan = plan
    assert "Enabling the release rule failed" in said
    assert "billing plan" in said
    assert len(talk.world.github.commits(talk.name)) <= 1
    talk.press("Clean Up")
    talk.run_message("Cleaned up")
    assert talk.name not in talk.world.github.repos
    assert not talk.principals()


def test_a_retry_enables_what_failed_and_goes_on(talk: Conversation) -> None:
    organisation = talk.world.github.world.organisation
    talk.planned()
    plan, organisation.plan = organisation.plan, "team"
    try:
        talk.press("Confirm & Apply")
        talk.run_message("Failed")
    finally:
        organisation.plan = plan
    talk.press("Retry")
    talk.run_message("Ready in")
    assert ruled(talk) == ["Production"]


def test_a_project_that_could_never_be_released_is_refused_at_the_form(talk: Conversation) -> None:
    """Pat and Grace may release every project; a third person is needed."""
    group = talk.world.slack.workspace.user_groups["S0RELEASE"]
    before, group.members = group.members, []
    try:
        talk.fill(reviewers=["user:rosa"])
        assert "3 people have to approve a release, but only 1 could" in str(talk.refused())
    finally:
        group.members = before
