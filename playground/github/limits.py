"""GitHub's rate limits: hourly per installation or person, and against bursts."""

from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta

from playground.github.calls import DOCUMENTATION, Refusal
from provisioning.clock import Clock

HOUR, MINUTE = timedelta(hours=1).total_seconds(), timedelta(minutes=1).total_seconds()
CREATING = ("POST", "PUT", "PATCH")
"""GitHub doesn't publish which calls it counts as content-creating: we count all of these."""


@dataclass(frozen=True)
class Limits:
    """How much one installation or person may ask; GitHub's documented figures."""

    per_hour: int = 5000
    creating_per_minute: int = 80
    creating_per_hour: int = 500
    points_per_minute: int = 900


UNLIMITED = Limits(10**9, 10**9, 10**9, 10**9)


@dataclass
class _Account:
    window_ends: float = 0
    used: int = 0
    created: deque[float] = field(default_factory=deque)
    points: deque[tuple[float, int]] = field(default_factory=deque)


class RateLimits:
    """Counts every caller's requests by the clock port."""

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self.limits = limits
        self._clock = clock
        self._accounts: dict[str, _Account] = {}

    def admit(self, caller: str, method: str) -> None:
        """Count a request; refuse it with GitHub's 403 if that is one too many."""
        now = self._clock.now().timestamp()
        account = self._account(caller, now)
        if account.used >= self.limits.per_hour:
            raise Refusal(
                403,
                f"API rate limit exceeded for {caller}.",
                headers=self.headers(caller),
                documentation=f"{DOCUMENTATION}/using-the-rest-api/rate-limits-for-the-rest-api",
            )
        self._admit_burst(account, method, now)
        account.used += 1

    def give_back(self, caller: str) -> None:
        """Uncount a request that was answered 304: those are free."""
        account = self._account(caller, self._clock.now().timestamp())
        account.used = max(account.used - 1, 0)

    def core(self, caller: str) -> dict[str, int]:
        """Return the hourly limit, what is used and left, and when it starts anew (epoch)."""
        account = self._account(caller, self._clock.now().timestamp())
        return {
            "limit": self.limits.per_hour,
            "used": account.used,
            "remaining": max(self.limits.per_hour - account.used, 0),
            "reset": int(account.window_ends),
        }

    def headers(self, caller: str) -> dict[str, str]:
        """Return the x-ratelimit headers that every answer carries."""
        core = {f"x-ratelimit-{name}": str(value) for name, value in self.core(caller).items()}
        return core | {"x-ratelimit-resource": "core"}

    def _account(self, caller: str, now: float) -> _Account:
        account = self._accounts.setdefault(caller, _Account())
        if now >= account.window_ends:
            account.window_ends, account.used = now + HOUR, 0
        return account

    def _admit_burst(self, account: _Account, method: str, now: float) -> None:
        while account.points and account.points[0][0] <= now - MINUTE:
            account.points.popleft()
        while account.created and account.created[0] <= now - HOUR:
            account.created.popleft()
        cost = 1 if method in ("GET", "HEAD", "OPTIONS") else 5
        if sum(points for _, points in account.points) + cost > self.limits.points_per_minute:
            oldest = account.points[0][0] if account.points else now
            raise secondary(403, oldest + MINUTE - now)
        if method in CREATING:
            self._admit_creation(account, now)
        account.points.append((now, cost))

    def _admit_creation(self, account: _Account, now: float) -> None:
        if len(account.created) >= self.limits.creating_per_hour:
            raise secondary(403, account.created[0] + HOUR - now)
        recent = [moment for moment in account.created if moment > now - MINUTE]
        if len(recent) >= self.limits.creating_per_minute:
            raise secondary(403, recent[0] + MINUTE - now)
        account.created.append(now)


def secondary(status: int, wait: float) -> Refusal:
    """Return GitHub's refusal of a burst; it answers 403 or 429, and `wait` is in seconds."""
    return Refusal(
        status,
        "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
        headers={"Retry-After": str(max(int(wait) + 1, 1))},
        documentation=f"{DOCUMENTATION}/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits",
    )
