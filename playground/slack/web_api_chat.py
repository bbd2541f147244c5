"""chat.*: messages that the app posts, edits and deletes; and reactions and pins on them."""

import json
from typing import Any

from playground.cast import BOT_USER_ID, SLACK_TEAM_DOMAIN
from playground.slack.blocks import message_problems, too_long
from playground.slack.entities import Channel, Json, Message, Refused
from playground.slack.web_api import Api, Arguments, Handler

TRUNCATED_AT = 40_000
LONGEST_UPDATE = 4_000
LONGEST_METADATA = 8_000
MOST_ATTACHMENTS = 100


def _blocks(api: Api, arguments: Arguments) -> list[Json] | None:
    blocks = arguments.data("blocks", "invalid_blocks_format")
    if blocks is None:
        return None
    if not isinstance(blocks, list):
        raise Refused("invalid_blocks_format")
    if problems := message_problems(blocks, plan_blocks=api.workspace.plan_blocks):
        raise Refused("invalid_blocks", response_metadata={"messages": problems})
    if too_long(blocks):
        raise Refused("msg_blocks_too_long")
    return blocks


def _attachments(arguments: Arguments) -> list[Json] | None:
    attachments = arguments.data("attachments", "invalid_attachments")
    if attachments is None:
        return None
    if not isinstance(attachments, list):
        raise Refused("invalid_attachments")
    if len(attachments) > MOST_ATTACHMENTS:
        raise Refused("too_many_attachments")
    return attachments


def _metadata(arguments: Arguments) -> Json | None:
    metadata = arguments.data("metadata", "invalid_metadata_format")
    if metadata is None or metadata == {}:
        return None if metadata is None else {}
    if not isinstance(metadata, dict) or set(metadata) != {"event_type", "event_payload"}:
        raise Refused("invalid_metadata_format")
    right = isinstance(metadata["event_type"], str) and isinstance(metadata["event_payload"], dict)
    if not right:
        raise Refused("invalid_metadata_format")
    if len(json.dumps(metadata)) > LONGEST_METADATA:
        raise Refused("metadata_too_large")
    return metadata


def _content(api: Api, arguments: Arguments) -> dict[str, Any]:
    blocks, attachments = _blocks(api, arguments), _attachments(arguments)
    text = arguments.text("text")
    if not text and not blocks and not attachments:
        raise Refused("no_text")
    return {"text": text, "blocks": blocks or [], "attachments": attachments or []}


def post_message(api: Api, arguments: Arguments) -> Json:
    """chat.postMessage."""
    place = api.writable(arguments.need("channel"))
    content = _content(api, arguments)
    content["text"] = content["text"][:TRUNCATED_AT]
    thread_ts = arguments.text("thread_ts")
    _refuse_unknown_thread(api, place, thread_ts)
    metadata = _metadata(arguments) or None
    message = api.workspace.add(
        Message(
            place.id,
            "",
            BOT_USER_ID,
            thread_ts=thread_ts,
            broadcast=bool(thread_ts) and arguments.flag("reply_broadcast"),
            metadata=metadata,
            **content,
        )
    )
    shown = message.payload() | ({"metadata": metadata} if metadata else {})
    return {"channel": place.id, "ts": message.ts, "message": shown}


def _refuse_unknown_thread(api: Api, place: Channel, thread_ts: str) -> None:
    if thread_ts and api.workspace.find_message(place.id, thread_ts) is None:
        raise Refused("cannot_reply_to_message")


def update(api: Api, arguments: Arguments) -> Json:
    """chat.update: what is not passed stays; an empty `blocks` removes the blocks."""
    place = api.visible(arguments.need("channel"))
    if place.archived:
        raise Refused("is_inactive")
    message = _own_message(api, place, arguments.need("ts"), "cant_update_message")
    blocks, attachments = _blocks(api, arguments), _attachments(arguments)
    changes: Json = {}
    if blocks is not None:
        changes["blocks"] = blocks
    if attachments is not None:
        changes["attachments"] = attachments
    if "text" in arguments:
        changes["text"] = arguments.text("text")
    if not changes or not _says_something(message, changes):
        raise Refused("no_text")
    if len(changes.get("text", "")) > LONGEST_UPDATE:
        raise Refused("msg_too_long")
    if (metadata := _metadata(arguments)) is not None:
        changes["metadata"] = metadata or None
    api.workspace.edit(message, changes)
    body = message.payload()
    return {"channel": place.id, "ts": message.ts, "text": message.text, "message": body}


def _says_something(message: Message, changes: Json) -> bool:
    left = [changes.get(key, getattr(message, key)) for key in ("text", "blocks", "attachments")]
    return any(left)


def _own_message(api: Api, place: Channel, ts: str, otherwise: str) -> Message:
    message = api.workspace.find_message(place.id, ts)
    if message is None:
        raise Refused("message_not_found")
    if not message.by_bot:
        raise Refused(otherwise)
    return message


def post_ephemeral(api: Api, arguments: Arguments) -> Json:
    """chat.postEphemeral."""
    place = api.writable(arguments.need("channel"))
    reader = arguments.need("user")
    if reader not in place.members:
        raise Refused("user_not_in_channel")
    content = _content(api, arguments)
    if len(content["text"]) > TRUNCATED_AT:
        raise Refused("msg_too_long")
    thread_ts = arguments.text("thread_ts")
    _refuse_unknown_thread(api, place, thread_ts)
    message = api.workspace.add(
        Message(place.id, "", BOT_USER_ID, thread_ts=thread_ts, reader=reader, **content)
    )
    return {"message_ts": message.ts}


def delete(api: Api, arguments: Arguments) -> Json:
    """chat.delete."""
    place = api.visible(arguments.need("channel"))
    message = _own_message(api, place, arguments.need("ts"), "cant_delete_message")
    api.workspace.delete(message)
    return {"channel": place.id, "ts": message.ts}


def get_permalink(api: Api, arguments: Arguments) -> Json:
    """chat.getPermalink."""
    place = api.visible(arguments.need("channel"))
    message = api.workspace.find_message(place.id, arguments.need("message_ts"))
    if message is None:
        raise Refused("message_not_found")
    digits = message.ts.replace(".", "")
    link = f"https://{SLACK_TEAM_DOMAIN}.slack.com/archives/{place.id}/p{digits}"
    if message.thread_ts:
        link += f"?thread_ts={message.thread_ts}&cid={place.id}"
    return {"channel": place.id, "permalink": link}


def _marked_message(api: Api, arguments: Arguments) -> Message:
    place = api.visible(arguments.need("channel"))
    if "timestamp" not in arguments:
        raise Refused("no_item_specified")
    if not api.workspace.bot_is_in(place):
        raise Refused("not_in_channel")
    message = api.workspace.find_message(place.id, arguments.text("timestamp"))
    if message is None:
        raise Refused("message_not_found")
    return message


def add_reaction(api: Api, arguments: Arguments) -> Json:
    """reactions.add."""
    name = arguments.need("name")
    if not name.replace("_", "").replace("-", "").replace("+", "").isalnum():
        raise Refused("invalid_name")
    users = _marked_message(api, arguments).reactions.setdefault(name, [])
    if BOT_USER_ID in users:
        raise Refused("already_reacted")
    users.append(BOT_USER_ID)
    api.workspace.feed.changed()
    return {}


def add_pin(api: Api, arguments: Arguments) -> Json:
    """pins.add."""
    message = _marked_message(api, arguments)
    if message.pinned:
        raise Refused("already_pinned")
    message.pinned = True
    api.workspace.feed.changed()
    return {}


METHODS: dict[str, Handler] = {
    "chat.postMessage": post_message,
    "chat.update": update,
    "chat.postEphemeral": post_ephemeral,
    "chat.delete": delete,
    "chat.getPermalink": get_permalink,
    "reactions.add": add_reaction,
    "pins.add": add_pin,
}
