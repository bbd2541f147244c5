"""Faults that can be switched on at every door: 429, 5xx, delay, dropped socket; and latency.

Each stand-in's aiohttp application takes `Faults.middleware(door)` as its outermost middleware, so
the page and the tests can make one vendor misbehave in one way, for a number of requests.
"""

import asyncio
import math
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from aiohttp import web
from aiohttp.typedefs import Middleware

Door = Literal["slack", "github", "databricks", "terraform"]
Kind = Literal["status", "delay", "drop"]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Fault:
    """What goes wrong for the next `times` requests whose `METHOD /path` matches `pattern`.

    `status` is the HTTP status of kind "status"; `seconds` is the wait of kind "delay" and the
    Retry-After of a 429. `after_effect=True` lets the request act and then spoils the answer,
    which is how networks really fail.
    """

    door: Door
    kind: Kind
    pattern: str = ""
    times: int = 1
    status: int = 500
    seconds: float = 1
    after_effect: bool = False


class Faults:
    """The faults that are switched on now, and how often they have struck.

    Every answer takes `latency` seconds; `waits` are those seconds, from when to when (Unix time).
    `requests` counts all requests at each door, faulty or not.
    """

    def __init__(self, latency: float = 0) -> None:
        self.active: list[Fault] = []
        self.struck = 0
        self.requests: Counter[Door] = Counter()
        self.waits: list[tuple[float, float]] = []
        self._latency = latency

    def add(self, fault: Fault) -> Fault:
        """Switch a fault on until it has struck `fault.times` times or is cleared."""
        self.active.append(fault)
        return fault

    def clear(self) -> None:
        """Switch everything off."""
        self.active.clear()

    def take(self, door: Door, method: str, path: str) -> Fault | None:
        """Return the fault that this request meets, counting it down."""
        for fault in self.active:
            if fault.door == door and re.search(fault.pattern, f"{method} {path}"):
                fault.times -= 1
                self.struck += 1
                if fault.times <= 0:
                    self.active.remove(fault)
                return fault
        return None

    async def _wait(self) -> None:
        """Take the time that a request takes to a vendor far away."""
        began = time.time()
        await asyncio.sleep(self._latency)
        self.waits.append((began, time.time()))

    def middleware(self, door: Door, limited: Mapping[str, object]) -> Middleware:
        """Return the aiohttp middleware of one door; `limited` is its vendor's body of a 429."""

        @web.middleware
        async def faulty(request: web.Request, handler: Handler) -> web.StreamResponse:
            self.requests[door] += 1
            await request.read()  # whoever sent all of it may go: it is acted upon
            if self._latency:
                await self._wait()
            fault = self.take(door, request.method, request.path)
            if fault is None:
                return await handler(request)
            if fault.kind == "delay":
                await asyncio.sleep(fault.seconds)
                return await handler(request)
            if fault.after_effect:
                await handler(request)
            if fault.kind == "drop":
                if request.transport is not None:
                    request.transport.abort()
                return web.Response(status=500)
            return _refusal(fault, limited)

        return faulty


def _refusal(fault: Fault, limited: Mapping[str, object]) -> web.Response:
    if fault.status == 429:
        headers = {"Retry-After": str(math.ceil(fault.seconds))}
        return web.json_response(limited, status=429, headers=headers)
    body = {"message": "injected fault", "ok": False, "error": "internal_error"}
    return web.json_response(body, status=fault.status)
