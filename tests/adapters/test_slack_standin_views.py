"""Modals, App Home, files and response URLs: what Slack takes from an app, and what it refuses."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_standin_app import CHANNEL, Running, error_of, form, plain, running_slack

from playground.cast import ADA, BOT_USER_ID, GRACE
from playground.slack.entities import Message

RANDOM = "C0RANDOM"


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with running_slack() as one:
        yield one


def trigger(running: Running, user: str = ADA.slack) -> str:
    return running.workspace.new_trigger(user)


def modal(**more: Any) -> dict[str, Any]:
    view = {"type": "modal", "title": plain("Title"), "blocks": [], "external_id": ""}
    return view | more


async def test_a_trigger_opens_one_modal_within_three_seconds(running: Running) -> None:
    client = running.client()
    used = trigger(running)
    await client.views_open(trigger_id=used, view=modal())
    again = client.views_open(trigger_id=used, view=modal())
    assert await error_of(again) == "exchanged_trigger_id"
    late = trigger(running)
    running.clock.advance(timedelta(seconds=4))
    assert await error_of(client.views_open(trigger_id=late, view=modal())) == "expired_trigger_id"
    invented = client.views_open(trigger_id="1.2.3", view=modal())
    assert await error_of(invented) == "invalid_trigger_id"


async def test_views_that_break_block_kit_are_invalid_arguments(running: Running) -> None:
    client = running.client()
    with pytest.raises(SlackApiError) as refused:
        await client.views_open(trigger_id=trigger(running), view=modal(title=plain("x" * 25)))
    assert refused.value.response["error"] == "invalid_arguments"
    [message] = refused.value.response["response_metadata"]["messages"]
    assert message == "[ERROR] must be less than 25 characters [json-pointer:/view/title/text]"
    home = client.views_open(trigger_id=trigger(running), view={"type": "home", "blocks": []})
    assert await error_of(home) == "invalid_arguments"
    none = client.api_call("views.open", json={"trigger_id": trigger(running)})
    assert await error_of(none) == "invalid_arguments"
    large = modal(blocks=[{"type": "section", "text": plain("x" * 3000)}] * 90)
    too_large = client.views_open(trigger_id=trigger(running), view=large)
    assert await error_of(too_large) == "view_too_large"


async def test_three_modals_are_the_limit(running: Running) -> None:
    client = running.client()
    await client.views_open(trigger_id=trigger(running), view=modal())
    for _ in range(2):
        on_top = running.workspace.views(ADA.slack)[-1]
        more = running.workspace.new_trigger(ADA.slack, on_top)
        await client.views_push(trigger_id=more, view=modal())
    on_top = running.workspace.views(ADA.slack)[-1]
    more = running.workspace.new_trigger(ADA.slack, on_top)
    fourth = client.views_push(trigger_id=more, view=modal())
    assert await error_of(fourth) == "push_limit_reached"
    no_modal = client.views_push(trigger_id=trigger(running, GRACE.slack), view=modal())
    assert await error_of(no_modal) == "not_found"


async def test_a_stale_hash_conflicts(running: Running) -> None:
    client = running.client()
    opened = (await client.views_open(trigger_id=trigger(running), view=form()))["view"]
    fresh = await client.views_update(view_id=opened["id"], hash=opened["hash"], view=form())
    assert fresh["view"]["hash"] != opened["hash"]
    stale = client.views_update(view_id=opened["id"], hash=opened["hash"], view=form())
    assert await error_of(stale) == "hash_conflict"
    home = {"type": "home", "blocks": []}
    await client.views_publish(user_id=ADA.slack, view=home)
    stale_home = client.views_publish(user_id=ADA.slack, view=home, hash="1.old")
    assert await error_of(stale_home) == "hash_conflict"


async def test_views_are_found_by_external_id_and_never_twice(running: Running) -> None:
    client = running.client()
    await client.views_open(trigger_id=trigger(running), view=modal(external_id="mine"))
    await client.views_update(external_id="mine", view=modal(external_id="mine"))
    twin = client.views_open(
        trigger_id=trigger(running, GRACE.slack), view=modal(external_id="mine")
    )
    assert await error_of(twin) == "duplicate_external_id"
    gone = client.views_update(view_id="V0GONE", view=modal())
    assert await error_of(gone) == "not_found"
    nameless = client.api_call("views.update", json={"view": modal()})
    assert await error_of(nameless) == "invalid_arguments"


async def test_a_file_is_uploaded_and_shared_in_a_thread(running: Running) -> None:
    client = running.client()
    ts = (await client.chat_postMessage(channel=CHANNEL, text="run"))["ts"]
    await client.files_upload_v2(
        channel=CHANNEL, thread_ts=ts, filename="plan.txt", title="Plan", content="+83 ~0 -0"
    )
    [_, shared] = running.workspace.thread(CHANNEL, ts)
    [file] = shared.files
    assert (file.name, file.title, file.content) == ("plan.txt", "Plan", b"+83 ~0 -0")


async def test_files_that_never_arrived_cannot_be_shared(running: Running) -> None:
    client = running.client()
    asked = await client.files_getUploadURLExternal(filename="a.txt", length=3)
    files = [{"id": asked["file_id"], "title": "A"}]
    early = client.files_completeUploadExternal(files=files, channel_id=CHANNEL)
    assert await error_of(early) == "file_not_found"
    async with aiohttp.ClientSession() as session:
        async with session.post(asked["upload_url"], data=b"four") as response:
            assert response.status == 400
        async with session.post(asked["upload_url"], data=b"abc") as response:
            assert await response.text() == "OK - 3"
        async with session.post(asked["upload_url"], data=b"abc") as response:
            assert response.status == 404
    elsewhere = client.files_completeUploadExternal(files=files, channel_id=RANDOM)
    assert await error_of(elsewhere) == "not_in_channel"
    lost = client.files_completeUploadExternal(files=files, channel_id=CHANNEL, thread_ts="1.1")
    assert await error_of(lost) == "thread_not_found"
    empty = client.files_getUploadURLExternal(filename="a.txt", length=0)
    assert await error_of(empty) == "invalid_arguments"
    nothing = client.api_call("files.completeUploadExternal", json={"files": []})
    assert await error_of(nothing) == "invalid_arguments"


async def respond(url: str, **body: Any) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
        return response.status, await response.text()


async def test_a_response_url_answers_five_times(running: Running) -> None:
    url = running.workspace.new_response_url(CHANNEL, ADA.slack)
    for _ in range(5):
        assert await respond(url, text="x") == (200, "ok")
    status, text = await respond(url, text="x")
    assert (status, json.loads(text)["error"]) == (404, "used_url")
    assert len(running.workspace.messages) == 5


async def test_a_response_url_lasts_thirty_minutes(running: Running) -> None:
    url = running.workspace.new_response_url(CHANNEL, ADA.slack)
    running.clock.advance(timedelta(minutes=31))
    status, text = await respond(url, text="x")
    assert (status, json.loads(text)["error"]) == (404, "expired_url")
    status, text = await respond(f"{url}0", text="x")
    assert (status, json.loads(text)["error"]) == (404, "no_such_url")


async def test_a_response_url_replaces_and_deletes_even_ephemeral_messages(
    running: Running,
) -> None:
    private = running.workspace.add(Message(CHANNEL, "", BOT_USER_ID, "old", reader=ADA.slack))
    url = running.workspace.new_response_url(CHANNEL, ADA.slack, private)
    await respond(url, text="new", replace_original=True)
    assert private.text == "new"
    await respond(url, text="for all", response_type="in_channel")
    assert running.workspace.messages[-1].reader is None
    await respond(url, delete_original=True)
    assert private not in running.workspace.messages


async def test_a_response_url_refuses_bad_blocks_and_silence(running: Running) -> None:
    url = running.workspace.new_response_url(CHANNEL, ADA.slack)
    status, text = await respond(url, text="x", blocks=[{"type": "no"}])
    assert (status, json.loads(text)["error"]) == (400, "invalid_blocks")
    status, text = await respond(url)
    assert (status, json.loads(text)["error"]) == (400, "no_text")
    assert running.workspace.messages == []
