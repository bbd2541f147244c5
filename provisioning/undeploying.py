"""What a project's bundle has deployed is removed by its own workflow, stage by stage, last first.

No workflow of ours waits for GitHub: whoever follows the runs ends each stage and begins the next.
First nothing else may be under way: runs that deploy are waited for, since a cancelled deployment
leaves a lock; runs that wait for approval, and those begun since, are cancelled. Open pull requests
are closed, whereupon GitHub destroys their copies.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from provisioning.board import read_operation
from provisioning.deployment_ports import Deployments, Dispatches
from provisioning.engine import Engine, State, Steps, Workflow
from provisioning.errors import PermanentError, RunEnded, SciclopsError, UserError
from provisioning.living import GOING
from provisioning.operation import DESTROY, Operation, Phase, Trouble, Undeployment
from provisioning.ports import Repositories
from provisioning.project import STAGES
from provisioning.release_outcomes import Outcomes
from provisioning.removal_ports import Dismantling
from provisioning.run_steps import RunSteps
from provisioning.store import Followed
from provisioning.undeploying_message import STEP, left_of, trouble_of
from provisioning.workflow_run import WorkflowRun

log = logging.getLogger(__name__)

MAIN = "main"
MOST_RUNS = 100
"""So many of a project's latest runs are looked through for one that is under way."""
QUIET = timedelta(seconds=60)
"""So long after pull requests were closed GitHub may begin to destroy their copies."""
BROKE_OFF = "The work on this step broke off; the platform team finds the reason in the log."
NOT_BEGUN = "GitHub did not run the deploy workflow: {why}"


@dataclass(frozen=True)
class Undeploying:
    """Works in the phase `undeploying`; everything may happen twice."""

    run_steps: RunSteps
    repositories: Repositories
    dismantling: Dismantling
    deployments: Deployments
    dispatches: Dispatches
    outcomes: Outcomes
    engine: Engine

    def workflows(self) -> dict[str, Workflow]:
        """Return the durable parts by the names they are registered under."""
        return {
            f"{DESTROY}.undeploy": self._prepare,
            f"{DESTROY}.clear": self._clear,
            f"{DESTROY}.find": self._find_stages,
            f"{DESTROY}.stage": self._begin_stage,
        }

    # ------------------------------------------------------------------ going on

    def seen(self, followed: Followed) -> None:
        """Hear how a workflow run stands: it may be what the project's destruction waits for."""
        project = self.run_steps.store.projects.get(followed.project)
        if project is not None and project.state == GOING:
            for row in self.run_steps.store.operations.of_project(project.name)[:1]:
                self.settle(read_operation(row))

    def sweep(self) -> None:
        """Start what a crash kept from starting, and settle what nobody has heard of."""
        for row in self.run_steps.store.operations.unended("undeploying"):
            operation = read_operation(row)
            with suppress(SciclopsError):
                self._see_what_runs(operation.project)
            state = self._state_of_part(operation)
            now = self.run_steps.load(operation.id)  # a part that has ended has noted what it did
            if state == "unknown" and not _is_stopped(now):
                self.run_steps.desk.start(now)
            elif state in ("failed", "finished") and self._due(now) == self._due(operation):
                self._fail(now, Trouble(step=STEP, what=BROKE_OFF, reference=now.id))
            else:
                self.settle(now)

    def _state_of_part(self, operation: Operation) -> State | None:
        """Return what became of the part that is at work, if one should be."""
        part = self._due(operation)
        return self.engine.state(operation.id, part) if part else None

    def _due(self, operation: Operation) -> str:
        """Return the durable part that should be at work, or nothing while GitHub is."""
        if not _is_stopped(operation):
            return f"undeploy:{operation.attempt}"
        if not self._is_found(operation):
            return _part(operation, "find", str(self._last_deployment(operation)))
        todo = _next(operation)
        return _part(operation, "stage", todo.stage) if todo and not todo.run else ""

    def _is_found(self, operation: Operation) -> bool:
        """Tell whether what is to be removed is known, and nothing was deployed since."""
        facts, last = operation.facts, self._last_deployment(operation)
        return facts.found_in == operation.attempt and facts.found_after >= last

    def _last_deployment(self, operation: Operation) -> int:
        """Return the latest workflow run that has deployed something, or 0."""
        runs = self.run_steps.store.workflow_runs.of_project(operation.project, MOST_RUNS)
        return max((one.run.id for one in runs if one.run.did("deploy")), default=0)

    def settle(self, operation: Operation) -> None:
        """Do what is next as the workflow runs stand; again changes nothing."""
        facts = operation.facts
        if operation.phase != "undeploying" or not _is_stopped(operation):
            return
        todo, now = _next(operation), self.run_steps.clock.now()
        if self._state_of_part(operation) in ("queued", "running"):
            return  # it begins a workflow run that is not known to be ours yet
        if busy := self._busy(operation):
            self._wait_for(operation, busy)
        elif facts.quiet_at and now < facts.quiet_at:
            return
        elif todo and todo.run:
            self._look(operation, todo)
        elif not self._is_found(operation):
            self._start(operation, "find", str(self._last_deployment(operation)))
        elif todo:
            self._start(operation, "stage", todo.stage)
        else:
            self._end(operation)

    def _busy(self, operation: Operation) -> tuple[Followed, ...]:
        """Return the workflow runs under way that are not ours."""
        ours = {one.run for one in operation.facts.undeployments}
        runs = self.run_steps.store.workflow_runs.of_project(operation.project, MOST_RUNS)
        return tuple(one for one in runs if not one.run.is_over and one.run.id not in ours)

    def _wait_for(self, operation: Operation, busy: tuple[Followed, ...]) -> None:
        self._show_run(operation, busy[0].run.url)
        for one in busy:
            if is_to_be_cancelled(operation, one.run):
                seen = one.run.updated_at.isoformat()
                self._start(operation, "clear", f"{one.run.id}.{one.run.attempt}.{seen}")

    def _look(self, operation: Operation, todo: Undeployment) -> None:
        followed = self.run_steps.store.workflow_runs.get(todo.run)
        if followed is None:
            return
        self._show_run(operation, followed.run.url)
        if not followed.run.is_over:
            return
        if followed.run.conclusion != "success":
            self._fail(operation, trouble_of(followed))
            return
        self._note(operation.id, todo.stage, done=True)
        self.run_steps.desk.show(operation.id)
        self.settle(self.run_steps.load(operation.id))

    def _show_run(self, operation: Operation, url: str) -> None:
        if url and operation.facts.workflow_run != url:
            self.run_steps.remember(operation.id, workflow_run=url)

    def _end(self, operation: Operation) -> None:
        """Go on to Terraform, once."""
        now = self.run_steps.clock.now()
        finished = operation.facts.finished | {"undeploying": now}
        stamps = {name: at.isoformat() for name, at in finished.items()}
        if moved := self._move(operation, "confirmed", {"finished": stamps}):
            self.run_steps.desk.show(operation.id)
            self.run_steps.desk.start(moved)

    def _fail(self, operation: Operation, trouble: Trouble) -> None:
        full = trouble.model_copy(update={"left_behind": left_of(operation, self.run_steps.policy)})
        if self._move(operation, "failed", {"trouble": full.model_dump(mode="json")}):
            self.run_steps.call(operation, full)
        self.run_steps.desk.tidy(operation.id)

    def _move(self, operation: Operation, to: Phase, facts: dict[str, Any]) -> Operation | None:
        moved = self.run_steps.store.operations.move(
            operation.id, ["undeploying"], to, by="bot", version=operation.version, facts=facts
        )
        return read_operation(moved) if moved else None

    def _start(self, operation: Operation, part: str, what: str) -> None:
        """Start a durable part, once for each thing it is about."""
        self.engine.start(
            f"{DESTROY}.{part}",
            operation.id,
            project=operation.project,
            part=_part(operation, part, what),
        )

    # ------------------------------------------------------------------ getting ready

    def _prepare(self, steps: Steps, run: str) -> None:
        with self._truthful(run):
            steps.do("note that it goes", self._note_going, run)
            if steps.do("find the repository", self._is_there, run):
                steps.do("stop deployments", self._stop, run)
                steps.do("close pull requests", self._close_pull_requests, run)
            steps.do("note that they are stopped", self._note_stopped, run)
            steps.do("go on", self._go_on, run)

    def _find_stages(self, steps: Steps, run: str) -> None:
        """Find what there is once nothing else runs: what was under way has deployed more."""
        with self._truthful(run):
            steps.do("find what is deployed", self._find, run)
            steps.do("go on", self._go_on, run)

    def _note_going(self, run: str) -> None:
        operation = self.run_steps.enter(run, ["undeploying"], "undeploying")
        self.run_steps.store.projects.become(operation.project, GOING)

    def _is_there(self, run: str) -> bool:
        """Tell whether there is a repository whose workflow can run."""
        found = self.repositories.find(self.run_steps.load(run).project)
        return found is not None and not found.archived

    def _stop(self, run: str) -> None:
        """Withdraw what waits for people, and know of everything that runs."""
        project = self.run_steps.load(run).project
        for release in self.run_steps.store.releases.unsettled(project):
            if release.state == "open":
                self.outcomes.withdraw(release, "the project is being destroyed")
        self._see_what_runs(project)

    def _see_what_runs(self, project: str) -> None:
        for seen in self.deployments.recent(project):
            if not seen.is_over:
                self.run_steps.store.workflow_runs.see(project, seen, wake=True)

    def _close_pull_requests(self, run: str) -> None:
        operation = self.run_steps.load(run)
        if self.dismantling.close_pull_requests(operation.project):
            quiet_at = self.run_steps.clock.now() + QUIET
            self.run_steps.remember(run, quiet_at=quiet_at.isoformat())

    def _note_stopped(self, run: str) -> None:
        """Note that this attempt goes on; a stage whose run has failed is begun anew."""
        operation = self.run_steps.load(run)
        done = [one.model_dump(mode="json") for one in operation.facts.undeployments if one.done]
        self.run_steps.remember(run, undeployments=done, undeploying_in=operation.attempt)

    def _find(self, run: str) -> None:
        """Note the stages to which something was ever deployed, last first.

        Once Terraform has begun to remove logins, or without a repository, no workflow can help.
        """
        operation = self.run_steps.load(run)
        stages = [one for one in operation.facts.undeployments if one.done]
        if self._is_there(run) and not operation.facts.unmade:
            each = (self._undeployment(operation, stage) for stage in reversed(STAGES))
            stages = [one for one in each if one]
        dumped = [one.model_dump(mode="json") for one in stages]
        last = self._last_deployment(operation)
        found = {"found_in": operation.attempt, "found_after": last}
        self.run_steps.remember(run, undeployments=dumped, **found)

    def _undeployment(self, operation: Operation, stage: str) -> Undeployment | None:
        """Return what is to be done about a stage; what was done in an earlier attempt counts."""
        names = [one.name for one in operation.spec.environments() if one.stage == stage]
        before = next((o for o in operation.facts.undeployments if o.stage == stage), None)
        if before and before.done and not self._is_deployed_since(operation, names, before.run):
            return before
        used = any(self.dismantling.was_used(operation.project, name) for name in names)
        return Undeployment(stage=stage) if used else None

    def _is_deployed_since(self, operation: Operation, names: list[str], run: int) -> bool:
        runs = self.run_steps.store.workflow_runs.of_project(operation.project, MOST_RUNS)
        return any(one.run.id > run and any(map(one.run.deployed, names)) for one in runs)

    def _go_on(self, run: str) -> None:
        self.settle(self.run_steps.load(run))

    # ------------------------------------------------------------------ other runs

    def _clear(self, steps: Steps, run: str) -> None:
        with self._truthful(run):
            steps.do("cancel what waits", self._cancel, run)

    def _cancel(self, run: str) -> None:
        operation = self.run_steps.load(run)
        for one in self._busy(operation):
            look = self.deployments.look(operation.project, one.run.id)
            if look and is_to_be_cancelled(operation, look.run):
                self.dispatches.cancel(operation.project, one.run.id)
            self.run_steps.store.workflow_runs.wake(one.run.id)

    # ------------------------------------------------------------------ one stage

    def _begin_stage(self, steps: Steps, run: str) -> None:
        with self._truthful(run):
            stage = steps.do("find the stage", self._stage, run)
            if not stage:
                return
            for name in steps.do("find its environments", self._environments, run, stage):
                steps.do(f"lift the gate of {name}", self._lift, run, name)
            number = steps.do(f"dispatch {stage}", self._dispatch, run, stage)
            steps.do(f"follow {stage}", self._follow, run, stage, number)

    def _stage(self, run: str) -> str:
        operation = self.run_steps.load(run)
        todo = _next(operation) if operation.phase == "undeploying" else None
        return todo.stage if todo and not todo.run else ""

    def _environments(self, run: str, stage: str) -> tuple[str, ...]:
        spec = self.run_steps.load(run).spec
        return tuple(one.name for one in spec.environments() if one.stage == stage)

    def _lift(self, run: str, name: str) -> None:
        """People have confirmed the destruction: nobody is asked about it once more."""
        self.dismantling.lift_gate(self.run_steps.load(run).project, name)

    def _dispatch(self, run: str, stage: str) -> int:
        operation = self.run_steps.load(run)
        request = f"{operation.id}-{operation.attempt}-{stage}"
        inputs = {"stage": stage, "action": "destroy", "correlation": request}
        try:
            return self.dispatches.dispatch(operation.project, MAIN, inputs, None)
        except UserError as error:
            raise PermanentError(NOT_BEGUN.format(why=error)) from error

    def _follow(self, run: str, stage: str, number: int) -> None:
        """Follow the run at once; GitHub knows everything about it better."""
        operation, now = self.run_steps.load(run), self.run_steps.clock.now()
        runs = self.run_steps.store.workflow_runs
        begun = {"created_at": now, "updated_at": now, "branch": MAIN}
        if runs.get(number) is None:
            seen = WorkflowRun.model_validate(
                {"id": number, "repository": operation.project} | begun
            )
            runs.see(operation.project, seen)
        runs.note(number, requested_by=operation.requested_by)
        self._note(run, stage, run=number)
        runs.wake(number)

    def _note(self, operation: str, stage: str, **changes: Any) -> None:
        """Merge what is known of a stage's removal."""

        def change(facts: dict[str, Any]) -> dict[str, Any]:
            known = facts.get("undeployments", [])
            return {"undeployments": [o | changes if o["stage"] == stage else o for o in known]}

        self.run_steps.store.operations.revise(operation, change)

    @contextmanager
    def _truthful(self, run: str) -> Iterator[None]:
        """End the run as failed when a step raises, unless it has moved on meanwhile."""
        try:
            yield
        except RunEnded:
            return
        except SciclopsError as error:
            what = self.run_steps.redact(str(error))
            self._fail(self.run_steps.load(run), Trouble(step=STEP, what=what))


def is_to_be_cancelled(operation: Operation, run: WorkflowRun) -> bool:
    """Tell whether a workflow run is not waited for: it waits for people, or began too late.

    A job that works in an environment is let end: cancelled, it would leave a lock there.
    """
    if run.event == "pull_request" or any(j.status == "in_progress" and j.deed for j in run.jobs):
        return False
    since = operation.facts.started["undeploying"]
    return bool(run.waiting()) or run.status == "waiting" or run.created_at > since


def _next(operation: Operation) -> Undeployment | None:
    """Return the stage whose turn it is."""
    return next((one for one in operation.facts.undeployments if not one.done), None)


def _is_stopped(operation: Operation) -> bool:
    """Tell whether this attempt has stopped deployments."""
    return operation.facts.undeploying_in == operation.attempt


def _part(operation: Operation, part: str, what: str) -> str:
    return f"{part}:{operation.attempt}:{what}"
