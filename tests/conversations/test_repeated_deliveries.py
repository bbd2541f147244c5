"""Whatever arrives twice, or twenty times at once, happens once."""

import asyncio

from conversation import PRINCIPALS, RUN_SECONDS, Conversation

from playground import cast
from playground.slack.entities import Delivery, Member, View
from playground.slack.reading import text_of

CROWD = 20


def submission(talk: Conversation) -> Delivery:
    """Return the newest submission of a form."""
    return [one for one in talk.playground.chat.deliveries if one.what == "view_submission"][-1]


def test_a_submission_and_a_click_that_arrive_again_and_again_happen_once(
    talk: Conversation,
) -> None:
    talk.ask()
    asked = submission(talk)
    chat = talk.playground.chat
    for attempt in (*chat.redeliver(asked, 2), *chat.redeliver(asked, CROWD, at_once=True)):
        assert attempt.answer.outcome == "acked"
    talk.run_message("Waiting for confirmation")
    click = talk.press("Confirm & Apply")
    for attempt in (*chat.redeliver(click, 2), *chat.redeliver(click, CROWD, at_once=True)):
        assert attempt.answer.outcome == "acked"
    run = talk.run_message("Ready in")
    assert len(talk.run_messages()) == 1
    assert text_of(run).count("Confirmed by") == 1
    assert len(talk.principals()) == PRINCIPALS
    news = f"New project {talk.name}"
    talk.sam.wait_for_message(news, channel="C0COMMUNITY", timeout=RUN_SECONDS)
    announced = [
        one for one in talk.sam.visible_messages("C0COMMUNITY") if talk.name in text_of(one)
    ]
    assert len(announced) == 1
    told = [
        one
        for one in talk.ada.visible_messages()
        if f"Applying the plan of {talk.name}" in one.text
    ]
    assert len(told) == 1


def crowd(talk: Conversation) -> list[str]:
    """Let twenty more people join the workspace."""
    workspace = talk.world.slack.workspace
    users = [f"U0CROWD{number:02}" for number in range(CROWD)]
    for user in users:
        name = user.lower()
        workspace.people[user] = Member(user, name, name.title(), f"{name}@acme.example")
        workspace.channels["C0SCICLOPS"].members.add(user)
    return users


def test_twenty_people_submit_one_name_and_one_of_them_gets_it(talk: Conversation) -> None:
    views: list[View] = []
    for user in crowd(talk):
        person = talk.open_form(talk.playground.person(user))
        person.fill(talk.answers(owners=[user]))
        views.append(person.view())

    async def submit_all() -> None:
        workspace = talk.world.slack.workspace
        await asyncio.gather(*(workspace.submit(view.user, view.id) for view in views))

    talk.playground.run(submit_all())

    def settled() -> list[View] | None:
        left = [view for view in views if view in talk.world.slack.workspace.all_views()]
        checking = [view for view in left if "Checking" in text_of(view)]
        return None if checking else left

    losers = talk.ada.wait_until(settled, timeout=RUN_SECONDS)
    told = [view for view in losers if "name" in view.errors or "⚠" in text_of(view)]
    assert len(told) == CROWD - 1, [text_of(view)[:200] for view in losers]
    assert all(view.values["name"]["name"]["value"] == talk.name for view in losers)
    talk.pat.wait_for_message(f"{talk.name} · ", timeout=RUN_SECONDS)
    assert len(talk.run_messages()) == 1
    talk.press("Cancel Run", talk.pat)
    talk.run_message("Cancelled")


def test_twenty_clicks_at_once_make_one_decision(talk: Conversation) -> None:
    run = talk.planned()
    surface = talk.ada.wait_for_button("Confirm & Apply", talk.name)
    confirm = next(
        element["action_id"]
        for block in surface.blocks
        if block["type"] == "actions"
        for element in block["elements"]
        if element["text"]["text"] == "Confirm & Apply"
    )

    async def click_all() -> None:
        workspace = talk.world.slack.workspace
        people = [cast.ADA.slack, cast.GRACE.slack, cast.PAT.slack]
        clicks = (workspace.click(people[n % 3], surface, confirm) for n in range(CROWD))
        await asyncio.gather(*clicks)

    talk.playground.run(click_all())
    run = talk.run_message("Ready in")
    assert text_of(run).count("Confirmed by") == 1
    assert len(talk.principals()) == PRINCIPALS
    everybody = (talk.ada, talk.grace, talk.pat)
    late = (f"The run of {talk.name} is “", f"The plan of {talk.name} is confirmed already")
    told = [one.text for person in everybody for one in person.visible_messages() if one.reader]
    said = [text for text in told if text.startswith(late)]
    assert len(said) == CROWD - 1
