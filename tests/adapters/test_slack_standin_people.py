"""What Slack's client lets people do: fields, options, membership, other people's views."""

from typing import Any

import pytest
from slack_standin_app import CHANNEL, field, plain

from playground.cast import ADA, BOT_USER_ID, GONE, GRACE
from playground.slack.entities import Answer, Attempt, Channel, Delivery, Message, NotPossible, View
from playground.slack.reading import text_of
from playground.slack.workspace import Workspace
from provisioning.clock import MovableClock

CHOICES = [
    {"text": plain("One"), "value": "1"},
    {"text": plain("Two"), "value": "2"},
]


class Attentive:
    """An app that acks everything at once, with `body`."""

    def __init__(self) -> None:
        self.body: dict[str, Any] | None = None
        self.heard: list[Delivery] = []

    async def send(self, delivery: Delivery, attempt: Attempt) -> Answer:
        assert attempt in delivery.attempts
        self.heard.append(delivery)
        return Answer("acked", self.body, 1.0)


@pytest.fixture
def app() -> Attentive:
    return Attentive()


@pytest.fixture
def workspace(app: Attentive) -> Workspace:
    one = Workspace(MovableClock())
    one.post.door = app
    return one


def modal(workspace: Workspace, *blocks: dict[str, Any], **more: Any) -> View:
    content = {"type": "modal", "title": plain("T"), "submit": plain("Go"), "blocks": list(blocks)}
    return workspace.open_view(ADA.slack, content | more)


def posted(workspace: Workspace, *elements: dict[str, Any], reader: str | None = None) -> Message:
    block = {"type": "actions", "block_id": "b", "elements": list(elements)}
    return workspace.add(Message(CHANNEL, "", BOT_USER_ID, "m", blocks=[block], reader=reader))


ENTRIES: list[tuple[str, dict[str, Any], Any, dict[str, Any]]] = [
    ("plain_text_input", {}, "hello", {"value": "hello"}),
    ("plain_text_input", {}, "", {"value": None}),
    ("number_input", {"is_decimal_allowed": False}, "7", {"value": "7"}),
    ("datepicker", {}, "2026-12-01", {"selected_date": "2026-12-01"}),
    ("timepicker", {}, "09:30", {"selected_time": "09:30"}),
    ("static_select", {"options": CHOICES}, "Two", {"selected_option": CHOICES[1]}),
    ("static_select", {"options": CHOICES}, None, {"selected_option": None}),
    ("radio_buttons", {"options": CHOICES}, "1", {"selected_option": CHOICES[0]}),
    ("checkboxes", {"options": CHOICES}, ["1", "2"], {"selected_options": CHOICES}),
    ("multi_static_select", {"options": CHOICES}, ["2"], {"selected_options": CHOICES[1:]}),
    ("users_select", {}, GRACE.slack, {"selected_user": GRACE.slack}),
    ("multi_users_select", {}, [GRACE.slack], {"selected_users": [GRACE.slack]}),
    ("conversations_select", {}, CHANNEL, {"selected_conversation": CHANNEL}),
    ("channels_select", {}, CHANNEL, {"selected_channel": CHANNEL}),
]


@pytest.mark.parametrize(("kind", "more", "value", "state"), ENTRIES)
async def test_entries_are_reported_in_slacks_form(
    workspace: Workspace, app: Attentive, kind: str, more: Any, value: Any, state: Any
) -> None:
    view = modal(workspace, field("f", {"type": kind, **more}, optional=True))
    await workspace.enter(ADA.slack, view, "f_entered", "f", value)
    await workspace.submit(ADA.slack, view.id)
    values = app.heard[-1].payload["view"]["state"]["values"]
    assert values == {"f": {"f_entered": {"type": kind, **state}}}


UNTOUCHED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"type": "plain_text_input"}, {"value": None}),
    ({"type": "plain_text_input", "initial_value": "x"}, {"value": "x"}),
    ({"type": "multi_users_select"}, {"selected_users": []}),
    ({"type": "external_select"}, {"selected_option": None}),
    (
        {"type": "checkboxes", "options": CHOICES, "initial_options": CHOICES[:1]},
        {"selected_options": CHOICES[:1]},
    ),
]


@pytest.mark.parametrize(("element", "state"), UNTOUCHED)
def test_untouched_fields_report_their_initial_value(
    workspace: Workspace, element: Any, state: Any
) -> None:
    view = modal(workspace, field("f", element))
    assert view.values["f"]["f_entered"] == {"type": element["type"], **state}


IMPOSSIBLE: list[tuple[dict[str, Any], Any, str]] = [
    ({"type": "static_select", "options": CHOICES}, "3", "not among the options"),
    ({"type": "external_select"}, "never offered", "not among the options"),
    ({"type": "users_select"}, "U0NOBODY", "not in the list of users"),
    ({"type": "multi_channels_select"}, ["C0NOWHERE"], "not in the list of channels"),
    ({"type": "datepicker"}, "tomorrow", "not a date"),
]


@pytest.mark.parametrize(("element", "value", "why"), IMPOSSIBLE)
async def test_what_is_not_offered_cannot_be_chosen(
    workspace: Workspace, element: Any, value: Any, why: str
) -> None:
    view = modal(workspace, field("f", element))
    with pytest.raises(NotPossible, match=why):
        await workspace.enter(ADA.slack, view, "f_entered", "f", value)


HELD_BACK: list[tuple[dict[str, Any], Any, str]] = [
    ({"type": "plain_text_input"}, "", "complete this required field"),
    ({"type": "plain_text_input", "min_length": 3}, "ab", "at least 3"),
    ({"type": "plain_text_input", "max_length": 3}, "abcd", "at most 3"),
    ({"type": "plain_text_input"}, "x" * 3001, "at most 3000"),
    ({"type": "email_text_input"}, "ada", "valid email"),
    ({"type": "url_text_input"}, "acme", "valid URL"),
    ({"type": "number_input", "is_decimal_allowed": False}, "1.5", "valid number"),
    ({"type": "number_input", "is_decimal_allowed": True, "max_value": "2"}, "2.5", "number from"),
    (
        {"type": "multi_users_select", "max_selected_items": 1},
        [ADA.slack, GRACE.slack],
        "at most 1",
    ),
]


@pytest.mark.parametrize(("element", "value", "complaint"), HELD_BACK)
async def test_slacks_client_holds_back_what_the_field_forbids(
    workspace: Workspace, app: Attentive, element: Any, value: Any, complaint: str
) -> None:
    view = modal(workspace, field("f", element))
    await workspace.enter(ADA.slack, view, "f_entered", "f", value)
    assert await workspace.submit(ADA.slack, view.id) is None
    assert complaint in view.errors["f"]
    assert app.heard == []


async def test_a_menu_in_a_message_reports_its_choice_at_once(
    workspace: Workspace, app: Attentive
) -> None:
    message = posted(workspace, {"type": "static_select", "action_id": "pick", "options": CHOICES})
    await workspace.enter(ADA.slack, message, "pick", "b", "Two")
    [delivery] = app.heard
    assert delivery.payload["actions"][0]["selected_option"] == CHOICES[1]
    chosen = delivery.payload["state"]["values"]["b"]["pick"]["selected_option"]
    assert chosen == CHOICES[1]


async def test_an_overflow_menu_needs_a_choice(workspace: Workspace, app: Attentive) -> None:
    message = posted(workspace, {"type": "overflow", "action_id": "more", "options": CHOICES})
    with pytest.raises(NotPossible, match="needs a choice"):
        await workspace.click(ADA.slack, message, "more")
    await workspace.click(ADA.slack, message, "more", "b", "2")
    assert app.heard[0].payload["actions"][0]["selected_option"] == CHOICES[1]


async def test_a_stale_button_is_gone(workspace: Workspace) -> None:
    button = {"type": "button", "action_id": "go", "text": plain("Go")}
    message = posted(workspace, button)
    workspace.edit(message, {"blocks": []})
    with pytest.raises(NotPossible, match="no element 'go'"):
        await workspace.click(ADA.slack, message, "go")


async def test_nobody_touches_what_they_do_not_see(workspace: Workspace) -> None:
    button = {"type": "button", "action_id": "go", "text": plain("Go")}
    private = posted(workspace, button, reader=ADA.slack)
    with pytest.raises(NotPossible, match="does not see"):
        await workspace.click(GRACE.slack, private, "go")
    view = modal(workspace, field("f", {"type": "plain_text_input"}))
    with pytest.raises(NotPossible, match="not open for this person"):
        await workspace.enter(GRACE.slack, view, "f_entered", "f", "x")
    with pytest.raises(NotPossible, match="not on top"):
        await workspace.submit(GRACE.slack, view.id)


async def test_who_left_cannot_act_and_nobody_speaks_where_they_are_not(
    workspace: Workspace,
) -> None:
    with pytest.raises(NotPossible, match="can't sign in"):
        await workspace.slash(GONE.slack, CHANNEL, "/sciclops new")
    workspace.channels["C0SECRET"] = Channel("C0SECRET", "secret", {GRACE.slack}, "private")
    with pytest.raises(NotPossible, match="not in channel"):
        await workspace.say(ADA.slack, "C0SECRET", "hello")
    workspace.channels[CHANNEL].archived = True
    with pytest.raises(NotPossible, match="archived"):
        await workspace.say(ADA.slack, CHANNEL, "hello")


async def test_an_unknown_command_stays_with_slackbot(workspace: Workspace, app: Attentive) -> None:
    assert await workspace.slash(ADA.slack, CHANNEL, "/weather") is None
    assert app.heard == []
    assert "not a valid command" in workspace.visible_messages(ADA.slack, CHANNEL)[0].text


async def test_mentions_in_commands_arrive_as_links(workspace: Workspace, app: Attentive) -> None:
    await workspace.slash(ADA.slack, CHANNEL, "/sciclops give @grace <b> #random me@grace")
    text = app.heard[0].payload["text"]
    assert text == "give <@U0GRACE|grace> &lt;b&gt; <#C0RANDOM|random> me@grace"


async def test_a_short_query_asks_nobody(workspace: Workspace, app: Attentive) -> None:
    view = modal(workspace, field("f", {"type": "external_select"}))
    assert await workspace.suggest(ADA.slack, view, "f_entered", "f", "ab") == []
    assert app.heard == []
    other = modal(workspace, field("g", {"type": "users_select"}))
    with pytest.raises(NotPossible, match="has no suggestions"):
        await workspace.suggest(ADA.slack, other, "g_entered", "g", "abc")


async def test_no_more_than_a_hundred_suggestions_are_shown(
    workspace: Workspace, app: Attentive
) -> None:
    many = [{"text": plain(str(number)), "value": str(number)} for number in range(130)]
    groups = [{"label": plain("All"), "options": many}]
    app.body = {"option_groups": groups}
    view = modal(workspace, field("f", {"type": "external_select"}))
    offered = await workspace.suggest(ADA.slack, view, "f_entered", "f", "abc")
    assert len(offered) == 100


async def test_closing_goes_back_one_modal_or_leaves_all(
    workspace: Workspace, app: Attentive
) -> None:
    first = modal(workspace)
    second = modal(workspace, notify_on_close=True)
    await workspace.close(ADA.slack, second.id)
    assert workspace.views(ADA.slack) == [first]
    third = modal(workspace, notify_on_close=True)
    await workspace.close(ADA.slack, third.id, whole_stack=True)
    assert workspace.views(ADA.slack) == []
    assert [one.payload["is_cleared"] for one in app.heard] == [False, True]


async def test_every_change_is_heard_and_slow_listeners_hear_the_newest(
    workspace: Workspace,
) -> None:
    with workspace.subscribe() as changes:
        for _ in range(3):
            posted(workspace)
        assert await changes.get() == workspace.revision
        posted(workspace)
        assert await changes.get() == workspace.revision


def test_everything_written_can_be_read(workspace: Workspace) -> None:
    part = {"type": "text", "text": "83 to add"}
    details = {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [part, {**part, "text": "!"}]}],
    }
    task = {
        "type": "task_card",
        "task_id": "1",
        "title": "Plan",
        "status": "complete",
        "details": details,
    }
    plan = {"type": "plan", "title": "Ready in 3 min", "tasks": [task]}
    table = {"type": "table", "rows": [[{"type": "raw_text", "text": "cell"}]]}
    message = workspace.add(Message(CHANNEL, "", BOT_USER_ID, "top", blocks=[plan, table]))
    lines = text_of(message).splitlines()
    assert {"top", "Ready in 3 min", "Plan", "complete", "83 to add!", "cell"} <= set(lines)
