"""Slack's rate limits by the clock: a window per method, and a slow drip per channel."""

import math
from collections import deque
from datetime import datetime, timedelta

from playground.slack.methods import FACTS, PER_CHANNEL
from provisioning.clock import Clock

WINDOW = timedelta(minutes=1)
CHANNEL_PAUSE = timedelta(seconds=1)
CHANNEL_BURST = 5
"""How many messages a channel takes at once before one a second is all it takes."""

RATE_LIMITED = {"ok": False, "error": "ratelimited"}
"""What Slack says with a 429."""


class RateLimits:
    """Answers, for each call, how long the caller must wait (0 = go on)."""

    def __init__(self, clock: Clock) -> None:
        self.strict = True
        """Tests and demonstrations may switch the limits off."""
        self._clock = clock
        self._calls: dict[str, deque[datetime]] = {}
        self._channels: dict[tuple[str, str], datetime] = {}

    def wait(self, method: str, channel: str = "") -> int:
        """Count a call; return the seconds of its Retry-After, or 0 if it may proceed."""
        if not self.strict:
            return 0
        now = self._clock.now()
        seconds = self._per_minute(method, now)
        if not seconds and method in PER_CHANNEL:
            seconds = self._per_channel((method, channel), now)
        if not seconds:
            self._calls[method].append(now)
        return seconds

    def _per_minute(self, method: str, now: datetime) -> int:
        calls = self._calls.setdefault(method, deque())
        while calls and now - calls[0] >= WINDOW:
            calls.popleft()
        if len(calls) < FACTS[method].per_minute:
            return 0
        return max(1, math.ceil((calls[0] + WINDOW - now).total_seconds()))

    def _per_channel(self, key: tuple[str, str], now: datetime) -> int:
        full_at = max(self._channels.get(key, now), now) + CHANNEL_PAUSE
        if full_at - now > CHANNEL_BURST * CHANNEL_PAUSE:
            return max(
                1, math.ceil((full_at - now - CHANNEL_BURST * CHANNEL_PAUSE).total_seconds())
            )
        self._channels[key] = full_at
        return 0
