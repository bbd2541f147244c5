"""One budget for everything the bot says: Slack's rate tiers, shared by all running operations.

Tiers (docs.slack.dev/apis/web-api/rate-limits): `chat.update` tier 3, 50 a minute in the workspace;
`chat.postMessage` about one a second and channel. We stay a little below.
"""

import time
from collections import defaultdict
from dataclasses import dataclass, field

PER_MINUTE = {
    "chat.update": 45,
    "chat.postMessage": 55,
    "chat.postEphemeral": 90,
    "files": 18,
    "conversations.replies": 45,
}
BURST = 5
"""How many calls may follow each other at once after a quiet time."""


@dataclass
class Bucket:
    """A token bucket: refilled evenly, holding at most `BURST`."""

    per_second: float
    tokens: float = BURST
    filled_at: float = field(default_factory=time.monotonic)
    closed_until: float = 0

    def wait(self) -> float:
        """Return how many seconds until a call may be made; 0 means now."""
        now = time.monotonic()
        self.tokens = min(BURST, self.tokens + (now - self.filled_at) * self.per_second)
        self.filled_at = now
        if now < self.closed_until:
            return self.closed_until - now
        return 0 if self.tokens >= 1 else (1 - self.tokens) / self.per_second

    def take(self) -> None:
        """Count a call."""
        self.tokens -= 1


class Budget:
    """The buckets: one for each method, and one for each channel that is posted to."""

    def __init__(self) -> None:
        self._buckets: dict[str, Bucket] = {}

    def wait(self, method: str, channel: str = "") -> float:
        """Return how long a call has to wait."""
        return max(bucket.wait() for bucket in self._of(method, channel))

    def take(self, method: str, channel: str = "") -> None:
        """Count a call that is about to be made."""
        for bucket in self._of(method, channel):
            bucket.take()

    def close(self, method: str, channel: str, seconds: float) -> None:
        """Make no such call for a while: Slack answered 429."""
        for bucket in self._of(method, channel):
            bucket.closed_until = time.monotonic() + seconds
            bucket.tokens = 0

    def _of(self, method: str, channel: str) -> list[Bucket]:
        per_minute = PER_MINUTE[method]
        found = [self._buckets.setdefault(method, Bucket(per_minute / 60))]
        if method == "chat.postMessage":
            found.append(self._buckets.setdefault(f"{method} {channel}", Bucket(1.0)))
        return found


class Pace:
    """When each message was last edited: at most once in `seconds`, unless it is urgent."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._edited: dict[str, float] = defaultdict(lambda: -seconds)

    def wait(self, key: str, *, urgent: bool) -> float:
        """Return how long the message has to rest before its next edit."""
        rest = 0.3 if urgent else self._seconds
        return max(0.0, self._edited[key] + rest - time.monotonic())

    def edited(self, key: str) -> None:
        """Note an edit."""
        self._edited[key] = time.monotonic()
