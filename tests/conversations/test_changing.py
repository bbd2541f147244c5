"""`/sciclops change`: who may, what is asked, what becomes of it, and what stays as it was."""

import json
import re
from collections.abc import Iterator

import pytest
from conversation import ANSWER_SECONDS, RUN_SECONDS, Conversation
from shipping import card

from playground import cast
from playground.slack.driver import Person
from playground.slack.entities import Message, View
from playground.slack.reading import buttons, text_of
from playground.world import Playground

SALES = "gbx1_prod.sales"
ROSA = [("User", cast.ROSA.github_id)]
TEAM = [("Team", 502)]
PICKED = {"managed_group", "github_team", "reviewers", "workspace_groups", "data_access"}


@pytest.fixture(scope="module")
def made(playground: Playground) -> Conversation:
    """Return a conversation about a project that is ready."""
    talk = Conversation(playground, "changing-1")
    talk.make()
    return talk


@pytest.fixture
def talk(made: Conversation) -> Iterator[Conversation]:
    """Return the conversation; afterwards all is well again."""
    yield made
    made.world.faults.clear()
    made.world.providers.clear()


def open_form(talk: Conversation, person: Person | None = None) -> Person:
    """Type the command, and wait for the form."""
    asking = person or talk.ada
    asking.type(f"/sciclops change {talk.name}")
    asking.wait_for_view("keeps its name", timeout=ANSWER_SECONDS)
    return asking


def picked(view: View, field: str) -> list[str]:
    """Return what is chosen in a field."""
    state = view.values[field][field]
    return [one["value"] for one in state.get("selected_options") or [state["selected_option"]]]


def ask(talk: Conversation, person: Person | None = None, **different: object) -> None:
    """Change some fields of the form and submit it; it must be accepted."""
    asking = open_form(talk, person)
    asking.fill(different)
    errors = asking.submit()
    assert errors is None, errors


def change_message(talk: Conversation, state: str) -> Message:
    """Wait until the newest change's message shows a state."""

    def look() -> Message | None:
        latest = [one for one in talk.run_messages() if " · Change · " in text_of(one)][-1:]
        return next((one for one in latest if f"Change · {state}" in text_of(one)), None)

    return talk.ada.wait_until(look, timeout=RUN_SECONDS)


def gate(talk: Conversation) -> list[tuple[str, int]]:
    """Return who reviews deployments to Production at GitHub."""
    return talk.world.github.repos[talk.name].environments["Production"].reviewers


def granted(talk: Conversation) -> set[str]:
    """Return what the project may do with the sales data."""
    databricks = talk.world.databricks
    name = f"{talk.name}-production"
    principal = next(one for one in databricks.principals if one.display_name == name)
    return databricks.effective_privileges(principal.application_id, SALES)


def test_only_owners_and_the_platform_team_may_and_the_form_shows_what_there_is(
    talk: Conversation,
) -> None:
    talk.sam.type(f"/sciclops change {talk.name}")
    talk.told(talk.sam, "Not done: only an owner of the project or the platform team can change it")
    talk.ada.type("/sciclops change no-such-project")
    talk.told(talk.ada, "There is no project “no-such-project”.")
    for person in (talk.pat, talk.ada):
        view = open_form(talk, person).view()
        assert view.values["owners"]["owners"]["selected_users"] == ["U0ADA", "U0GRACE"]
        assert picked(view, "managed_group") == ["aad-data-science"]
        assert picked(view, "github_team") == ["data-science"]
        assert picked(view, "reviewers") == ["team:ml-reviewers"]
        assert "Team ml-reviewers" in json.dumps(view.blocks)
        assert picked(view, "workspace_groups") == ["gbx1"]
        assert set(view.values) == {"owners", *PICKED}
        person.close()


def test_errors_stand_on_their_fields_and_what_was_entered_stays(talk: Conversation) -> None:
    ada = open_form(talk)
    owners = [cast.ADA.slack, cast.GONE.slack]
    ada.fill({"owners": owners, "workspace_groups": ["gbx1", "gbx2"], "reviewers": ["user:rosa"]})
    errors = talk.refused()
    assert "must be an active member" in errors["owners"]
    assert "would rename its environments" in errors["workspace_groups"]
    assert set(errors) == {"owners", "workspace_groups"}
    assert picked(ada.view(), "reviewers") == ["user:rosa"]
    nobody = {"text": {"type": "plain_text", "text": "x"}, "value": "no-such-team"}
    talk.forge("github_team", selected_option=nobody)
    ada.fill({"owners": [cast.GRACE.slack], "workspace_groups": ["gbx1"]})
    assert talk.refused() == {"github_team": "GitHub has no team “no-such-team”."}
    ada.close()
    assert "Change" not in text_of(talk.run_message())


def test_without_a_difference_there_is_nothing_to_change(talk: Conversation) -> None:
    ask(talk)
    run = change_message(talk, "Nothing to change")
    assert "Nothing was changed." in text_of(run)
    assert "Specification: unchanged" in text_of(run)
    assert buttons(run) == {}


def test_a_newcomer_cannot_confirm_themselves_and_a_discarded_change_leaves_all(
    talk: Conversation,
) -> None:
    owners = [cast.ADA.slack, cast.SAM.slack]
    open_form(talk, talk.grace)
    ask(talk, owners=owners, reviewers=["user:rosa"])
    run = change_message(talk, "Waiting for confirmation")
    said = text_of(run)
    assert f"Owners: + {cast.SAM.slack} - {cast.GRACE.slack}" in said
    assert "Reviewers of production: + user rosa - team ml-reviewers" in said
    assert "Waiting for confirmation by U0ADA, U0GRACE or S0PLATFORM" in said
    talk.ada.type(f"/sciclops change {talk.name}")
    talk.told(talk.ada, f"{talk.name} has a run under way")
    assert "has a run under way (waiting for" in talk.refused(talk.grace)["form"]
    talk.grace.close()
    for label in ("Confirm & Apply", "Discard"):
        talk.press(label, talk.sam)
        talk.told(talk.sam, "Not done: only the requester, an owner of the project")
    assert gate(talk) == TEAM
    talk.press("Discard", talk.grace)
    talk.told(talk.grace, "Discarded: nothing was changed, and the project stays as it is.")
    run = change_message(talk, "Discarded")
    assert "Nothing was changed, and the project stays as it is." in text_of(run)
    assert buttons(run) == {}
    assert gate(talk) == TEAM
    talk.ada.type(f"/sciclops status {talk.name}")
    assert "Owners: U0ADA U0GRACE" in text_of(talk.told(talk.ada, "Owners:"))
    talk.sam.type(f"/sciclops change {talk.name}")
    talk.told(talk.sam, "Not done: only an owner of the project or the platform team can change it")


def test_a_change_is_effective_once_all_have_agreed_whatever_dies_over_it(
    talk: Conversation,
) -> None:
    owners = [cast.ADA.slack, cast.GRACE.slack, cast.SAM.slack]
    ask(
        talk,
        owners=owners,
        reviewers=["user:rosa"],
        github_team="data-governance",
        data_access=[f"{SALES}|read"],
    )
    run = change_message(talk, "Waiting for confirmation")
    assert "Waiting for consent to read gbx1_prod.sales by S0DATAOWN" in text_of(run)
    talk.press("Confirm & Apply")
    talk.told(talk.ada, "Confirmed. Others still have to answer")
    assert gate(talk) == TEAM
    assert "SELECT" not in granted(talk)
    bot = talk.world.bot
    talk.playground.run(bot.hold_at("after take the specification"))
    talk.press("Consent", talk.dora)
    talk.playground.run(bot.held(), 100)
    talk.playground.run(bot.kill())
    talk.playground.run(bot.start(), 100)
    run = change_message(talk, "Changed")
    said = text_of(run)
    assert gate(talk) == ROSA
    assert "SELECT" in granted(talk)
    assert "checks passed" in said
    assert "Files of the repository change, too: open a pull request" in said
    github = talk.world.github
    owners_file = github.files(talk.name, "sciclops/template")["CODEOWNERS"].decode()
    assert "@acme/data-governance" in owners_file
    assert "@acme/data-science" in github.files(talk.name, "main")["CODEOWNERS"].decode()
    assert buttons(run) == {}
    (first,) = github.runs(talk.name)
    asked = card(talk, first, "May decide: user rosa")
    assert "ml-reviewers" not in text_of(asked)
    open_form(talk, talk.sam).close()


def test_data_that_a_project_has_needs_no_consent_and_a_failed_change_goes_on(
    talk: Conversation,
) -> None:
    open_form(talk, talk.grace)
    ask(talk, reviewers=["team:ml-reviewers"], owners=[cast.ADA.slack, cast.GRACE.slack])
    change_message(talk, "Waiting for confirmation")
    talk.world.providers.fail("github_repository_environment", 1, "Validation Failed")
    talk.press("Confirm & Apply", talk.sam)
    said = text_of(change_message(talk, "Failed"))
    assert "a part of the change may be made" in said
    assert "the specification before it is still in force" in said
    assert "Clean Up" not in said
    open_form(talk, talk.sam).close()
    talk.press("Retry", talk.sam)
    change_message(talk, "Changed")
    assert gate(talk) == TEAM
    assert "SELECT" in granted(talk)
    assert "was changed since you opened this form" in talk.refused(talk.grace)["form"]
    talk.sam.type(f"/sciclops change {talk.name}")
    talk.told(talk.sam, "Not done: only an owner of the project or the platform team can change it")


def test_owners_alone_change_and_nothing_at_the_vendors(talk: Conversation) -> None:
    ask(talk, talk.pat, owners=[cast.GRACE.slack, cast.ROSA.slack])
    run = change_message(talk, "Waiting for confirmation")
    assert "Resources to be changed: +0 ~0 -0" in text_of(run)
    talk.press("Confirm & Apply", talk.pat)
    said = text_of(change_message(talk, "Changed"))
    assert "Resources changed: +0 ~0 -0" in said
    assert "Files of the repository change, too: open a pull request" in said
    file = talk.world.github.files(talk.name, "sciclops/template")["sciclops.yml"].decode()
    assert f"owners:\n- {cast.GRACE.slack}\n- {cast.ROSA.slack}\n" in file
    talk.ada.type(f"/sciclops change {talk.name}")
    talk.told(talk.ada, "Not done: only an owner of the project or the platform team can change it")
    open_form(talk, talk.rosa).close()


def test_afterwards_it_is_checked_and_looked_at_as_it_is_now(talk: Conversation) -> None:
    talk.grace.type(f"/sciclops check {talk.name}")
    said = text_of(talk.told(talk.grace, "checks passed"))
    assert re.search(r"(\d+) of \1 checks passed", said), said
    talk.grace.type(f"/sciclops drift {talk.name}")
    talk.told(talk.grace, f"{talk.name} has not drifted")
