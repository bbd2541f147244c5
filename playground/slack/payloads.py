"""The payloads that Slack sends to an app, with the keys of real ones."""

from typing import Any

from playground.cast import APP_ID, BOT_USER_ID, SLACK_TEAM_DOMAIN, SLACK_TEAM_ID
from playground.slack.entities import Channel, Json, Member, Message, Surface, View
from playground.slack.inputs import value_key

VERIFICATION_TOKEN = "playground-verification-token"


def slash(user: Member, channel: Channel, command: str, text: str) -> Json:
    """Return a slash command's fields; all are strings, since Slack sends a form."""
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": SLACK_TEAM_ID,
        "team_domain": SLACK_TEAM_DOMAIN,
        "channel_id": channel.id,
        "channel_name": "directmessage" if channel.kind == "im" else channel.name,
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
    }


def _interaction(kind: str, user: Member) -> Json:
    return {
        "type": kind,
        "team": {"id": SLACK_TEAM_ID, "domain": SLACK_TEAM_DOMAIN},
        "user": {
            "id": user.id,
            "username": user.name,
            "name": user.name,
            "team_id": SLACK_TEAM_ID,
        },
        "api_app_id": APP_ID,
        "token": VERIFICATION_TOKEN,
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _container(surface: Surface) -> Json:
    if isinstance(surface, View):
        return {"type": "view", "view_id": surface.id}
    body: Json = {
        "type": "message",
        "message_ts": surface.ts,
        "channel_id": surface.channel,
        "is_ephemeral": surface.reader is not None,
    }
    return body | ({"thread_ts": surface.thread_ts} if surface.thread_ts else {})


def _place(surface: Surface, channel: Channel | None) -> Json:
    if isinstance(surface, View):
        return {"container": _container(surface), "view": surface.payload()}
    body: Json = {"container": _container(surface)}
    if channel:
        name = "directmessage" if channel.kind == "im" else channel.name
        body["channel"] = {"id": channel.id, "name": name}
    if surface.reader is None:
        body["message"] = surface.payload()
    body["state"] = {"values": surface.values}
    return body


def block_actions(user: Member, surface: Surface, channel: Channel | None, action: Json) -> Json:
    """Return what Slack sends for a pressed button or a changed element."""
    body = _interaction("block_actions", user) | _place(surface, channel)
    return body | {"actions": [action]}


def action(block: Json, element: Json, ts: str, chosen: Json | None = None) -> Json:
    """Return one entry of `actions`; `chosen` is the state or option the person left there."""
    kind = element["type"]
    body: Json = {"type": kind, "action_id": element["action_id"], "block_id": block["block_id"]}
    for key in ("text", "value", "style", "placeholder", "confirm", "url"):
        if key in element and (kind == "button" or key in ("placeholder", "confirm")):
            body[key] = element[key]
    if chosen:
        key = "selected_option" if kind == "overflow" else value_key(kind) or "value"
        body[key] = chosen[key]
    if initial := {key: element[key] for key in element if key.startswith("initial_")}:
        body |= initial
    return body | {"action_ts": ts}


def block_suggestion(
    user: Member, surface: Surface, channel: Channel | None, where: tuple[str, str], query: str
) -> Json:
    """Return the question for options; `where` is (block id, action id)."""
    body = _interaction("block_suggestion", user) | _place(surface, channel)
    body.pop("state", None)
    return body | {"block_id": where[0], "action_id": where[1], "value": query}


def view_submission(user: Member, view: View) -> Json:
    """Return a submitted modal."""
    body = _interaction("view_submission", user)
    return body | {"view": view.payload(), "response_urls": []}


def view_closed(user: Member, view: View, *, cleared: bool) -> Json:
    """Return a dismissed modal; `cleared` when the whole stack went."""
    body = _interaction("view_closed", user)
    return body | {"view": view.payload(), "is_cleared": cleared}


def event(content: Json, event_id: str, at: int) -> Json:
    """Wrap an event as the Events API does."""
    authorization: dict[str, Any] = {
        "enterprise_id": None,
        "team_id": SLACK_TEAM_ID,
        "user_id": BOT_USER_ID,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": SLACK_TEAM_ID,
        "api_app_id": APP_ID,
        "event": content,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": at,
        "authorizations": [authorization],
        "is_ext_shared_channel": False,
        "event_context": f"4-{event_id}",
    }


def app_home_opened(user: Member, channel: Channel, view: View | None, ts: str) -> Json:
    """Return the event's content; its view is there once the app has published one."""
    body: Json = {
        "type": "app_home_opened",
        "user": user.id,
        "channel": channel.id,
        "tab": "home",
        "event_ts": ts,
    }
    return body | ({"view": view.payload()} if view else {})


def message_event(message: Message, kind: str, channel_type: str) -> Json:
    """Return an `app_mention` or `message` event's content."""
    body = message.payload() | {"channel": message.channel, "event_ts": message.ts, "type": kind}
    return body | ({"channel_type": channel_type} if kind == "message" else {})
