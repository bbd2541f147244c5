"""One budget for everything the bot says: Slack's rate tiers, shared by all running operations.

Tiers (docs.slack.dev/apis/web-api/rate-limits): `chat.update` tier 3, 50 a minute in the workspace;
`chat.postMessage` about one a second and channel. We stay a little below.
"""

import time
from dataclasses import dataclass, field

PER_MINUTE = {
    "chat.update": 45,
    "chat.postMessage": 55,
    "files": 18,
    "conversations.history": 45,
    "conversations.open": 45,
    "conversations.replies": 45,
}
LONGEST_REST = 60.0
"""Seconds between two tries of a message that does not reach Slack."""
SPARE = 2
"""So many of them are left for what is urgent: who is to decide need not wait for mere progress."""
BURST = 5
"""How many calls may follow each other at once after a quiet time."""


@dataclass
class Bucket:
    """A token bucket: refilled evenly, holding at most `BURST`."""

    per_second: float
    tokens: float = BURST
    filled_at: float = field(default_factory=time.monotonic)
    closed_until: float = 0

    def wait(self, spare: int = 0) -> float:
        """Return how many seconds until a call may be made that leaves `spare`; 0 means now."""
        now = time.monotonic()
        self.tokens = min(BURST, self.tokens + (now - self.filled_at) * self.per_second)
        self.filled_at = now
        if now < self.closed_until:
            return self.closed_until - now
        missing = 1 + spare - self.tokens
        return missing / self.per_second if missing > 0 else 0

    def take(self) -> None:
        """Count a call."""
        self.tokens -= 1


class Budget:
    """The buckets: one for each method, and one for each channel that is posted to."""

    def __init__(self) -> None:
        self._buckets: dict[str, Bucket] = {}

    def wait(self, method: str, channel: str = "", *, urgent: bool = True) -> float:
        """Return how long a call has to wait; what isn't urgent leaves some for what is."""
        spare = 0 if urgent else SPARE
        return max(bucket.wait(spare) for bucket in self._of(method, channel))

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
    """When each message may be tried: edits at most once in `seconds`, troubled ones ever later."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._edited: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._rests_until: dict[str, float] = {}

    def wait(self, key: str, *, urgent: bool, known: bool) -> float:
        """Return how long the message has to rest before it is tried; `known` ones are edited."""
        now = time.monotonic()
        pause = 0.3 if urgent else self._seconds
        edit = self._edited.get(key, now - pause) + pause - now if known else 0.0
        return max(0.0, edit, self._rests_until.get(key, now) - now)

    def edited(self, key: str) -> None:
        """Note an edit."""
        self._edited[key] = time.monotonic()

    def rest(self, key: str) -> None:
        """Note a failure: the message rests, twice as long each time."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        self._rests_until[key] = time.monotonic() + min(LONGEST_REST, 2.0**failures)

    def sent(self, key: str) -> None:
        """Note that the message was taken."""
        self._failures.pop(key, None)
        self._rests_until.pop(key, None)
