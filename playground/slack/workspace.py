"""The workspace as its people use it: everything that somebody can do in Slack's client.

Each action makes the payload that Slack would send, hands it to the app through a `Door` (Socket
Mode or HTTP), and shows the person what Slack shows when the app does not answer. Actions raise
`NotPossible` for what Slack's client would not let the person do.
"""

import asyncio
import re
from typing import Any

from playground.cast import BOT_USER_ID
from playground.slack import acks, inputs, payloads
from playground.slack.deliveries import Deliveries
from playground.slack.entities import (
    SLACKBOT,
    Attempt,
    Channel,
    Delivery,
    Json,
    Member,
    Message,
    NotPossible,
    Surface,
    View,
)
from playground.slack.feed import Subscription
from playground.slack.state import State
from provisioning.clock import Clock

MESSAGE_EVENTS = {
    "public": ("channel", "message.channels"),
    "private": ("group", "message.groups"),
    "im": ("im", "message.im"),
}
"""By kind of channel: the event's channel_type, and the manifest's name of the subscription."""
TROUBLE_CONNECTING = "We had some trouble connecting. Try again?"


class Workspace(State):
    """The state, and what each person can do. All methods belong to one event loop."""

    def __init__(
        self,
        clock: Clock,
        *,
        commands: tuple[str, ...] = ("/sciclops",),
        events: tuple[str, ...] = ("app_home_opened", "app_mention"),
    ) -> None:
        super().__init__(clock)
        self.commands = commands
        self.events = events
        self.post = Deliveries(self)

    # Reading --------------------------------------------------------------------------------

    @property
    def revision(self) -> int:
        """Return a number that rises with every change."""
        return self.feed.revision

    def subscribe(self) -> Subscription:
        """Return a change feed: `await feed.get()` returns the newest revision."""
        return self.feed.subscribe()

    def visible_messages(self, user: str, channel: str) -> list[Message]:
        """Return what a person sees in a channel, threads left out, oldest first."""
        return self.history(channel, viewer=user)

    def views(self, user: str) -> list[View]:
        """Return a person's open modals; the last one is on top."""
        return self.stacks.get(user, [])

    def home(self, user: str) -> View | None:
        """Return what the app has published on a person's App Home."""
        return self.homes.get(user)

    # Typing ---------------------------------------------------------------------------------

    async def slash(self, user: str, channel: str, text: str) -> Delivery | None:
        """Type `/sciclops new` into a channel; unknown commands are Slackbot's to refuse."""
        member, place = self._person(user), self._place(user, channel)
        command, _, rest = text.strip().partition(" ")
        if command not in self.commands:
            self._whisper(user, channel, f"{command} is not a valid command.")
            return None
        payload = payloads.slash(member, place, command, self.escaped(rest.strip()))
        payload["response_url"] = self.new_response_url(channel, user)
        payload["trigger_id"] = self.new_trigger(user)
        delivery = await self.post.deliver("slash_commands", payload, user)
        if delivery.acked:
            acks.command_answer(self, delivery, channel)
        else:
            reason = acks.failure(delivery)
            self._whisper(user, channel, f'{command} failed with the error "{reason}"')
        return delivery

    async def say(self, user: str, channel: str, text: str, thread_ts: str = "") -> Message:
        """Write a message; the app hears of it if its manifest subscribes to that."""
        self._person(user)
        place = self._place(user, channel)
        if place.archived:
            raise NotPossible("this channel is archived")
        said = self.add(Message(channel, "", user, self.escaped(text), thread_ts=thread_ts))
        channel_type, subscription = MESSAGE_EVENTS[place.kind]
        if BOT_USER_ID not in place.members:
            return said
        if f"<@{BOT_USER_ID}" in said.text and "app_mention" in self.events:
            await self._event(payloads.message_event(said, "app_mention", channel_type), user)
        if subscription in self.events:
            await self._event(payloads.message_event(said, "message", channel_type), user)
        return said

    def escaped(self, text: str) -> str:
        """Return typed text as Slack sends it: escaped, with people and channels as links."""
        safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        for member in self.people.values():
            link = f"<@{member.id}|{member.name}>"
            safe = re.sub(rf"(?<!\S)@{re.escape(member.name)}(?![\w-])", link, safe)
        for channel in self.channels.values():
            if channel.name:
                link = f"<#{channel.id}|{channel.name}>"
                safe = re.sub(rf"(?<!\S)#{re.escape(channel.name)}(?![\w-])", link, safe)
        return safe

    # Pressing and entering ------------------------------------------------------------------

    async def click(
        self, user: str, surface: Surface, action_id: str, block_id: str = "", value: Any = None
    ) -> Delivery:
        """Press a button, or choose `value` in an overflow menu."""
        self._sees(user, surface)
        block, element = inputs.find(surface, action_id, block_id)
        if element["type"] not in ("button", "overflow", "icon_button", "workflow_button"):
            raise NotPossible(f"a {element['type']} can't be pressed")
        chosen: Json | None = None
        if element["type"] == "overflow":
            if value is None:
                raise NotPossible("an overflow menu needs a choice")
            chosen = inputs.overflow_choice(element, value)
        return await self._act(user, surface, (block, element), chosen)

    async def enter(
        self, user: str, surface: Surface, action_id: str, block_id: str, value: Any
    ) -> Delivery | None:
        """Type, pick or tick: text, an id, an option's value or text, or a list of these.

        The app hears of it (and this waits for its ack) unless the element sits in an input block
        without `dispatch_action`; then the value waits for the submission and None is returned.
        """
        self._sees(user, surface)
        block, element = inputs.find(surface, action_id, block_id)
        self._refuse_unknown_ids(element, value)
        key = (block["block_id"], element["action_id"])
        state = inputs.entered_state(element, value, surface.offered.get(key, []))
        surface.values.setdefault(key[0], {})[key[1]] = state
        if isinstance(surface, View):
            surface.errors.pop(key[0], None)
        self.feed.changed()
        if block["type"] == "input" and not block.get("dispatch_action"):
            return None
        return await self._act(user, surface, (block, element), state)

    async def suggest(
        self, user: str, surface: Surface, action_id: str, block_id: str, query: str
    ) -> list[Json]:
        """Type into an external select and return what the app offers (at most 100)."""
        self._sees(user, surface)
        block, element = inputs.find(surface, action_id, block_id)
        if not element["type"].endswith("external_select"):
            raise NotPossible(f"a {element['type']} has no suggestions")
        if len(query) < element.get("min_query_length", 3):
            return []
        where = (block["block_id"], element["action_id"])
        place = self._channel_of(surface)
        payload = payloads.block_suggestion(self.member(user), surface, place, where, query)
        delivery = await self.post.deliver("interactive", payload, user)
        options = acks.suggested_options(delivery) if delivery.acked else []
        surface.offered.setdefault(where, []).extend(options)
        return options

    async def submit(
        self, user: str, view_id: str, state: dict[str, dict[str, Any]] | None = None
    ) -> Delivery | None:
        """Submit the modal on top, after entering `state` (block id → action id → value).

        Returns None if Slack's client holds it back; the reasons are in `view.errors`.
        """
        view = self._top(user, view_id)
        for block_id, actions in (state or {}).items():
            for action_id, value in actions.items():
                await self.enter(user, view, action_id, block_id, value)
        if not view.content.get("submit"):
            raise NotPossible("this modal has no submit button")
        view.trouble, view.errors = "", inputs.complaints(view.blocks, view.values)
        if view.errors or view.busy:
            self.feed.changed()
            return None
        return await self._submit(self._person(user), view)

    async def _submit(self, member: Member, view: View) -> Delivery:
        payload = payloads.view_submission(member, view)
        payload["trigger_id"] = self.new_trigger(member.id, view)
        view.busy = True
        self.feed.changed()
        try:
            delivery = await self.post.deliver("interactive", payload, member.id)
        finally:
            view.busy = False
        if not delivery.acked or not acks.submission_answer(self, view, delivery.ack):
            view.trouble = TROUBLE_CONNECTING
        self.feed.changed()
        return delivery

    async def close(self, user: str, view_id: str, *, whole_stack: bool = False) -> Delivery | None:
        """Dismiss the modal on top (Cancel), or the whole stack (the ✕)."""
        view = self._top(user, view_id)
        stack = self.stacks[user]
        everything = whole_stack or bool(view.content.get("clear_on_close"))
        del stack[0 if everything else -1 :]
        self.feed.changed()
        if not view.content.get("notify_on_close"):
            return None
        payload = payloads.view_closed(self.member(user), view, cleared=everything)
        return await self.post.deliver("interactive", payload, user)

    async def open_home(self, user: str) -> Delivery | None:
        """Open the app's Home tab."""
        member = self._person(user)
        if "app_home_opened" not in self.events:
            return None
        channel = self.direct_messages(user)
        home = self.homes.get(user)
        return await self._event(
            payloads.app_home_opened(member, channel, home, self.next_ts()), user
        )

    async def redeliver(
        self, delivery: Delivery, times: int = 1, *, at_once: bool = False
    ) -> list[Attempt]:
        """Send the same payload again, as Slack does when it is unsure."""
        if at_once:
            sending = [self.post.again(delivery, "timeout") for _ in range(times)]
            return list(await asyncio.gather(*sending))
        return [await self.post.again(delivery, "timeout") for _ in range(times)]

    # Inside ---------------------------------------------------------------------------------

    async def _act(
        self, user: str, surface: Surface, at: tuple[Json, Json], chosen: Json | None
    ) -> Delivery:
        block, element = at
        action = payloads.action(block, element, self.next_ts(), chosen)
        channel = self._channel_of(surface)
        payload = payloads.block_actions(self.member(user), surface, channel, action)
        payload["trigger_id"] = self.new_trigger(
            user, surface if isinstance(surface, View) else None
        )
        if isinstance(surface, Message):
            payload["response_url"] = self.new_response_url(surface.channel, user, surface)
        delivery = await self.post.deliver("interactive", payload, user)
        if not delivery.acked and isinstance(surface, Message):
            surface.warned.add(user)
        elif not delivery.acked and isinstance(surface, View):
            surface.trouble = TROUBLE_CONNECTING
        self.feed.changed()
        return delivery

    async def _event(self, content: Json, user: str) -> Delivery:
        at = int(self.clock.now().timestamp())
        payload = payloads.event(content, self.next_id("Ev"), at)
        return await self.post.deliver("events_api", payload, user)

    def _whisper(self, user: str, channel: str, text: str) -> None:
        self.add(Message(channel, "", SLACKBOT, text, reader=user))

    def _person(self, user: str) -> Member:
        member = self.people.get(user)
        if member is None or member.deleted or member.is_bot:
            raise NotPossible(f"{user} can't sign in to this workspace")
        return member

    def _place(self, user: str, channel: str) -> Channel:
        place = self.channels.get(channel)
        if place is None or user not in place.members:
            raise NotPossible(f"{user} is not in channel {channel}")
        return place

    def _channel_of(self, surface: Surface) -> Channel | None:
        return None if isinstance(surface, View) else self.channels[surface.channel]

    def _sees(self, user: str, surface: Surface) -> None:
        self._person(user)
        if isinstance(surface, View):
            if surface.user != user or surface not in self.all_views():
                raise NotPossible("this view is not open for this person")
            return
        self._place(user, surface.channel)
        if surface.reader not in (None, user) or surface not in self.messages:
            raise NotPossible("this person does not see that message")

    def _top(self, user: str, view_id: str) -> View:
        stack = self.stacks.get(user, [])
        if not stack or stack[-1].id != view_id:
            raise NotPossible("this modal is not on top")
        return stack[-1]

    def _refuse_unknown_ids(self, element: Json, value: Any) -> None:
        known: dict[str, Any] = {"users": self.people, "channels": self.channels}
        kind = element["type"].removeprefix("multi_").removesuffix("_select")
        if kind not in known or value is None:
            return
        for one in value if isinstance(value, list) else [value]:
            if one not in known[kind]:
                raise NotPossible(f"{one!r} is not in the list of {kind}")
