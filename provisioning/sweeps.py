"""Level-triggered sweeps: each looks at everything that is due by now, so a missed one is no loss.

APScheduler only fires them; the engine runs each slot once, over all processes.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from provisioning.board import read_operation
from provisioning.clock import Clock
from provisioning.desk import Desk
from provisioning.engine import Engine, Steps, Workflow
from provisioning.errors import UserError
from provisioning.operation import ENDED, TURNS, WORKING, Operation, Trouble, part_of
from provisioning.operation_kinds import left_behind
from provisioning.run_steps import NOTHING_MADE, going_on
from provisioning.store import Store

log = logging.getLogger(__name__)

SWEEPS_KEPT = timedelta(days=1)
"""Sweeps are many, and nobody asks twice for a slot that has passed."""
STARTED_AT_ONCE = tuple(phase for phase in WORKING if phase not in TURNS)
"""Phases with a workflow; who waits for a turn at GitHub gets one when it comes."""
KEPT = timedelta(days=90)
"""How long finished workflows, interactions and answers in threads are kept: much longer than
anybody resends one."""
TEXTS_KEPT = timedelta(days=1)
"""How long the texts of plans and logs are kept once Slack has them."""
DELIVERIES_KEPT = timedelta(days=7)
"""GitHub lists deliveries for three days."""
DISPATCH = "dispatch:"
"""How the keys begin of what people asked to begin at GitHub."""

Sweep = tuple[timedelta, Callable[[], None]]
"""How often a sweep is due, and what it does."""


@dataclass(frozen=True)
class Sweeps:
    """The sweeps and how often each is due."""

    store: Store
    desk: Desk
    engine: Engine
    clock: Clock
    workflow_runs_kept: timedelta = KEPT
    """How long what ended at GitHub is kept, apart from what people still need."""
    others: Mapping[str, Sweep] = field(default_factory=dict)

    def all(self) -> dict[str, Workflow]:
        """Return the sweeps by the names they are registered under."""
        return {name: _as_workflow(sweep) for name, (_, sweep) in self._sweeps().items()}

    def periods(self) -> dict[str, timedelta]:
        """Return how often each sweep is due."""
        return {name: period for name, (period, _) in self._sweeps().items()}

    def _sweeps(self) -> dict[str, Sweep]:
        return {
            "sweep.unstarted": (timedelta(seconds=15), self.start_what_is_not_started),
            "sweep.deadlines": (timedelta(seconds=30), self.expire),
            "sweep.forget": (timedelta(days=1), self.forget),
            **self.others,
        }

    def start_what_is_not_started(self) -> None:
        """Do what a crash kept from being done; end runs whose workflow broke."""
        for row in self.store.operations.unended(*STARTED_AT_ONCE):
            operation = read_operation(row)
            part = f"{part_of(operation.phase)}:{operation.attempt}"
            state = self.engine.state(operation.id, part)
            if state == "unknown":
                log.info("starting %s of %s, which a crash had kept from it", part, operation.id)
                self.desk.start(operation)
            elif state in ("failed", "finished"):
                self._end_broken(operation)
        self.desk.admit()
        for row in self.store.operations.unended("waiting"):
            self.desk.proceed(row.id)
        for row in self.store.operations.unended(*ENDED):
            self.desk.tidy(row.id)

    def _end_broken(self, run: Operation) -> None:
        """End a run that nobody works on any more, unless it has moved on since we looked."""
        ways = going_on(unmade=run.facts.unmade, makes=run.makes_project)
        left = f"whatever exists so far; {ways}"
        trouble = Trouble(
            step="The bot",
            what="The work on this run broke off; the platform team finds the reason in the log.",
            left_behind=left_behind(run) or (left if run.facts.made else NOTHING_MADE),
            reference=run.id,
        ).model_dump(mode="json")
        self.store.operations.move(
            run.id, [run.phase], "failed", by="bot", version=run.version, facts={"trouble": trouble}
        )
        self.desk.tidy(run.id)

    def expire(self) -> None:
        """End runs whose questions nobody answered in time."""
        late = {approval.operation for approval in self.store.approvals.due(self.clock.now())}
        for run in sorted(late):
            try:
                self.desk.expire(self.desk.find(run))
            except UserError:
                self.store.approvals.void(run)  # it was settled otherwise meanwhile

    def forget(self) -> None:
        """Drop what ended long ago."""
        self.engine.forget(KEPT)
        self.engine.forget(SWEEPS_KEPT, "sweep:")
        self.store.interactions.forget(KEPT)
        self.store.messages.drop_texts(TEXTS_KEPT)
        self.store.messages.forget(KEPT)
        self.store.workflow_runs.forget_deliveries(DELIVERIES_KEPT)
        self.store.workflow_runs.forget(self.workflow_runs_kept)
        self._forget_dispatches()

    def _forget_dispatches(self) -> None:
        """Drop what people asked to begin, once that is done: the run itself is known by then."""
        for key in self.store.memos.keys(DISPATCH):
            if self.engine.state(key.removeprefix(DISPATCH), "dispatch") in ("finished", "failed"):
                self.store.memos.drop(key)


class OneAtATime:
    """Does a sweep, but not beside itself: who comes meanwhile has it done once more, and goes.

    A vendor that hangs keeps one thread so, however often a sweep that asks it is due.
    """

    def __init__(self, sweep: Callable[[], None]) -> None:
        self._sweep = sweep
        self._turn = threading.Lock()
        self._is_running = False
        self._is_due = False

    def __call__(self) -> None:
        """Sweep, or let whoever sweeps do so again."""
        with self._turn:
            self._is_due = True
            if self._is_running:
                return
            self._is_running = True
        try:
            while self._takes_on():
                self._sweep()
        except BaseException:
            with self._turn:
                self._is_running = False
            raise

    def _takes_on(self) -> bool:
        """Take on what is due; where nothing is, nobody runs any more."""
        with self._turn:
            self._is_running, self._is_due = self._is_due, False
            return self._is_running


def _as_workflow(sweep: Callable[[], None]) -> Workflow:
    alone = OneAtATime(sweep)

    def run(steps: Steps, slot: str) -> None:
        del slot
        steps.do("sweep", alone)

    return run
