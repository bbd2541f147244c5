"""Data is granted when its owners consent: each of them, to exactly this plan."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from conversation import RUN_SECONDS, Conversation

from playground import cast
from playground.faults import Fault
from playground.slack.driver import Person
from playground.slack.entities import Channel, Member, Message
from playground.slack.reading import buttons, text_of

SALES, CARDS = "gbx1_prod.sales", "gbx1_prod.loyalty"


def question(talk: Conversation, what: str) -> Message:
    """Return what asks in the run's thread."""
    return talk.says(f"{what} for the project {talk.name}")


def asked_directly(talk: Conversation, what: str, person: Person | None = None) -> list[Message]:
    """Return the direct messages that ask somebody."""
    channel = f"D{(person or talk.dora).user.removeprefix('U')}"
    return [
        one
        for one in talk.world.slack.workspace.messages
        if one.channel == channel and f"{what} for the project {talk.name}" in text_of(one)
    ]


def settled(talk: Conversation, asked: Message) -> None:
    """Wait until a question offers no buttons any more."""
    talk.dora.wait_until(lambda: None if buttons(asked) else asked, timeout=RUN_SECONDS)


@contextmanager
def owners(talk: Conversation, *users: str) -> Iterator[None]:
    """Make these the members of the data owners' group for a while."""
    group = talk.world.slack.workspace.user_groups["S0DATAOWN"]
    before, group.members = group.members, list(users)
    try:
        yield
    finally:
        group.members = before


def granted(talk: Conversation, securable: str) -> set[str]:
    databricks = talk.world.databricks
    principal = next(p for p in databricks.principals if p.display_name.endswith("-production"))
    assert principal.display_name == f"{talk.name}-production"
    return databricks.effective_privileges(principal.application_id, securable)


def test_nothing_is_applied_before_every_owner_has_consented(talk: Conversation) -> None:
    run = talk.planned(data_access=[f"{SALES}|read", f"{CARDS}|write"])
    assert f"Waiting for consent to read {SALES} by S0DATAOWN" in text_of(run)
    assert f"Data access asked for: read {SALES}, write {CARDS}" in text_of(run)
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
    settled(talk, first)
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
    verdict = f"Consent to read {SALES} refused by {cast.DORA.slack}"
    assert verdict in text_of(run)
    assert "Ask the *sales* team first" in text_of(run)
    assert buttons(run) == {}
    settled(talk, other)
    assert "Withdrawn, the run has ended" in text_of(other)
    for what, said in ((SALES, "Refused by U0DORA"), (CARDS, "Withdrawn, the run has ended")):
        (direct,) = asked_directly(talk, f"read {what}")
        settled(talk, direct)
        assert said in text_of(direct)
    assert "Refused by U0DORA: Ask the *sales* team first" in text_of(asked)
    assert talk.says(f"U0ADA: {verdict}: Ask the *sales* team first") in talk.ada.thread(run)
    assert talk.name not in talk.world.github.repos


def test_an_owner_who_is_not_in_the_private_channel_is_asked_directly(talk: Conversation) -> None:
    channel = talk.world.slack.workspace.channels["C0SCICLOPS"]
    channel.kind = "private"
    channel.members.discard(cast.DORA.slack)
    try:
        talk.planned(data_access=[f"{SALES}|read"])
        talk.press("Confirm & Apply")
        direct = talk.told(talk.dora, f"read {SALES} for the project {talk.name}")
        assert "You are asked as an owner of this data" in text_of(direct)
        assert "U0ADA asks to" in text_of(direct)
        talk.dora.press("Consent", on=direct)
        talk.told(talk.dora, "Thank you. The access is granted with this run.")
        asked = question(talk, f"read {SALES}")
        for message in (direct, asked):
            settled(talk, message)
            assert "Consent given by U0DORA" in text_of(message)
        talk.run_message("Ready in")
    finally:
        channel.kind = "public"
        channel.members.add(cast.DORA.slack)
    assert len(asked_directly(talk, f"read {SALES}")) == 1


def test_of_a_large_group_a_few_are_asked_directly_and_never_the_requester(
    talk: Conversation,
) -> None:
    people = talk.world.slack.workspace.people
    crowd = [f"U0CROWD{number:02}" for number in range(15)]
    people |= {one: Member(one, one.lower(), one, f"{one}@acme.example") for one in crowd}
    with owners(talk, cast.ADA.slack, cast.GONE.slack, *crowd):
        talk.planned(data_access=[f"{SALES}|read"])
        assert "S0DATAOWN" in text_of(question(talk, f"read {SALES}"))
        everybody = [talk.playground.person(one) for one in people]

        def asked() -> list[str]:
            return [one.user for one in everybody if asked_directly(talk, f"read {SALES}", one)]

        talk.ada.wait_until(lambda: asked() if len(asked()) == 10 else None, timeout=RUN_SECONDS)
        talk.press("Discard")
        talk.run_message("Discarded")
    assert asked() == crowd[:10]


def test_who_was_asked_just_before_a_crash_is_not_asked_again(talk: Conversation) -> None:
    """The run's message, its plan, the question and the direct one arrive; no answer does."""
    lost = Fault("slack", "drop", "chat.postMessage", times=4, after_effect=True)
    talk.world.faults.add(lost)
    talk.planned(data_access=[f"{SALES}|read"])
    direct = talk.told(talk.dora, f"read {SALES} for the project {talk.name}")
    talk.says(f"Plan for {talk.name}")
    talk.press("Discard")
    talk.run_message("Discarded")
    settled(talk, direct)
    assert lost not in talk.world.faults.active
    assert asked_directly(talk, f"read {SALES}") == [direct]
    assert "Withdrawn, the run has ended" in text_of(direct)


def test_the_requester_hears_whom_the_bot_cannot_reach_and_they_are_asked_later(
    talk: Conversation,
) -> None:
    async def door() -> Channel:
        return talk.world.slack.workspace.direct_messages(cast.DORA.slack)

    room = talk.playground.run(door())
    room.archived = True
    try:
        talk.planned(data_access=[f"{SALES}|read"])
        said = talk.told(talk.ada, f"I cannot write to <@U0DORA> about {talk.name} directly")
        assert "Please show them the thread of the run's message" in text_of(said)
    finally:
        room.archived = False
    assert asked_directly(talk, f"read {SALES}") == []
    talk.world.clock.advance(timedelta(minutes=10))
    talk.told(talk.dora, f"read {SALES} for the project {talk.name}")
    talk.press("Discard")
    talk.run_message("Discarded")
    assert len(asked_directly(talk, f"read {SALES}")) == 1
