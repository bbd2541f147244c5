"""A stand-in GitHub with a project and its platform, and a runner that reports to a plain book."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from github_standin import one_vault

from playground.actions.runner import ActRunner
from playground.faults import Faults
from playground.github.limits import UNLIMITED
from playground.github.objects import GitStore
from playground.github.repos import commit_files, make_repo
from playground.github.runs import Artifact, Conclusion, Job, Status, Step, WorkflowRun
from playground.github.server import GitHub
from provisioning.clock import MovableClock

CALLER = ".github/workflows/deploy.yml"
CALLED = ".github/workflows/deploy-bundle.yml"
PLATFORM = "sciclops-platform"
NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


@dataclass
class Ledger:
    """A book that keeps what it is told; environments in `gated` wait until they are decided."""

    gated: set[str] = field(default_factory=set)
    decisions: dict[str, bool] = field(default_factory=dict)
    known_variables: dict[str, dict[str, str]] = field(default_factory=dict)
    known_secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    passed: list[str] = field(default_factory=list)
    told: list[tuple[str, Status, Conclusion | None]] = field(default_factory=list)
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    def _move(self) -> None:
        self.moved.set()
        self.moved = asyncio.Event()

    def set_title(self, run: WorkflowRun, title: str) -> None:
        run.title = title

    def add_job(
        self, run: WorkflowRun, name: str, environment: str = "", needs: tuple[str, ...] = ()
    ) -> Job:
        job = Job(len(self.told) + 1, name, "queued", NOW, environment, needs)
        run.present_jobs.append(job)
        self.told.append((name, "queued", None))
        self._move()
        return job

    async def pass_gate(self, run: WorkflowRun, job: Job) -> bool:
        assert job in run.present_jobs
        if job.environment in self.gated:
            self.set_job(job, "waiting")
            while job.environment not in self.decisions:
                await self.moved.wait()
        if self.decisions.get(job.environment, True):
            self.passed.append(job.environment)
            return True
        self.set_job(job, "completed", "failure")
        return False

    def decide(self, environment: str, *, approved: bool) -> None:
        self.decisions[environment] = approved
        self._move()

    def set_job(self, job: Job, status: Status, conclusion: Conclusion | None = None) -> None:
        job.status, job.conclusion = status, conclusion
        self.told.append((job.name, status, conclusion))
        self._move()

    def set_step(self, job: Job, name: str, status: Status, conclusion: Conclusion | None) -> None:
        step = next((s for s in job.steps if s.name == name and s.status != "completed"), None)
        if step is None:
            step = Step(len(job.steps) + 1, name, status)
            job.steps.append(step)
        step.status, step.conclusion = status, conclusion
        self._move()

    def add_log(self, job: Job, text: str) -> None:
        job.log += text
        self._move()

    def add_artifact(self, run: WorkflowRun, name: str, content: bytes) -> Artifact:
        if any(each.name == name for each in run.artifacts):
            raise ValueError(f"an artifact named {name} exists")
        run.artifacts.append(Artifact(len(run.artifacts) + 1, name, content, NOW))
        return run.artifacts[-1]

    def finish(self, run: WorkflowRun, conclusion: Conclusion) -> None:
        run.status, run.conclusion = "completed", conclusion
        self._move()

    def variables(self, run: WorkflowRun, environment: str) -> dict[str, str]:
        assert run.status != "completed"
        return self.known_variables.get(environment, {})

    def secrets(self, run: WorkflowRun, environment: str) -> dict[str, str]:
        assert run.status != "completed"
        return self.known_secrets.get(environment, {}) if environment in self.passed else {}

    async def until(self, run: WorkflowRun, name: str, status: Status) -> Job:
        """Wait until a job stands so."""
        while True:
            for job in run.present_jobs:
                if job.name == name and job.status == status:
                    return job
            assert run.status != "completed", [job.log for job in run.present_jobs]
            await self.moved.wait()

    async def until_said(self, run: WorkflowRun, text: str) -> Job:
        """Wait until some job's log holds a text."""
        while True:
            for job in run.present_jobs:
                if text in job.log:
                    return job
            assert run.status != "completed", [job.log for job in run.present_jobs]
            await self.moved.wait()


@dataclass
class Workshop:
    """Runs workflows of the repository `ada-7`."""

    github: GitHub
    book: Ledger
    runner: ActRunner
    directory: Path
    _tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    def commit(self, files: dict[str, str], message: str = "A change", repo: str = "ada-7") -> str:
        """Commit files to the default branch; `v1` of the platform follows."""
        found = self.github.repos[repo]
        content = {name: text.encode() for name, text in files.items()}
        sha: str = commit_files(self.github.world, found, content, message)
        if repo == PLATFORM:
            GitStore(found.path).set_ref("refs/tags/v1", sha)
        return sha

    def platform(self, workflow: str) -> None:
        """Make this the reusable workflow that `v1` means."""
        self.commit({CALLED: workflow}, repo=PLATFORM)

    def begin(self, workflow: str, **changes: object) -> WorkflowRun:
        """Commit a workflow and begin a run of it."""
        message = str(changes.pop("message", "A change"))
        files: dict[str, str] = {CALLER: workflow, "README.md": "# Ada"}
        more = changes.pop("files", {})
        sha = self.commit(files | (more if isinstance(more, dict) else {}), message)
        world, repo = self.github.world, self.github.repos["ada-7"]
        payload: dict[str, object] = {"head_commit": {"message": message, "id": sha}}
        payload |= {"repository": {"name": "ada-7"}}
        run = WorkflowRun(
            world.next_id(),
            1,
            repo,
            CALLER,
            "push",
            "refs/heads/main",
            sha,
            "ada",
            message,
            payload,
            NOW,
            NOW,
        )
        for name, value in changes.items():
            setattr(run, name, value)
        self.go(run)
        return run

    def go(self, run: WorkflowRun) -> None:
        """Hand a run to the runner."""
        self._tasks.append(asyncio.get_running_loop().create_task(self.runner.run(run)))

    async def over(self) -> None:
        """Wait until every run has ended."""
        await asyncio.gather(*self._tasks)

    async def ended(self, workflow: str, **changes: object) -> WorkflowRun:
        """Run a workflow to its end."""
        run = self.begin(workflow, **changes)
        await self.over()
        return run


def ends(run: WorkflowRun) -> dict[str, str | None]:
    """Return how every job ended, by name."""
    return {job.name: job.conclusion for job in run.present_jobs}


def log_of(run: WorkflowRun, name: str) -> str:
    """Return a job's log without its times."""
    job = next(job for job in run.present_jobs if job.name == name)
    return "\n".join(line.partition(" ")[2] for line in job.log.splitlines())


@asynccontextmanager
async def workshop(directory: Path) -> AsyncIterator[Workshop]:
    """Open a workshop; at its end nothing runs and no folder of a job is left."""
    clock = MovableClock()
    github = GitHub(clock, Faults(), directory / "git", limits=UNLIMITED, vault=one_vault())
    await github.start()
    make_repo(github.world, "ada-7", "private")
    book = Ledger()
    runner = ActRunner(github, book, directory / "actions")
    try:
        yield Workshop(github, book, runner, directory)
    finally:
        await runner.close()
        await github.stop()
    left = [
        folder.name for folder in (directory / "actions").glob("*/*") if "-" in folder.parent.name
    ]
    assert left == []
