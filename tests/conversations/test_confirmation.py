"""Who may confirm a plan, what becomes of a plan nobody wants, and what is said too late."""

import json
from datetime import timedelta

from conversation import PRINCIPALS, RUN_SECONDS, Conversation

from playground.slack.reading import buttons, text_of

TOKEN = "ghp_" + "a1B2c3D4e5" * 3 + "f6G7h8"
STRANGER = "Not done: only the requester, an owner of the project or the platform team can do that."


def test_a_stranger_changes_nothing_and_an_owner_confirms(talk: Conversation) -> None:
    run = talk.planned()
    assert "Waiting for confirmation by U0ADA, U0GRACE or S0PLATFORM" in text_of(run)
    talk.says("U0ADA, U0GRACE or S0PLATFORM: please confirm or discard it.")
    before = text_of(run)
    for label in ("Confirm & Apply", "Discard"):
        talk.press(label, talk.sam)
        talk.told(talk.sam, STRANGER)
    assert text_of(talk.run_message()) == before
    talk.grace.type(f"/sciclops audit {talk.name}")
    trail = text_of(talk.told(talk.grace, "Chain verified: "))
    for tried in ("confirm", "discard"):
        assert f"{tried}: only the requester, an owner of the project" in trail
    assert talk.name not in talk.world.github.repos
    stale = {block["block_id"]: block for block in run.blocks}
    talk.press("Confirm & Apply", talk.grace)
    talk.told(talk.grace, f"Confirmed. Applying the plan of {talk.name} now.")
    run = talk.run_message("Ready in")
    assert buttons(run) == {}
    assert "Confirmed by U0GRACE" in text_of(run)
    run.blocks[:] = stale.values()
    talk.ada.press("Discard", on=run)
    talk.told(talk.ada, f"The run of {talk.name} is “Ready” now: it has ended")
    assert not talk.world.github.repos[talk.name].archived


def test_a_comment_arrives_in_the_thread_without_the_secret_pasted_into_it(
    talk: Conversation,
) -> None:
    run = talk.planned()
    talk.press("Add Comment", talk.rosa)
    talk.view_says("Never paste a secret here", talk.rosa)
    talk.rosa.fill({"comment": f"*Why* <!channel> 4 stages? My token is {TOKEN}, ${{x}}"})
    assert talk.rosa.submit() is None
    said = talk.says("*Why* <!channel> 4 stages? My token is [redacted], ${x}")
    assert said in talk.ada.thread(run)
    assert "U0ROSA commented:" in text_of(said)
    talk.press("Discard")
    talk.run_message("Discarded")


def test_an_outdated_plan_cannot_be_confirmed(talk: Conversation) -> None:
    run = talk.planned()
    element = next(
        element
        for block in run.blocks
        if block["type"] == "actions"
        for element in block["elements"]
        if element["text"]["text"] == "Confirm & Apply"
    )
    command, number, _ = json.loads(element["value"])
    element["value"] = json.dumps([command, number, "0123456789ab"])
    talk.ada.press("Confirm & Apply", on=run)
    talk.told(talk.ada, "The plan has changed since that message. Nothing was applied")
    talk.ada.type(f"/sciclops confirm {number}")
    said = text_of(talk.told(talk.ada, "The plan's digest belongs after the run"))
    assert f"Type /sciclops confirm {number} " in said
    assert talk.name not in talk.world.github.repos
    talk.press("Discard")
    run = talk.run_message("Discarded")
    assert buttons(run) == {}
    assert [one for one in talk.ada.thread(run) if "Discarded" in text_of(one)] == []


def test_a_discarded_plan_frees_the_name_for_somebody_else(talk: Conversation) -> None:
    talk.planned()
    talk.press("Discard", talk.pat)
    told = talk.told(talk.pat, f"Discarded. Nothing was made, and the name {talk.name} is free")
    assert told.reader == talk.pat.user
    run = talk.run_message("Discarded")
    assert "Discarded by U0PAT" in text_of(run)
    assert talk.says("U0ADA: Discarded by U0PAT") in talk.ada.thread(run)
    assert buttons(run) == {}
    errors = talk.fill(talk.grace).submit()
    assert errors is None
    again = talk.run_message("Waiting for confirmation")
    assert again is not run
    talk.press("Discard", talk.grace)
    talk.run_message("Discarded")


def test_a_plan_that_nobody_confirms_times_out_and_can_be_retried(talk: Conversation) -> None:
    talk.planned(data_access=["gbx1_prod.sales|read"])
    question = talk.says(f"read gbx1_prod.sales for the project {talk.name}")
    talk.world.clock.advance(timedelta(hours=73))
    talk.run_message("Timed out")
    run = talk.run_message("Timed out")
    told = talk.says("U0ADA: Timed out, not everybody answered in time")
    assert told in talk.ada.thread(run)
    assert "Nothing was made, and the name is free again." in text_of(run)
    assert set(buttons(run)) == {"Retry"}
    talk.dora.wait_until(lambda: question if not buttons(question) else None, timeout=RUN_SECONDS)
    assert "Timed out, nobody answered in time" in text_of(question)
    talk.told(talk.dora, "Timed out, nobody answered in time")
    talk.press("Retry")
    talk.run_message("Waiting for confirmation")
    talk.press("Confirm & Apply")
    talk.press("Consent", talk.dora)
    talk.run_message("Ready in")
    assert len(talk.principals()) == PRINCIPALS
