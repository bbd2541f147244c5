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


class Schedule:
    """Fires each sweep at once and then once in its period."""

    def __init__(self, engine: Engine, clock: Clock, periods: dict[str, timedelta]) -> None:
        self._engine = engine
        self._clock = clock
        self._scheduler = BackgroundScheduler(timezone="UTC")
        for name, period in periods.items():
            self._scheduler.add_job(
                self.fire,
                "interval",
                args=(name, period),
                seconds=period.total_seconds(),
                id=name,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
            )

    def start(self) -> None:
        """Begin to fire; everything is due at start-up, since slots were missed while down."""
        self._scheduler.start()
        for job in self._scheduler.get_jobs():
            name, period = job.args
            self.fire(name, period, extra=f"start:{self._engine.executor}")

    def stop(self) -> None:
        """Fire no more."""
        self._scheduler.shutdown(wait=False)

    def fire(self, name: str, period: timedelta, extra: str = "") -> None:
        """Enqueue a sweep for the present slot; another process may have done so already."""
        slot = int(self._clock.now().timestamp() // period.total_seconds())
        try:
            self._engine.sweep(name, extra or str(slot))
        except SciclopsError:
            log.warning("could not fire %s; it is due again soon", name, exc_info=True)
