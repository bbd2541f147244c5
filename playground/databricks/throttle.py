"""Databricks' request limit: so many per second and caller, then 429 with Retry-After."""

from datetime import datetime

from playground.databricks.errors import RefusalError

LIMITED = {
    "error_code": "REQUEST_LIMIT_EXCEEDED",
    "message": "Your request was rejected since your organization has exceeded "
    "the rate limit. Please retry your request later.",
}
"""What Databricks says with a 429."""


class Throttle:
    """Counts requests in whole seconds of the clock; `per_second` 0 lets everything through."""

    def __init__(self) -> None:
        self.per_second = 0
        self._second = 0
        self._seen: dict[int, int] = {}

    def count(self, caller: int, now: datetime) -> None:
        """Count one request, refusing it if the caller made too many in this second."""
        if not self.per_second:
            return
        second = int(now.timestamp())
        if second != self._second:
            self._second, self._seen = second, {}
        self._seen[caller] = self._seen.get(caller, 0) + 1
        if self._seen[caller] > self.per_second:
            raise RefusalError(429, LIMITED, {"Retry-After": "1"})
