"""Vendors that do not answer keep nobody waiting without a word."""

import asyncio
from datetime import timedelta

from conversation import ANSWER_SECONDS, RUN_SECONDS, Conversation

from playground import cast
from playground.faults import Door, Fault
from playground.slack.deliveries import moment
from playground.slack.entities import Delivery

ACK_MS = 1000
SUBMITTED_MS = 2500
ANSWERED_SECONDS = 5
ASKING = ("list ", "status ", "cancel ", "")
A_SECOND, SECONDS = 20, 10


def stall(talk: Conversation, seconds: float) -> None:
    """Let every call of GitHub and Databricks take this much longer from now on."""
    doors: tuple[Door, ...] = ("github", "databricks")
    for door in doors:
        talk.world.faults.add(Fault(door, "delay", times=10_000, seconds=seconds))


def in_time(delivery: Delivery) -> bool:
    """Tell whether something was acknowledged as soon as it has to be."""
    limit = SUBMITTED_MS if delivery.what == "view_submission" else ACK_MS
    return delivery.acked and (delivery.ack_ms or 0) < limit


def submission(talk: Conversation) -> Delivery:
    """Return the newest submission of a form."""
    return [one for one in talk.playground.chat.deliveries if one.what == "view_submission"][-1]


def test_a_slow_check_becomes_checking_and_then_the_form_with_its_errors(
    talk: Conversation,
) -> None:
    talk.fill(reviewers=["team:team-001"])
    stall(talk, 3)
    assert talk.ada.submit() is None
    ms = submission(talk).ack_ms
    assert ms is not None
    assert ms < 2500
    talk.view_says("GitHub or Databricks is slow. I keep what you typed")
    view = talk.view_says("⚠ The team “team-001” has no members")
    state = {block: next(iter(actions.values())) for block, actions in view.values.items()}
    assert state["name"]["value"] == talk.name
    assert state["github_team"]["selected_option"]["value"] == "data-science"
    assert state["github_team"]["selected_option"]["text"]["text"] == "Data Science"
    assert state["reviewers"]["selected_options"][0]["value"] == "team:team-001"
    assert state["owners"]["selected_users"] == [cast.ADA.slack, cast.GRACE.slack]
    talk.world.faults.clear()
    talk.ada.fill({"reviewers": ["team:ml-reviewers"]})
    assert talk.ada.submit() is None
    talk.press("Cancel Run")
    talk.run_message("Cancelled")


def test_a_slow_check_that_ends_well_sends_the_request_on_its_way(talk: Conversation) -> None:
    talk.fill()
    stall(talk, 3)
    assert talk.ada.submit() is None
    talk.view_says("Checking")
    talk.view_says(f"Your project {talk.name} is on its way.")
    talk.world.faults.clear()
    talk.press("Cancel Run")
    talk.run_message("Cancelled")
    assert len(talk.run_messages()) == 1


def test_a_submission_survives_a_kill_while_it_is_being_checked(talk: Conversation) -> None:
    talk.fill()
    stall(talk, 10)
    assert talk.ada.submit() is None
    talk.view_says("Checking")
    talk.playground.run(talk.world.bot.kill())
    talk.world.faults.clear()
    talk.playground.run(talk.world.bot.start(), timeout=RUN_SECONDS)
    talk.view_says(f"Your project {talk.name} is on its way.")
    talk.press("Cancel Run")
    talk.run_message("Cancelled")
    assert len(talk.run_messages()) == 1


def test_type_ahead_offers_what_is_known_rather_than_too_late(talk: Conversation) -> None:
    talk.open_form()
    stall(talk, 30)
    offered = talk.ada.suggest("managed_group", "aad-team-07")
    assert offered, "what was answered before the vendor fell silent is still known"
    assert all("aad-team-07" in option for option in offered)
    asked = talk.playground.chat.deliveries[-1]
    assert asked.acked
    assert asked.ack_ms is not None
    assert asked.ack_ms < 2500


def test_twenty_commands_a_second_are_all_acked_and_answered(talk: Conversation) -> None:
    people = (talk.ada, talk.grace, talk.rosa, talk.dora, talk.pat)
    for person in people:
        talk.fill(person)
    stall(talk, 30)

    async def storm() -> list[Delivery]:
        workspace, clock = talk.world.slack.workspace, talk.world.clock
        started = clock.now()
        doing = [
            asyncio.create_task(workspace.submit(person.user, person.view().id))
            for person in people
        ]
        for number in range(A_SECOND * SECONDS):
            text = f"/sciclops {ASKING[number % len(ASKING)]}nothing-{number:03}"
            user = people[number % len(people)].user
            doing.append(asyncio.create_task(workspace.slash(user, "C0SCICLOPS", text)))
            await moment(clock, started + timedelta(seconds=number / A_SECOND), asyncio.Event())
        return [delivery for delivery in await asyncio.gather(*doing) if delivery]

    deliveries = talk.playground.run(storm(), timeout=RUN_SECONDS)
    assert len(deliveries) == A_SECOND * SECONDS + len(people)
    assert [one.ack_ms for one in deliveries if not in_time(one)] == []
    waited = {
        words: waiting_time(talk, one)
        for one in deliveries
        if (words := one.payload.get("text", ""))
    }
    assert {words: took for words, took in waited.items() if took > ANSWERED_SECONDS} == {}


def waiting_time(talk: Conversation, command: Delivery) -> float:
    """Return how many seconds a command waited for its answer, which repeats its last word."""
    word = command.payload["text"].split()[-1]
    answer = talk.playground.person(command.user).wait_for_message(word, timeout=ANSWER_SECONDS)
    assert answer.reader == command.user
    return float(answer.ts) - command.attempts[0].at.timestamp()
