"""The end of `create_project`: a project is ready once its starter code runs in Development.

No workflow waits for it: GitHub runs the deployment, and whoever follows its run ends ours.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from provisioning.board import read_operation
from provisioning.clock import Clock
from provisioning.deployment_ports import Deployments
from provisioning.desk import Desk
from provisioning.errors import SciclopsError
from provisioning.operation import Operation, Trouble
from provisioning.policy import Policy
from provisioning.project import STAGES, ProjectSpec
from provisioning.store import Followed, Message, Store
from provisioning.tables import ProjectRow
from provisioning.text import Notice, bold, code, link, person, say
from provisioning.workflow_run import WorkflowRun

log = logging.getLogger(__name__)

STEP = "Deploying to Development"
BEGINS_WITHIN = timedelta(minutes=15)
"""GitHub begins a run within seconds; longer than this something keeps it from it."""
LOOKS_EVERY = timedelta(seconds=5)
LEFT = "everything was made and verified; only the first deployment is missing"
NOT_BEGUN = (
    "GitHub has not begun the deploy workflow. Actions may be switched off for the organisation or "
    "the repository, or the repository with the reusable workflow may not be shared with it: "
    "`sciclops doctor` tells. Press Retry then."
)


@dataclass(frozen=True)
class FirstDeployment:
    """Ends runs in the phase `deploying`; everything may happen twice."""

    store: Store
    desk: Desk
    deployments: Deployments
    policy: Policy
    clock: Clock

    def find(self) -> None:
        """Follow the first workflow runs of projects that wait for them."""
        for operation in self._waiting():
            if self._known_run(operation):
                continue
            try:
                self._look_for_run(operation)
            except SciclopsError as error:
                log.info("could not look for the first run of %s: %s", operation.project, error)

    def seen(self, followed: Followed) -> None:
        """Hear how a run stands: end the project's run if it is the one that it waits for."""
        for operation in self._waiting():
            if operation.project == followed.project and self._is_first(operation, followed.run):
                self._settle(operation, followed)

    def sweep(self) -> None:
        """Settle what a crash kept from it, and end what GitHub never began."""
        for operation in self._waiting():
            followed = self._known_run(operation)
            if followed:
                self._settle(operation, followed)
            elif self.clock.now() - self._since(operation) > BEGINS_WITHIN:
                self._fail(operation, Trouble(step=STEP, what=NOT_BEGUN, left_behind=LEFT))

    def _waiting(self) -> tuple[Operation, ...]:
        return tuple(map(read_operation, self.store.operations.unended("deploying")))

    def _since(self, operation: Operation) -> datetime:
        return operation.facts.started["deploying"]

    def _known_run(self, operation: Operation) -> Followed | None:
        runs = self.store.workflow_runs.of_project(operation.project)
        return next((one for one in runs if self._is_first(operation, one.run)), None)

    def _look_for_run(self, operation: Operation) -> None:
        for run in self.deployments.recent(operation.project):
            if self._is_first(operation, run):
                self.store.workflow_runs.see(operation.project, run, wake=True)

    def _is_first(self, operation: Operation, run: WorkflowRun) -> bool:
        project = self.store.projects.get(operation.project)
        return project is not None and run.sha == project.commit and run.event == "push"

    def _settle(self, operation: Operation, followed: Followed) -> None:
        run = followed.run
        wanted = development(operation.spec)
        if all(map(run.deployed, wanted)):
            self._become_ready(operation)
        elif run.is_over:
            self._fail(operation, _trouble(followed))
        elif operation.facts.workflow_run != run.url:
            self.store.operations.remember(operation.id, workflow_run=run.url)
            self.desk.show(operation.id)

    def _fail(self, operation: Operation, trouble: Trouble) -> None:
        failed = self.store.operations.move(
            operation.id,
            ["deploying"],
            "failed",
            by="bot",
            facts={"trouble": trouble.model_dump(mode="json")},
        )
        if failed:
            self.store.projects.become(operation.project, "failed")
            self.desk.tidy(operation.id)

    def _become_ready(self, operation: Operation) -> None:
        project = self.store.projects.become(operation.project, "ready")
        self.store.messages.show(announcement(operation, project, self.policy.announcements))
        finished = {name: at.isoformat() for name, at in operation.facts.finished.items()}
        finished.setdefault("deploying", self.clock.now().isoformat())
        self.store.operations.remember(operation.id, finished=finished)
        self.store.operations.end(operation.id, "ready")
        self.desk.show(operation.id)


def development(spec: ProjectSpec) -> tuple[str, ...]:
    """Return the environments of the first stage."""
    return tuple(one.name for one in spec.environments() if one.stage == STAGES[0])


def _trouble(followed: Followed) -> Trouble:
    failures = followed.run.failures()
    what = f"The workflow run ended as {followed.run.conclusion or 'unknown'}."
    if failures:
        step = f" at the step “{failures[0].failed_step}”" if failures[0].failed_step else ""
        what = f"{failures[0].title} failed{step}."
    return Trouble(step=STEP, what=what, detail=followed.failure[-1500:], left_behind=LEFT)


def announcement(operation: Operation, project: ProjectRow, channel: str) -> Message:
    """Return what the community channel hears of a new project."""
    url = project.repository_url
    words = say(
        bold("New project "),
        link(operation.project, url) if url else bold(operation.project),
        " by ",
        person(operation.requested_by),
        ", made from the template ",
        code(operation.spec.template),
        ".",
    )
    return Message(
        key=f"announce:{operation.id}",
        channel=channel,
        content=Notice(summary=f"New project: {operation.project}", body=(words,)),
    )
