"""A real Bolt app against the stand-in: the whole dialogue, over both transports."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from slack_standin_app import CHANNEL, Bot, Mode, Running, running_bot, running_slack

from playground.cast import ADA, GRACE, ROSA
from playground.slack.entities import Message, View
from playground.slack.reading import buttons, text_of

KEYS = json.loads((Path(__file__).parent / "data" / "slack_payload_keys.json").read_text())
ALSO_REAL = {"view.blocks", "event.view.blocks", "response_urls", "state", "actions", "retry"}
"""Keys of recorded payloads in bolt-python's tests that the samples of the Java SDK lack."""
FREE = ("blocks", "values", "attachments", "files", "metadata")
"""What lies below these keys is the app's own or described elsewhere."""


@pytest.fixture(params=["socket", "http"])
async def story(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Running, Bot]]:
    mode: Mode = request.param
    async with running_slack(mode=mode) as running, running_bot(running, mode) as bot:
        yield running, bot


def top(running: Running, user: str = ADA.slack) -> View:
    return running.workspace.views(user)[-1]


async def opened(running: Running, user: str = ADA.slack) -> View:
    await running.workspace.slash(user, CHANNEL, "/sciclops new")
    assert await running.workspace.feed.until(lambda: running.workspace.views(user), 5)
    return top(running, user)


async def asked(running: Running, name: str = "demo") -> Message:
    view = await opened(running)
    await running.workspace.submit(ADA.slack, view.id, {"name": {"name_entered": name}})
    found = await running.workspace.feed.until(
        lambda: [one for one in running.workspace.messages if "Create" in one.text], 5
    )
    assert found
    return found[-1]


async def test_a_slash_command_becomes_a_form_a_message_and_an_edit(
    story: tuple[Running, Bot],
) -> None:
    running, bot = story
    workspace = running.workspace
    view = await opened(running)
    assert view.title == "New project"

    await workspace.submit(ADA.slack, view.id, {"name": {"name_entered": "taken"}})
    assert top(running).errors == {"name": "Already taken"}
    entered = top(running).values["name"]["name_entered"]
    assert entered == {"type": "plain_text_input", "value": "taken"}

    await workspace.submit(ADA.slack, view.id, {"name": {"name_entered": "demo"}})
    assert workspace.views(ADA.slack) == []
    question = (await workspace.feed.until(lambda: workspace.messages, 5) or [])[0]
    assert question.text == "Create demo?"

    pressed = await workspace.click(GRACE.slack, question, "confirm", "choices")
    assert pressed.acked
    assert await workspace.feed.until(lambda: question.edits, 5) == 1
    assert (question.text, question.blocks) == (f"Applied by {GRACE.slack}", [])
    assert bot.heard[0] == "command new"
    assert bot.heard[-1] == "confirmed"


async def test_acks_are_measured(story: tuple[Running, Bot]) -> None:
    running, _ = story
    delivery = await running.workspace.slash(ADA.slack, CHANNEL, "/sciclops help")
    assert delivery is not None
    assert delivery.acked
    assert delivery.ack_ms is not None
    assert 0 < delivery.ack_ms < 3000


async def test_a_modal_that_another_person_opened_is_not_mine(story: tuple[Running, Bot]) -> None:
    running, _ = story
    await opened(running, ADA.slack)
    assert running.workspace.views(GRACE.slack) == []


async def test_suggestions_come_from_the_app(story: tuple[Running, Bot]) -> None:
    running, bot = story
    view = await opened(running)
    offered = await running.workspace.suggest(ADA.slack, view, "team_entered", "team", "review")
    assert [one["value"] for one in offered] == ["ml-reviewers"]
    await running.workspace.enter(ADA.slack, view, "team_entered", "team", "ml-reviewers")
    chosen = view.values["team"]["team_entered"]["selected_option"]
    assert chosen["value"] == "ml-reviewers"
    assert "options review" in bot.heard


async def test_typing_updates_the_form_and_keeps_what_was_entered(
    story: tuple[Running, Bot],
) -> None:
    running, _ = story
    view = await opened(running)
    await running.workspace.enter(ADA.slack, view, "owners_entered", "owners", [ROSA.slack])
    await running.workspace.enter(ADA.slack, view, "name_entered", "name", "rocket")
    assert await running.workspace.feed.until(lambda: "rocket is free" in text_of(view), 5)
    assert view.values["name"]["name_entered"]["value"] == "rocket"
    assert view.values["owners"]["owners_entered"]["selected_users"] == [ROSA.slack]


async def test_an_ack_can_update_push_and_clear(story: tuple[Running, Bot]) -> None:
    running, _ = story
    workspace = running.workspace
    view = await opened(running)
    await workspace.submit(ADA.slack, view.id, {"name": {"name_entered": "wait"}})
    assert "Checking…" in text_of(top(running))
    await workspace.submit(ADA.slack, view.id, {"name": {"name_entered": "more"}})
    pushed = top(running)
    assert (pushed.previous, pushed.root) == (view.id, view.id)
    await workspace.close(ADA.slack, pushed.id)
    await workspace.submit(ADA.slack, view.id, {"name": {"name_entered": "clear"}})
    assert workspace.views(ADA.slack) == []


@pytest.mark.parametrize("name", ["wrong-block", "bad-view"])
async def test_an_ack_that_slack_cannot_use_leaves_the_form_with_a_banner(
    story: tuple[Running, Bot], name: str
) -> None:
    running, _ = story
    view = await opened(running)
    await running.workspace.submit(ADA.slack, view.id, {"name": {"name_entered": name}})
    assert "trouble connecting" in top(running).trouble
    assert top(running).errors == {}


async def test_a_closed_form_is_reported_when_the_app_wants_to_know(
    story: tuple[Running, Bot],
) -> None:
    running, bot = story
    view = await opened(running)
    delivery = await running.workspace.close(ADA.slack, view.id)
    assert delivery is not None
    assert delivery.payload["is_cleared"] is False
    assert bot.heard[-1] == "closed"


async def test_the_home_tab_is_published_and_reported_the_next_time(
    story: tuple[Running, Bot],
) -> None:
    running, _ = story
    first = await running.workspace.open_home(ADA.slack)
    home = await running.workspace.feed.until(lambda: running.workspace.home(ADA.slack), 5)
    assert home is not None
    assert "Your projects" in text_of(home)
    second = await running.workspace.open_home(ADA.slack)
    assert first is not None
    assert second is not None
    assert "view" not in first.payload["event"]
    assert second.payload["event"]["view"]["id"] == home.id


async def test_a_mention_is_an_event_and_gets_its_answer(story: tuple[Running, Bot]) -> None:
    running, bot = story
    said = await running.workspace.say(ADA.slack, CHANNEL, "@sciclops hello & <you>")
    assert said.text == "<@U0SCICLOPS|sciclops> hello &amp; &lt;you&gt;"
    messages = running.workspace.messages
    assert await running.workspace.feed.until(lambda: len(messages) == 2, 5)
    assert messages[-1].text == "you called?"
    assert bot.heard == ["mentioned"]


async def test_text_in_a_commands_ack_is_for_its_reader_only(story: tuple[Running, Bot]) -> None:
    running, _ = story
    await running.workspace.slash(ADA.slack, CHANNEL, "/sciclops text")
    mine = running.workspace.visible_messages(ADA.slack, CHANNEL)
    assert [one.text for one in mine] == ["on it"]
    assert running.workspace.visible_messages(GRACE.slack, CHANNEL) == []


async def test_respond_reaches_the_person_who_typed(story: tuple[Running, Bot]) -> None:
    running, _ = story
    await running.workspace.slash(ADA.slack, CHANNEL, "/sciclops respond")
    assert await running.workspace.feed.until(lambda: running.workspace.messages, 5)
    mine = running.workspace.visible_messages(ADA.slack, CHANNEL)
    assert [one.text for one in mine] == ["only you see this"]
    assert running.workspace.visible_messages(GRACE.slack, CHANNEL) == []


async def test_buttons_vanish_with_the_blocks_they_stood_in(story: tuple[Running, Bot]) -> None:
    running, _ = story
    question = await asked(running)
    assert list(buttons(question)) == ["Confirm & Apply"]
    await running.workspace.click(ADA.slack, question, "confirm")
    assert await running.workspace.feed.until(lambda: question.edits, 5)
    assert buttons(question) == {}


def key_paths(value: Any, at: str = "") -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from key_paths(one, f"{at}[]")
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        path = f"{at}.{key}" if at else key
        yield path
        if key not in FREE:
            yield from key_paths(inner, path)


def unknown_keys(payload: dict[str, Any], kind: str) -> set[str]:
    known = set(KEYS[kind]) | ALSO_REAL
    return {
        path
        for path in key_paths(payload)
        if path not in known
        and not path.startswith(("actions[]", "state.", "view.state.", "event.view.state."))
    }


async def test_payloads_carry_only_keys_of_real_payloads(story: tuple[Running, Bot]) -> None:
    running, _ = story
    question = await asked(running)
    await running.workspace.click(ADA.slack, question, "confirm")
    await running.workspace.open_home(ADA.slack)
    await running.workspace.feed.until(lambda: running.workspace.home(ADA.slack), 5)
    await running.workspace.open_home(ADA.slack)
    view = await opened(running)
    await running.workspace.close(ADA.slack, view.id)
    seen = set()
    for delivery in running.workspace.deliveries:
        kind = "slash_commands" if delivery.kind == "slash_commands" else delivery.what
        seen.add(kind)
        assert unknown_keys(delivery.payload, kind) == set(), kind
    assert seen == {
        "slash_commands",
        "block_actions",
        "view_submission",
        "view_closed",
        "app_home_opened",
    }


NEEDED = {
    "slash_commands": {"api_app_id", "trigger_id", "response_url", "team_domain", "user_name"},
    "view_submission": {
        "trigger_id",
        "enterprise",
        "is_enterprise_install",
        "view.state",
        "view.hash",
        "view.external_id",
        "view.app_installed_team_id",
        "view.root_view_id",
        "view.previous_view_id",
        "view.private_metadata",
    },
    "block_actions": {
        "trigger_id",
        "response_url",
        "enterprise",
        "container.message_ts",
        "container.channel_id",
        "container.is_ephemeral",
        "channel.id",
        "message.ts",
        "message.bot_id",
        "actions[].action_ts",
        "actions[].block_id",
        "actions[].value",
    },
}


async def test_the_keys_that_apps_rely_on_are_there(story: tuple[Running, Bot]) -> None:
    running, _ = story
    question = await asked(running)
    await running.workspace.click(ADA.slack, question, "confirm")
    found = {
        one.kind if "command" in one.payload else one.what: one
        for one in running.workspace.deliveries
    }
    for kind, needed in NEEDED.items():
        assert needed <= set(key_paths(found[kind].payload)), kind


async def test_every_delivery_reached_the_app_unchanged(story: tuple[Running, Bot]) -> None:
    running, bot = story
    await asked(running)
    assert [one.payload for one in running.workspace.deliveries] == bot.bodies
