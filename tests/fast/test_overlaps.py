"""Old keys are kept while something may hold them, and never beyond the deadline."""

from datetime import timedelta
from typing import cast

import pytest
from rows import a_project, an_operation

from provisioning.board import read_operation
from provisioning.clock import MovableClock
from provisioning.deployment_ports import Deployments
from provisioning.desk import Desk
from provisioning.errors import PermanentError, SciclopsError, TemporaryError
from provisioning.operation import Operation
from provisioning.overlaps import Overlaps
from provisioning.rotation import Rotation
from provisioning.store import Store
from provisioning.workflow_run import WorkflowRun

DAY = timedelta(days=1)


class NoAnswer:
    """GitHub, which tells nothing of what is under way."""

    def __init__(self, error: SciclopsError) -> None:
        self.error = error

    def under_way(self, project: str) -> tuple[WorkflowRun, ...]:
        """Fail."""
        del project
        raise self.error


class Started:
    """A desk that takes note of what it is to start."""

    def __init__(self) -> None:
        self.phases: list[str] = []

    def show(self, run: str) -> None:
        """Show nothing."""

    def start(self, operation: Operation) -> None:
        """Note the phase that begins."""
        self.phases.append(operation.phase)


@pytest.mark.parametrize("error", [TemporaryError("away"), PermanentError("no such repository")])
def test_a_github_that_cannot_be_asked_keeps_no_old_key_beyond_the_deadline(
    store: Store, error: SciclopsError
) -> None:
    clock, desk, project = MovableClock(), Started(), a_project(state="ready")
    rotation = Rotation(environments=("Testing",), deadline=clock.now() + DAY)
    run = an_operation()
    run.kind, run.phase, run.request = "rotate_keys", "overlapping", project.spec
    run.facts = {"rotation": rotation.model_dump(mode="json")}
    store.projects.reserve_and_begin(project, run)
    github = cast("Deployments", NoAnswer(error))
    overlaps = Overlaps(store, cast("Desk", desk), github, clock)
    overlaps.sweep()
    assert desk.phases == []
    clock.advance(DAY)
    for _ in range(2):
        overlaps.sweep()
    assert desk.phases == ["revoking"]
    row = store.operations.get(run.id)
    assert row is not None
    assert read_operation(row).phase == "revoking"
