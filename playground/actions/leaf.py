"""One job of a run: held at its group and its gate, then worked on by a machine."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from playground.actions.concurrency import Ticket
from playground.actions.contexts import RunFacts
from playground.actions.crew import Crew, unless
from playground.actions.doors import Visitor
from playground.actions.event_stream import EventStream
from playground.actions.expressions import Scope, truthy
from playground.actions.machine import Machine, Order
from playground.actions.masking import Masks
from playground.actions.permissions import of_token
from playground.actions.plan import PlannedJob
from playground.actions.rewriting import Result, cut, literal, with_reporter
from playground.actions.workflow import LOCAL_CALL, Source, WorkflowError, write
from playground.github.runs import Job
from playground.github.world import Json

MINUTES = 360
"""How long a job may take that says nothing else."""


@dataclass(frozen=True)
class Link:
    """A job on the way from the run's workflow down to the one that is worked on."""

    source: Source
    job: PlannedJob
    leg: Json | None
    needs: dict[str, Result]

    def workflow(self) -> Json:
        """Return its workflow with nothing else in it."""
        return cut(self.source.content, self.job.id, self.leg, self.needs)


@dataclass(eq=False)
class Leaf:
    """A job that has steps; `links` ends with its own."""

    crew: Crew
    facts: RunFacts
    links: tuple[Link, ...]
    job: Job
    scope: Scope
    halt: asyncio.Event = field(default_factory=asyncio.Event)
    result: Result | None = None

    @property
    def spec(self) -> Json:
        """The job as written."""
        return self.links[-1].job.spec

    async def work(self) -> Result:
        """Bring the job to its end."""
        group = concurrency(self.spec.get("concurrency"), self.scope)
        ticket = Ticket(self.halt.set)
        if group is None:
            return await self._at_gate()
        enters = self.crew.groups.enter(self._repo, group[0], ticket, cancels=group[1])
        try:
            if not await unless(self.halt, enters):
                return self._end(Result("cancelled"))
            return await self._at_gate()
        finally:
            self.crew.groups.leave(self._repo, group[0], ticket)

    @property
    def _repo(self) -> int:
        return self.facts.run.repo.id

    async def _at_gate(self) -> Result:
        if self.job.environment:
            gate = self.crew.book.pass_gate(self.facts.run, self.job)
            if not await unless(self.halt, gate):
                return self._end(Result(self.job.conclusion or "cancelled"))
        if not await unless(self.halt, self.crew.machines.acquire()):
            return self._end(Result("cancelled"))
        try:
            return self._end(await self._on_machine())
        finally:
            self.crew.machines.release()

    def _end(self, result: Result) -> Result:
        if self.job.status != "completed":
            self.crew.book.set_job(self.job, "completed", result.conclusion)
        forgiven = truthy(self.scope.value(self.spec.get("continue-on-error")))
        if forgiven and result.conclusion == "failure":
            return Result("success", result.outputs)
        return result

    async def _on_machine(self) -> Result:
        self.crew.book.set_job(self.job, "in_progress")
        permissions = self.links[-1].job.permissions
        repo, environment = self.facts.run.repo.name, self.job.environment
        token = self.crew.office.job_token(repo, of_token(permissions))
        claims = None
        if permissions.get("id-token") == "write":
            claims = self.facts.claims(self.links[-1].source, environment)
        visitor = Visitor(self.facts.run, environment, claims)
        try:
            return await self._with_machine(visitor, token)
        finally:
            self.crew.doors.dismiss(visitor)
            self.crew.office.end_job_token(token)

    async def _with_machine(self, visitor: Visitor, token: str) -> Result:
        doors = self.crew.doors.admit(visitor)
        secrets = {**self._secrets(), "GITHUB_TOKEN": token}
        masks = Masks((*secrets.values(), visitor.request_token, visitor.key))
        steps = _list(self.spec.get("steps"))
        clock = self.crew.office.world.clock
        job_id = self.links[-1].job.id
        stream = EventStream(self.crew.book, self.job, job_id, steps, masks, clock)
        machine = Machine(self._folder(), self.crew.directory / "cache")
        try:
            order = self._order(doors, secrets)
        except WorkflowError as problem:
            stream.say(f"##[error]{problem}")
            return Result("failure")
        return await self._timed(machine, order, stream)

    async def _timed(self, machine: Machine, order: Order, stream: EventStream) -> Result:
        minutes = float(str(self.scope.value(self.spec.get("timeout-minutes")) or MINUTES))
        late = asyncio.get_running_loop().call_later(minutes * 60, self.halt.set)
        watching = asyncio.create_task(self._stop_when_halted(machine))
        try:
            return await machine.work(order, stream)
        finally:
            late.cancel()
            watching.cancel()

    async def _stop_when_halted(self, machine: Machine) -> None:
        await self.halt.wait()
        machine.stop()

    def _folder(self) -> Path:
        run = self.facts.run
        return self.crew.directory / f"{run.id}-{run.attempt}" / str(self.job.id)

    # What act is told

    def _secrets(self) -> dict[str, str]:
        """Return the environment's secrets, if every call on the way passes its own on."""
        if any(link.job.spec.get("secrets") != "inherit" for link in self.links[:-1]):
            return {}
        return dict(self.crew.book.secrets(self.facts.run, self.job.environment))

    def _order(self, doors: dict[str, str], secrets: dict[str, str]) -> Order:
        run, caller = self.facts.run, self.links[0].source
        files, local = self._files()
        known = self.facts.environment() | doors
        return Order(
            event=run.event,
            payload=run.payload,
            caller=caller.path,
            actor=run.actor,
            files=files,
            local=local | self._actions(),
            environment=unread(known),
            variables=dict(self.crew.book.variables(run, self.job.environment)),
            secrets=secrets,
            path=self.crew.path,
        )

    def _files(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return the chain's workflows as files, and which folder stands for which repository."""
        files, local, folder = {}, {}, "caller"
        for number, link in enumerate(self.links):
            cut_down = link.workflow()
            if link is self.links[-1]:
                cut_down = with_reporter(cut_down, link.job.id, self.facts.caller.name)
            files[f"{folder}/{link.source.path}"] = write(cut_down)
            uses = str(link.job.spec.get("uses", ""))
            if uses and not LOCAL_CALL.fullmatch(uses):
                owner, name, _, ref = _parts(uses)
                folder = f"called-{number}"
                local[f"{owner}/{name}@{ref}"] = folder
        return files, local

    def _actions(self) -> dict[str, str]:
        """Return the folders of the actions that the job's steps use; refuse unknown ones."""
        found = {}
        for step in _list(self.spec.get("steps")):
            uses = str(step.get("uses") or "")
            if not uses or uses.startswith("./"):
                continue
            place = self.crew.actions / uses.partition("@")[0]
            if not (place / "action.yml").is_file():
                raise WorkflowError(f"Unable to resolve action `{uses}`, not found")
            found[uses] = str(place)
        return found


def concurrency(given: object, scope: Scope) -> tuple[str, bool] | None:
    """Return (group, whether a newcomer cancels who is inside), or None without a group."""
    held = scope.value(given)
    if isinstance(held, dict):
        name, cancels = str(held.get("group") or ""), truthy(held.get("cancel-in-progress"))
        return (name, cancels) if name else None
    return (str(held), False) if held else None


def unread(variables: dict[str, str]) -> dict[str, str]:
    """Return variables of which act evaluates nothing.

    act reads expressions in the values of variables: those of a reference once (so `github.ref`
    of a branch named like one is quoted), all others again and again, so these are left out.
    """
    return {
        name: str(literal(value))
        for name, value in variables.items()
        if name in _REFERENCES or "${{" not in value
    }


_REFERENCES = ("GITHUB_REF", "GITHUB_REF_NAME", "GITHUB_HEAD_REF", "GITHUB_BASE_REF")


def _parts(uses: str) -> tuple[str, str, str, str]:
    whole, _, ref = uses.rpartition("@")
    owner, name, path = whole.split("/", 2)
    return owner, name, path, ref


def _list(given: object) -> list[Json]:
    return [step for step in given if isinstance(step, dict)] if isinstance(given, list) else []
