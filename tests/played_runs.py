"""Workflow runs that are played instead of executed: quick, and as a test wants them.

The jobs are those of the deploy workflow, reported to the stand-in GitHub as a runner would. Gates,
webhooks, tokens and everything else are the stand-in's own; only nothing is really deployed.
"""

import asyncio
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playground.cast import STAGES
from playground.github.limits import UNLIMITED, Limits
from playground.github.runs import Conclusion, Job, RunBook, WorkflowRun
from playground.world import Choices, Playground, running

BUILD = ("bundle / Dump Context", "bundle / Validate, Test and Build", "bundle / Version")


@dataclass
class PlayedRunner:
    """Plays deployments; `failing` jobs fail, `held` jobs go on once `go_on` is set.

    `effects` happen when jobs of these names succeed.
    """

    book: RunBook
    failing: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    changes: list[dict[str, str]] = field(
        default_factory=lambda: [{"action": "create", "resource": "jobs.ada", "name": "ada"}]
    )
    digest: str = "d" * 64
    started: list[int] = field(default_factory=list)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    effects: dict[str, Callable[[], None]] = field(default_factory=dict)
    stops: dict[int, asyncio.Event] = field(default_factory=dict)

    async def run(self, run: WorkflowRun) -> None:
        """Play a run to its end."""
        self.started.append(run.id)
        if correlation := run.inputs.get("correlation"):
            self.book.set_title(run, f"deploy {correlation}")
        ended: Conclusion = "success"
        for name, environment in self._jobs(run):
            if run.only_jobs and name in self._done(run):
                continue
            job = self.book.add_job(run, name, environment)
            ended = await self._play(run, job)
            if ended != "success":
                break
        self.book.finish(run, ended)

    async def cancel(self, run: WorkflowRun) -> None:
        """Let go of what is held; the run's own flag says the rest."""
        self._stop(run).set()

    def _stop(self, run: WorkflowRun) -> asyncio.Event:
        return self.stops.setdefault(run.id, asyncio.Event())

    async def _hold(self, run: WorkflowRun) -> None:
        """Wait until all may go on, or this run is cancelled."""
        waits = [asyncio.ensure_future(one.wait()) for one in (self.go_on, self._stop(run))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()

    def _jobs(self, run: WorkflowRun) -> Iterator[tuple[str, str]]:
        """Return names and environments of the jobs, in order."""
        if run.inputs.get("action") == "destroy":
            yield BUILD[0], ""
            for environment in self._of(run.inputs["stage"], run):
                yield f"bundle / Destroy {environment}", environment
            return
        for name in BUILD:
            yield name, ""
        if run.event == "pull_request":
            yield "bundle / Deploy Pull Request Copy", self._of("development", run)[0]
            return
        last = run.inputs.get("stage", STAGES[-1])
        for stage in STAGES[: STAGES.index(last) + 1]:
            for environment in self._of(stage, run):
                if f"{environment}-plan" in run.repo.environments:
                    yield f"bundle / Plan {environment}", f"{environment}-plan"
                yield f"bundle / Deploy {environment}", environment

    def _of(self, stage: str, run: WorkflowRun) -> list[str]:
        wanted = stage.capitalize()
        return [name for name in run.repo.environments if name.rpartition("-")[2] == wanted]

    def _done(self, run: WorkflowRun) -> set[str]:
        before = run.jobs.get(run.attempt - 1, [])
        return {job.name for job in before if job.conclusion == "success"}

    async def _play(self, run: WorkflowRun, job: Job) -> Conclusion:
        if not await self.book.pass_gate(run, job):
            return job.conclusion or "failure"
        title = job.name.removeprefix("bundle / ")
        self.book.set_job(job, "in_progress")
        self.book.set_step(job, "Work", "in_progress", None)
        self.book.add_log(job, f"working on {title}\n")
        if title in self.held and not run.cancelled:
            await self._hold(run)
        ended: Conclusion = "failure" if title in self.failing else "success"
        if run.cancelled:
            ended = "cancelled"
        if title.startswith("Plan ") and ended == "success":
            self.book.add_artifact(run, f"plan-{title[5:]}", self._plan(run, title[5:]))
        if ended == "success" and title in self.effects:
            self.effects[title]()
        if ended == "failure":
            self.book.add_log(job, f"Error: {title} did not work\n")
        self.book.set_step(job, "Work", "completed", ended)
        self.book.set_job(job, "completed", ended)
        return ended

    def plan_anew(self, run: WorkflowRun, environment: str, changes: list[dict[str, str]]) -> None:
        """Upload another plan, with a digest of its own."""
        kept, self.changes, self.digest = (self.changes, self.digest), changes, "e" * 64
        self.book.add_artifact(run, f"plan-{environment}", self._plan(run, environment))
        self.changes, self.digest = kept

    def _plan(self, run: WorkflowRun, environment: str) -> bytes:
        plan: dict[str, Any] = {
            "environment": environment,
            "target": environment.lower(),
            "commit": run.sha,
            "version": "v0.1.0",
            "digest": self.digest,
            "changes": self.changes,
        }
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("plan.json", json.dumps(plan))
        return packed.getvalue()


@contextmanager
def playing(
    directory: Path,
    choices: Choices | None = None,
    limits: Limits = UNLIMITED,
    latency: float = 0,
) -> Iterator[Playground]:
    """Run a playground whose workflow runs are played."""
    with running(directory, choices, limits, latency) as started:
        started.world.github.runner = PlayedRunner(started.world.github.hub.book)
        yield started
