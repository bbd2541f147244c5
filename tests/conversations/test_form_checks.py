"""The form of `/sciclops new` says what cannot be, on the field, and keeps what was typed."""

from datetime import date, timedelta
from typing import Any

import pytest
from conversation import ANSWER_SECONDS, DESCRIPTION, Conversation

from playground import cast
from playground.github.repos import make_repo
from playground.slack.reading import text_of

SCHEDULE, START_HOUR = "answer.schedule", "answer.start_hour"
SEVEN_TEAMS = [f"team:team-{number:03}" for number in range(1, 8)]


def refused(talk: Conversation, field: str) -> str:
    """Submit the form; return the error on the field, with all input still there."""
    before = {block: dict(actions) for block, actions in talk.ada.view().values.items()}
    errors = talk.refused()
    assert set(errors) == {field}
    assert talk.ada.view().values == before
    return errors[field]


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "main", "“main” is reserved"),
        ("name", "sciclops-demo", "Names that start with “sciclops-” are reserved"),
        ("name", "Ada", "4 to 40 small letters, digits and hyphens"),
        ("name", "abcd-", "starting with a letter and ending with a letter or digit."),
        ("name", "a" * 41, "4 to 40 small letters, digits and hyphens"),
        ("name", "sciclops-platform", "reserved"),
        ("owners", [cast.ADA.slack, cast.GONE.slack], "must be an active member"),
        ("owners", [cast.BOT_USER_ID], "not a guest or a bot"),
        ("reviewers", SEVEN_TEAMS, "GitHub allows 6 reviewers"),
        ("github_team", "team-001", "has no members: nobody could write the code"),
        ("reviewers", ["team:team-001"], "has no members: nobody could review"),
        ("data_access", ["gbx2_prod.sales|read"], "in none of the workspace groups you chose"),
        (
            "data_access",
            ["gbx1_prod.sales|read", "gbx1_prod.sales|write"],
            "Ask for gbx1_prod.sales once",
        ),
        (DESCRIPTION, "${var.catalog}", "One line of 1 to 200 characters without ${"),
        ("answer.notification_email", "nobody", "One e-mail address, or nothing"),
    ],
)
def test_what_cannot_be_is_refused_on_its_field(
    talk: Conversation, field: str, value: Any, sentence: str
) -> None:
    talk.fill()
    talk.ada.fill({field: value})
    assert sentence in refused(talk, field)


def test_the_form_says_what_owners_can_do_and_names_templates_as_people_do(
    talk: Conversation,
) -> None:
    shown = str(talk.open_form().view().blocks)
    assert "They may confirm, cancel, retry and clean up." in shown
    assert "destroy" not in shown
    assert "'text': 'ML workflow'" in shown
    assert "'text': 'ml_workflow'" not in shown


def test_a_name_is_refused_while_it_is_typed(talk: Conversation) -> None:
    talk.open_form()
    talk.ada.fill({"github_team": "data-science", "name": "Ada Lovelace"})
    talk.view_says("⚠ A name has 4 to 40 small letters")
    talk.ada.fill({"name": "admin"})
    view = talk.view_says("⚠ “admin” is reserved")
    picked = view.values["github_team"]["github_team"]["selected_option"]
    assert picked["value"] == "data-science"
    assert picked["text"]["text"] == "Data Science", "as it was picked"
    talk.ada.fill({"name": talk.name})
    talk.ada.wait_until(lambda: None if "⚠" in text_of(view) else view, timeout=ANSWER_SECONDS)
    assert view.values["name"]["name"]["value"] == talk.name


def test_a_name_that_is_taken_is_refused_while_it_is_typed_and_at_submit(
    talk: Conversation,
) -> None:
    talk.ask()
    talk.fill(talk.grace, github_team="platform")
    view = talk.view_says("⚠ There is already a project", talk.grace)
    said = f"There is already a project “{talk.name}”. Please choose another name."
    assert text_of(view).count(said) == 1
    assert talk.grace.submit() == {"name": said}
    team = view.values["github_team"]["github_team"]["selected_option"]
    assert team["text"]["text"] == "Platform"
    talk.press("Cancel Run")
    talk.run_message("Cancelled")
    assert len(talk.run_messages()) == 1


@pytest.mark.parametrize("kind", ["a repository", "an archived repository"])
def test_the_name_of_a_repository_is_taken(talk: Conversation, kind: str) -> None:
    async def make() -> None:
        repository = make_repo(talk.world.github.world, talk.name, "private")
        repository.archived = "archived" in kind

    talk.playground.run(make())
    talk.fill()
    assert f"GitHub already has {kind}" in refused(talk, "name")


def test_a_team_that_vanished_while_the_form_was_open_is_refused(talk: Conversation) -> None:
    talk.fill(github_team="team-130")
    del talk.world.github.world.teams["team-130"]
    assert refused(talk, "github_team") == "GitHub has no team “team-130”."


def test_a_group_that_vanished_while_the_form_was_open_is_refused(talk: Conversation) -> None:
    talk.fill(managed_group="aad-team-130")
    account = talk.world.databricks.world
    group = account.named("aad-team-130")
    assert group is not None
    account.forget(group)
    said = refused(talk, "managed_group")
    assert said == "The Databricks account of gbx1 has no group “aad-team-130”."


def test_a_guest_is_no_owner(talk: Conversation) -> None:
    rosa = talk.world.slack.workspace.people[cast.ROSA.slack]
    rosa.guest = True
    try:
        talk.fill(owners=[cast.ROSA.slack])
        assert "not a guest" in refused(talk, "owners")
    finally:
        rosa.guest = False


def test_whoever_works_elsewhere_reviews_nothing(talk: Conversation) -> None:
    talk.fill()
    sam = {"text": {"type": "plain_text", "text": "sam"}, "value": "user:sam"}
    talk.forge("reviewers", selected_options=[sam])
    assert refused(talk, "reviewers") == "“sam” is not a member of the GitHub organisation."


def test_nobody_consents_to_their_own_request_for_data(talk: Conversation) -> None:
    talk.fill(talk.dora, data_access=["gbx1_prod.sales|read"])
    errors = talk.dora.submit()
    assert errors is not None
    assert "Nobody but you could consent to gbx1_prod.sales" in errors["data_access"]


@pytest.mark.parametrize(
    ("field", "state", "sentence"),
    [
        ("owners", {"selected_users": []}, "at least one owner"),
        ("reviewers", {"selected_options": []}, "at least one reviewer"),
        ("workspace_groups", {"selected_options": []}, "at least one workspace group"),
        ("managed_group", {"selected_option": None}, "Choose the group of your team."),
        ("github_team", {"selected_option": None}, "Choose the team that writes the code."),
        ("name", {"value": None}, "A name has"),
    ],
)
def test_an_empty_answer_is_refused_even_if_no_client_would_send_it(
    talk: Conversation, field: str, state: dict[str, Any], sentence: str
) -> None:
    talk.fill()
    block = next(one for one in talk.ada.view().blocks if one.get("block_id") == field)
    block["optional"] = True
    talk.forge(field, **state)
    assert sentence in refused(talk, field)


def test_a_sandbox_asks_for_its_end_and_keeps_the_rest(talk: Conversation) -> None:
    talk.fill()
    talk.ada.fill({DESCRIPTION: "Counts the stars.", "lifetime": "sandbox"})
    view = talk.view_says("Sandbox until")
    assert view.values[DESCRIPTION][DESCRIPTION]["value"] == "Counts the stars."
    assert len(view.values["reviewers"]["reviewers"]["selected_options"]) == 1
    today = talk.world.clock.now().date()
    for end, sentence in (
        (today + timedelta(days=91), "A sandbox lives at most 90 days"),
        (today, "The end date must be in the future."),
        (date(2020, 2, 29), "The end date must be in the future."),
    ):
        talk.ada.fill({"sandbox_until": end})
        assert sentence in refused(talk, "sandbox_until")
    talk.ada.fill({"lifetime": "lasting"})
    talk.ada.wait_until(
        lambda: None if "Sandbox until" in text_of(view) else view, timeout=ANSWER_SECONDS
    )
    assert view.values["name"]["name"]["value"] == talk.name


def test_a_question_that_another_answer_makes_needless_is_not_asked(talk: Conversation) -> None:
    talk.fill()
    talk.ada.fill({START_HOUR: "22", SCHEDULE: "hourly"})
    view = talk.ada.view()
    talk.ada.wait_until(
        lambda: view if START_HOUR not in view.values else None, timeout=ANSWER_SECONDS
    )
    talk.ada.fill({DESCRIPTION: "Counts the stars.", "lifetime": "sandbox", SCHEDULE: "weekly"})
    talk.view_says("At what hour")
    assert view.values[START_HOUR][START_HOUR]["selected_option"]["value"] == "22"
    assert view.values[DESCRIPTION][DESCRIPTION]["value"] == "Counts the stars."


def test_more_than_a_hundred_teams_are_found_by_typing(talk: Conversation) -> None:
    talk.open_form()
    assert talk.ada.suggest("github_team", "team-12") == [f"Team {n}" for n in range(120, 130)]
    assert len(talk.ada.suggest("managed_group", "aad-team")) == 100
    assert talk.ada.suggest("managed_group", "aad-team-099") == ["aad-team-099"]
    offered = talk.ada.suggest("reviewers", "rosa")
    assert any("rosa" in label for label in offered)
    assert talk.ada.suggest("reviewers", "no such team") == []


def test_a_guest_cannot_ask_for_a_project(talk: Conversation) -> None:
    sam = talk.world.slack.workspace.people[cast.SAM.slack]
    sam.guest = True
    try:
        talk.sam.type("/sciclops new")
        talk.told(talk.sam, "Only full members of this workspace may use SciCLOps.")
    finally:
        sam.guest = False
    assert not talk.sam.has_view()
