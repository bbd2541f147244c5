"""`/healthz`: the process lives. `/readyz`: it can do its work, or what keeps it from that."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

from provisioning.engine import Engine
from provisioning.errors import TemporaryError

OK = "ok"
DATABASE_SECONDS = 2.0
"""After this long a database that does not answer is red; it goes on being asked."""

Trouble = Callable[[], Awaitable[str]]
"""Returns what is wrong, or an empty string."""


class Health:
    """Answers whoever watches the process; `counts` are shown beside, by name.

    `ping` asks the database, and raises `TemporaryError` if that does not answer.
    """

    def __init__(
        self,
        ping: Callable[[], None],
        engine: Engine,
        slack: Trouble,
        counts: Mapping[str, Mapping[str, int]],
        seconds: float = DATABASE_SECONDS,
    ) -> None:
        self._ping = ping
        self._engine = engine
        self._slack = slack
        self._counts = counts
        self._seconds = seconds
        self._asker = ThreadPoolExecutor(1, thread_name_prefix="health")
        self._asking: asyncio.Future[str] | None = None

    def add_to(self, application: web.Application) -> None:
        """Serve both addresses."""
        application.router.add_get("/healthz", self.healthz)
        application.router.add_get("/readyz", self.readyz)

    async def healthz(self, request: web.Request) -> web.Response:
        """Answer that the process lives, whatever else is wrong: a restart would mend nothing."""
        del request
        shown = {name: dict(counts) for name, counts in self._counts.items()}
        return web.json_response({"ok": True, **shown})

    async def readyz(self, request: web.Request) -> web.Response:
        """Answer 200 if everything is there, else 503, and name what is missing."""
        del request
        checks = {
            "database": await self._of_database(),
            "engine": self._of_engine(),
            "slack": await self._slack(),
        }
        ready = not any(checks.values())
        shown = {name: trouble or OK for name, trouble in checks.items()}
        return web.json_response({"ready": ready, **shown}, status=200 if ready else 503)

    async def _of_database(self) -> str:
        """Ask one at a time: a database that hangs costs one thread, however often we are asked."""
        if self._asking is None or self._asking.done():
            loop = asyncio.get_running_loop()
            self._asking = loop.run_in_executor(self._asker, self._ask)
        done, _ = await asyncio.wait({self._asking}, timeout=self._seconds)
        return self._asking.result() if done else "does not answer"

    def _ask(self) -> str:
        try:
            self._ping()
        except TemporaryError:
            return "does not answer"
        return ""

    def _of_engine(self) -> str:
        if self._engine.stopping:
            return "stopping"
        return "" if self._engine.launched else "not launched yet"
