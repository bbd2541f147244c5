"""A crash that is armed at a step: the bot stops dead there, is killed, and started again."""

import asyncio
import logging

from playground.bot import BotDiedError, BotProcess
from playground.slack.entities import NotPossible

STEPS = (
    "prepare",
    "write root",
    "plan 0",
    "show plan",
    "ask",
    "start applying",
    "apply 0",
    "note outputs",
    "find who needs a secret",
    "find what the rule holds",
    "push starter code",
    "verify",
    "become ready",
    "announce",
)
"""The durable steps of a new project, in order; 0 is the first try of Terraform. A test of kills
compares them with a real run."""
POINTS = tuple(f"{moment} {step}" for step in STEPS for moment in ("before", "after"))


class Crash:
    """At most one armed crash of the bot; it outlives other restarts of the bot."""

    def __init__(self, bot: BotProcess) -> None:
        self.armed = ""
        """The point, such as `before apply 0`; empty if nothing is armed."""
        self._bot = bot
        self._watching: asyncio.Task[None] | None = None

    async def arm(self, point: str) -> str:
        """Arm a crash, or say why not."""
        if self.armed:
            raise NotPossible(f"A crash is armed already, {self.armed}. Disarm it first.")
        if point not in POINTS:
            raise NotPossible(f"{_named(point)} Choose before or after one of: {', '.join(STEPS)}.")
        self.armed = point
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        await self._bot.hold_at(point)
        return f"The bot will be killed {point}, and started again."

    async def disarm(self, _: str = "") -> str:
        """Let the bot pass the point."""
        if not self.armed:
            raise NotPossible("No crash is armed.")
        point, self.armed = self.armed, ""
        await self._bot.hold_at()
        return f"The bot will not be killed {point}."

    async def kill(self, _: str = "") -> str:
        """Kill the bot now and start it again; an armed crash stays armed."""
        try:
            await self._bot.restart((self.armed,) if self.armed else ())
        except BotDiedError as died:
            raise NotPossible(f"The bot was killed and does not start again: {died}") from died
        return "The bot was killed (SIGKILL) and started again."

    async def _watch(self) -> None:
        """Restart the bot whenever it stands; it may stand even if it was just disarmed."""
        while True:
            await self._bot.held()
            self.armed = ""
            try:
                await self._bot.restart()
            except BotDiedError:
                logging.getLogger(__name__).exception("the bot does not start after its crash")
                self._watching = None
                return


def _named(point: str) -> str:
    return f"There is no point “{point[:60]}”." if point else "Name a point."
