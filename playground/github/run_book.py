"""The book of workflow runs: what the runner reports to, and what webhooks tell of it.

Everything here happens in the stand-in's event loop.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from playground.github import deployments
from playground.github.calls import Refusal
from playground.github.deployments import Deployment, DeploymentStatus
from playground.github.gates import Gate, Gates, refusal_of_branch
from playground.github.news import News
from playground.github.runs import (
    Artifact,
    Conclusion,
    Job,
    PastAttempt,
    Review,
    Runner,
    Status,
    Step,
    WorkflowRun,
)
from playground.github.workflow_files import entry
from playground.github.world import Environment, Json, Repository, World

RERUN_WITHIN = timedelta(days=30)


@dataclass
class Beginning:
    """What begins a run: an event on a reference, by somebody."""

    event: str
    ref: str
    sha: str
    actor: str
    title: str
    payload: Json
    inputs: dict[str, str] = field(default_factory=dict)
    startable: bool = True
    """False for a workflow file that can't be read: its run fails at once, without a job."""


class Book:
    """Keeps every run (`RunBook`) and hands it to the runner, if there is one."""

    def __init__(self, world: World, news: News, changed: Callable[[], None]) -> None:
        self.runner: Runner | None = None
        self.gates = Gates(world)
        self._world = world
        self._news = news
        self._changed = changed
        self._run_of: dict[int, WorkflowRun] = {}
        self._working: set[asyncio.Task[None]] = set()
        self._executing: dict[int, asyncio.Task[None]] = {}

    # A run's life

    def begin(self, repo: Repository, workflow: str, how: Beginning) -> WorkflowRun:
        """Begin a run of a workflow file."""
        known, now = entry(self._world, repo, workflow), self._world.now()
        known.last_run += 1
        run = WorkflowRun(
            id=self._world.next_id(),
            number=known.last_run,
            repo=repo,
            workflow=workflow,
            event=how.event,
            ref=how.ref,
            sha=how.sha,
            actor=how.actor,
            title=how.title,
            payload=how.payload,
            created_at=now,
            updated_at=now,
            inputs=how.inputs,
            triggering_actor=how.actor,
            started_at=now,
        )
        self._world.runs[run.id] = run
        self._news.run(run, "requested")
        if how.startable:
            self._execute(run)
        else:
            self.finish(run, "failure")
        return run

    def rerun(self, run: WorkflowRun, login: str, only: tuple[str, ...] = ()) -> None:
        """Begin another attempt of a run that is over; GitHub tells of it once a job starts."""
        if run.status != "completed":
            raise Refusal(403, "This workflow is already running")
        if self._world.now() > run.created_at + RERUN_WITHIN:
            raise Refusal(
                403,
                "Unable to retry this workflow run because it was created over a month ago",
            )
        began = run.started_at or run.created_at
        actor = run.triggering_actor or run.actor
        run.past[run.attempt] = PastAttempt(run.conclusion, actor, began, run.updated_at)
        run.attempt += 1
        run.status, run.conclusion, run.cancelled = "queued", None, False
        run.triggering_actor, run.only_jobs = login, only
        run.started_at = run.updated_at = self._world.now()
        self._execute(run)

    def _execute(self, run: WorkflowRun) -> None:
        self._changed()
        if self.runner is not None:
            before = self._executing.get(run.id)
            doing = self._executed(self.runner, run, run.attempt, before)
            self._executing[run.id] = self._keep(doing)

    def _keep(self, doing: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(doing)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return task

    async def _executed(
        self, runner: Runner, run: WorkflowRun, attempt: int, before: asyncio.Task[None] | None
    ) -> None:
        """Execute an attempt, once nothing executes the one before it any more."""
        if before is not None:
            await asyncio.wait([before])
        await runner.run(run)
        if run.attempt == attempt and run.status != "completed":
            self.finish(run, "cancelled" if run.cancelled else "failure")

    def start_waiting(self) -> None:
        """Hand the runs that were queued before there was a runner to it."""
        for run in self._world.runs.values():
            if run.status == "queued" and not run.present_jobs:
                self._execute(run)

    def cancel(self, run: WorkflowRun, *, force: bool = False) -> None:
        """Cancel the present attempt: gates shut, and the runner stops what it does."""
        if run.status == "completed":
            raise Refusal(409, "Cannot cancel a workflow run that is completed.")
        run.cancelled = True
        self.gates.release(run)
        if self.runner is None or force:
            self.finish(run, "cancelled")
        if force and run.id in self._executing:
            self._executing[run.id].cancel()
        if self.runner is not None:
            self._keep(self._cancelled(self.runner, run, run.attempt))

    async def _cancelled(self, runner: Runner, run: WorkflowRun, attempt: int) -> None:
        await runner.cancel(run)
        if run.attempt == attempt and run.status != "completed":
            self.finish(run, "cancelled")

    def forget(self, repo: Repository) -> None:
        """Stop and drop the runs of a repository that is deleted."""
        for run in [one for one in self._world.runs.values() if one.repo is repo]:
            if run.status != "completed":
                self.cancel(run)
            del self._world.runs[run.id]

    async def stop(self) -> None:
        """Give up everything that is being executed."""
        for task in list(self._working):
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)

    # What the runner reports

    def set_title(self, run: WorkflowRun, title: str) -> None:
        """Set what the workflow's `run-name` says."""
        run.title = title
        self._touch(run)

    def add_job(
        self, run: WorkflowRun, name: str, environment: str = "", needs: tuple[str, ...] = ()
    ) -> Job:
        """Note a job that is queued now; one with a gate is told of when it has met that."""
        job = Job(self._world.next_id(), name, "queued", self._world.now(), environment, needs)
        run.present_jobs.append(job)
        self._run_of[job.id] = run
        if not environment:
            self._news.job(run, job)
        self._touch(run)
        return job

    async def pass_gate(self, run: WorkflowRun, job: Job) -> bool:
        """Wait until the job's environment lets it in; False if it was rejected or cancelled."""
        if run.cancelled or job.status == "completed":
            return self._refused(job, "cancelled", "The run was canceled.")
        if not job.environment:
            return True
        env = self._environment(run.repo, job.environment)
        job.environment = env.name
        problem = refusal_of_branch(self._world, run, env)
        if problem:
            return self._refused(job, "failure", problem)
        gate = self.gates.arrive(run, job, env)
        if gate.waiting:
            self._hold(gate)
        if await self.gates.decided(gate):
            return self._enter(gate)
        return self._turn_away(gate)

    def _environment(self, repo: Repository, name: str) -> Environment:
        """Return a job's environment; GitHub creates what a workflow names."""
        found = repo.environment(name)
        if found is None:
            now = self._world.now()
            found = repo.environments[name] = Environment(self._world.next_id(), name, now, now)
        return found

    def _hold(self, gate: Gate) -> None:
        run, job = gate.run, gate.job
        job.status = "waiting"
        self._touch(run)
        self._news.deployment(gate.deployment, self._set_state(gate.deployment, "pending"))
        self._news.job(run, job)
        self._news.waiting(gate)

    def _turn_away(self, gate: Gate) -> bool:
        reasons = {
            "cancelled": "The run was canceled while this job waited for its environment.",
            "failure": f"The deployment to {gate.environment.name} was rejected or expired.",
        }
        shut = gate.shut or "cancelled"
        return self._refused(gate.job, shut, reasons[shut])

    def _enter(self, gate: Gate) -> bool:
        if gate.job.status == "waiting":
            gate.job.status = "queued"
        self._news.deployment(gate.deployment, self._set_state(gate.deployment, "queued"))
        self._news.job(gate.run, gate.job)
        self._touch(gate.run)
        return True

    def _refused(self, job: Job, conclusion: Conclusion, reason: str) -> bool:
        if job.status != "completed":
            self.add_log(job, f"##[error]{reason}\n")
            self.set_job(job, "completed", conclusion)
        return False

    def set_job(self, job: Job, status: Status, conclusion: Conclusion | None = None) -> None:
        """Note how a job stands now; what is completed stays so."""
        if job.status == "completed":
            return
        run, now = self._run_of[job.id], self._world.now()
        changed = (job.status, job.conclusion) != (status, conclusion)
        job.status, job.conclusion = status, conclusion
        if status == "in_progress":
            job.started_at = job.started_at or now
        if status == "completed":
            job.completed_at = now
        first = run.status in ("queued", "waiting") and not self._told_progress(run)
        self._touch(run)
        if first and run.status == "in_progress":
            self._news.run(run, "in_progress")
        if changed:
            self._deploy(run, job)
            self._news.job(run, job)

    def _told_progress(self, run: WorkflowRun) -> bool:
        """Say whether a job of this attempt had started before the one that does now."""
        started = [job for job in run.present_jobs if job.started_at]
        return len(started) > 1

    def set_step(self, job: Job, name: str, status: Status, conclusion: Conclusion | None) -> None:
        """Note how a step of a job stands now; steps may share a name, one after the other."""
        if job.status == "completed":
            return
        now = self._world.now()
        open_ones = (s for s in job.steps if s.name == name and s.status != "completed")
        step = next(open_ones, None)
        if step is None:
            step = Step(len(job.steps) + 1, name, "queued")
            job.steps.append(step)
        step.status, step.conclusion = status, conclusion
        step.started_at = step.started_at or (now if status != "queued" else None)
        step.completed_at = now if status == "completed" else None
        self._changed()

    def add_log(self, job: Job, text: str) -> None:
        """Append to a job's log."""
        job.log += text

    def add_artifact(self, run: WorkflowRun, name: str, content: bytes) -> Artifact:
        """Keep an artifact; a name that this attempt has already used is refused (ValueError)."""
        if any(a.name == name and a.attempt == run.attempt for a in run.artifacts):
            raise ValueError(f"an artifact with the name {name} already exists on the run")
        number, now = self._world.next_id(), self._world.now()
        artifact = Artifact(number, name, content, now, run.attempt)
        run.artifacts.append(artifact)
        self._changed()
        return artifact

    def finish(self, run: WorkflowRun, conclusion: Conclusion) -> None:
        """Note that the whole attempt is over; jobs that never ended end with it."""
        if run.status == "completed":
            return
        for job in run.present_jobs:
            ended: Conclusion = "skipped" if job.started_at is None else conclusion
            self.set_job(job, "completed", "cancelled" if run.cancelled else ended)
        run.status, run.conclusion = "completed", conclusion
        run.updated_at = self._world.now()
        self.gates.release(run)
        self._news.run(run, "completed")
        self._changed()

    def variables(self, run: WorkflowRun, environment: str) -> Mapping[str, str]:
        """Return the variables a job sees: those of its environment."""
        env = run.repo.environment(environment) if environment else None
        return {name: held.value for name, held in env.variables.items()} if env else {}

    def secrets(self, run: WorkflowRun, environment: str) -> Mapping[str, str]:
        """Return the opened secrets a job sees: none before it has passed the gate."""
        env = run.repo.environment(environment) if environment else None
        if env is None or not self.gates.passed(run, environment):
            return {}
        return {name: held.value.decode() for name, held in env.secrets.items()}

    # Decisions

    def review(self, run: WorkflowRun, chosen: list[int], review: Review) -> list[Deployment]:
        """Decide as a reviewer on the environments chosen by id."""
        gates = self.gates.review(run, review.login, chosen, review)
        self._news.decided(gates, review)
        self._changed()
        return [gate.deployment for gate in gates]

    def rule(self, run: WorkflowRun, review: Review) -> None:
        """Decide as the App that is an environment's custom rule."""
        gates = self.gates.rule(run, review)
        self._news.decided(gates, review)
        self._changed()

    # What follows

    def _touch(self, run: WorkflowRun) -> None:
        """Derive how the run stands from its jobs."""
        if run.status != "completed":
            present = [job.status for job in run.present_jobs if job.status != "completed"]
            begun = any(job.started_at for job in run.present_jobs)
            if "in_progress" in present or (begun and "waiting" not in present):
                run.status = "in_progress"
            else:
                run.status = "waiting" if "waiting" in present else "queued"
            run.updated_at = self._world.now()
        self._changed()

    def _set_state(self, deployment: Deployment, state: deployments.State) -> DeploymentStatus:
        return deployments.set_state(self._world, deployment, state)

    def _deploy(self, run: WorkflowRun, job: Job) -> None:
        deployment = deployments.of_job(run.repo, job)
        if deployment is None:
            return
        if job.status == "in_progress":
            self._news.deployment(deployment, self._set_state(deployment, "in_progress"))
        elif job.status == "completed" and job.conclusion:
            for told in deployments.end(self._world, run.repo, deployment, job.conclusion):
                self._news.deployment(*told)
