"""The test driver: one person at Slack, for tests that run in another thread than the loop.

    chat = SlackDriver(slack, loop).as_person("U0ADA")
    chat.type("/sciclops new")
    chat.wait_for_view()
    chat.fill({"name": "demo"})
    assert chat.submit() is None
    chat.wait_for_message(containing="ready")

Waiting means a condition on the change feed with a deadline; nothing here sleeps.
"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import date
from typing import Any, TypeVar

from playground.slack.entities import (
    Attempt,
    Delivery,
    File,
    Json,
    Message,
    NotPossible,
    Surface,
    View,
)
from playground.slack.inputs import elements, is_many
from playground.slack.reading import buttons, text_of
from playground.slack.server import Slack

Result = TypeVar("Result")
PATIENCE = 10.0
ACTION_PATIENCE = 20.0
TIMES_ASKED = 5
EXTERNAL = ("external_select", "multi_external_select")


class SlackDriver:
    """Reaches a running `Slack` from another thread."""

    def __init__(self, slack: Slack, loop: asyncio.AbstractEventLoop) -> None:
        self.slack = slack
        self._loop = loop

    def as_person(self, user: str, channel: str = "C0SCICLOPS") -> "Person":
        """Return a person to act as; `channel` is where they are."""
        return Person(self, user, channel)

    @property
    def deliveries(self) -> list[Delivery]:
        """Return everything that was handed to the app, oldest first."""
        return list(self.slack.workspace.deliveries)

    def redeliver(
        self, delivery: Delivery, times: int = 1, *, at_once: bool = False
    ) -> list[Attempt]:
        """Hand the same payload to the app again, one after the other or all at once."""
        return self.run(self.slack.workspace.redeliver(delivery, times, at_once=at_once))

    def drop_sockets(self) -> int:
        """Cut the app's connections; return how many there were."""

        async def drop() -> int:
            return self.slack.sockets.drop()

        return self.run(drop())

    def run(self, doing: Coroutine[Any, Any, Result], seconds: float = ACTION_PATIENCE) -> Result:
        """Run a coroutine in Slack's loop and return its result."""
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result(seconds)

    def look(self, look: Callable[[], Result]) -> Result:
        """Return what `look` sees in Slack's loop, where nothing changes meanwhile."""

        async def seen() -> Result:
            return look()

        try:
            here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            here = False
        return look() if here else self.run(seen())

    def until(
        self, look: Callable[[], Result | None], seconds: float, what: str, seen: Callable[[], str]
    ) -> Result:
        """Return what `look` finds, or fail saying what there was instead."""
        found = self.run(self.slack.workspace.feed.until(look, seconds), seconds + PATIENCE)
        if not found:
            raise AssertionError(f"no {what} within {seconds} s; there was:\n{seen()}")
        return found


class Person:
    """One person at Slack: what they do, see, and wait for."""

    def __init__(self, driver: SlackDriver, user: str, channel: str) -> None:
        self.driver = driver
        self.user = user
        self.channel = channel
        self._workspace = driver.slack.workspace
        self._ask: Callable[[], object] = self.has_view
        self._expired = self._workspace.expired(user)

    # Doing ----------------------------------------------------------------------------------

    def type(self, text: str, channel: str = "") -> Delivery | None:
        """Type a slash command or a message; return the command's delivery."""
        place = channel or self.channel
        if text.startswith("/"):
            return self._asks(lambda: self._run(self._workspace.slash(self.user, place, text)))
        self._run(self._workspace.say(self.user, place, text))
        return None

    def press(self, label: str, on: Surface | None = None) -> Delivery:
        """Press a button: on `on`, else in the open modal, else on the newest message with it."""
        surface = on or self._with_button(label)
        found = buttons(surface).get(label)
        if found is None:
            raise NotPossible(f"no button {label!r} there, but {sorted(buttons(surface))}")
        return self._asks(lambda: self._run(self._workspace.click(self.user, surface, *found)))

    def fill(self, values: dict[str, Any], on: Surface | None = None) -> None:
        """Enter values by block id: text, a date, an option's value or text, an id, or a list."""
        for block_id, value in values.items():
            surface = on or self.view()
            element = self._element(surface, block_id)
            if element["type"] in EXTERNAL:
                for query in value if is_many(element["type"]) else [value]:
                    self.suggest(block_id, query, surface)
            entered = value.isoformat() if isinstance(value, date) else value
            where = (element["action_id"], block_id)
            self._run(self._workspace.enter(self.user, surface, *where, entered))

    def suggest(self, block_id: str, query: str, on: Surface | None = None) -> list[str]:
        """Type into an external select; return the texts of the options offered."""
        surface = on or self.view()
        action_id = self._element(surface, block_id)["action_id"]
        asked = self._workspace.suggest(self.user, surface, action_id, block_id, query)
        return [option["text"]["text"] for option in self._run(asked)]

    def submit(self) -> dict[str, str] | None:
        """Submit the modal on top; return field errors by block id, or None if it was taken.

        Where the app is later than Slack waits, which says “Try again?”, it is tried again.
        """
        view = self.view()
        for _ in range(TIMES_ASKED):
            self._run(self._workspace.submit(self.user, view.id))
            if not view.trouble:
                return dict(view.errors) or None
        raise AssertionError(f"Slack says: {view.trouble}")

    def close(self) -> Delivery | None:
        """Cancel the modal on top."""
        return self._run(self._workspace.close(self.user, self.view().id))

    def open_home(self) -> Delivery | None:
        """Open the app's Home tab."""
        return self._run(self._workspace.open_home(self.user))

    # Seeing ---------------------------------------------------------------------------------

    def visible_messages(self, channel: str = "") -> list[Message]:
        """Return what this person sees in a channel, threads left out, oldest first."""
        place = channel or self.channel
        return self.driver.look(lambda: self._workspace.visible_messages(self.user, place))

    def thread(self, message: Message) -> list[Message]:
        """Return the replies to a message that this person sees, oldest first."""
        where = (message.channel, message.ts, self.user)
        return self.driver.look(lambda: self._workspace.thread(*where)[1:])

    def files(self) -> list[File]:
        """Return the files shared in channels of this person, oldest first."""
        messages = self.driver.look(self._readable)
        return [file for message in messages for file in message.files]

    def view(self) -> View:
        """Return the modal on top."""
        views = self._workspace.views(self.user)
        if not views:
            raise NotPossible(f"{self.user} has no modal open")
        return views[-1]

    def has_view(self) -> bool:
        """Return whether any modal is open."""
        return bool(self._workspace.views(self.user))

    def home(self) -> View | None:
        """Return this person's App Home."""
        return self._workspace.home(self.user)

    # Waiting --------------------------------------------------------------------------------

    def wait_for_message(
        self, containing: str = "", *, channel: str = "", timeout: float = PATIENCE
    ) -> Message:
        """Return the newest visible message (in threads too) that has this text."""

        def look() -> Message | None:
            fitting = (
                one for one in reversed(self._readable(channel)) if containing in text_of(one)
            )
            return next(fitting, None)

        return self._until(look, timeout, f"message containing {containing!r}")

    def wait_for_view(self, containing: str = "", *, timeout: float = PATIENCE) -> View:
        """Return the modal on top as soon as it has this text.

        On a busy machine the app may be later than a trigger lives: then it is asked again.
        """

        what = f"modal containing {containing!r}"

        def look() -> tuple[View | None] | None:
            views = self._workspace.views(self.user)
            if views and containing in text_of(views[-1]):
                return (views[-1],)
            return (None,) if self._workspace.expired(self.user) > self._expired else None

        for _ in range(TIMES_ASKED):
            (found,) = self._until(look, timeout, what)
            if found:
                return found
            self._asks(self._ask)
        raise AssertionError(f"no {what}: it came too late {TIMES_ASKED} times")

    def wait_for_home(self, containing: str = "", *, timeout: float = PATIENCE) -> View:
        """Return this person's App Home as soon as it has this text."""

        def look() -> View | None:
            home = self.home()
            return home if home and containing in text_of(home) else None

        return self._until(look, timeout, f"App Home containing {containing!r}")

    def wait_for_button(
        self, label: str, containing: str = "", *, timeout: float = PATIENCE
    ) -> Surface:
        """Return the newest surface that has this button, and this text."""

        def look() -> Surface | None:
            for surface in self._surfaces():
                if label in buttons(surface) and containing in text_of(surface):
                    return surface
            return None

        found = self._until(look, timeout, f"button {label!r} beside {containing!r}")
        assert isinstance(found, Message | View)
        return found

    def wait_until(self, look: Callable[[], Result | None], *, timeout: float = PATIENCE) -> Result:
        """Return what `look` finds; it is asked again at every change of the workspace."""
        return self._until(look, timeout, "such thing")

    # Inside ---------------------------------------------------------------------------------

    def _asks(self, ask: Callable[[], Result]) -> Result:
        self._ask, self._expired = ask, self._workspace.expired(self.user)
        return ask()

    def _run(self, doing: Coroutine[Any, Any, Result]) -> Result:
        return self.driver.run(doing)

    def _until(self, look: Callable[[], Result | None], seconds: float, what: str) -> Result:
        return self.driver.until(look, seconds, what, self._seen)

    def _seen(self) -> str:
        views = [f"[modal] {text_of(one)}" for one in self._workspace.views(self.user)]
        return "\n".join([*(f"- {text_of(one)}" for one in self._readable()), *views]) or "nothing"

    def _readable(self, channel: str = "") -> list[Message]:
        mine = {one.id for one in self._workspace.channels.values() if self.user in one.members}
        wanted = {channel} if channel else mine
        return [
            one
            for one in self._workspace.messages
            if one.channel in wanted & mine and one.reader in (None, self.user)
        ]

    def _with_button(self, label: str) -> Surface:
        for surface in self._surfaces():
            if label in buttons(surface):
                return surface
        raise NotPossible(f"{self.user} sees no button {label!r}")

    def _surfaces(self) -> list[Surface]:
        surfaces: list[Surface] = [*self._workspace.views(self.user)[-1:]]
        surfaces += reversed(self.driver.look(self._readable))
        surfaces += [home] if (home := self.home()) else []
        return surfaces

    def _element(self, surface: Surface, block_id: str) -> Json:
        for block, element in elements(surface.blocks):
            if block["block_id"] == block_id:
                return element
        raise NotPossible(f"no field {block_id!r} there")
