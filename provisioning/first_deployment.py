"""The end of `create_project`: a project is ready once its starter code runs in Development.

No workflow waits for it: GitHub runs the deployment, and whoever follows its run ends ours.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from provisioning.board import read_operation
from provisioning.clock import Clock
from provisioning.deployment_ports import Deployments, Dispatches
from provisioning.desk import Desk
from provisioning.engine import Engine, Steps, Workflow
from provisioning.errors import PermanentError, SciclopsError
from provisioning.operation import Operation, Phase, Trouble
from provisioning.policy import Policy
from provisioning.project import STAGES, ProjectSpec, template_title
from provisioning.store import Followed, Message, Store
from provisioning.tables import ProjectRow
from provisioning.text import Notice, bold, link, person, say
from provisioning.workflow_run import WorkflowRun

log = logging.getLogger(__name__)

STEP = "Deploying to Development"
BEGINS_WITHIN = timedelta(minutes=15)
"""GitHub begins a run within seconds; longer than this something keeps it from it."""
MOST_RUNS = 100
"""So many of a project's latest runs are looked through; pull requests have theirs, too."""
NOT_REPEATED = "GitHub did not run the deploy workflow again: {why}"
LEFT = (
    "everything was made and verified, only the first deployment is missing; Retry runs it again, "
    "and once something that people merge is deployed the project is ready by itself"
)
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
    dispatches: Dispatches
    engine: Engine
    policy: Policy
    clock: Clock

    def workflows(self) -> dict[str, Workflow]:
        """Return the durable part by the name it is registered under."""
        return {"first_deployment.rerun": self._run_again}

    def find(self) -> None:
        """Follow the first workflow runs of projects that wait for them."""
        for operation in self._waiting():
            if self._awaited(operation):
                continue
            try:
                self._look_for_run(operation)
            except SciclopsError as error:
                log.info("could not look for the first run of %s: %s", operation.project, error)

    def seen(self, followed: Followed) -> None:
        """Hear how a run stands: end the project's run if it waits for that, or had failed."""
        project = self.store.projects.get(followed.project)
        if project is not None and project.state != "ready":
            for row in self.store.operations.of_project(project.name)[:1]:
                self._settle(read_operation(row))

    def sweep(self) -> None:
        """Settle what a crash kept from it, and end what GitHub never began."""
        for operation in self._waiting():
            self._settle(operation)
            followed = self._awaited(operation)
            if followed and _is_history(operation, followed.run):
                self.store.workflow_runs.wake(followed.run.id)  # its next attempt may show late
            if followed is None or _is_history(operation, followed.run):
                self._fail_if_late(operation)

    def _waiting(self) -> tuple[Operation, ...]:
        return tuple(map(read_operation, self.store.operations.unended("deploying")))

    def _fail_if_late(self, operation: Operation) -> None:
        if self.clock.now() - _since(operation) > BEGINS_WITHIN:
            self._fail(operation, Trouble(step=STEP, what=NOT_BEGUN, left_behind=LEFT))

    def _awaited(self, operation: Operation) -> Followed | None:
        """Return the run that tells how it goes: the first one, until people have merged."""
        pushes = (one for one in self._of_main(operation) if one.run.event == "push")
        return next(pushes, None)

    def _of_main(self, operation: Operation) -> tuple[Followed, ...]:
        """Return what we know of the default branch's runs, newest first."""
        runs = self.store.workflow_runs.of_project(operation.project, MOST_RUNS)
        return tuple(one for one in runs if _is_of_main(operation, one.run))

    def _look_for_run(self, operation: Operation) -> None:
        for run in self.deployments.recent(operation.project):
            if _is_of_main(operation, run):
                self.store.workflow_runs.see(operation.project, run, wake=True)

    def _settle(self, operation: Operation) -> None:
        """End a run as its workflow runs stand; one that had failed is mended by a later one."""
        stage = development(operation.spec)
        runs = (one.run for one in self._of_main(operation))
        deployed = next((run for run in runs if all(map(run.deployed, stage))), None)
        if deployed and _is_missing_only_deployment(operation):
            operation = self._begin_again(operation, deployed)
        if operation.phase != "deploying":
            return
        if deployed:
            self._become_ready(operation, deployed)
        elif followed := self._awaited(operation):
            self._go_on(operation, followed)

    def _go_on(self, operation: Operation, followed: Followed) -> None:
        run = followed.run
        if _is_history(operation, run):
            self._start_again(operation)
        elif run.is_over:
            self._fail(operation, _trouble(followed))
        elif operation.facts.workflow_run != run.url:
            self.store.operations.remember(operation.id, workflow_run=run.url)
            self.desk.show(operation.id)

    def _begin_again(self, failed: Operation, run: WorkflowRun) -> Operation:
        """Return another attempt, which is as long as the run that mended it."""
        begun = {"queued": run.created_at, "deploying": run.created_at}
        started = {name: at for name, at in failed.facts.started.items() if name != "waiting"}
        stamps = {name: at.isoformat() for name, at in (started | begun).items()}
        facts = {"trouble": None, "started": stamps}
        again = self.store.operations.retry(
            failed.id, ["failed"], "deploying", by="bot", facts=facts
        )
        if again is None:
            return failed
        operation = read_operation(again)
        self.desk.note(operation, "", "Mended by a later workflow run")
        return operation

    def _start_again(self, operation: Operation) -> None:
        """Start to run again what had failed before the retry; starting that again is a no-op."""
        self.engine.start(
            "first_deployment.rerun",
            operation.id,
            project=f"first:{operation.project}",
            part=f"rerun:{operation.attempt}",
        )

    def _run_again(self, steps: Steps, operation: str) -> None:
        try:
            steps.do("run again", self._rerun, operation)
        except SciclopsError as error:
            steps.do("give up", self._give_up, operation, str(error))

    def _rerun(self, operation: str) -> None:
        """Run again, as our App, what failed; GitHub does it once, however often this is tried."""
        stands = self._load(operation)
        followed = self._awaited(stands)
        if stands.phase == "deploying" and followed and _is_history(stands, followed.run):
            self.dispatches.rerun(stands.project, followed.run.id, None)
            self.store.workflow_runs.wake(followed.run.id)

    def _give_up(self, operation: str, why: str) -> None:
        trouble = Trouble(step=STEP, what=NOT_REPEATED.format(why=why), left_behind=LEFT)
        self._fail(self._load(operation), trouble)

    def _load(self, operation: str) -> Operation:
        row = self.store.operations.get(operation)
        if row is None:
            raise PermanentError(f"There is no run {operation}; nothing was changed.")
        return read_operation(row)

    def _fail(self, operation: Operation, trouble: Trouble) -> None:
        self._end(operation, "failed", trouble=trouble.model_dump(mode="json"))

    def _become_ready(self, operation: Operation, run: WorkflowRun) -> None:
        project = self.store.projects.become(operation.project, "ready")
        self.store.messages.show(announcement(operation, project, self.policy.announcements))
        finished = {name: at.isoformat() for name, at in operation.facts.finished.items()}
        finished.setdefault("deploying", self.clock.now().isoformat())
        self._end(operation, "ready", finished=finished, workflow_run=run.url)

    def _end(self, operation: Operation, to: Phase, **facts: Any) -> None:
        """Leave the phase, once; a sweep repeats the rest where a crash cuts it off."""
        self.store.operations.move(
            operation.id, ["deploying"], to, by="bot", version=operation.version, facts=facts
        )
        self.desk.tidy(operation.id)


def development(spec: ProjectSpec) -> tuple[str, ...]:
    """Return the environments of the first stage."""
    return tuple(one.name for one in spec.environments() if one.stage == STAGES[0])


def _since(operation: Operation) -> datetime:
    return operation.facts.started["deploying"]


def _is_of_main(operation: Operation, run: WorkflowRun) -> bool:
    """Tell whether a run deploys `main` of this project, not of one that had its name before."""
    deploys = run.branch == "main" and run.event in ("push", "workflow_dispatch")
    return deploys and run.created_at >= operation.created_at


def _is_missing_only_deployment(operation: Operation) -> bool:
    is_failed = operation.makes_project and operation.phase == "failed"
    return is_failed and "verifying" in operation.facts.finished


def _is_history(operation: Operation, run: WorkflowRun) -> bool:
    """Tell whether a run had failed before somebody retried: that was told already."""
    since = _since(operation).replace(microsecond=0)  # GitHub's times are in whole seconds
    return operation.attempt > 1 and run.is_over and run.updated_at < since


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
        bold(template_title(operation.spec.template)),
        ".",
    )
    return Message(
        key=f"announce:{operation.id}",
        channel=channel,
        content=Notice(summary=f"New project: {operation.project}", body=(words,)),
    )
