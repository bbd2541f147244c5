"""Messages, threads, history, reactions: what Slack takes from an app, and what it refuses."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_standin_app import CHANNEL, Running, ask, error_of, plain, running_slack

from playground.cast import ADA, BOT_USER_ID, GONE, GRACE
from playground.slack.entities import Channel
from playground.slack.methods import BOT_SCOPES

RANDOM = "C0RANDOM"

METADATA = {"event_type": "run", "event_payload": {"id": "run-1"}}


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with running_slack() as one:
        yield one


def without(*scopes: str) -> tuple[str, ...]:
    return tuple(one for one in BOT_SCOPES if one not in scopes)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ({"channel": "#nowhere", "text": "x"}, "channel_not_found"),
        ({"channel": CHANNEL}, "no_text"),
        ({"channel": CHANNEL, "text": ""}, "no_text"),
        ({"channel": CHANNEL, "text": "x", "blocks": "{"}, "invalid_blocks_format"),
        ({"channel": CHANNEL, "text": "x", "blocks": "{}"}, "invalid_blocks_format"),
        ({"channel": CHANNEL, "text": "x", "blocks": [{"type": "no"}]}, "invalid_blocks"),
        ({"channel": CHANNEL, "text": "x", "attachments": "{}"}, "invalid_attachments"),
        ({"channel": CHANNEL, "text": "x", "attachments": [{}] * 101}, "too_many_attachments"),
        ({"channel": CHANNEL, "text": "x", "thread_ts": "1.1"}, "cannot_reply_to_message"),
        ({"channel": CHANNEL, "text": "x", "metadata": {"id": 1}}, "invalid_metadata_format"),
        (
            {
                "channel": CHANNEL,
                "text": "x",
                "metadata": {"event_type": "a", "event_payload": {"x": "y" * 8000}},
            },
            "metadata_too_large",
        ),
        (
            {
                "channel": CHANNEL,
                "text": "x",
                "blocks": [{"type": "section", "text": plain("x" * 2900)}] * 5,
            },
            "msg_blocks_too_long",
        ),
    ],
)
async def test_a_message_that_slack_would_not_take_is_refused(
    running: Running, arguments: Any, error: str
) -> None:
    assert await error_of(running.client().api_call("chat.postMessage", json=arguments)) == error
    assert running.workspace.messages == []


async def test_bad_blocks_are_explained_with_pointers(running: Running) -> None:
    blocks = [{"type": "header", "text": plain("x" * 151)}]
    with pytest.raises(SlackApiError) as refused:
        await running.client().chat_postMessage(channel=CHANNEL, text="x", blocks=blocks)
    messages = refused.value.response["response_metadata"]["messages"]
    expected = "[ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]"
    assert messages == [expected]


async def test_an_old_workspace_refuses_plan_blocks() -> None:
    task = {"type": "task_card", "task_id": "1", "title": "Plan", "status": "pending"}
    blocks = [{"type": "plan", "title": "Planning", "tasks": [task]}]
    async with running_slack(plan_blocks=False) as running:
        post = running.client().chat_postMessage(channel=CHANNEL, text="x", blocks=blocks)
        assert await error_of(post) == "invalid_blocks"


async def test_where_the_app_may_post() -> None:
    async with running_slack(scopes=without("chat:write.public")) as running:
        client = running.client()
        running.workspace.channels["C0SECRET"] = Channel("C0SECRET", "secret", set(), "private")
        not_in = client.chat_postMessage(channel=RANDOM, text="x")
        assert await error_of(not_in) == "not_in_channel"
        secret = client.chat_postMessage(channel="C0SECRET", text="x")
        assert await error_of(secret) == "channel_not_found"
        running.workspace.channels[CHANNEL].archived = True
        archived = client.chat_postMessage(channel=CHANNEL, text="x")
        assert await error_of(archived) == "is_archived"


async def test_chat_write_public_opens_public_channels(running: Running) -> None:
    answer = await running.client().chat_postMessage(channel="#random", text="hello")
    assert answer["channel"] == RANDOM


async def test_a_message_to_a_person_opens_a_direct_message(running: Running) -> None:
    answer = await running.client().chat_postMessage(channel=ADA.slack, text="psst")
    place = running.workspace.channels[answer["channel"]]
    assert (place.kind, place.members) == ("im", {ADA.slack, BOT_USER_ID})


async def test_long_text_is_cut_on_posting_and_refused_on_updating(running: Running) -> None:
    client = running.client()
    posted = await client.chat_postMessage(channel=CHANNEL, text="x" * 40_001)
    assert len(running.workspace.messages[0].text) == 40_000
    update = client.chat_update(channel=CHANNEL, ts=posted["ts"], text="x" * 4001)
    assert await error_of(update) == "msg_too_long"


async def test_an_update_replaces_only_what_it_carries(running: Running) -> None:
    client = running.client()
    posted = await client.chat_postMessage(
        channel=CHANNEL, text="one", blocks=ask("one"), metadata=METADATA
    )
    await client.chat_update(channel=CHANNEL, ts=posted["ts"], text="two")
    [message] = running.workspace.messages
    assert (message.text, len(message.blocks), message.metadata) == ("two", 2, METADATA)
    emptied = {"channel": CHANNEL, "ts": posted["ts"], "blocks": []}
    await client.api_call("chat.update", json=emptied)
    assert (message.text, message.blocks, message.edits) == ("two", [], 2)


async def test_what_cannot_be_updated_or_deleted(running: Running) -> None:
    client = running.client()
    said = await running.workspace.say(ADA.slack, CHANNEL, "mine")
    update = client.chat_update(channel=CHANNEL, ts=said.ts, text="x")
    assert await error_of(update) == "cant_update_message"
    assert await error_of(client.chat_delete(channel=CHANNEL, ts=said.ts)) == "cant_delete_message"
    missing = client.chat_update(channel=CHANNEL, ts="1.1", text="x")
    assert await error_of(missing) == "message_not_found"
    assert await error_of(client.chat_delete(channel=CHANNEL, ts="1.1")) == "message_not_found"
    posted = await client.chat_postMessage(channel=CHANNEL, text="x")
    nothing = client.api_call("chat.update", json={"channel": CHANNEL, "ts": posted["ts"]})
    assert await error_of(nothing) == "no_text"
    running.workspace.channels[CHANNEL].archived = True
    late = client.chat_update(channel=CHANNEL, ts=posted["ts"], text="y")
    assert await error_of(late) == "is_inactive"


async def test_ephemeral_messages_are_seen_by_one_person_and_nobody_can_edit_them(
    running: Running,
) -> None:
    client = running.client()
    answer = await client.chat_postEphemeral(channel=CHANNEL, user=ADA.slack, text="secret")
    assert len(running.workspace.visible_messages(ADA.slack, CHANNEL)) == 1
    assert running.workspace.visible_messages(GRACE.slack, CHANNEL) == []
    update = client.chat_update(channel=CHANNEL, ts=answer["message_ts"], text="x")
    assert await error_of(update) == "message_not_found"
    stranger = client.chat_postEphemeral(channel=CHANNEL, user=GONE.slack, text="x")
    assert await error_of(stranger) == "user_not_in_channel"
    assert (await client.conversations_history(channel=CHANNEL))["messages"] == []


async def test_timestamps_are_unique_and_rise(running: Running) -> None:
    running.slack.limits.strict = False
    client = running.client()
    stamps = [
        (await client.chat_postMessage(channel=CHANNEL, text=str(number)))["ts"]
        for number in range(50)
    ]
    assert len(set(stamps)) == 50
    assert stamps == sorted(stamps)


async def test_threads_have_counts_permalinks_and_tombstones(running: Running) -> None:
    client = running.client()
    parent = (await client.chat_postMessage(channel=CHANNEL, text="run"))["ts"]
    reply = (await client.chat_postMessage(channel=CHANNEL, text="log", thread_ts=parent))["ts"]
    [shown] = (await client.conversations_history(channel=CHANNEL))["messages"]
    assert (shown["reply_count"], shown["latest_reply"]) == (1, reply)
    replies = (await client.conversations_replies(channel=CHANNEL, ts=parent))["messages"]
    assert [one["text"] for one in replies] == ["run", "log"]
    link = (await client.chat_getPermalink(channel=CHANNEL, message_ts=reply))["permalink"]
    assert link.endswith(f"p{reply.replace('.', '')}?thread_ts={parent}&cid={CHANNEL}")
    await client.chat_delete(channel=CHANNEL, ts=parent)
    replies = (await client.conversations_replies(channel=CHANNEL, ts=parent))["messages"]
    assert replies[0]["subtype"] == "tombstone"
    nowhere = client.conversations_replies(channel=CHANNEL, ts="1.1")
    assert await error_of(nowhere) == "thread_not_found"
    no_link = client.chat_getPermalink(channel=CHANNEL, message_ts="1.1")
    assert await error_of(no_link) == "message_not_found"


async def test_history_is_paged_newest_first_with_metadata_on_request(running: Running) -> None:
    client = running.client()
    for number in range(3):
        await client.chat_postMessage(channel=CHANNEL, text=str(number), metadata=METADATA)
    first = await client.conversations_history(channel=CHANNEL, limit=2)
    assert [one["text"] for one in first["messages"]] == ["2", "1"]
    assert first["has_more"] is True
    assert "metadata" not in first["messages"][0]
    rest = await client.conversations_history(
        channel=CHANNEL,
        limit=2,
        cursor=first["response_metadata"]["next_cursor"],
        include_all_metadata=True,
    )
    assert [one["text"] for one in rest["messages"]] == ["0"]
    assert rest["messages"][0]["metadata"] == METADATA
    since = await client.conversations_history(channel=CHANNEL, oldest=first["messages"][1]["ts"])
    assert [one["text"] for one in since["messages"]] == ["2"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": CHANNEL, "cursor": "bm8="}, "invalid_cursor"),
        ({"channel": CHANNEL, "cursor": "!"}, "invalid_cursor"),
        ({"channel": CHANNEL, "limit": "0"}, "invalid_limit"),
        ({"channel": CHANNEL, "limit": "many"}, "invalid_limit"),
        ({"channel": CHANNEL, "oldest": "noon"}, "invalid_ts_oldest"),
        ({"channel": CHANNEL, "latest": "noon"}, "invalid_ts_latest"),
        ({"channel": RANDOM}, "not_in_channel"),
        ({"channel": "C0NOWHERE"}, "channel_not_found"),
        ({}, "invalid_arguments"),
    ],
)
async def test_history_refuses(running: Running, arguments: Any, error: str) -> None:
    call = running.client().api_call("conversations.history", params=arguments)
    assert await error_of(call) == error


async def test_reactions_and_pins_are_added_once(running: Running) -> None:
    client = running.client()
    ts = (await client.chat_postMessage(channel=CHANNEL, text="x"))["ts"]
    await client.reactions_add(channel=CHANNEL, timestamp=ts, name="eyes")
    again = client.reactions_add(channel=CHANNEL, timestamp=ts, name="eyes")
    assert await error_of(again) == "already_reacted"
    await client.pins_add(channel=CHANNEL, timestamp=ts)
    assert await error_of(client.pins_add(channel=CHANNEL, timestamp=ts)) == "already_pinned"
    odd = client.reactions_add(channel=CHANNEL, timestamp=ts, name="<b>")
    assert await error_of(odd) == "invalid_name"
    assert await error_of(client.pins_add(channel=CHANNEL)) == "no_item_specified"
    missing = client.pins_add(channel=CHANNEL, timestamp="1.1")
    assert await error_of(missing) == "message_not_found"
    elsewhere = client.pins_add(channel=RANDOM, timestamp=ts)
    assert await error_of(elsewhere) == "not_in_channel"
    [message] = running.workspace.messages
    assert (message.reactions, message.pinned) == ({"eyes": [BOT_USER_ID]}, True)
