"""One attempt of a run: which jobs run when, and with which results.

Why not one act for the whole run: act knows no gates, no environments and one set of secrets and
one token for all jobs; its `jobResult` of sibling legs is wrong once one has failed, and it has no
concurrency groups. So GitHub's part (needs, conditions, matrices, names, gates, groups) is done
here, and act runs one job at a time, with the results of those before it put in (`rewriting`).
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import cast

from playground.actions.contexts import RunFacts
from playground.actions.crew import Crew
from playground.actions.expressions import ExpressionError, Scope, Status
from playground.actions.leaf import Leaf, Link
from playground.actions.matrix import job_name, legs
from playground.actions.plan import Plan, PlannedJob
from playground.actions.rewriting import Result
from playground.actions.workflow import WorkflowError, call_spec, given_inputs
from playground.github.runs import Conclusion, Job
from playground.github.world import Json


@dataclass
class Level:
    """A workflow of the run while its jobs run; `links` are the calls that led here."""

    plan: Plan
    inputs: Json
    prefix: str = ""
    links: tuple[Link, ...] = ()
    before: tuple[str, ...] = ()
    repeats: bool = False
    results: dict[str, Result] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)
    repeated: set[str] = field(default_factory=set)

    def repeats_before(self, job: PlannedJob) -> bool:
        """Say whether a job must be repeated because one that it needs is."""
        return self.repeats or bool(self.repeated & self.plan.before(job.id))


class Attempt:
    """Executes the jobs of an attempt; `earlier` holds the leaves of the one before, by name."""

    def __init__(self, crew: Crew, facts: RunFacts, earlier: dict[str, Leaf]) -> None:
        self._crew = crew
        self._facts = facts
        self._github = facts.github()
        self._earlier = earlier
        self._running: set[Leaf] = set()
        self.leaves: dict[str, Leaf] = {}
        self.stopped = asyncio.Event()
        self.over = asyncio.Event()

    @property
    def cancelled(self) -> bool:
        """Say whether somebody has cancelled the attempt."""
        return self.stopped.is_set()

    def cancel(self) -> None:
        """Stop what runs; jobs that run always still do."""
        self.stopped.set()
        for leaf in tuple(self._running):
            leaf.halt.set()

    async def execute(self, plan: Plan) -> Conclusion:
        """Run every job and return how the whole ended."""
        level = Level(plan, self._facts.inputs())
        await self._all(level)
        return "cancelled" if self.cancelled else combined(level.results.values())

    async def _all(self, level: Level) -> None:
        tasks: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            for name, job in level.plan.jobs.items():
                needs = [tasks[need] for need in job.needs]
                tasks[name] = group.create_task(self._after(level, job, needs))

    async def _after(self, level: Level, job: PlannedJob, needs: list[asyncio.Task[None]]) -> None:
        if needs:
            await asyncio.wait(needs)
        level.names[job.id] = []
        try:
            level.results[job.id] = await self._job(level, job)
        except (ExpressionError, WorkflowError) as problem:
            level.results[job.id] = self._broken(level, job, problem)

    def _broken(self, level: Level, job: PlannedJob, problem: Exception) -> Result:
        """Fail a job that can't even begin, with the reason in its log."""
        shown = self._note(level, job, str(job.spec.get("name") or job.id))
        self._crew.book.add_log(shown, f"##[error]{problem}\n")
        self._crew.book.set_job(shown, "completed", "failure")
        return Result("failure")

    def _note(self, level: Level, job: PlannedJob, name: str, environment: str = "") -> Job:
        level.names[job.id].append(level.prefix + name)
        needs = self._needs(level, job)
        run = self._facts.run
        return self._crew.book.add_job(run, level.prefix + name, environment, needs)

    def _needs(self, level: Level, job: PlannedJob) -> tuple[str, ...]:
        return tuple(n for need in job.needs for n in level.names[need]) or level.before

    # One job and its legs

    def _scope(self, level: Level, job: PlannedJob, leg: Json | None = None) -> Scope:
        needs = {
            name: {"result": it.conclusion, "outputs": dict(it.outputs)}
            for name, it in level.results.items()
            if name in job.needs
        }
        ended = {level.results[name].conclusion for name in level.plan.before(job.id)}
        status = Status("failure" in ended, bool(ended & {"skipped", "cancelled"}), self.cancelled)
        contexts = self._contexts(level) | {"needs": needs, "matrix": leg, "strategy": {}}
        return Scope(contexts, status)

    def _contexts(self, level: Level) -> Json:
        variables = dict(self._crew.book.variables(self._facts.run, ""))
        return {"github": self._github, "inputs": level.inputs, "vars": variables}

    async def _job(self, level: Level, job: PlannedJob) -> Result:
        scope = self._scope(level, job)
        if self._facts.run.status == "completed" or not scope.condition(job.spec.get("if")):
            shown = self._note(level, job, str(job.spec.get("name") or job.id))
            self._crew.book.set_job(shown, "completed", "skipped")
            return Result("skipped")
        matrix = job.strategy.get("matrix")
        chosen = legs(scope.value(matrix)) if matrix is not None else [None]
        results = await self._legs(level, job, chosen)
        outputs = {name: text for each in results for name, text in each.outputs.items() if text}
        return Result(combined(results), outputs)

    async def _legs(
        self, level: Level, job: PlannedJob, chosen: "list[Json] | list[None]"
    ) -> list[Result]:
        most = self._scope(level, job).value(job.strategy.get("max-parallel"))
        room = asyncio.Semaphore(int(cast("int", most) or len(chosen)))
        siblings: list[Leaf] = []

        async def one(leg: Json | None) -> Result:
            async with room:
                try:
                    return await self._leg(level, job, leg, siblings)
                except (ExpressionError, WorkflowError) as problem:
                    return self._broken(level, job, problem)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(leg)) for leg in chosen]
        return [task.result() for task in tasks]

    async def _leg(
        self, level: Level, job: PlannedJob, leg: Json | None, siblings: list[Leaf]
    ) -> Result:
        needs = {name: level.results[name] for name in job.needs}
        link = Link(level.plan.source, job, leg, needs)
        scope = self._scope(level, job, leg)
        name = job_name(job.id, job.spec.get("name"), leg, scope)
        if job.calls is not None:
            return await self._call(level, link, name, scope)
        return await self._work(level, link, name, scope, siblings)

    async def _call(self, level: Level, link: Link, name: str, scope: Scope) -> Result:
        """Run the workflow that a job stands for; its results are the job's."""
        job = link.job
        source = cast("Plan", job.calls).source
        inner = Level(
            cast("Plan", job.calls),
            given_inputs(source, cast("Json", scope.value(job.spec.get("with") or {}))),
            prefix=f"{level.prefix}{name} / ",
            links=(*level.links, link),
            before=self._needs(level, job),
            repeats=level.repeats_before(job),
        )
        await self._all(inner)
        level.names[job.id] += [each for names in inner.names.values() for each in names]
        if inner.repeated:
            level.repeated.add(job.id)
        return Result(combined(inner.results.values()), self._outputs(inner))

    def _outputs(self, level: Level) -> dict[str, str]:
        jobs = {
            name: {"result": it.conclusion, "outputs": dict(it.outputs)}
            for name, it in level.results.items()
        }
        scope = Scope(self._contexts(level) | {"jobs": jobs})
        declared = cast("dict[str, Json]", call_spec(level.plan.source).get("outputs") or {})
        return {name: scope.text(spec.get("value")) for name, spec in declared.items()}

    async def _work(
        self, level: Level, link: Link, name: str, scope: Scope, siblings: list[Leaf]
    ) -> Result:
        whole = level.prefix + name
        kept = self._kept(level, link.job, whole)
        if kept is not None:
            return kept
        level.repeated.add(link.job.id)
        job = self._note(level, link.job, name, environment(link.job.spec, scope))
        leaf = Leaf(self._crew, self._facts, (*level.links, link), job, scope)
        siblings.append(leaf)
        self._running.add(leaf)
        self.leaves[whole] = leaf
        _fail_fast(link.job, siblings)
        try:
            leaf.result = await leaf.work()
        finally:
            self._running.discard(leaf)
        _fail_fast(link.job, siblings)
        return leaf.result

    def _kept(self, level: Level, job: PlannedJob, whole: str) -> Result | None:
        """Return a job's earlier result if this attempt doesn't repeat it, and show it again."""
        run, old = self._facts.run, self._earlier.get(whole)
        wanted = getattr(run, "only_jobs", ())
        if not wanted or whole in wanted or level.repeats_before(job):
            return None
        if old is None or old.result is None:
            return None
        run.present_jobs.append(replace(old.job))
        level.names[job.id].append(whole)
        self.leaves[whole] = old
        return old.result


def _fail_fast(job: PlannedJob, siblings: list[Leaf]) -> None:
    """Halt all legs once one has failed: those that run, and those that come when there is room."""
    ended = (leaf.result.conclusion for leaf in siblings if leaf.result)
    if job.strategy.get("fail-fast", True) and "failure" in ended:
        for leaf in siblings:
            leaf.halt.set()


def environment(spec: Json, scope: Scope) -> str:
    """Return the name of the environment that a job refers to, or nothing."""
    given = spec.get("environment")
    return scope.text(given.get("name") if isinstance(given, dict) else given)


def combined(results: Iterable[Result]) -> Conclusion:
    """Return how several jobs ended together."""
    ended = [each.conclusion for each in results]
    for worst in ("failure", "cancelled"):
        if worst in ended:
            return cast("Conclusion", worst)
    return "skipped" if all(each == "skipped" for each in ended) else "success"
