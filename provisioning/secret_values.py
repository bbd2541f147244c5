"""Where values of projects' secrets pass through: from a dialog to the vendors, and nowhere else.

No workflow carries a value, since what a workflow knows is stored. Whoever submits the dialog
writes it, with a row that says so: a kill leaves a run that a sweep finds, and the value is asked
for again.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from pydantic import SecretStr

from provisioning.board import read_operation
from provisioning.clock import Clock
from provisioning.desk import Desk
from provisioning.errors import PermanentError, SciclopsError, TemporaryError, UserError
from provisioning.living import ready
from provisioning.operation import Operation
from provisioning.operation_kinds import SET_SECRET
from provisioning.owners import Owners
from provisioning.policy import Policy
from provisioning.ports import People, Redactor
from provisioning.project import Environment, ProjectSecret, ProjectSpec
from provisioning.project_secrets import (
    SecretWork,
    begun,
    environments_of,
    secret_of,
    written_at,
)
from provisioning.redaction import SecretRedactor
from provisioning.requesting import Requesting
from provisioning.secret_message import listed
from provisioning.secret_ports import SecretPlace
from provisioning.store import Store
from provisioning.text import code, say

log = logging.getLogger(__name__)

LONGEST_STORING = timedelta(minutes=3)
"""So long writing one value may take; afterwards whoever wrote it is taken for dead."""
AGAIN = "Enter the value again, which writes it everywhere."
TOO_SLOW = "Writing took too long and was given up"


@dataclass(frozen=True)
class SecretValues:
    """Writes values and says when they were written; `places` are where each of them goes."""

    store: Store
    desk: Desk
    requesting: Requesting
    people: People
    places: Sequence[SecretPlace]
    policy: Policy
    clock: Clock
    redact: Redactor

    # ------------------------------------------------------------------ finding

    def spec(self, project: str) -> ProjectSpec:
        """Return what a project that is ready is like; raises `UserError` for others."""
        return ProjectSpec.model_validate(ready(self.store, project).spec)

    def changeable(self, project: str, by: str) -> ProjectSpec:
        """Return a project whose secrets somebody may change, as they are now; or refuse, noted."""
        spec = self.spec(project)
        owners = Owners(self.store, self.people, self.policy)
        owners.require(spec, by, "secret", "changes its secrets")
        return spec

    def find(self, spec: ProjectSpec, name: str) -> ProjectSecret:
        """Return a project's secret; raises `UserError` if there is none of this name."""
        secret = secret_of(spec, name)
        if secret is None:
            known = ", ".join(each.name for each in spec.secrets)
            has = f"Its secrets are {known}." if known else "It has none yet."
            add = code(f"/sciclops secret add {spec.name}")
            raise UserError(
                say(f"{spec.name} has no such secret. {has} ", add, " and a name adds one.")
            )
        return secret

    def waiting(self, project: str, name: str) -> Operation | None:
        """Return the run that waits for this secret's value, or None."""
        for row in self.store.operations.unended("entering"):
            work = read_operation(row).facts.secret
            if row.project == project and work is not None and work.name == name:
                return read_operation(row)
        return None

    def dates(self, spec: ProjectSpec, environment: Environment) -> Mapping[str, Mapping[str, Any]]:
        """Return when each secret of an environment was written, by name and vendor; live."""
        names = [each.name for each in spec.secrets if environment.stage in each.stages]
        asked = {p.title: p.written(spec.name, environment, names) for p in self.places}
        return {name: {title: asked[title].get(name) for title in asked} for name in names}

    # ------------------------------------------------------------------ storing

    def put(
        self,
        spec: ProjectSpec,
        name: str,
        stages: Sequence[str],
        value: SecretStr,
        *,
        by: str,
        key: str,
    ) -> Operation:
        """Write a value to the environments of some stages, and return the run as it ended.

        What fails is said there; only what keeps it from beginning is raised, as `UserError`.
        """
        self.store.locks.require_open(spec.name, by, "secret")
        environments = environments_of(spec, stages)
        run = self.waiting(spec.name, name) or self._begin(spec, name, stages, by, key)
        work = self._take(run, environments, by)
        self._write(run, work, environments, value)
        return self.desk.find(run.id)

    def _begin(
        self, spec: ProjectSpec, name: str, stages: Sequence[str], by: str, key: str
    ) -> Operation:
        facts = begun(name, stages, environments_of(spec, stages))
        return self.requesting.begin(
            SET_SECRET.name, spec, by=by, key=key, facts=facts, unchanged=True
        )

    def _take(self, run: Operation, environments: Sequence[Environment], by: str) -> SecretWork:
        """Be the one who writes: of several at once exactly one is."""
        if others := self.store.operations.of_project(run.project, active=True):
            busy = [each for each in others if each.id != run.id]
            if busy:
                raise UserError(
                    f"{run.project} has a run under way. Enter the value again at its end."
                )
        now = self.clock.now()
        storing = tuple(each.name for each in environments)

        def take(facts: dict[str, Any]) -> dict[str, Any]:
            known = SecretWork.model_validate(facts["secret"])
            written = {each: at for each, at in known.written.items() if each not in storing}
            wanted = tuple(dict.fromkeys((*known.wanted, *storing)))
            begun_now = {"storing": storing, "by": by, "since": now, "trouble": ""}
            taken = known.model_copy(update={**begun_now, "written": written, "wanted": wanted})
            return {"secret": taken.model_dump(mode="json"), "touched": True}

        row = self.store.operations.move(
            run.id, ["queued", "entering"], "storing", by=by, facts=take
        )
        work = read_operation(row).facts.secret if row else None
        if work is None:
            raise UserError("Somebody else is entering this value just now. Nothing was written.")
        self.desk.show(run.id)
        return work

    def _write(
        self,
        run: Operation,
        work: SecretWork,
        environments: Sequence[Environment],
        value: SecretStr,
    ) -> None:
        for number, environment in enumerate(environments):
            rest = [each.name for each in environments[number + 1 :]]
            trouble = self._write_one(run, work, environment, value)
            if trouble:
                self.give_back(run.id, work, _told(trouble, environment.name, rest))
                return
        self._settle(run.id, work)

    def _write_one(
        self, run: Operation, work: SecretWork, environment: Environment, value: SecretStr
    ) -> str:
        """Write to one environment and note it; return what went wrong, or an empty string."""
        if self.clock.now() - (work.since or self.clock.now()) >= LONGEST_STORING:
            return TOO_SLOW
        try:
            with unspoken():
                for place in self.places:
                    place.put(run.project, environment, work.name, value)
                at = self._read_back(run.project, environment, work.name)
        except SciclopsError as error:
            hide = SecretRedactor([value.get_secret_value()])
            return self.redact(hide(str(error))).rstrip(".")
        self._note(run, work, environment.name, at)
        return ""

    def _read_back(self, project: str, environment: Environment, name: str) -> datetime:
        """Return when the last of the vendors got the value, by their own clocks."""
        dates = {p.title: p.written(project, environment, [name]).get(name) for p in self.places}
        at = written_at(dates)
        if at is None:
            lacking = listed([title for title in dates if dates[title] is None])
            raise TemporaryError(f"{lacking} does not show the secret of {environment.name} yet")
        return at

    def _note(self, run: Operation, work: SecretWork, environment: str, at: datetime) -> None:
        def add(facts: dict[str, Any]) -> dict[str, Any]:
            known = SecretWork.model_validate(facts["secret"])
            written = {**known.written, environment: at}
            return {"secret": known.model_copy(update={"written": written}).model_dump(mode="json")}

        self.store.operations.revise(run.id, add)
        detail = {"secret": work.name, "environment": environment, "operation": run.id}
        self.store.note(run.project, work.by, "wrote a secret's value", detail)
        self.desk.show(run.id)

    # ------------------------------------------------------------------ endings

    def _settle(self, run: str, work: SecretWork) -> None:
        """End the run once every environment has its value; else go on waiting for the others."""
        operation = self.desk.find(run)
        known = operation.facts.secret
        if known is None or known.since != work.since:
            return
        if known.lacking:
            self.give_back(run, work, "")
            return
        finished = {name: at.isoformat() for name, at in operation.facts.finished.items()}
        finished["storing"] = self.clock.now().isoformat()
        self.store.operations.end(run, "done", {"finished": finished})
        self.desk.show(run)
        self.desk.admit()

    def give_back(self, run: str, work: SecretWork, trouble: str) -> None:
        """Wait for the value again, unless somebody else has taken the run since."""

        def back(facts: dict[str, Any]) -> dict[str, Any]:
            known = SecretWork.model_validate(facts["secret"])
            again = {"storing": (), "since": self.clock.now(), "trouble": trouble}
            kept = known.model_copy(update=again)
            return {"secret": kept.model_dump(mode="json")}

        seen = self.desk.find(run)
        known = seen.facts.secret
        if known is None or known.since != work.since:
            return
        operations = self.store.operations
        operations.move(run, ["storing"], "entering", by="bot", version=seen.version, facts=back)
        self.desk.show(run)

    # ------------------------------------------------------------------ from time to time

    def sweep(self) -> None:
        """Go on where a writer has died, and end what nobody waits for any more."""
        now = self.clock.now()
        for row in self.store.operations.unended("storing"):
            work = read_operation(row).facts.secret
            if work is not None and work.since is not None and now - work.since >= LONGEST_STORING:
                self._take_up(row.id, work)
        for row in self.store.operations.unended("entering"):
            self._end_if_over(read_operation(row))

    def _take_up(self, run: str, work: SecretWork) -> None:
        """Go on for a writer that has died: ask again for what may be missing, or end the run."""
        if unsure := [name for name in work.storing if name not in work.written]:
            what = "SciCLOps was stopped while it wrote"
            self.give_back(run, work, _told(what, listed(unsure), []))
        else:
            self._settle(run, work)

    def _end_if_over(self, run: Operation) -> None:
        """End a run whose secret is gone, or whose value nobody has entered in time."""
        work = run.facts.secret
        if work is None:
            return
        entered = run.facts.started.get("entering", run.created_at)
        late = self.clock.now() - max(work.since or entered, entered)
        if not self._is_there(run.project, work.name):
            self._end(run, "cancelled", "Cancelled, the secret was removed meanwhile")
        elif late >= self.policy.confirmation_expires:
            self._end(run, "expired", "Timed out, nobody entered a value in time")

    def _is_there(self, project: str, name: str) -> bool:
        row = self.store.projects.get(project)
        if row is None or row.state in ("going", "gone"):
            return False
        return secret_of(ProjectSpec.model_validate(row.spec), name) is not None

    def _end(self, run: Operation, to: str, what: str) -> None:
        decided = self.desk.decided(run, "", what)
        if self.store.operations.move(run.id, ["entering"], to, by="bot", facts=decided):
            self.desk.tidy(run.id)


def _told(trouble: str, unsure: str, untouched: Sequence[str]) -> str:
    """Say what was written, what may have been, and what to do."""
    had = "it" if len(untouched) == 1 else "they"
    rest = f" {listed(untouched)} kept what {had} had." if untouched else ""
    return f"{trouble}. {unsure} may have the new value in part.{rest} {AGAIN}"


@contextmanager
def unspoken() -> Iterator[None]:
    """Note where something unexpected happened, but none of its words: they could say the value."""
    try:
        yield
    except SciclopsError:
        raise
    except Exception as error:
        reference = uuid4().hex[:8]
        silent = RuntimeError(type(error).__name__).with_traceback(error.__traceback__)
        log.exception("storing a value broke off, reference %s", reference, exc_info=silent)
        what = "Something unexpected happened; the platform team finds it by the reference"
        raise PermanentError(f"{what} {reference}") from error
