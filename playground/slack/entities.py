"""What a Slack workspace consists of, and the shape each thing has on the wire."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from playground.cast import APP_ID, BOT_ID, BOT_USER_ID, SLACK_TEAM_ID

Json = dict[str, Any]
"""A JSON object, as Slack sends and receives them."""

SLACKBOT = "USLACKBOT"
STACK_LIMIT = 3
"""How many modals one person can have open, one on top of the other."""
DeliveryKind = Literal["slash_commands", "interactive", "events_api"]
Outcome = Literal["waiting", "acked", "late", "refused", "unreachable"]


class NotPossible(Exception):  # noqa: N818 - it is what a person cannot do, not a defect
    """Slack's client would not let this person do that; the text says why."""


@dataclass
class Member:
    """One account of the workspace."""

    id: str
    name: str
    real_name: str
    email: str
    title: str = ""
    deleted: bool = False
    is_bot: bool = False
    guest: bool = False


@dataclass
class Channel:
    """A channel, or a direct message (`kind == "im"`) between the bot and one person."""

    id: str
    name: str
    members: set[str]
    kind: Literal["public", "private", "im"] = "public"
    archived: bool = False
    created: int = 0


@dataclass
class UserGroup:
    """A user group, such as @platform-team."""

    id: str
    handle: str
    members: list[str]


@dataclass
class File:
    """An uploaded file; shared once `channel` is set."""

    id: str
    name: str
    title: str
    size: int
    content: bytes = b""
    user: str = BOT_USER_ID
    channel: str = ""
    thread_ts: str = ""
    created: int = 0
    arrived: bool = False

    def payload(self) -> Json:
        """Return the file object of Slack's API."""
        return {
            "id": self.id,
            "created": self.created,
            "timestamp": self.created,
            "name": self.name,
            "title": self.title,
            "mimetype": "text/plain",
            "filetype": "text",
            "size": self.size,
            "user": self.user,
            "mode": "snippet",
            "is_external": False,
            "is_public": True,
            "channels": [self.channel] if self.channel else [],
        }


@dataclass
class Message:
    """One message; an ephemeral one has a `reader`, the only person who sees it."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    thread_ts: str = ""
    broadcast: bool = False
    metadata: Json | None = None
    reader: str | None = None
    edited_ts: str = ""
    edits: int = 0
    deleted: bool = False
    files: list[File] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    pinned: bool = False
    values: "dict[str, dict[str, Json]]" = field(default_factory=dict)
    offered: "dict[tuple[str, str], list[Json]]" = field(default_factory=dict)
    warned: set[str] = field(default_factory=set)
    """Who sees the warning triangle beside the button they pressed."""

    @property
    def by_bot(self) -> bool:
        """Return whether the app wrote it."""
        return self.user == BOT_USER_ID

    def payload(self) -> Json:
        """Return the message object, without what only a thread's parent has."""
        body: Json = {"type": "message", "user": self.user, "ts": self.ts, "text": self.text}
        if self.deleted:
            return body | {"subtype": "tombstone", "hidden": True}
        body["team"] = SLACK_TEAM_ID
        if self.by_bot:
            body |= {"bot_id": BOT_ID, "app_id": APP_ID}
        for key in ("blocks", "attachments"):
            if value := getattr(self, key):
                body[key] = value
        return body | self._extras()

    def _extras(self) -> Json:
        extras: Json = {}
        if self.thread_ts:
            extras["thread_ts"] = self.thread_ts
        if self.edited_ts:
            extras["edited"] = {"user": self.user, "ts": self.edited_ts}
        if self.files:
            extras["files"] = [file.payload() for file in self.files]
        if self.reactions:
            extras["reactions"] = [
                {"name": name, "users": users, "count": len(users)}
                for name, users in self.reactions.items()
            ]
        return extras


@dataclass
class View:
    """A modal on one person's stack, or that person's App Home."""

    id: str
    user: str
    content: Json
    hash: str
    root: str
    previous: str | None = None
    values: dict[str, dict[str, Json]] = field(default_factory=dict)
    """What the person has entered: block id → action id → state value."""
    offered: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    """The suggestions each external select has shown, by (block id, action id)."""
    errors: dict[str, str] = field(default_factory=dict)
    """Field errors by block id."""
    trouble: str = ""
    """The banner of Slack itself, when the app does not answer."""
    busy: bool = False
    """True while a submission waits for its ack."""

    @property
    def blocks(self) -> list[Json]:
        """Return the view's blocks."""
        blocks: list[Json] = self.content.get("blocks", [])
        return blocks

    @property
    def title(self) -> str:
        """Return the title's text; App Home has none."""
        return str((self.content.get("title") or {}).get("text", ""))

    @property
    def external_id(self) -> str:
        """Return the id that the app gave it, or an empty string."""
        return str(self.content.get("external_id") or "")

    def payload(self) -> Json:
        """Return the view object, with the state of its inputs."""
        given = self.content
        body: Json = {
            "id": self.id,
            "team_id": SLACK_TEAM_ID,
            "type": given["type"],
            "blocks": self.blocks,
            "private_metadata": given.get("private_metadata", ""),
            "callback_id": given.get("callback_id", ""),
            "state": {"values": self.values},
            "hash": self.hash,
            "title": given.get("title", {"type": "plain_text", "text": "View Title"}),
            "clear_on_close": given.get("clear_on_close", False),
            "notify_on_close": given.get("notify_on_close", False),
            "close": given.get("close"),
            "submit": given.get("submit"),
            "previous_view_id": self.previous,
            "root_view_id": self.root,
            "app_id": APP_ID,
            "external_id": self.external_id,
            "app_installed_team_id": SLACK_TEAM_ID,
            "bot_id": BOT_ID,
        }
        if "submit_disabled" in given:
            body["submit_disabled"] = given["submit_disabled"]
        return body


Surface = Message | View
"""Where a person can press and choose."""


@dataclass
class Answer:
    """How the app took one attempt to deliver something."""

    outcome: Outcome
    body: Json | str | None = None
    ms: float | None = None
    final: bool = False
    """True if the app asked Slack not to try again (x-slack-no-retry)."""


@dataclass
class Attempt:
    """One try to hand a payload to the app; `number` 0 is the first."""

    number: int
    at: datetime
    reason: str = ""
    answer: Answer = field(default_factory=lambda: Answer("waiting"))


@dataclass
class Delivery:
    """Something a person did, on its way to the app. `id` is the envelope's id."""

    id: str
    kind: DeliveryKind
    payload: Json
    user: str
    attempts: list[Attempt] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def what(self) -> str:
        """Return what happened, in a word of Slack's: the event's or interaction's type."""
        event = self.payload.get("event")
        kind = event["type"] if event else self.payload.get("type", self.payload.get("command"))
        return str(kind)

    @property
    def answer(self) -> Answer:
        """Return the answer that counted: the first ack, else the newest attempt's."""
        acked = [one.answer for one in self.attempts if one.answer.outcome == "acked"]
        return acked[0] if acked else self.attempts[-1].answer

    @property
    def acked(self) -> bool:
        """Return whether the app acknowledged it in time."""
        return self.answer.outcome == "acked"

    @property
    def ack_ms(self) -> float | None:
        """Return how long the ack took, in milliseconds."""
        return self.answer.ms

    @property
    def ack(self) -> Json | str | None:
        """Return what came with the ack."""
        return self.answer.body


class Refused(Exception):  # noqa: N818 - Slack says no; that is an answer
    """Slack refuses a call of the app: `code` is the `error`, `details` go beside it."""

    def __init__(self, code: str, **details: Any) -> None:
        super().__init__(code)
        self.code = code
        self.details = details


@dataclass
class Trigger:
    """Permission to open one modal for a person who has just done something."""

    user: str
    at: datetime
    view: View | None = None
    used: bool = False
    expired: bool = False


@dataclass
class ResponseUrl:
    """Where an app may answer an interaction: 5 times within 30 minutes."""

    channel: str
    user: str
    at: datetime
    message: Message | None = None
    uses: int = 0
