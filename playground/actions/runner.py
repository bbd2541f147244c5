"""The runner: executes workflow runs for real (`Runner` of playground/github/runs.py)."""

import shutil
from pathlib import Path

from playground.actions.attempt import Attempt
from playground.actions.concurrency import Ticket
from playground.actions.contexts import RunFacts
from playground.actions.crew import Crew, unless
from playground.actions.doors import Doors, Office
from playground.actions.expressions import ExpressionError, Scope
from playground.actions.leaf import Leaf, concurrency
from playground.actions.plan import Plan, plan
from playground.actions.workflow import WorkflowError, load
from playground.github.runs import Conclusion, RunBook, WorkflowRun


class ActRunner:
    """Runs every job with act, in folders below `directory`; `path` is put before the jobs' PATH.

    Call `close` at the end: what still runs is killed.
    """

    def __init__(
        self, office: Office, book: RunBook, directory: Path, path: tuple[Path, ...] = ()
    ) -> None:
        doors = Doors(office, book, directory / "wheels")
        self.crew = Crew(office, book, directory, doors, path)
        self._attempts: dict[int, Attempt] = {}
        self._leaves: dict[int, dict[str, Leaf]] = {}
        for left in directory.glob("[0-9]*-[0-9]*"):  # of a playground that was killed
            shutil.rmtree(left, ignore_errors=True)

    async def run(self, run: WorkflowRun) -> None:
        """Execute an attempt to its end, reporting to the book; never raises."""
        await self.crew.doors.open()
        try:
            source = load(run.repo, run.workflow, run.sha, run.ref)
            facts = RunFacts(self.crew.office.world, run, source)
            planned = plan(facts.world, source)
            attempt = Attempt(self.crew, facts, self._leaves.get(run.id, {}))
            scope = Scope({"github": facts.github(), "inputs": facts.inputs(), "vars": {}})
            self._name(run, source.content.get("run-name"), scope)
            group = concurrency(source.content.get("concurrency"), scope)
        except (WorkflowError, ExpressionError) as problem:
            self._refuse(run, str(problem))
            return
        await self._execute(attempt, run, planned, group)

    async def cancel(self, run: WorkflowRun) -> None:
        """Stop what executes the run's present attempt, and wait for its end."""
        attempt = self._attempts.get(run.id)
        if attempt is not None:
            attempt.cancel()
            await attempt.over.wait()

    async def close(self) -> None:
        """Cancel every run and stop serving."""
        for attempt in list(self._attempts.values()):
            attempt.cancel()
            await attempt.over.wait()
        await self.crew.doors.close()

    def _name(self, run: WorkflowRun, name: object, scope: Scope) -> None:
        title = scope.text(name).strip()
        if title:
            self.crew.book.set_title(run, title)

    def _refuse(self, run: WorkflowRun, reason: str) -> None:
        """Fail a run that can't begin, as GitHub's startup failure; a job's log has the reason."""
        job = self.crew.book.add_job(run, Path(run.workflow).stem)
        self.crew.book.add_log(job, f"##[error]{reason}\n")
        self.crew.book.set_job(job, "completed", "failure")
        self.crew.book.finish(run, "failure")

    async def _execute(
        self, attempt: Attempt, run: WorkflowRun, planned: Plan, group: tuple[str, bool] | None
    ) -> None:
        self._attempts[run.id] = attempt
        try:
            self.crew.book.finish(run, await self._in_group(attempt, run, planned, group))
        finally:
            attempt.over.set()
            shutil.rmtree(self.crew.directory / f"{run.id}-{run.attempt}", ignore_errors=True)
            self._leaves[run.id] = attempt.leaves
            if self._attempts.get(run.id) is attempt:
                del self._attempts[run.id]

    async def _in_group(
        self, attempt: Attempt, run: WorkflowRun, planned: Plan, group: tuple[str, bool] | None
    ) -> Conclusion:
        if group is None:
            return await attempt.execute(planned)
        ticket, (name, cancels) = Ticket(attempt.cancel), group
        groups = self.crew.groups
        enters = groups.enter(run.repo.id, name, ticket, cancels=cancels)
        try:
            if not await unless(attempt.stopped, enters):
                return "cancelled"
            return await attempt.execute(planned)
        finally:
            groups.leave(run.repo.id, name, ticket)


__all__ = ["ActRunner"]
