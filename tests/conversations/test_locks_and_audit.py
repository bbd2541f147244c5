"""Hands off: who locks a project, whom that holds, who takes it over; and what the trail tells."""

import csv
import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from conversation import ANSWER_SECONDS, RUN_SECONDS, Conversation
from shipping import card, decide, link, run_says
from waiting import wait_until

from playground.cast import ROSA
from playground.slack.driver import Person
from playground.slack.entities import File
from playground.slack.reading import buttons, text_of
from playground.world import Playground

REASON = "the tables move; <!channel> *wait*"
HELD = "is locked by U0GRACE for 2 hours (since 2026"
NOTE = {"ID": "5e1f-77", "Operation": "OperationTypePlan", "Who": "eve@laptop", "Created": "noon"}


@pytest.fixture(scope="module")
def talk(playground: Playground) -> Conversation:
    """Return a conversation about a project whose plan waits; Rosa reviews."""
    talk = Conversation(playground, "lock-1")
    link(talk, ROSA)
    talk.planned()
    return talk


@pytest.fixture
def made(talk: Conversation) -> Conversation:
    """Have the project ready."""
    if "Confirm & Apply" in talk.labels():
        talk.press("Confirm & Apply")
    talk.run_message("Ready in")
    return talk


@pytest.fixture
def locked(made: Conversation) -> Conversation:
    """Have Grace lock the project, two hours ago."""
    lock(made)
    return made


def lock(talk: Conversation, person: Person | None = None, reason: str = REASON) -> None:
    (person or talk.grace).type(f"/sciclops lock {talk.name} {reason}")
    talk.told(person or talk.grace, f"{talk.name} is locked: {reason}")


def unlock(talk: Conversation, person: Person) -> None:
    person.type(f"/sciclops unlock {talk.name}")
    talk.told(person, f"{talk.name} is unlocked.")


def test_a_locked_plan_is_confirmed_by_nobody_but_the_holder(talk: Conversation) -> None:
    lock(talk)
    talk.world.clock.advance(timedelta(hours=2))
    talk.press("Confirm & Apply")
    said = talk.told(talk.ada, f"{talk.name} {HELD}")
    assert REASON in text_of(said)
    assert "<!channel>" not in said.text
    assert "Nothing was done" in text_of(said)
    assert talk.principals() == []
    unlock(talk, talk.grace)
    talk.press("Confirm & Apply")
    talk.run_message("Ready in")


def test_only_owners_and_the_platform_team_lock_and_say_why(made: Conversation) -> None:
    for person in (made.sam, made.rosa):
        person.type(f"/sciclops lock {made.name} because")
        made.told(person, "Only an owner of lock-1 or the platform team may lock it.")
        person.type(f"/sciclops unlock {made.name}")
        made.told(person, "Only an owner of lock-1 or the platform team may unlock it.")
    made.ada.type(f"/sciclops lock {made.name}")
    made.told(made.ada, "Say why: type /sciclops lock lock-1 and the reason")
    made.ada.type(f"/sciclops lock {made.name} {'x' * 301}")
    made.told(made.ada, "a reason has at most 300 characters")
    made.ada.type("/sciclops lock nothing-like-it why")
    made.told(made.ada, "There is no project “nothing-like-it”.")


def test_a_lock_holds_deployments_and_releases_but_no_rejection(locked: Conversation) -> None:
    talk = locked
    run = talk.world.github.runs(talk.name)[0]
    shown = card(talk, run)
    talk.rosa.press("Approve", on=shown)
    talk.told(talk.rosa, f"{talk.name} is locked by U0GRACE")
    assert not run.reviews
    talk.ada.type(f"/sciclops deploy {talk.name} testing")
    talk.told(talk.ada, f"{talk.name} is locked by U0GRACE")
    decide(talk, talk.rosa, run, "Reject", "not while the tables move")
    run_says(talk, run, "· Rejected")
    talk.rosa.type(f"/sciclops rerun {run.id}")
    talk.told(talk.rosa, f"{talk.name} is locked by U0GRACE")
    assert len(talk.world.github.runs(talk.name)) == 1


def test_status_and_home_show_the_lock(locked: Conversation) -> None:
    talk = locked
    talk.world.clock.advance(timedelta(days=1))
    talk.sam.type(f"/sciclops status {talk.name}")
    said = text_of(talk.told(talk.sam, "Locked: "))
    assert "is locked by U0GRACE for 1 day" in said
    assert REASON in said
    talk.ada.open_home()
    home = text_of(talk.ada.wait_for_home("ready, locked", timeout=ANSWER_SECONDS))
    assert f"{talk.name} is locked by U0GRACE for 1 day" in home


def test_taking_a_lock_over_is_asked_once_more_and_told_to_its_former_holder(
    locked: Conversation,
) -> None:
    talk = locked
    talk.ada.type(f"/sciclops lock {talk.name} an incident")
    offer = talk.told(talk.ada, "Take it over? They are told so.")
    assert "is locked by U0GRACE" in text_of(offer)
    assert set(buttons(offer)) == {"Take Over"}
    talk.ada.press("Take Over", on=offer)
    talk.told(talk.ada, f"{talk.name} is locked: an incident.")
    news = talk.told(talk.grace, f"has taken your lock on {talk.name} over")
    assert "U0ADA" in text_of(news)
    assert REASON in text_of(news)
    talk.pat.type(f"/sciclops unlock {talk.name}")
    offer = talk.told(talk.pat, "Take it over and unlock?")
    assert "an incident" in text_of(offer)
    talk.pat.press("Take Over", on=offer)
    talk.told(talk.pat, f"{talk.name} is unlocked.")
    assert "U0PAT" in text_of(talk.told(talk.ada, f"has taken your lock on {talk.name} over"))
    talk.pat.type(f"/sciclops unlock {talk.name}")
    talk.told(talk.pat, f"{talk.name} is not locked.")


def test_a_button_takes_over_only_the_lock_that_it_was_shown_for(locked: Conversation) -> None:
    talk = locked
    talk.pat.type(f"/sciclops unlock {talk.name}")
    offer = talk.told(talk.pat, "Take it over and unlock?")
    unlock(talk, talk.grace)
    lock(talk, talk.ada, "another thing")
    talk.pat.press("Take Over", on=offer)
    again = talk.told(talk.pat, "another thing")
    assert "is locked by U0ADA" in text_of(again)
    unlock(talk, talk.ada)


def note_of(talk: Conversation) -> Path:
    """Return where Terraform notes who holds the project's state."""
    (root,) = talk.world.directory.rglob(f"projects/{talk.name}/root")
    return root / ".terraform.tfstate.lock.info"


def test_a_stuck_lock_of_terraform_s_is_released_by_the_platform_team(made: Conversation) -> None:
    talk, note = made, note_of(made)
    note.write_text(json.dumps(NOTE))
    talk.ada.type(f"/sciclops unlock {talk.name}")
    said = text_of(talk.told(talk.ada, "Only the platform team may release"))
    assert "ID 5e1f-77 · Who: eve@laptop · Created: noon" in said
    talk.ada.type(f"/sciclops unlock {talk.name} --terraform 5e1f-77")
    wait_until(lambda: "ID 5e1f-77" not in text_of(talk.told(talk.ada, "Only the platform")))
    talk.pat.type(f"/sciclops unlock {talk.name}")
    shown = talk.told(talk.pat, "Release the lock 5e1f-77?")
    assert note.exists()
    talk.pat.press("Release This Lock", on=shown)
    talk.told(talk.pat, f"Terraform's lock on {talk.name} is released: ID 5e1f-77")
    assert not note.exists()
    talk.pat.type(f"/sciclops unlock {talk.name} --terraform 5e1f-77")
    talk.told(talk.pat, "is gone already")


def test_runs_lists_what_the_bot_and_the_workflow_did(made: Conversation) -> None:
    made.sam.type(f"/sciclops runs {made.name}")
    said = text_of(made.told(made.sam, f"Runs · {made.name}"))
    assert str(made.world.github.runs(made.name)[0].id) in said
    assert "Create project" in said
    assert "asked for by U0ADA" in said


def test_the_trail_is_shown_newest_first_verified_and_paged(made: Conversation) -> None:
    made.grace.type(f"/sciclops audit {made.name}")
    first = made.told(made.grace, f"Audit · {made.name}")
    assert "Chain verified: " in text_of(first)
    assert set(buttons(first)) == {"Older", "Export"}
    made.grace.press("Older", on=first)
    assert "Newer" in buttons(made.told(made.grace, "Page 2 of"))
    assert "SciCLOps" in text_of(first)
    assert not {"bot", "sciclops"} & set(text_of(first).split())
    for typed in ("last", "0", "9" * 30):
        made.grace.type(f"/sciclops audit {made.name} {typed}")
        made.told(made.grace, f"There is no page “{typed}”: say a number, or export.")
    for person in (made.sam, made.rosa):
        person.type(f"/sciclops audit {made.name}")
        made.told(person, "Only an owner of lock-1 or the platform team may read its audit trail.")


def exported(talk: Conversation, person: Person, ending: str) -> File:
    """Wait until somebody has a file of the trail, directly."""

    def look() -> File | None:
        room = f"D{person.user.removeprefix('U')}"
        shared = (
            file
            for message in talk.world.slack.workspace.messages
            if message.channel == room
            for file in message.files
        )
        return next((file for file in shared if file.name.endswith(ending)), None)

    return person.wait_until(look, timeout=RUN_SECONDS)


def test_an_export_names_who_decided_what_and_goes_to_who_asked(made: Conversation) -> None:
    made.pat.type(f"/sciclops audit {made.name} export")
    made.told(made.pat, "entries come to you directly")
    text = exported(made, made.pat, ".csv").content.decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    confirmed = next(row for row in rows if row["decision"] == "approval granted")
    assert (confirmed["who"], confirmed["name"]) == ("U0ADA", "Ada Lovelace")
    assert len(confirmed["artefact"]) > 60
    assert [row["previous"] for row in rows[1:]] == [row["hash"] for row in rows[:-1]]
    made.pat.type(f"/sciclops audit {made.name} export jsonl")
    lines = exported(made, made.pat, ".jsonl").content.decode().splitlines()
    assert json.loads(lines[-1])["decision"] == "exported the audit trail"
    made.pat.type(f"/sciclops audit {made.name} export xls")
    made.told(made.pat, "There is no format “xls”: say csv or jsonl.")
