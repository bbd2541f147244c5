"""Decisions that are typed are answered truthfully: what to type, and what is possible now."""

import re

import pytest
from conversation import RUN_SECONDS, Conversation

from playground.faults import Fault
from playground.slack.entities import Json
from playground.slack.reading import text_of

SALES = "gbx1_prod.sales|read"


def spans(blocks: list[Json]) -> list[Json]:
    """Return the spans of all rich text of a message."""
    lines = [line for block in blocks if block["type"] == "rich_text" for line in block["elements"]]
    return [span for line in lines for span in line["elements"]]


def code_in(blocks: list[Json]) -> list[str]:
    """Return what is shown as code."""
    return [span["text"] for span in spans(blocks) if span.get("style", {}).get("code")]


@pytest.mark.parametrize("word", ["cancel", "retry", "confirm", "discard", "comment", "CleanUp"])
def test_a_decision_without_a_run_is_asked_which(talk: Conversation, word: str) -> None:
    talk.ada.type(f"/sciclops {word}")
    typed = f"/sciclops {word.lower()}"
    said = talk.told(talk.ada, f"Which run? Type {typed} and the project's name.")
    assert code_in(said.blocks) == [typed]


def test_what_is_to_be_typed_is_code_and_what_was_typed_is_not(talk: Conversation) -> None:
    talk.ada.type("/sciclops retry `x`")
    said = talk.told(talk.ada, "There is no run or project “`x`”. /sciclops list shows")
    assert code_in(said.blocks) == ["/sciclops list"]
    talk.ada.type("/sciclops STATUS")
    said = talk.told(talk.ada, "Which project? Type /sciclops status and its name.")
    assert code_in(said.blocks) == ["/sciclops status"]


def test_a_plan_is_confirmed_by_what_the_answer_says_to_type(talk: Conversation) -> None:
    talk.planned()
    talk.ada.type(f"/sciclops confirm {talk.name}")
    said = talk.told(talk.ada, "The plan's digest belongs after the run")
    (typed,) = code_in(said.blocks)
    talk.ada.type(typed)
    talk.told(talk.ada, "Confirmed. Applying the plan")
    talk.run_message("Ready in")
    talk.ada.type(typed)
    talk.told(talk.ada, f"The run of {talk.name} is “Ready” now: it has ended")


def test_a_waiting_run_is_neither_retried_nor_cleaned_up_and_cancel_stops_it(
    talk: Conversation,
) -> None:
    talk.planned()
    for word in ("retry", "cleanup"):
        talk.ada.type(f"/sciclops {word} {talk.name}")
        talk.told(
            talk.ada,
            f"The run of {talk.name} is “Waiting for confirmation” now: its message says whose "
            "answer is missing, and it can be cancelled. Nothing was changed.",
        )
    talk.sam.type(f"/sciclops cancel {talk.name}")
    talk.told(talk.sam, "Not done: only the requester")
    talk.ada.type(f"/sciclops cancel {talk.name}")
    talk.told(talk.ada, f"The run of {talk.name} is discarded.")
    talk.run_message("Discarded")


def test_a_typed_question_is_answered_by_the_id_in_its_message(talk: Conversation) -> None:
    talk.planned(data_access=[SALES])
    for words in ("", " nonsense", " nonsense maybe"):
        talk.dora.type(f"/sciclops consent{words}")
        talk.told(talk.dora, "Type /sciclops consent, the question's id, and yes or no.")
    talk.dora.type("/sciclops consent nonsense no")
    talk.told(talk.dora, "There is no such question: “nonsense”.")
    asked = talk.says(f"read gbx1_prod.sales for the project {talk.name}")
    found = re.search(r"Question (\S+)", text_of(asked))
    assert found is not None
    talk.sam.type(f"/sciclops consent {found[1]} no")
    talk.told(talk.sam, "Only an owner of the data can answer this.")
    assert not talk.sam.has_view()
    talk.dora.type(f"/sciclops consent {found[1]} YES")
    talk.told(talk.dora, "with this run, if the run is confirmed and nobody refuses.")
    talk.dora.type(f"/sciclops consent {found[1]} no")
    talk.told(talk.dora, "This question is settled already")
    talk.ada.type(f"/sciclops cancel {talk.name}")
    talk.run_message("Discarded")


def test_a_plan_that_waits_for_others_is_not_said_to_wait_for_its_confirmation(
    talk: Conversation,
) -> None:
    talk.planned(data_access=[SALES])
    talk.press("Confirm & Apply")
    talk.told(talk.ada, "Confirmed. Others still have to answer")
    talk.grace.type(f"/sciclops confirm {talk.name} 0123456789ab")
    talk.told(talk.grace, f"The plan of {talk.name} is confirmed already; others still have to")
    talk.ada.type(f"/sciclops cancel {talk.name}")
    talk.run_message("Discarded")


def test_a_typed_clean_up_asks_first(talk: Conversation) -> None:
    talk.world.faults.add(Fault("github", "status", "/git/trees", times=99, status=422))
    talk.planned()
    talk.press("Confirm & Apply")
    talk.run_message("Failed")
    talk.world.faults.clear()
    talk.sam.type(f"/sciclops cleanup {talk.name}")
    talk.told(talk.sam, "Not done: only the requester")
    talk.ada.type(f"/sciclops cleanup {talk.name}")
    asked = talk.told(talk.ada, f"Remove everything that was made for {talk.name}")
    assert talk.name in talk.world.github.repos
    talk.ada.press("Clean Up", on=asked)
    talk.told(talk.ada, f"Removing what was made for {talk.name}")
    talk.run_message("Cleaned up", timeout=RUN_SECONDS)
