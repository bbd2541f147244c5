"""Durable execution: work that was accepted is finished, whatever dies in between.

The only module that knows DBOS (facts and measurements: docs/decisions/0001-durable-engine.md).
"""

import contextvars
import functools
import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, Literal
from uuid import uuid4

from dbos import (
    DBOS,
    DBOSConfig,
    DBOSPortableJSONSerializer,
    SetEnqueueOptions,
    SetWorkflowID,
    error,
)
from pydantic import TypeAdapter
from sqlmodel import select

from provisioning.attempts import Attempts, Observer, Patience, Tell
from provisioning.clock import Clock
from provisioning.database import Database, insert_once
from provisioning.errors import PermanentError
from provisioning.liveness import Liveness
from provisioning.log_context import about
from provisioning.steps import Outcome, P, Steps, T, Workflow, shape_of
from provisioning.tables import MemoRow
from provisioning.text import Frozen

__all__ = ["Engine", "Limits", "Observer", "Patience", "State", "Steps", "Workflow", "part_id"]

OPERATIONS = "operations"
SWEEPS = "sweeps"
SWEEPS_AT_ONCE = 8
"""Each of them waits for other vendors, and none for another sweep."""
SECONDS_BETWEEN_LOOKS = 0.15
"""How often a process looks for operations: each look costs about 7 ms of CPU time."""
FORGOTTEN_AT_ONCE = 500
"""A database takes only so many values in one statement."""
APPLICATION_VERSION = "1"
"""Fixed: DBOS's own, a hash of the code, would strand everything in flight at each deploy."""

State = Literal["unknown", "queued", "running", "finished", "failed"]
log = logging.getLogger(__name__)

STATES: dict[str, State] = {
    "ENQUEUED": "queued",
    "DELAYED": "queued",
    "PENDING": "running",
    "SUCCESS": "finished",
    "ERROR": "failed",
    "CANCELLED": "failed",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "failed",
}
ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]


class Limits(Frozen):
    """How much runs at once, how long steps are tried again, and when a process counts as dead.

    `lease` is how many seconds another machine's process may be silent before its work is taken
    over; on one machine a file lock tells at once.
    """

    operations_at_once: int = 8
    patience: Patience = Patience()
    lease: float = 30


class Engine:
    """Runs workflows; one per process, many processes on one database.

    `directory` holds the process's lock. `observe` hears of each attempt of a step right before its
    effect, and right after it succeeded but before that is remembered; it must not raise.
    """

    _launched: ClassVar["Engine | None"] = None

    def __init__(
        self,
        database: Database,
        clock: Clock,
        directory: Path,
        limits: Limits | None = None,
        observe: Observer | None = None,
    ) -> None:
        limits = limits or Limits()
        self.executor = f"sciclops-{uuid4().hex[:12]}"
        self._database = database
        self._clock = clock
        self._at_once = limits.operations_at_once
        self._attempts = Attempts(clock, limits.patience, observe)
        self._workflows: dict[str, Workflow] = {}
        self._stopping = threading.Event()
        locks = directory / "executors"
        self._liveness = Liveness(database, clock, self.executor, locks, limits.lease)
        self._reaper = threading.Thread(target=self._reap_forever, name="reaper", daemon=True)

    def register(self, name: str, workflow: Workflow) -> None:
        """Make a workflow known, before the launch. Names are for good: rows refer to them."""
        if self._workflows.setdefault(name, workflow) is not workflow:
            raise ValueError(f"two workflows are called {name}")

    def report(self, tell: Tell) -> None:
        """Tell of steps that are tried again and again; `tell` hears the operation. Once, first."""
        self._attempts.report(tell)

    def launch(self) -> None:
        """Begin to work, on what dead processes left behind, too."""
        if Engine._launched is not None:
            raise RuntimeError("one engine per process: stop the other one first")
        Engine._launched = self
        self._liveness.begin()
        # Without a handler of its own DBOS would write to the console, past our log's redaction.
        if not logging.getLogger("dbos").handlers:
            logging.getLogger("dbos").addHandler(logging.NullHandler())
        self._dbos = DBOS(config=self._configuration())
        self._run = DBOS.workflow(name="run")(self._runner())
        DBOS.launch()
        DBOS.register_queue(
            OPERATIONS,
            partition_concurrency=1,
            worker_concurrency=self._at_once,
            polling_interval_sec=SECONDS_BETWEEN_LOOKS,
        )
        DBOS.register_queue(SWEEPS, worker_concurrency=SWEEPS_AT_ONCE, polling_interval_sec=1)
        self._reaper.start()

    def stop(self, drain: float = 5) -> bool:
        """Stop working; tell whether every effect came to rest within `drain` seconds.

        Workflows stop at their next step and stay recoverable. If an effect is still running, the
        caller must end the process (`os._exit`): until then nobody takes this process's work over.
        """
        self._stopping.set()
        self._attempts.stop()
        self._reaper.join()
        deadline = time.monotonic() + drain
        pause = threading.Event()
        while self._active() and time.monotonic() < deadline:
            pause.wait(0.02)
        at_rest = not self._active()
        self._attempts.abandon()
        DBOS.destroy(destroy_registry=True)
        if at_rest:
            self._liveness.end()
        Engine._launched = None
        return at_rest

    @property
    def launched(self) -> bool:
        """Tell whether this engine works on what is stored."""
        return Engine._launched is self and self._reaper.is_alive()

    @property
    def stopping(self) -> bool:
        """Tell whether `stop` was called; an effect that only waits for others may then give up."""
        return self._stopping.is_set()

    def start(self, name: str, operation: str, *, project: str, part: str) -> bool:
        """Accept one part of an operation; tell whether it is new (again is harmless).

        Parts of one project run one at a time in the order of their starts; projects run side by
        side. When this has returned, the work outlives this process.
        """
        options = SetEnqueueOptions(queue_partition_key=project, priority=self._ticket())
        identity = part_id(operation, part)
        return self._enqueue(OPERATIONS, identity, options, name, operation, project)

    def sweep(self, name: str, slot: str) -> bool:
        """Run a sweep unless it ran, in whichever process, under the same slot (e.g. the hour)."""
        return self._enqueue(SWEEPS, f"sweep:{name}:{slot}", SetEnqueueOptions(), name, slot)

    def state(self, operation: str, part: str) -> State:
        """Return what became of a part; "unknown" if it was never started, or is forgotten."""
        status = _detached(DBOS.get_workflow_status, part_id(operation, part))
        return STATES[status.status] if status else "unknown"

    def waiting(self) -> tuple[str, ...]:
        """Return the ids of the parts (`operation:part`) that wait for their turn, in order."""
        rows = _detached(
            DBOS.list_workflows,
            status="ENQUEUED",
            queue_name=OPERATIONS,
            load_input=False,
            load_output=False,
        )
        return tuple(row.workflow_id for row in sorted(rows, key=lambda row: row.priority or 0))

    def reap(self) -> frozenset[str]:
        """Take over the work of processes that died; return their ids."""
        self._liveness.beat()
        rows = _detached(DBOS.list_workflows, status="PENDING", load_input=False, load_output=False)
        owners = {row.executor_id for row in rows if row.executor_id}
        dead = self._liveness.dead(owners | self._liveness.known())
        if dead:
            log.warning("taking over the work of %s", ", ".join(sorted(dead)))
            # The public way, resume_workflow, would also reset the count of attempts.
            DBOS._recover_pending_workflows(sorted(dead))  # noqa: SLF001
            self._liveness.bury(dead)
        return dead

    def is_gone(self, executor: str) -> bool:
        """Tell whether a process is certainly dead: what it had taken is anybody's."""
        if executor == self.executor:
            return False
        return executor not in self._liveness.known() or bool(self._liveness.dead({executor}))

    def forget(self, older_than: timedelta, prefix: str = "") -> int:
        """Drop what ended that long ago (and whose id begins with `prefix`).

        The time must be longer than anybody may start an id again.
        """
        before = (self._clock.now() - older_than).isoformat()
        rows = _detached(
            DBOS.list_workflows,
            status=ENDED,
            completed_before=before,
            workflow_id_prefix=prefix or None,
            load_input=False,
            load_output=False,
        )
        ids = [row.workflow_id for row in rows]
        for start in range(0, len(ids), FORGOTTEN_AT_ONCE):
            _detached(DBOS.delete_workflows, ids[start : start + FORGOTTEN_AT_ONCE])
        return len(ids)

    def _enqueue(
        self, queue: str, workflow: str, options: SetEnqueueOptions, name: str, *subject: str
    ) -> bool:
        if name not in self._workflows:
            raise PermanentError(f"There is no workflow {name}; nothing was started.")
        identity = SetWorkflowID(workflow, workflow_id_reuse_policy="reject")

        def enqueue() -> bool:
            try:
                with identity, options:
                    DBOS.enqueue_workflow(queue, self._run, name, *subject)
            except error.DBOSWorkflowIDInUseError:
                return False
            return True

        return _detached(enqueue)

    def _ticket(self) -> int:
        """Return ever larger numbers: SQLite's times have seconds, too coarse to order a queue."""
        with self._database.writing() as session:
            insert_once(session, MemoRow(key="engine.ticket", value={"last": 0}))
            rows = select(MemoRow).where(MemoRow.key == "engine.ticket").with_for_update()
            row = session.exec(rows).one()
            ticket: int = row.value["last"] + 1
            row.value = {"last": ticket}
            session.add(row)
            return ticket

    def _runner(self) -> Callable[..., None]:
        # What was queued by a version before this one has no project.
        def run(name: str, subject: str, project: str = "") -> None:
            workflow = self._workflows.get(name)
            with about(operation=subject if project else name, project=project.rpartition(":")[2]):
                try:
                    if workflow is None:
                        raise PermanentError(f"There is no workflow {name} any more.")
                    workflow(_Run(self._attempts, subject), subject)
                except Exception:
                    log.exception("workflow %s of %s failed", name, subject)
                    raise

        return run

    def _configuration(self) -> DBOSConfig:
        return {
            "name": "sciclops",
            "system_database_url": self._database.url,
            "sys_db_pool_size": self._at_once + SWEEPS_AT_ONCE + 4,
            "application_version": APPLICATION_VERSION,
            "executor_id": self.executor,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "WARNING",
        }

    def _active(self) -> int:
        return len(self._dbos._active_workflows_set.activeList())  # noqa: SLF001

    def _reap_forever(self) -> None:
        while not self._stopping.wait(1):
            try:
                self.reap()
            except Exception:
                log.warning("could not look for dead processes", exc_info=True)


class _Run:
    """The steps of one run of a workflow, checkpointed by DBOS."""

    def __init__(self, attempts: Attempts, subject: str) -> None:
        self._attempts = attempts
        self._subject = subject
        self._inside = ""

    def do(self, name: str, effect: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Let an effect happen as one durable step, and return what it returned."""
        if self._inside:
            raise RuntimeError(f"step {name} lies within step {self._inside}: it would not last")
        self._attempts.go_on()
        shape = shape_of(effect)
        call = functools.partial(effect, *args, **kwargs)
        remembered = DBOS.run_step({"name": name}, self._happen, name, call, shape)
        result: T = Outcome.model_validate(remembered).result(shape)
        return result

    def patched(self, name: str) -> bool:
        """Tell whether a change to a workflow applies to this run."""
        return DBOS.patch(name)

    def _happen(
        self, name: str, call: Callable[[], object], shape: TypeAdapter[Any]
    ) -> dict[str, object]:
        self._inside = name
        try:
            outcome = Outcome.of(self._attempts.happen(self._subject, name, call), shape)
        except Exception as error:  # noqa: BLE001 - remembered, so that a replay raises it again
            outcome = Outcome.of_error(error, name)
        finally:
            self._inside = ""
        return outcome.model_dump(mode="json")


def part_id(operation: str, part: str) -> str:
    """Return how a part of an operation is called in the engine."""
    return f"{operation}:{part}"


def _detached(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call outside of any workflow, so that what a step starts is nobody's child."""
    return contextvars.Context().run(functools.partial(call, *args, **kwargs))
