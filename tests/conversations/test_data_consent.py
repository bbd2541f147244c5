"""Data is granted when its owners consent: each of them, to exactly this plan."""

from conversation import RUN_SECONDS, Conversation

from playground import cast
from playground.slack.entities import Message
from playground.slack.reading import buttons, text_of

SALES, CARDS = "gbx1_prod.sales", "gbx1_prod.loyalty"


def question(talk: Conversation, what: str) -> Message:
    return talk.dora.wait_for_message(f"{what} for the project {talk.name}", timeout=RUN_SECONDS)


def granted(talk: Conversation, securable: str) -> set[str]:
    databricks = talk.world.databricks
    principal = next(one for one in databricks.principals if "production" in one.display_name)
    assert principal.display_name == f"{talk.name}-production"
    return databricks.effective_privileges(principal.application_id, securable)


def test_nothing_is_applied_before_every_owner_has_consented(talk: Conversation) -> None:
    run = talk.planned(data_access=[f"{SALES}|read", f"{CARDS}|write"])
    assert f"Waiting for consent to read {SALES} by S0DATAOWN" in text_of(run)
    first = question(talk, f"read {SALES}")
    assert first in talk.ada.thread(run)
    talk.press("Confirm & Apply")
    talk.told(talk.ada, "Confirmed.")
    run = talk.ada.wait_until(lambda: None if "Confirm & Apply" in buttons(run) else run)
    assert set(buttons(run)) == {"Discard", "Add Comment"}
    assert "Waiting for confirmation by" not in text_of(run)

    talk.ada.press("Consent", on=first)
    talk.told(talk.ada, "Nobody consents to their own request for data.")
    talk.pat.press("Consent", on=first)
    talk.told(talk.pat, "Only an owner of the data can answer this.")
    assert talk.name not in talk.world.github.repos

    talk.dora.press("Consent", on=first)
    talk.dora.wait_until(lambda: first if not buttons(first) else None)
    assert "Consent given by U0DORA" in text_of(first)
    second = question(talk, f"write {CARDS}")
    assert f"Waiting for consent to write {CARDS}" in text_of(talk.run_message())
    talk.dora.press("Consent", on=second)
    talk.run_message("Ready in")
    assert "SELECT" in granted(talk, SALES)
    assert "MODIFY" not in granted(talk, SALES)
    assert {"SELECT", "MODIFY"} <= granted(talk, CARDS)
    assert "SELECT" not in granted(talk, "gbx2_prod.sales")


def test_a_refusal_needs_a_reason_and_ends_the_run(talk: Conversation) -> None:
    talk.planned(data_access=[f"{SALES}|read", f"{CARDS}|read"])
    asked = question(talk, f"read {SALES}")
    other = question(talk, f"read {CARDS}")
    talk.dora.press("Refuse", on=asked)
    view = talk.view_says("The requester reads your reason.", talk.dora)
    talk.dora.fill({"reason": "   "})
    assert talk.dora.submit() == {"reason": "Please say why."}
    assert talk.dora.view() is view
    talk.dora.fill({"reason": "Ask the *sales* team first"})
    assert talk.dora.submit() is None
    run = talk.run_message("Refused")
    said = f"Consent to read {SALES} refused by {cast.DORA.slack}"
    assert said in text_of(run)
    assert "Ask the *sales* team first" in text_of(run)
    assert buttons(run) == {}
    talk.dora.wait_until(lambda: other if not buttons(other) else None)
    assert "Withdrawn, the run has ended" in text_of(other)
    assert "Refused by U0DORA: Ask the *sales* team first" in text_of(asked)
    assert talk.name not in talk.world.github.repos
