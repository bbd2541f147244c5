"""What a person does in the browser, done in the workspace."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from playground.page.place import words_only
from playground.page.reader import Reader
from playground.slack import inputs
from playground.slack.entities import Json, NotPossible, Surface
from playground.slack.workspace import Workspace

STORED_WITHIN = 0.05
"""Seconds: an entry is stored at once, but its delivery may wait 3 s for the app."""
MOST_SUGGESTIONS = 100


class Deeds:
    """One person's doings. Every method takes what the browser sent and returns its answer."""

    def __init__(
        self, workspace: Workspace, reader: Reader, background: "set[asyncio.Task[Any]]"
    ) -> None:
        self._workspace = workspace
        self._reader = reader
        self._viewer = reader.viewer
        self._background = background

    @property
    def known(self) -> dict[str, Callable[[Json], Awaitable[Json]]]:
        """Return the deeds by name."""
        return {
            "send": self.send,
            "press": self.press,
            "enter": self.enter,
            "suggest": self.suggest,
            "submit": self.submit,
            "close": self.close,
        }

    async def send(self, sent: Json) -> Json:
        """Say something, or give a slash command."""
        words, channel, thread = (
            str(sent["text"]),
            str(sent["channel"]),
            str(sent.get("thread", "")),
        )
        if not words.strip():
            return {}
        if not words.startswith("/"):
            await self._workspace.say(self._viewer, channel, words, thread)
        elif thread:
            raise NotPossible("slash commands don't work in threads")
        else:
            await self._workspace.slash(self._viewer, channel, words)
        return {}

    async def press(self, sent: Json) -> Json:
        """Press a button, or choose from an overflow menu."""
        surface = self._surface(sent)
        await self._workspace.click(
            self._viewer, surface, sent["action"], sent["block"], sent.get("value")
        )
        return {}

    async def enter(self, sent: Json) -> Json:
        """Store what a field holds; `quiet` keeps it from the app until Enter is pressed."""
        surface, action, block = self._surface(sent), str(sent["action"]), str(sent["block"])
        _, element = inputs.find(surface, action, block)
        value = self._value(element, sent["value"])
        if sent.get("quiet"):
            state = inputs.entered_state(element, value, [])
            surface.values.setdefault(block, {})[action] = state
            return {}
        deed = asyncio.create_task(
            self._workspace.enter(self._viewer, surface, action, block, value)
        )
        self._background.add(deed)
        deed.add_done_callback(self._settle)
        done, _ = await asyncio.wait({deed}, timeout=STORED_WITHIN)
        for one in done:
            one.result()
        return {}

    async def suggest(self, sent: Json) -> Json:
        """Return the options that fit what has been typed."""
        surface, query = self._surface(sent), str(sent["query"])
        _, element = inputs.find(surface, sent["action"], sent["block"])
        if element["type"].endswith("external_select"):
            options = await self._workspace.suggest(
                self._viewer, surface, sent["action"], sent["block"], query
            )
            return {"options": [_shown(one) for one in options]}
        fitting = [one for one in self._local(element) if query.lower() in one["label"].lower()]
        return {"options": fitting[:MOST_SUGGESTIONS]}

    async def submit(self, sent: Json) -> Json:
        """Submit the modal on top."""
        surface = self._surface(sent)
        await self._workspace.submit(self._viewer, str(sent["surface"]).removeprefix("view:"))
        return {"errors": bool(getattr(surface, "errors", None))}

    async def close(self, sent: Json) -> Json:
        """Dismiss the modal on top, or the whole stack."""
        view_id = str(sent["surface"]).removeprefix("view:")
        await self._workspace.close(self._viewer, view_id, whole_stack=bool(sent.get("whole")))
        return {}

    def _settle(self, deed: "asyncio.Task[Any]") -> None:
        """Forget a finished entry; what its late delivery met shows on the surface itself."""
        self._background.discard(deed)
        if not deed.cancelled():
            deed.exception()

    def _surface(self, sent: Json) -> Surface:
        kind, _, rest = str(sent["surface"]).partition(":")
        view = self._workspace.find_view(view_id=rest) if kind == "view" else None
        if view is not None and view.user == self._viewer:
            return view
        channel, _, ts = rest.partition(":")
        for one in self._workspace.messages:
            mine = one.reader in (None, self._viewer)
            if kind == "message" and mine and (one.channel, one.ts) == (channel, ts):
                return one
        raise NotPossible("that is not there any more")

    def _value(self, element: Json, value: Any) -> Any:
        """Return a field's value in the form that the workspace takes."""
        if element["type"] == "rich_text_input" and value:
            words = {"type": "rich_text_section", "elements": [{"type": "text", "text": value}]}
            return {"type": "rich_text", "elements": [words]}
        if element["type"] == "datetimepicker" and value:
            local = datetime.fromisoformat(value).replace(tzinfo=self._reader.zone)
            return int(local.timestamp())
        one_of_many = (
            inputs.value_key(element["type"]) == "selected_option" or "_select" in element["type"]
        )
        return None if one_of_many and value == "" else value

    def _local(self, element: Json) -> list[Json]:
        """Return the options of a select that the workspace itself can fill."""
        kind = element["type"].removeprefix("multi_").removesuffix("_select")
        if kind == "users":
            people = self._workspace.people.values()
            return [
                {"value": one.id, "label": one.real_name, "about": one.title}
                for one in people
                if not one.deleted and not one.is_bot
            ]
        if kind in ("channels", "conversations"):
            mine = (one for one in self._workspace.channels.values() if self._viewer in one.members)
            return [{"value": one.id, "label": f"#{one.name}"} for one in mine if one.kind != "im"]
        return [_shown(one) for one in inputs.options_of(element)]


def _shown(option: Json) -> Json:
    about = words_only(option.get("description"))
    return {"value": option["value"], "label": words_only(option["text"]), "about": about}
