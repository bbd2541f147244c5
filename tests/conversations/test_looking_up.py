"""Help, list, status and App Home."""

import re

import pytest
from conversation import ANSWER_SECONDS, Conversation

from bot.render import DATE
from playground.slack.entities import View
from playground.slack.reading import buttons, text_of
from playground.world import Playground


def test_an_unknown_word_gets_the_nearest_command_and_the_way_to_help(talk: Conversation) -> None:
    talk.sam.type("/sciclops Nwe x")
    said = text_of(talk.told(talk.sam, "There is no command “Nwe”. Did you mean new?"))
    assert "Type /sciclops help to see everything that you can say." in said
    talk.sam.type("/sciclops *frobnicate* <!channel>")
    said = text_of(talk.told(talk.sam, "There is no command “*frobnicate*”. Type /sciclops help"))
    assert "/sciclops list" not in said
    talk.sam.type("/sciclops <!here>")
    assert "<!here>" not in talk.told(talk.sam, "There is no command “<!here>”.").text


@pytest.mark.parametrize("typed", ["", " HELP"])
def test_help_shows_every_command_that_is_typed(talk: Conversation, typed: str) -> None:
    talk.world.slack.workspace.messages.clear()
    talk.sam.type(f"/sciclops{typed}")
    said = text_of(talk.told(talk.sam, "You can say:"))
    for command in ("new", "list", "status", "help"):
        assert f"/sciclops {command}" in said
    assert "confirm <run>" not in said


@pytest.mark.parametrize("command", ["", "list ", "status ", "retry "])
def test_what_was_typed_is_repeated_shortly(talk: Conversation, command: str) -> None:
    talk.sam.type(f"/sciclops {command}{'y' * 2000}")
    said = talk.told(talk.sam, "yyyy…”")
    assert "y" * 60 not in text_of(said)


def test_home_teaches_newcomers(talk: Conversation) -> None:
    talk.sam.open_home()
    home = talk.sam.wait_for_home("Welcome to SciCLOps")
    assert set(buttons(home)) == {"New Project"}
    talk.sam.press("New Project", on=home)
    talk.view_says("Deploy name", talk.sam)


def test_home_says_what_waits_for_whom(talk: Conversation) -> None:
    talk.planned(data_access=["gbx1_prod.sales|read"])
    for person, line in (
        (talk.ada, f"{talk.name}: your confirmation (new project)"),
        (talk.dora, f"{talk.name}: your consent to read gbx1_prod.sales"),
    ):
        person.open_home()
        home = person.wait_for_home(line, timeout=ANSWER_SECONDS)
        assert "Waiting for you" in text_of(home)
        assert "The buttons are in <#C0SCICLOPS>." in text_of(home)
        assert ("being made" in text_of(home)) == (person is talk.ada)
        assert (DATE in str(home.blocks)) == (person is talk.ada)
    talk.sam.open_home()
    assert "Waiting for you" not in text_of(talk.sam.wait_for_home("SciCLOps"))
    talk.press("Discard")
    talk.run_message("Discarded")
    talk.ada.type(f"/sciclops list {talk.name}")
    talk.told(talk.ada, f"No project matches “{talk.name}”.")
    talk.ada.type(f"/sciclops list gone {talk.name}")
    talk.told(talk.ada, "Projects · 1")


@pytest.fixture(scope="module")
def crowded(playground: Playground) -> list[str]:
    """Have twelve projects asked for; they wait for their confirmation."""
    names = [f"crowd-{number:02}" for number in range(12)]
    for name in names:
        talk = Conversation(playground, name)
        talk.ask(talk.grace if name.endswith("1") else None, owners=[talk.grace.user])
    return names


def test_projects_are_listed_page_by_page_and_filtered(
    talk: Conversation, crowded: list[str]
) -> None:
    talk.ada.type("/sciclops list crowd")
    first = talk.told(talk.ada, "Projects · 12")
    assert crowded[9] in text_of(first)
    assert crowded[10] not in text_of(first)
    assert "Page 1 of 2" in text_of(first)
    assert str(first.blocks).count(DATE) == 10, "a moment, in each reader's own time zone"
    assert set(buttons(first)) == {"Next"}
    talk.ada.press("Next", on=first)
    second = talk.told(talk.ada, "Page 2 of 2")
    assert crowded[11] in text_of(second)
    assert set(buttons(second)) == {"Previous"}
    talk.ada.type("/sciclops list crowd-1")
    said = talk.told(talk.ada, "Projects · 2")
    assert crowded[10] in text_of(said)
    talk.ada.type("/sciclops list crowd 7")
    talk.told(talk.ada, "Page 2 of 2")
    talk.grace.type("/sciclops list mine")
    talk.told(talk.grace, "Projects · 12")
    talk.ada.type("/sciclops list mine crowd")
    talk.told(talk.ada, "Projects · 10")
    talk.sam.type("/sciclops list mine")
    talk.told(talk.sam, "You have no project.")
    for beyond in ("9", "999999", "9" * 30):
        talk.ada.type(f"/sciclops list crowd {beyond}")
        talk.told(talk.ada, "Page 2 of 2" if len(beyond) < 7 else "Projects · 12")


def test_home_shows_my_projects_page_by_page_and_by_a_part_of_the_name(
    talk: Conversation, crowded: list[str]
) -> None:
    def home_says(words: str) -> View:
        return talk.grace.wait_for_home(words, timeout=ANSWER_SECONDS)

    talk.grace.open_home()
    first = home_says("Page 1 of 2")
    assert crowded[9] in text_of(first)
    assert "Recent runs" in text_of(first)
    talk.grace.press("Next", on=first)
    second = home_says("Page 2 of 2")
    table = text_of(second).partition("Recent runs")[0].rpartition("Your projects")[2]
    assert crowded[11] in table
    (field,) = [block["block_id"] for block in second.blocks if block["type"] == "input"]
    talk.grace.fill({field: "crowd-1"}, on=second)
    found = home_says("Shown: names with “crowd-1” (2).")
    assert talk.grace.press("Show All of Mine", on=found).acked
    talk.grace.press("Needs Attention", on=home_says("Page 1 of 2"))
    home_says("Shown: Needs Attention (0).")
    assert not talk.world.slack.workspace.views(talk.grace.user)


def test_status_says_where_a_project_stands(talk: Conversation, crowded: list[str]) -> None:
    talk.sam.type(f"/sciclops status {crowded[0]}")
    said = text_of(talk.told(talk.sam, f"Project {crowded[0]}"))
    assert "Owners: U0GRACE" in said
    assert "Requested by: U0ADA" in said
    assert "Workspace groups: gbx1" in said
    assert re.search(r"Latest run: run-\w+ create project: ", said)
    assert "State: being made" in said
    talk.sam.type("/sciclops list Being Made crowd-0")
    said = text_of(talk.told(talk.sam, "Projects · 10"))
    assert "or a state (being made, ready, failed, being destroyed, gone)" in said
    assert "reserved" not in said
    talk.sam.type("/sciclops status nothing-like-it")
    talk.told(talk.sam, "There is no project “nothing-like-it”.")
    talk.sam.type("/sciclops status")
    talk.told(talk.sam, "Which project?")
