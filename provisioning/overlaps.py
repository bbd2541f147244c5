"""When old keys may go: once nothing is under way that began before the new ones were there.

No workflow waits for it. A run that ends, or a sweep, has us look; a deadline ends it at last, so
that a run that hangs does not keep an old key alive.
"""

import logging
from dataclasses import dataclass

from provisioning.board import read_operation
from provisioning.clock import Clock
from provisioning.deployment_ports import Deployments
from provisioning.desk import Desk
from provisioning.errors import SciclopsError
from provisioning.operation import Operation
from provisioning.rotation import Rotation
from provisioning.store import Followed, Store
from provisioning.workflow_run import WorkflowRun

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Overlaps:
    """Looks at runs in the phase `overlapping`; everything may happen twice."""

    store: Store
    desk: Desk
    deployments: Deployments
    clock: Clock

    def seen(self, followed: Followed) -> None:
        """Hear how a workflow run stands: its end may be what is waited for."""
        if followed.run.is_over:
            for row in self.store.operations.of_project(followed.project, active=True):
                if row.phase == "overlapping":
                    self.look(read_operation(row))

    def sweep(self) -> None:
        """Look at every overlap."""
        for row in self.store.operations.unended("overlapping"):
            self.look(read_operation(row))

    def look(self, operation: Operation) -> None:
        """Go on to revoking unless something may hold the old keys."""
        known = operation.facts.rotation
        if known is None or operation.phase != "overlapping":
            return
        now = self.clock.now()
        is_late = known.deadline is not None and now >= known.deadline
        try:
            waits_for = self._holding(operation.project, known)
        except SciclopsError as error:
            log.info("could not see what is under way in %s: %s", operation.project, error)
            if not is_late:
                return
            waits_for = known.waits_for
        seen = known.model_copy(update={"waits_for": waits_for}).model_dump(mode="json")
        if not waits_for or is_late:
            finished = {name: at.isoformat() for name, at in operation.facts.finished.items()}
            finished.setdefault("overlapping", now.isoformat())
            self._go_on(operation, rotation=seen, finished=finished)
        elif waits_for != known.waits_for:
            self.store.operations.remember(operation.id, rotation=seen)
            self.desk.show(operation.id)

    def _holding(self, project: str, known: Rotation) -> tuple[str, ...]:
        """Return the addresses of the runs that began before the new keys were there.

        What is gone runs nothing any more.
        """
        row = self.store.projects.get(project)
        if row is None or row.state == "gone":
            return ()
        return tuple(
            run.url or str(run.id)
            for run in self.deployments.under_way(project)
            if (known.written_at is None or run.created_at <= known.written_at)
            and not self._only_waits(project, run)
        )

    def _only_waits(self, project: str, run: WorkflowRun) -> bool:
        """Tell whether only gates hold a run: its jobs get the keys that are there when they start.

        GitHub reads an environment's secrets when a job that names the environment starts.
        """
        if run.status != "waiting":
            return False
        look = self.deployments.look(project, run.id)
        jobs = [job for job in look.run.jobs if job.status != "completed"] if look else []
        return bool(jobs) and all(job.status == "waiting" for job in jobs)

    def _go_on(self, operation: Operation, **facts: object) -> None:
        """Leave the phase, once, and start what revokes."""
        moved = self.store.operations.move(
            operation.id, ["overlapping"], "revoking", by="bot", facts=facts
        )
        if moved:
            self.desk.show(operation.id)
            self.desk.start(read_operation(moved))
