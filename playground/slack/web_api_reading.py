"""conversations.*, users.*, usergroups.* and auth.test: what the app may know of the workspace."""

import base64
import binascii
from typing import Any

from playground.cast import (
    APP_ID,
    BOT_ID,
    BOT_USER_ID,
    SLACK_TEAM_DOMAIN,
    SLACK_TEAM_ID,
)
from playground.slack.entities import Channel, Json, Member, Message, Refused, UserGroup
from playground.slack.web_api import Api, Arguments, Handler

SCOPE_PREFIX = {"public": "channels", "private": "groups", "im": "im"}
MOST_PER_PAGE = 999


def _page(everything: list[Any], arguments: Arguments, default: int) -> tuple[list[Any], str]:
    start = 0
    if cursor := arguments.text("cursor"):
        start = _position(cursor)
    limit = arguments.number("limit", default)
    if not 1 <= limit <= MOST_PER_PAGE:
        raise Refused("invalid_limit")
    end = start + limit
    more = base64.b64encode(f"next:{end}".encode()).decode() if end < len(everything) else ""
    return everything[start:end], more


def _position(cursor: str) -> int:
    try:
        word, _, position = base64.b64decode(cursor, validate=True).decode().partition(":")
        if word != "next":
            raise Refused("invalid_cursor")
        return int(position)
    except (ValueError, binascii.Error):
        raise Refused("invalid_cursor") from None


def _paged(name: str, page: list[Json] | list[str], cursor: str) -> Json:
    return {name: page, "response_metadata": {"next_cursor": cursor}}


def auth_test(api: Api, _: Arguments) -> Json:
    """auth.test."""
    return {
        "url": f"https://{SLACK_TEAM_DOMAIN}.slack.com/",
        "team": SLACK_TEAM_DOMAIN.title(),
        "user": api.workspace.people[BOT_USER_ID].name,
        "team_id": SLACK_TEAM_ID,
        "user_id": BOT_USER_ID,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


# Conversations ------------------------------------------------------------------------------


def _channel_body(api: Api, place: Channel) -> Json:
    nothing = {"value": "", "creator": "", "last_set": 0}
    is_im = place.kind == "im"
    body: Json = {
        "id": place.id,
        "created": place.created,
        "is_im": is_im,
        "is_org_shared": False,
        "context_team_id": SLACK_TEAM_ID,
        "is_archived": place.archived,
    }
    if is_im:
        other = next(one for one in place.members if one != BOT_USER_ID)
        return body | {"user": other, "is_user_deleted": api.workspace.people[other].deleted}
    return body | {
        "name": place.name,
        "name_normalized": place.name,
        "is_channel": True,
        "is_group": False,
        "is_mpim": False,
        "is_private": place.kind == "private",
        "is_general": False,
        "is_shared": False,
        "is_ext_shared": False,
        "is_pending_ext_shared": False,
        "pending_shared": [],
        "unlinked": 0,
        "creator": "",
        "is_member": api.workspace.bot_is_in(place),
        "topic": nothing,
        "purpose": nothing,
        "previous_names": [],
        "num_members": len(place.members),
    }


def conversations_info(api: Api, arguments: Arguments) -> Json:
    """conversations.info."""
    place = api.visible(arguments.need("channel"))
    api.need_scope(f"{SCOPE_PREFIX[place.kind]}:read")
    return {"channel": _channel_body(api, place)}


def conversations_list(api: Api, arguments: Arguments) -> Json:
    """conversations.list."""
    wanted = (arguments.text("types") or "public_channel").split(",")
    kinds = {"public_channel": "public", "private_channel": "private", "im": "im", "mpim": "mpim"}
    if not set(wanted) <= set(kinds):
        raise Refused("invalid_types")
    for kind in wanted:
        api.need_scope(f"{SCOPE_PREFIX.get(kinds[kind], 'mpim')}:read")
    shown = [
        _channel_body(api, one)
        for one in api.workspace.channels.values()
        if one.kind in {kinds[kind] for kind in wanted}
        and not (one.kind == "private" and not api.workspace.bot_is_in(one))
        and not (one.archived and arguments.flag("exclude_archived"))
    ]
    return _paged("channels", *_page(shown, arguments, 100))


def conversations_members(api: Api, arguments: Arguments) -> Json:
    """conversations.members."""
    place = api.visible(arguments.need("channel"))
    api.need_scope(f"{SCOPE_PREFIX[place.kind]}:read")
    return _paged("members", *_page(sorted(place.members), arguments, 100))


def conversations_open(api: Api, arguments: Arguments) -> Json:
    """conversations.open: a direct message with one person."""
    if channel := arguments.text("channel"):
        place = api.workspace.channels.get(channel)
        if place is None or place.kind != "im":
            raise Refused("channel_not_found")
        return {"channel": {"id": place.id}}
    users = [one for one in arguments.text("users").split(",") if one]
    if not users:
        raise Refused("users_list_not_supplied")
    if len(users) > 1:
        api.need_scope("mpim:write")
        raise Refused("invalid_user_combination")
    api.need_scope("im:write")
    if api.workspace.member(users[0]).deleted:
        raise Refused("user_disabled")
    return {"channel": {"id": api.workspace.direct_messages(users[0]).id}}


def _readable(api: Api, arguments: Arguments) -> Channel:
    place = api.visible(arguments.need("channel"))
    api.need_scope(f"{SCOPE_PREFIX[place.kind]}:history")
    if not api.workspace.bot_is_in(place):
        raise Refused("not_in_channel")
    return place


def _between(messages: list[Message], arguments: Arguments) -> list[Message]:
    oldest, latest = arguments.text("oldest") or "0", arguments.text("latest") or "inf"
    for name, value in (("oldest", oldest), ("latest", latest)):
        try:
            float(value)
        except ValueError:
            raise Refused(f"invalid_ts_{name}") from None
    inclusive = arguments.flag("inclusive")
    return [
        one
        for one in messages
        if float(oldest) < float(one.ts) < float(latest)
        or (inclusive and one.ts in (oldest, latest))
    ]


def _body(api: Api, message: Message, arguments: Arguments) -> Json:
    body = api.workspace.message_payload(message)
    if message.metadata and arguments.flag("include_all_metadata"):
        body["metadata"] = message.metadata
    return body


def conversations_history(api: Api, arguments: Arguments) -> Json:
    """conversations.history: newest first, nobody's ephemeral messages."""
    place = _readable(api, arguments)
    messages = _between(api.workspace.history(place.id), arguments)
    page, cursor = _page(messages[::-1], arguments, 100)
    pins = sum(one.pinned for one in api.workspace.messages if one.channel == place.id)
    shown = [_body(api, one, arguments) for one in page]
    return _paged("messages", shown, cursor) | {"has_more": bool(cursor), "pin_count": pins}


def conversations_replies(api: Api, arguments: Arguments) -> Json:
    """conversations.replies: the parent, then its replies, oldest first."""
    place = _readable(api, arguments)
    thread = api.workspace.thread(place.id, arguments.need("ts"))
    if not thread:
        raise Refused("thread_not_found")
    replies = [thread[0], *_between(thread[1:], arguments)]
    page, cursor = _page(replies, arguments, MOST_PER_PAGE)
    shown = [_body(api, one, arguments) for one in page]
    return _paged("messages", shown, cursor) | {"has_more": bool(cursor)}


# People -------------------------------------------------------------------------------------


def _user(api: Api, member: Member) -> Json:
    profile: Json = {
        "title": member.title,
        "phone": "",
        "skype": "",
        "real_name": member.real_name,
        "real_name_normalized": member.real_name,
        "display_name": member.name,
        "display_name_normalized": member.name,
        "status_text": "",
        "status_emoji": "",
        "status_expiration": 0,
        "avatar_hash": "",
        "team": SLACK_TEAM_ID,
    }
    if member.email and "users:read.email" in api.scopes:
        profile["email"] = member.email
    body: Json = {
        "id": member.id,
        "team_id": SLACK_TEAM_ID,
        "name": member.name,
        "deleted": member.deleted,
        "profile": profile,
        "is_bot": member.is_bot,
        "is_app_user": False,
        "updated": 0,
    }
    if member.is_bot:
        profile |= {"api_app_id": APP_ID, "bot_id": BOT_ID}
    if member.deleted:
        return body
    return body | {
        "color": "9f69e7",
        "real_name": member.real_name,
        "tz": "Europe/London",
        "tz_label": "Greenwich Mean Time",
        "tz_offset": 0,
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": member.guest,
        "is_ultra_restricted": False,
    }


def users_info(api: Api, arguments: Arguments) -> Json:
    """users.info."""
    return {"user": _user(api, api.workspace.member(arguments.need("user")))}


def users_list(api: Api, arguments: Arguments) -> Json:
    """users.list: everybody, the deactivated too."""
    everybody = [_user(api, one) for one in api.workspace.people.values()]
    return _paged("members", *_page(everybody, arguments, MOST_PER_PAGE))


def users_lookup_by_email(api: Api, arguments: Arguments) -> Json:
    """users.lookupByEmail: not of the deactivated."""
    wanted = arguments.need("email").lower()
    for member in api.workspace.people.values():
        if member.email.lower() == wanted and not member.deleted:
            return {"user": _user(api, member)}
    raise Refused("users_not_found")


def _group(group: UserGroup, arguments: Arguments) -> Json:
    body: Json = {
        "id": group.id,
        "team_id": SLACK_TEAM_ID,
        "is_usergroup": True,
        "name": group.handle.replace("-", " ").title(),
        "handle": group.handle,
        "description": "",
        "is_external": False,
        "date_create": 0,
        "date_update": 0,
        "date_delete": 0,
    }
    if arguments.flag("include_users"):
        body["users"] = group.members
    if arguments.flag("include_count"):
        body["user_count"] = len(group.members)
    return body


def usergroups_list(api: Api, arguments: Arguments) -> Json:
    """usergroups.list."""
    return {"usergroups": [_group(one, arguments) for one in api.workspace.user_groups.values()]}


def usergroups_users_list(api: Api, arguments: Arguments) -> Json:
    """usergroups.users.list."""
    group = api.workspace.user_groups.get(arguments.need("usergroup"))
    if group is None:
        raise Refused("no_such_subteam")
    return {"users": group.members}


METHODS: dict[str, Handler] = {
    "auth.test": auth_test,
    "conversations.history": conversations_history,
    "conversations.info": conversations_info,
    "conversations.list": conversations_list,
    "conversations.members": conversations_members,
    "conversations.open": conversations_open,
    "conversations.replies": conversations_replies,
    "usergroups.list": usergroups_list,
    "usergroups.users.list": usergroups_users_list,
    "users.info": users_info,
    "users.list": users_list,
    "users.lookupByEmail": users_lookup_by_email,
}
