"""The Web API: wire formats, tokens, scopes, people, rate limits, and the shape of answers."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_standin_app import CHANNEL, Running, ask, error_of, form, running_slack

from playground.cast import ADA, BOT_ID, BOT_USER_ID, GONE, GRACE, PAT
from playground.faults import Fault
from playground.slack.methods import BOT_SCOPES

KEYS = json.loads((Path(__file__).parent / "data" / "slack_payload_keys.json").read_text())


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with running_slack() as one:
        yield one


def without(*scopes: str) -> tuple[str, ...]:
    return tuple(one for one in BOT_SCOPES if one not in scopes)


def trigger(running: Running, user: str = ADA.slack) -> str:
    return running.workspace.new_trigger(user)


@pytest.mark.parametrize("how", ["query", "form", "json", "text-in-form"])
async def test_every_wire_format_is_understood(running: Running, how: str) -> None:
    blocks = ask("sure?")
    given: dict[str, Any] = {"channel": CHANNEL, "text": "hello"}
    headers = {"Authorization": "Bearer xoxb-playground"}
    url = f"{running.base_url}/api/chat.postMessage"
    async with aiohttp.ClientSession(headers=headers) as session:
        sending = {
            "query": lambda: session.get(url, params=given),
            "form": lambda: session.post(url, data=given),
            "json": lambda: session.post(url, json=given | {"blocks": blocks}),
            "text-in-form": lambda: session.post(url, data=given | {"blocks": json.dumps(blocks)}),
        }
        async with sending[how]() as response:
            answer = await response.json()
    assert answer["ok"] is True
    [message] = running.workspace.messages
    assert message.text == "hello"
    assert len(message.blocks) == (2 if how in ("json", "text-in-form") else 0)


async def test_an_empty_body_with_a_json_content_type_is_no_error(running: Running) -> None:
    headers = {"Authorization": "Bearer xoxb-playground", "Content-Type": "application/json"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{running.base_url}/api/auth.test", headers=headers) as response,
    ):
        answer = await response.json()
    assert (answer["ok"], answer["user_id"], answer["bot_id"]) == (True, BOT_USER_ID, BOT_ID)


@pytest.mark.parametrize(
    ("body", "error"),
    [("{", "invalid_json"), ("[1]", "json_not_object"), ('"x"', "json_not_object")],
)
async def test_a_broken_body_is_refused(running: Running, body: str, error: str) -> None:
    headers = {"Authorization": "Bearer xoxb-playground", "Content-Type": "application/json"}
    url = f"{running.base_url}/api/chat.postMessage"
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=body, headers=headers) as response,
    ):
        assert (await response.json())["error"] == error


async def test_tokens_are_checked(running: Running) -> None:
    assert await error_of(running.client("xoxb-stolen").auth_test()) == "invalid_auth"
    assert await error_of(running.client("").auth_test()) == "not_authed"
    with_bot = running.client().apps_connections_open(app_token="xoxb-playground")
    assert await error_of(with_bot) == "not_allowed_token_type"
    as_app = running.client("xapp-playground").chat_postMessage(channel=CHANNEL, text="x")
    assert await error_of(as_app) == "not_allowed_token_type"


async def test_the_granted_scopes_are_in_the_header(running: Running) -> None:
    answer = await running.client().auth_test()
    assert set(answer.headers["x-oauth-scopes"].split(",")) == set(BOT_SCOPES)


async def test_slack_can_go_away_and_come_back_with_its_state(running: Running) -> None:
    await running.client().chat_postMessage(channel=CHANNEL, text="before")
    await running.slack.stop()
    with pytest.raises(aiohttp.ClientConnectionError):
        await running.client().auth_test()
    assert await running.slack.start() == running.base_url
    [message] = (await running.client().conversations_history(channel=CHANNEL))["messages"]
    assert message["text"] == "before"


async def test_an_unknown_method_says_so(running: Running) -> None:
    with pytest.raises(SlackApiError) as refused:
        await running.client().api_call("chat.shout")
    assert refused.value.response["error"] == "unknown_method"
    assert refused.value.response["req_method"] == "chat.shout"


async def test_calls_are_logged_with_their_outcome(running: Running) -> None:
    await running.client().auth_test()
    await error_of(running.client().chat_postMessage(channel="C0NOWHERE", text="x"))
    seen = [(one.method, one.caller, one.error) for one in running.slack.calls]
    assert seen == [("auth.test", "bot", ""), ("chat.postMessage", "bot", "channel_not_found")]


SCOPED = [
    ("chat:write", "chat.postMessage", {"channel": CHANNEL, "text": "x"}),
    ("channels:history", "conversations.history", {"channel": CHANNEL}),
    ("channels:read", "conversations.info", {"channel": CHANNEL}),
    ("channels:read", "conversations.list", {}),
    ("im:write", "conversations.open", {"users": ADA.slack}),
    ("files:write", "files.getUploadURLExternal", {"filename": "a", "length": 1}),
    ("pins:write", "pins.add", {"channel": CHANNEL, "timestamp": "1.1"}),
    ("reactions:write", "reactions.add", {"channel": CHANNEL, "timestamp": "1.1", "name": "eyes"}),
    ("usergroups:read", "usergroups.list", {}),
    ("users:read", "users.info", {"user": ADA.slack}),
    ("users:read.email", "users.lookupByEmail", {"email": ADA.email}),
]


@pytest.mark.parametrize(("scope", "method", "arguments"), SCOPED)
async def test_a_missing_scope_is_named(scope: str, method: str, arguments: Any) -> None:
    async with running_slack(scopes=without(scope)) as running:
        with pytest.raises(SlackApiError) as refused:
            await running.client().api_call(method, params=arguments)
        answer = refused.value.response
        assert (answer["error"], answer["needed"]) == ("missing_scope", scope)
        assert scope not in answer["provided"].split(",")


async def test_an_email_address_needs_its_scope() -> None:
    async with running_slack(scopes=without("users:read.email")) as running:
        user = (await running.client().users_info(user=ADA.slack))["user"]
    assert "email" not in user["profile"]


async def test_people_are_found_by_id_and_address(running: Running) -> None:
    client = running.client()
    user = (await client.users_info(user=ADA.slack))["user"]
    assert (user["real_name"], user["profile"]["email"]) == (ADA.name, ADA.email)
    assert (await client.users_info(user=GONE.slack))["user"]["deleted"] is True
    found = await client.users_lookupByEmail(email=GRACE.email.upper())
    assert found["user"]["id"] == GRACE.slack
    assert await error_of(client.users_info(user="U0NOBODY")) == "user_not_found"
    assert await error_of(client.users_lookupByEmail(email=GONE.email)) == "users_not_found"


async def test_everybody_is_listed_page_by_page(running: Running) -> None:
    client = running.client()
    names: list[str] = []
    async for page in await client.users_list(limit=3):
        names += [one["id"] for one in page["members"]]
    assert names == list(running.workspace.people)


async def test_user_groups_have_members(running: Running) -> None:
    client = running.client()
    groups = (await client.usergroups_list(include_users=True, include_count=True))["usergroups"]
    platform = next(one for one in groups if one["handle"] == "platform-team")
    assert (platform["users"], platform["user_count"]) == ([PAT.slack], 1)
    assert (await client.usergroups_users_list(usergroup="S0PLATFORM"))["users"] == [PAT.slack]
    assert await error_of(client.usergroups_users_list(usergroup="S0NONE")) == "no_such_subteam"


async def test_channels_are_listed_and_described(running: Running) -> None:
    client = running.client()
    listed = (await client.conversations_list())["channels"]
    assert {one["id"]: one["is_member"] for one in listed}["C0RANDOM"] is False
    info = (await client.conversations_info(channel=CHANNEL))["channel"]
    assert (info["name"], info["is_member"], info["is_archived"]) == ("sciclops", True, False)
    members = (await client.conversations_members(channel=CHANNEL))["members"]
    assert ADA.slack in members
    assert GONE.slack not in members
    assert await error_of(client.conversations_list(types="pigeon")) == "invalid_types"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"users": GONE.slack}, "user_disabled"),
        ({"users": "U0NOBODY"}, "user_not_found"),
        ({}, "users_list_not_supplied"),
        ({"channel": CHANNEL}, "channel_not_found"),
        ({"users": f"{ADA.slack},{GRACE.slack}"}, "missing_scope"),
    ],
)
async def test_direct_messages_refuse(running: Running, arguments: Any, error: str) -> None:
    call = running.client().api_call("conversations.open", json=arguments)
    assert await error_of(call) == error


async def limited(call: Any) -> int:
    try:
        await call
    except SlackApiError as refusal:
        answer = refusal.response
        fitting = (answer["error"], answer.status_code) == ("ratelimited", 429)
        return int(answer.headers["Retry-After"]) if fitting else -1
    return 0


async def test_a_channel_takes_about_one_message_a_second(running: Running) -> None:
    client = running.client()
    waits = [
        await limited(client.chat_postMessage(channel=CHANNEL, text=str(number)))
        for number in range(6)
    ]
    assert waits == [0, 0, 0, 0, 0, 1]
    assert await limited(client.chat_postMessage(channel="C0COMMUNITY", text="x")) == 0
    running.clock.advance(timedelta(seconds=1))
    assert await limited(client.chat_postMessage(channel=CHANNEL, text="x")) == 0


@pytest.mark.parametrize(
    ("method", "arguments", "tier"),
    [
        ("usergroups.list", {}, 20),
        ("chat.update", {"channel": CHANNEL, "ts": "1.1", "text": "x"}, 50),
        ("users.info", {"user": ADA.slack}, 100),
    ],
)
async def test_a_method_has_its_tier_and_frees_itself_by_the_clock(
    running: Running, method: str, arguments: dict[str, str], tier: int
) -> None:
    for _ in range(tier):
        assert running.slack.limits.wait(method) == 0
    call = running.client().api_call(method, params=arguments)
    seconds = await limited(call)
    assert 55 <= seconds <= 60
    running.clock.advance(timedelta(seconds=seconds))
    assert running.slack.limits.wait(method) == 0


async def test_limits_can_be_switched_off(running: Running) -> None:
    running.slack.limits.strict = False
    client = running.client()
    for number in range(8):
        await client.chat_postMessage(channel=CHANNEL, text=str(number))
    assert len(running.workspace.messages) == 8


async def test_injected_faults_strike_the_web_api(running: Running) -> None:
    running.faults.add(Fault("slack", "status", "chat.postMessage", status=429, seconds=7))
    with pytest.raises(SlackApiError) as refused:
        await running.client().chat_postMessage(channel=CHANNEL, text="x")
    assert refused.value.response.status_code == 429
    assert refused.value.response.headers["Retry-After"] == "7"
    assert refused.value.response.data == {"ok": False, "error": "ratelimited"}
    await running.client().chat_postMessage(channel=CHANNEL, text="x")
    assert len(running.workspace.messages) == 1


REAL_BUT_NOT_IN_THE_SAMPLES = {
    "channel.is_im",
    "channel.context_team_id",
    "view.blocks",
    "view.state.values",
    "user.is_app_user",
    "user.profile.api_app_id",
    "user.profile.bot_id",
}


def key_paths(value: Any, at: str = "") -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from key_paths(one, f"{at}[]")
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        path = f"{at}.{key}" if at else key
        yield path
        if key not in ("blocks", "values"):
            yield from key_paths(inner, path)


SHAPES: list[tuple[str, dict[str, str]]] = [
    ("auth.test", {}),
    ("conversations.info", {"channel": CHANNEL}),
    ("users.info", {"user": ADA.slack}),
    ("users.lookupByEmail", {"email": ADA.email}),
    ("usergroups.users.list", {"usergroup": "S0PLATFORM"}),
]


@pytest.mark.parametrize(("method", "arguments"), SHAPES)
async def test_answers_have_only_keys_of_real_answers(
    running: Running, method: str, arguments: dict[str, str]
) -> None:
    answer = await running.client().api_call(method, params=arguments)
    known = set(KEYS[f"api {method}"]) | REAL_BUT_NOT_IN_THE_SAMPLES
    assert set(key_paths(answer.data)) <= known


async def test_an_opened_view_has_only_keys_of_a_real_one(running: Running) -> None:
    answer = await running.client().views_open(trigger_id=trigger(running), view=form())
    known = set(KEYS["api views.open"]) | REAL_BUT_NOT_IN_THE_SAMPLES
    assert set(key_paths(answer.data)) <= known


async def test_the_snapshot_is_plain_json_without_tokens(running: Running) -> None:
    await running.client().chat_postMessage(channel=CHANNEL, text="hello")
    text = json.dumps(running.slack.snapshot())
    assert "hello" in text
    assert "xoxb" not in text
