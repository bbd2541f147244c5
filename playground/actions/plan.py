"""A run's jobs before it begins: everything GitHub refuses in a workflow is refused here."""

from dataclasses import dataclass, field
from typing import cast

from playground.actions.machine import LABELS
from playground.actions.permissions import Permissions, granted
from playground.actions.workflow import DEEPEST_CALL, Source, WorkflowError, called, words
from playground.github.world import Json, World


@dataclass(frozen=True)
class PlannedJob:
    """A job as written, with what its token may do; `calls` is the workflow it stands for."""

    id: str
    spec: Json
    needs: tuple[str, ...]
    permissions: Permissions
    calls: "Plan | None" = None

    @property
    def strategy(self) -> Json:
        """The job's `strategy`, or nothing."""
        return cast("Json", self.spec.get("strategy") or {})


@dataclass(frozen=True)
class Plan:
    """A workflow's jobs in an order in which each comes after those it needs."""

    source: Source
    jobs: dict[str, PlannedJob] = field(default_factory=dict)

    def before(self, job: str) -> set[str]:
        """Return the ids of every job that a job needs, directly or not."""
        found: set[str] = set()
        for need in self.jobs[job].needs:
            found |= {need} | self.before(need)
        return found


def plan(world: World, source: Source, caller: Permissions | None = None, depth: int = 1) -> Plan:
    """Return the plan of a workflow, called ones within it; raise WorkflowError."""
    if depth > DEEPEST_CALL:
        raise WorkflowError(f"Workflows may call each other {DEEPEST_CALL} levels deep")
    jobs: dict[str, PlannedJob] = {}
    for name in _in_order(source):
        spec = source.job(name)
        top = source.content.get("permissions")
        held = granted(name, top, spec.get("permissions"), caller)
        uses = spec.get("uses")
        inner = called(world, source, str(uses)) if uses else None
        if inner is None:
            _refuse_what_needs_docker(name, spec)
        calls = plan(world, inner, held, depth + 1) if inner else None
        jobs[name] = PlannedJob(name, spec, tuple(words(spec.get("needs"))), held, calls)
    return Plan(source, jobs)


def _in_order(source: Source) -> list[str]:
    needs = {name: words(source.job(name).get("needs")) for name in source.jobs}
    for name, wanted in needs.items():
        for each in wanted:
            if each not in needs:
                raise WorkflowError(f"Job '{name}' depends on unknown job '{each}'.")
    ordered: list[str] = []
    while len(ordered) < len(needs):
        ready = [n for n in needs if n not in ordered and set(needs[n]) <= set(ordered)]
        if not ready:
            raise WorkflowError("The workflow's jobs need each other in a circle.")
        ordered += ready
    return ordered


def _refuse_what_needs_docker(name: str, spec: Json) -> None:
    for key in ("container", "services"):
        if spec.get(key):
            raise WorkflowError(f"Job '{name}' wants `{key}`: the playground's jobs have no Docker")
    if spec.get("runs-on") not in LABELS:
        raise WorkflowError(
            f"Job '{name}' waits for a runner {spec.get('runs-on')}; here are: {', '.join(LABELS)}"
        )
