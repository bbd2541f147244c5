"""Where blocks are shown, and what every interactive element there carries in its HTML."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from playground.page.emoji import SHORTCODE, emoji
from playground.page.html import Attribute, Child, Html, join, lines, text
from playground.page.mrkdwn import mrkdwn
from playground.page.reader import Reader
from playground.slack import inputs
from playground.slack.entities import Json, Message, View

LOOPBACK_IMAGE = re.compile(
    r"data:image/(png|gif|jpeg|webp);base64,|http://(127\.0\.0\.1|localhost)(:\d+)?/"
)


@dataclass(frozen=True)
class Place:
    """A message, a modal or App Home (`surface` names it), as one reader sees it."""

    reader: Reader
    surface: str = ""
    values: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    def value(self, block: Json, element: Json) -> object:
        """Return what has been entered, or else what the element starts with."""
        block_id, action_id = block.get("block_id", ""), element.get("action_id", "")
        state = self.values.get(block_id, {}).get(action_id)
        key = inputs.value_key(element["type"])
        if state is not None and key in state:
            return state[key]
        return element.get(inputs.INITIAL_KEY.get(element["type"], ""))

    def key(self, block: Json, element: Json) -> str:
        """Return what makes an element the same one after an update, as Slack sees it."""
        names = (self.surface, block.get("block_id"), element.get("action_id"), element["type"])
        return "|".join(str(name) for name in names)

    def dom_id(self, block: Json, element: Json) -> str:
        """Return an id that is unique in the document."""
        return "e" + hashlib.sha256(self.key(block, element).encode()).hexdigest()[:12]

    def words(self, content: Json | str | None) -> Html:
        """Return a text object as HTML; only mrkdwn is parsed."""
        if not isinstance(content, dict):
            return plain(content or "")
        if content.get("type") == "mrkdwn":
            return mrkdwn(content.get("text", ""), self.reader)
        return plain(content.get("text", ""), with_emoji=content.get("emoji") is not False)

    def hooks(self, block: Json, element: Json) -> dict[str, Attribute]:
        """Return the attributes by which the page's script knows an interactive element."""
        return {
            "data_key": self.key(block, element),
            "data_block": block.get("block_id", ""),
            "data_action": element.get("action_id", ""),
            "data_type": element["type"],
            "data_dispatch": _dispatch(block, element),
            "data_confirm": self._confirm(element),
        }

    def _confirm(self, element: Json) -> str | None:
        confirm = element.get("confirm")
        if not confirm:
            return None
        parts = {
            name: self.words(confirm.get(name)) for name in ("text", "title", "confirm", "deny")
        }
        return json.dumps(parts | {"style": confirm.get("style", "primary")})


def _dispatch(block: Json, element: Json) -> str:
    """Say when the app hears of a change: "no", "now", on "enter", or on each "character"."""
    if block["type"] == "input" and not block.get("dispatch_action"):
        return "no"
    if element["type"] not in inputs.TEXT:
        return "now"
    triggers = (element.get("dispatch_action_config") or {}).get("trigger_actions_on") or []
    return "character" if "on_character_entered" in triggers else "enter"


def plain(words: str, *, with_emoji: bool = True) -> Html:
    """Return plain text: nothing is parsed but emoji short names."""
    if not with_emoji:
        return lines(words)
    pieces: list[Child] = []
    position = 0
    for found in SHORTCODE.finditer(words):
        pieces += [lines(words[position : found.start()]), emoji(found[1]) or text(found[0])]
        position = found.end()
    return join([*pieces, lines(words[position:])])


def words_only(content: Json | str | None) -> str:
    """Return a text object's characters, for attributes and options."""
    return str(content.get("text", "")) if isinstance(content, dict) else content or ""


def surface_name(surface: Message | View) -> str:
    """Return how the page's script names a message or a view to the server."""
    if isinstance(surface, View):
        return f"view:{surface.id}"
    return f"message:{surface.channel}:{surface.ts}"


def place_of(surface: Message | View, reader: Reader) -> Place:
    """Return the place that a message or view is."""
    errors = surface.errors if isinstance(surface, View) else {}
    return Place(reader, surface_name(surface), surface.values, errors)
