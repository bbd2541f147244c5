"""Response URLs: answers to an interaction, five times within thirty minutes, without a token."""

import json
from datetime import timedelta

from aiohttp import web

from playground.cast import BOT_USER_ID
from playground.slack.blocks import message_problems, too_long
from playground.slack.entities import Json, Message, Refused, ResponseUrl
from playground.slack.state import State

MOST_USES = 5
LIFETIME = timedelta(minutes=30)


async def take(state: State, request: web.Request) -> web.Response:
    """Answer a post to a response URL."""
    url = state.response_urls.get(request.match_info["key"])
    try:
        if url is None:
            raise Refused("no_such_url", status=404)
        body = await _body(request)
        _use(state, url, body)
    except Refused as refusal:
        status = refusal.details.pop("status", 200)
        answer = {"ok": False, "error": refusal.code, **refusal.details}
        return web.json_response(answer, status=status)
    return web.Response(text="ok")


async def _body(request: web.Request) -> Json:
    try:
        body = json.loads(await request.text())
    except ValueError:
        raise Refused("invalid_payload", status=400) from None
    if not isinstance(body, dict):
        raise Refused("invalid_payload", status=400)
    return body


def _use(state: State, url: ResponseUrl, body: Json) -> None:
    if state.clock.now() - url.at > LIFETIME:
        raise Refused("expired_url", status=404)
    if url.uses >= MOST_USES:
        raise Refused("used_url", status=404)
    blocks = body.get("blocks") or []
    if not body.get("delete_original"):
        _check(state, body, blocks)
    url.uses += 1
    _apply(state, url, body, blocks)


def _check(state: State, body: Json, blocks: list[Json]) -> None:
    if not body.get("text") and not blocks and not body.get("attachments"):
        raise Refused("no_text", status=400)
    if problems := message_problems(blocks, plan_blocks=state.plan_blocks):
        raise Refused("invalid_blocks", response_metadata={"messages": problems}, status=400)
    if too_long(blocks):
        raise Refused("msg_blocks_too_long", status=400)


def _apply(state: State, url: ResponseUrl, body: Json, blocks: list[Json]) -> None:
    original = url.message if url.message in state.messages else None
    if body.get("delete_original") and original:
        state.delete(original)
        return
    text = str(body.get("text") or "")
    if body.get("replace_original") and original:
        state.edit(original, {"text": text, "blocks": blocks})
        return
    reader = None if body.get("response_type") == "in_channel" else url.user
    thread_ts = str(body.get("thread_ts") or "")
    state.add(
        Message(
            url.channel, "", BOT_USER_ID, text, blocks=blocks, reader=reader, thread_ts=thread_ts
        )
    )
