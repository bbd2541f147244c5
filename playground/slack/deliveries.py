"""How what people do is handed to the app: once, except events, which Slack tries again."""

import asyncio
from datetime import datetime, timedelta
from typing import Protocol

from playground.slack.entities import Answer, Attempt, Delivery, DeliveryKind, Json
from playground.slack.state import State
from provisioning.clock import Clock

ACK_DEADLINE = timedelta(seconds=3)
RETRY_AFTER = (timedelta(), timedelta(minutes=1), timedelta(minutes=5))
"""Slack retries events almost at once, after a minute and after five."""
LOOK_EVERY = 0.02
RETRY_REASONS = {"late": "timeout", "unreachable": "connection_failed", "refused": "http_error"}


class Door(Protocol):
    """How payloads reach the app."""

    async def send(self, delivery: Delivery, attempt: Attempt, /) -> Answer:
        """Hand the payload over and return the answer, at most `ACK_DEADLINE` later."""


class NoDoor:
    """No app is connected."""

    async def send(self, _delivery: Delivery, _attempt: Attempt, /) -> Answer:
        """Answer that nobody is there."""
        return Answer("unreachable")


async def moment(clock: Clock, moment: datetime, happened: asyncio.Event) -> bool:
    """Wait until the clock shows `moment`; return early, with True, if `happened` is set.

    A moved clock rings no bell, so this looks at it now and then.
    """
    while not happened.is_set():
        left = (moment - clock.now()).total_seconds()
        if left <= 0:
            return False
        try:
            async with asyncio.timeout(min(left, LOOK_EVERY)):
                await happened.wait()
        except TimeoutError:
            continue
    return True


class Deliveries:
    """Hands payloads to the app and records how it took them."""

    def __init__(self, state: State) -> None:
        self.door: Door = NoDoor()
        self.lose_acks = 0
        """How many of the next acks get lost on their way: a fault to inject."""
        self._state = state
        self._retries: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()

    async def deliver(self, kind: DeliveryKind, payload: Json, user: str) -> Delivery:
        """Send a payload, once; events are tried again in the background."""
        delivery = Delivery(self._state.next_id("envelope-"), kind, payload, user)
        self._state.deliveries.append(delivery)
        first = await self.again(delivery, "")
        unheard = first.answer.outcome != "acked" and not first.answer.final
        if kind == "events_api" and unheard:
            retry = asyncio.create_task(self._retry(delivery))
            self._retries.add(retry)
            retry.add_done_callback(self._retries.discard)
        return delivery

    async def again(self, delivery: Delivery, reason: str) -> Attempt:
        """Make one more attempt with the same envelope."""
        attempt = Attempt(len(delivery.attempts), self._state.clock.now(), reason)
        delivery.attempts.append(attempt)
        self._state.feed.changed()
        answer = await self.door.send(delivery, attempt)
        attempt.answer = await self._lost(attempt) if self._loses(answer) else answer
        self._state.feed.changed()
        return attempt

    def _loses(self, answer: Answer) -> bool:
        if not self.lose_acks or answer.outcome != "acked":
            return False
        self.lose_acks -= 1
        self._state.feed.changed()
        return True

    async def _lost(self, attempt: Attempt) -> Answer:
        await moment(self._state.clock, attempt.at + ACK_DEADLINE, self._closing)
        return Answer("late")

    def start(self) -> None:
        """Begin, perhaps again after `stop`."""
        self._closing.clear()

    async def _retry(self, delivery: Delivery) -> None:
        for pause in RETRY_AFTER:
            before = delivery.attempts[-1]
            due = self._state.clock.now() + pause
            if await moment(self._state.clock, due, self._closing):
                return
            reason = RETRY_REASONS[before.answer.outcome]
            again = await self.again(delivery, reason)
            if again.answer.outcome == "acked" or again.answer.final:
                return

    async def stop(self) -> None:
        """Give up retrying."""
        self._closing.set()
        for retry in list(self._retries):
            retry.cancel()
        await asyncio.gather(*self._retries, return_exceptions=True)
