"""The state of the workspace: what Slack itself remembers, whoever asks.

The Web API (the app's side) and the people's actions both read and change it here.
"""

import copy
import itertools
from datetime import timedelta
from typing import Any

from playground import cast
from playground.slack import inputs
from playground.slack.entities import (
    STACK_LIMIT,
    Channel,
    Delivery,
    File,
    Json,
    Member,
    Message,
    Refused,
    ResponseUrl,
    Trigger,
    UserGroup,
    View,
)
from playground.slack.feed import ChangeFeed
from provisioning.clock import Clock

TRIGGER_LIFETIME = timedelta(seconds=3)


def with_ids(blocks: list[Json]) -> list[Json]:
    """Return a copy in which every block has a block_id, every element an action_id."""
    filled = copy.deepcopy(blocks)
    for number, block in enumerate(filled):
        block.setdefault("block_id", f"auto{number}")
        for task in block.get("tasks", []):
            task.setdefault("type", "task_card")
    for number, (block, element) in enumerate(inputs.elements(filled)):
        block.setdefault("block_id", f"nested{number}")
        element.setdefault("action_id", f"auto{number}")
    return filled


class State:
    """People, channels, messages, views, files and user groups, seeded from the cast."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.feed = ChangeFeed()
        self.base_url = ""
        self.plan_blocks = True
        """False for an old workspace that refuses `plan` blocks."""
        self.people: dict[str, Member] = _people()
        self.channels: dict[str, Channel] = _channels()
        self.user_groups: dict[str, UserGroup] = {
            id_: UserGroup(id_, handle, [one.slack for one in members])
            for id_, (handle, members) in cast.USER_GROUPS.items()
        }
        self.messages: list[Message] = []
        self.files: dict[str, File] = {}
        self.stacks: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.deliveries: list[Delivery] = []
        self._numbers = itertools.count(1)
        self._last_ts = 0

    # Time and names -------------------------------------------------------------------------

    def next_ts(self) -> str:
        """Return a timestamp that no message has: microseconds, always rising."""
        micros = int(self.clock.now().timestamp() * 1_000_000)
        self._last_ts = max(micros, self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def next_id(self, prefix: str) -> str:
        """Return a fresh id such as `V000000042`."""
        return f"{prefix}{next(self._numbers):09d}"

    def member(self, user_id: str) -> Member:
        """Return an account or refuse with `user_not_found`."""
        if user_id not in self.people:
            raise Refused("user_not_found")
        return self.people[user_id]

    def channel(self, channel_id: str) -> Channel:
        """Return a channel by id (or a DM by its person's id), or refuse."""
        if channel_id in self.channels:
            return self.channels[channel_id]
        if channel_id in self.people:
            return self.direct_messages(channel_id)
        raise Refused("channel_not_found")

    def direct_messages(self, user_id: str) -> Channel:
        """Return the conversation of the bot with a person, opening it if need be."""
        channel_id = f"D{user_id.removeprefix('U')}"
        if channel_id not in self.channels:
            created = int(self.clock.now().timestamp())
            both = {user_id, cast.BOT_USER_ID}
            self.channels[channel_id] = Channel(channel_id, "", both, "im", created=created)
            self.feed.changed()
        return self.channels[channel_id]

    def bot_is_in(self, place: Channel) -> bool:
        """Return whether the app is a member of a channel."""
        return cast.BOT_USER_ID in place.members

    # Messages -------------------------------------------------------------------------------

    def add(self, message: Message) -> Message:
        """Post a message, giving it its timestamp."""
        message.ts = self.next_ts()
        self._settle(message)
        self.messages.append(message)
        self.feed.changed()
        return message

    def edit(self, message: Message, changes: Json) -> Message:
        """Replace fields of a message; what is not in `changes` stays."""
        for name, value in changes.items():
            setattr(message, name, value)
        self._settle(message)
        message.edited_ts = self.next_ts()
        message.edits += 1
        self.feed.changed()
        return message

    def _settle(self, message: Message) -> None:
        message.blocks = with_ids(message.blocks)
        message.values = inputs.carried_over(message.blocks, message.values)
        message.warned.clear()

    def delete(self, message: Message) -> None:
        """Remove a message; the parent of a thread leaves a tombstone."""
        if self.thread(message.channel, message.ts)[1:]:
            message.deleted, message.text, message.blocks = True, "This message was deleted.", []
        else:
            self.messages.remove(message)
        self.feed.changed()

    def find_message(self, channel_id: str, ts: str) -> Message | None:
        """Return a message that everybody in the channel can see, or None."""
        for one in self.messages:
            if (one.channel, one.ts, one.reader) == (channel_id, ts, None) and not one.deleted:
                return one
        return None

    def history(self, channel_id: str, viewer: str | None = None) -> list[Message]:
        """Return a channel's messages outside threads, oldest first, as `viewer` sees them."""
        return [
            one
            for one in self.messages
            if one.channel == channel_id
            and one.reader in (None, viewer)
            and (not one.thread_ts or one.thread_ts == one.ts or one.broadcast)
        ]

    def thread(self, channel_id: str, ts: str, viewer: str | None = None) -> list[Message]:
        """Return a thread: its parent, then the replies that `viewer` sees, oldest first."""
        return [
            one
            for one in self.messages
            if one.channel == channel_id
            and one.reader in (None, viewer)
            and ts in (one.ts, one.thread_ts)
        ]

    def message_payload(self, message: Message) -> Json:
        """Return a message with the counts that a thread's parent carries."""
        body = message.payload()
        replies = [one for one in self.thread(message.channel, message.ts) if one is not message]
        if not replies:
            return body
        users = list(dict.fromkeys(one.user for one in replies))
        return body | {
            "thread_ts": message.ts,
            "reply_count": len(replies),
            "reply_users_count": len(users),
            "reply_users": users,
            "latest_reply": replies[-1].ts,
            "is_locked": False,
            "subscribed": False,
        }

    # Triggers and views ---------------------------------------------------------------------

    def new_trigger(self, user: str, view: View | None = None) -> str:
        """Return a trigger id: good for one modal, for three seconds."""
        trigger_id = f"{self.next_id('')}.{cast.SLACK_TEAM_ID}.{user}"
        self.triggers[trigger_id] = Trigger(user, self.clock.now(), view)
        return trigger_id

    def take_trigger(self, trigger_id: str) -> Trigger:
        """Use a trigger up, or refuse: unknown, used or too old."""
        trigger = self.triggers.get(trigger_id)
        if trigger is None:
            raise Refused("invalid_trigger_id")
        if trigger.used:
            raise Refused("exchanged_trigger_id")
        if self.clock.now() - trigger.at > TRIGGER_LIFETIME:
            trigger.expired = True
            self.feed.changed()
            raise Refused("expired_trigger_id")
        trigger.used = True
        return trigger

    def expired(self, user: str) -> int:
        """Return how many modals for this person came after their trigger had expired."""
        return sum(one.expired for one in self.triggers.values() if one.user == user)

    def open_view(self, user: str, content: Json) -> View:
        """Put a modal on top of a person's stack, or refuse."""
        stack = self.stacks.setdefault(user, [])
        if len(stack) >= STACK_LIMIT:
            raise Refused("push_limit_reached")
        self._refuse_duplicate_external_id(content, None)
        view_id = self.next_id("V")
        top = stack[-1] if stack else None
        view = View(view_id, user, {}, "", top.root if top else view_id, top.id if top else None)
        self._fill(view, content)
        stack.append(view)
        self.feed.changed()
        return view

    def update_view(self, view: View, content: Json, expected_hash: str = "") -> View:
        """Replace a view's content; entries in inputs that are still there are kept."""
        if expected_hash and expected_hash != view.hash:
            raise Refused("hash_conflict")
        self._refuse_duplicate_external_id(content, view)
        self._fill(view, content)
        self.feed.changed()
        return view

    def publish_home(self, user: str, content: Json, expected_hash: str = "") -> View:
        """Replace a person's App Home."""
        home = self.homes.get(user)
        if home is not None:
            return self.update_view(home, content, expected_hash)
        self._refuse_duplicate_external_id(content, None)
        view_id = self.next_id("V")
        home = View(view_id, user, {}, "", view_id)
        self._fill(home, content)
        self.homes[user] = home
        self.feed.changed()
        return home

    def _fill(self, view: View, content: Json) -> None:
        view.content = copy.deepcopy(content) | {"blocks": with_ids(content["blocks"])}
        view.values = inputs.carried_over(view.blocks, view.values)
        view.errors, view.trouble = {}, ""
        view.hash = f"{int(self.clock.now().timestamp())}.{self.next_id('')[-8:]}"

    def _refuse_duplicate_external_id(self, content: Json, own: View | None) -> None:
        wanted = content.get("external_id")
        if wanted and any(one.external_id == wanted for one in self.all_views() if one is not own):
            raise Refused("duplicate_external_id")

    def all_views(self) -> list[View]:
        """Return every open modal and every App Home."""
        return [one for stack in self.stacks.values() for one in stack] + list(self.homes.values())

    def find_view(self, *, view_id: str = "", external_id: str = "") -> View | None:
        """Return an open view by either id."""
        for one in self.all_views():
            if (view_id and one.id == view_id) or (external_id and one.external_id == external_id):
                return one
        return None

    # Answers --------------------------------------------------------------------------------

    def new_response_url(self, channel: str, user: str, message: Message | None = None) -> str:
        """Return a URL where the app may answer this interaction."""
        key = self.next_id("")
        self.response_urls[key] = ResponseUrl(channel, user, self.clock.now(), message)
        return f"{self.base_url}/actions/{cast.SLACK_TEAM_ID}/{key}"

    def snapshot(self) -> Json:
        """Return the whole workspace as plain JSON."""
        return {
            "revision": self.feed.revision,
            "channels": [vars(one) | {"members": sorted(one.members)} for one in self._channels()],
            "messages": [self._shown(one) for one in self.messages],
            "views": {user: [one.payload() for one in views] for user, views in self._stacks()},
            "homes": {user: one.payload() for user, one in self.homes.items()},
            "files": [one.payload() for one in self.files.values()],
        }

    def _shown(self, message: Message) -> dict[str, Any]:
        mine = {"channel": message.channel, "reader": message.reader, "metadata": message.metadata}
        return self.message_payload(message) | mine

    def _channels(self) -> list[Channel]:
        return list(self.channels.values())

    def _stacks(self) -> list[tuple[str, list[View]]]:
        return [(user, views) for user, views in self.stacks.items() if views]


def _people() -> dict[str, Member]:
    people = {
        one.slack: Member(
            one.slack,
            one.email.partition("@")[0],
            one.name,
            one.email,
            one.title,
            deleted=one.deactivated,
        )
        for one in cast.PEOPLE
    }
    bot = Member(cast.BOT_USER_ID, "sciclops", "SciCLOps", "", "", is_bot=True)
    return people | {bot.id: bot}


def _channels() -> dict[str, Channel]:
    everybody = {one.slack for one in cast.PEOPLE if not one.deactivated}
    without_bot = {"C0RANDOM"}
    return {
        id_: Channel(
            id_, name, everybody | (set() if id_ in without_bot else {cast.BOT_USER_ID}), "public"
        )
        for id_, name in cast.CHANNELS.items()
    }
