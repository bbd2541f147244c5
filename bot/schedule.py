"""APScheduler as the clock's hand: it only fires; the engine runs each slot once.

Its memory store in every process, never a shared one: two processes on one store were measured to
run 12 slots 22 and 24 times.
"""

import logging
from datetime import timedelta

from apscheduler.schedulers.background import BackgroundScheduler

from provisioning.clock import Clock
from provisioning.engine import Engine
from provisioning.errors import SciclopsError

log = logging.getLogger(__name__)


TICK_SECONDS = 1
"""How often we look whether a sweep is due: by the clock port, which may be moved."""


class Schedule:
    """Fires each sweep at once and then once in its period."""

    def __init__(self, engine: Engine, clock: Clock, periods: dict[str, timedelta]) -> None:
        self._engine = engine
        self._clock = clock
        self._periods = periods
        self._fired: dict[str, int] = {}
        self._scheduler = BackgroundScheduler(timezone="UTC")
        self._scheduler.add_job(
            self.tick,
            "interval",
            seconds=TICK_SECONDS,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )

    def start(self) -> None:
        """Begin to fire; everything is due at start-up, since slots were missed while down."""
        for name in self._periods:
            self._fired[name] = self._slot(name)
            self._fire(name, f"start:{self._engine.executor}")
        self._scheduler.start()

    def stop(self) -> None:
        """Fire no more."""
        self._scheduler.shutdown(wait=False)

    def tick(self) -> None:
        """Fire what is due in a new slot; another process may have done so already."""
        for name in self._periods:
            slot = self._slot(name)
            if self._fired.get(name) != slot:
                self._fired[name] = slot
                self._fire(name, str(slot))

    def _slot(self, name: str) -> int:
        return int(self._clock.now().timestamp() // self._periods[name].total_seconds())

    def _fire(self, name: str, slot: str) -> None:
        try:
            self._engine.sweep(name, slot)
        except SciclopsError:
            log.warning("could not fire %s; it is due again soon", name, exc_info=True)
