"""Drift: what somebody has changed outside Terraform, looked for from time to time and on demand.

A look is a plan that is never applied. It shares the project's place in the queue with its
operations, so that no two Terraforms work on one root; while a run is under way its plan tells.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from provisioning.clock import Clock
from provisioning.drift_message import answer, drift_notice, gone_notice, trouble_notice
from provisioning.engine import Engine, Steps, Workflow
from provisioning.errors import PermanentError, SciclopsError, UserError
from provisioning.interruptions import KILLED, MOST_INTERRUPTIONS
from provisioning.living import ready
from provisioning.operation import CREATE, OPEN, operation_id
from provisioning.policy import Policy, may_stop
from provisioning.ports import People, Redactor, Terraform
from provisioning.project import ProjectSpec
from provisioning.runs import Outcome, Progress
from provisioning.store import Message, Store
from provisioning.tables import DriftRow, ProjectRow
from provisioning.text import Notice, say
from provisioning.verdicts import Refused

log = logging.getLogger(__name__)

SWEEP_PERIOD = timedelta(minutes=5)
MEMO = "drift:"
"""How the keys begin of what is to be known of looks that were begun."""
MOST_AT_ONCE = 3
"""So many looks begin in one sweep: 36 an hour ask GitHub about 2,500 times, half of what an
installation may."""
UNDER_WAY = "{project} has a run under way: its own plan shows what differs. Look again at its end."

RootFiles = Callable[[ProjectSpec, str, Mapping[str, str], bool], dict[str, str]]


class Nobody:
    """Follows a plan that nobody watches."""

    def progress(self, progress: Progress) -> None:
        """Hear where it stands."""

    def cancelled(self) -> bool:
        """Let it run to its end."""
        return False


@dataclass(frozen=True)
class Drift:
    """Looks at one project at a time, and keeps one message for each episode."""

    store: Store
    engine: Engine
    terraform: Terraform
    root_files: RootFiles
    people: People
    policy: Policy
    clock: Clock
    redact: Redactor

    def workflows(self) -> dict[str, Workflow]:
        """Return the durable part by the name it is registered under."""
        return {"drift.look": self._look}

    def sweep(self) -> None:
        """Begin to look at the projects whose turn it is."""
        now = self.clock.now()
        slot = int(now.timestamp() // SWEEP_PERIOD.total_seconds())
        for project in self.store.drifts.due(now - self.policy.drift_every, MOST_AT_ONCE):
            self._begin(f"look-{operation_id(f'{project}:{slot}')}", project, in_turn=True)

    def ask(self, project: str, *, by: str, key: str) -> None:
        """Begin to look at a project for somebody, who is answered directly; again is harmless.

        One look at a time for each person: they queue with the project's runs.
        """
        ready(self.store, project)
        look = f"look-{operation_id(key)}"
        if self._looks_for(by, project) - {look}:
            raise UserError(f"Terraform looks at {project} for you already; the result comes soon.")
        self._begin(look, project, by)

    def _looks_for(self, by: str, project: str) -> set[str]:
        """Return the looks that somebody has asked for and that have no answer yet."""
        looks = (key.removeprefix(MEMO) for key in self.store.memos.keys(f"{MEMO}look-"))
        mine = (look for look in looks if self._is_of(look, by, project))
        return {look for look in mine if self.engine.state(look, "look") in ("queued", "running")}

    def _is_of(self, look: str, by: str, project: str) -> bool:
        asked = self.store.memos.get(f"{MEMO}{look}") or {}
        return (asked.get("by"), asked.get("project")) == (by, project)

    def look_again(self, project: str, after: str) -> None:
        """Look at a project after one of its operations has ended."""
        self._begin(f"look-{after}", project)

    def may_reconcile(self, project: str, by: str) -> ProjectSpec:
        """Return what was asked for, to be planned again; raises `UserError` for who may not."""
        row = ready(self.store, project)
        spec = ProjectSpec.model_validate(row.spec)
        verdict = may_stop(
            who=by,
            requested_by=row.requested_by,
            owners=spec.owners,
            platform=self.people.is_among(by, (self.policy.platform_group,)),
        )
        if isinstance(verdict, Refused):
            self.store.refused(project, by, "reconcile", verdict.why)
            raise UserError(f"Not done: {verdict.why}.")
        return spec

    def _begin(self, look: str, project: str, by: str = "", *, in_turn: bool = False) -> None:
        asked = {"project": project, "by": by, "in_turn": in_turn}
        self.store.memos.set(f"{MEMO}{look}", asked)
        self.engine.start("drift.look", look, project=project, part="look")

    # ------------------------------------------------------------------ looking

    def _look(self, steps: Steps, look: str) -> None:
        steps.do("look", self._look_once, look)
        steps.do("forget", self._forget, look)

    def _look_once(self, look: str) -> None:
        """Plan, note what has drifted, and show it."""
        asked = self.store.memos.get(f"{MEMO}{look}")
        if asked is None:
            return  # it was done before
        project, by = asked["project"], asked["by"]
        if asked["in_turn"] and not self._is_due(project):
            return  # somebody else's look was faster
        try:
            row = ready(self.store, project)
        except UserError as error:
            self._answer(look, by, Notice(summary=str(error), body=(error.said,)))
            return
        active = self.store.operations.of_project(project, active=True)
        if any(one.phase not in OPEN for one in active):
            busy = UNDER_WAY.format(project=project)
            self._answer(look, by, Notice(summary=busy, body=(say(busy),)))
            return
        found = self._found(row, look)
        self._show(found, ProjectSpec.model_validate(row.spec).owners)
        self._answer(look, by, answer(found))

    def _is_due(self, project: str) -> bool:
        known = self.store.drifts.get(project)
        return known is None or known.looked_at <= self.clock.now() - self.policy.drift_every

    def _found(self, row: ProjectRow, look: str) -> DriftRow:
        """Return what is known of the drift once Terraform has looked, or has failed to."""
        try:
            return self.store.drifts.looked(row.name, self._drifted(row, look))
        except SciclopsError as error:
            why = self.redact(str(error))
        except Exception:
            reference = uuid4().hex[:8]
            log.exception("a look for drift broke off, reference %s", reference)
            why = f"Something unexpected happened, reference {reference}."
        return self.store.drifts.troubled(row.name, why)

    def _drifted(self, row: ProjectRow, look: str) -> tuple[str, ...]:
        spec = ProjectSpec.model_validate(row.spec)
        made = self.store.operations.of_project(row.name)
        origin = next((one.id for one in made if one.kind == CREATE), "")
        files = self.root_files(spec, f"sciclops:{origin}", {}, False)
        self.terraform.prepare(row.name, files)
        for _ in range(MOST_INTERRUPTIONS):
            outcome, plan = self.terraform.plan(row.name, look, Nobody())
            if plan is not None:
                return plan.drifted
            if outcome.ending != KILLED:
                break
            self.terraform.forget_run(row.name, look)  # whoever was killed says nothing of drift
        raise PermanentError(_why(outcome))

    def _forget(self, look: str) -> None:
        """Drop the plan, which holds values, and everything else of a look."""
        asked = self.store.memos.get(f"{MEMO}{look}")
        if asked is not None:
            self.terraform.forget_run(asked["project"], look)
            self.store.memos.drop(f"{MEMO}{look}")

    # ------------------------------------------------------------------ telling

    def close(self, project: str) -> None:
        """Close the messages that still ask for something, once their project is gone."""
        known = self.store.drifts.get(project)
        if known is None:
            return
        for is_open, key in (
            (bool(known.resources), str(known.episode)),
            (bool(known.trouble), f"trouble:{known.troubles}"),
        ):
            if is_open:
                content, channel = gone_notice(project), self.policy.channel
                self.store.messages.show(
                    Message(key=f"drift:{project}:{key}", channel=channel, content=content)
                )
        self.store.drifts.looked(project, ())

    def _show(self, row: DriftRow, owners: tuple[str, ...]) -> None:
        """Want each episode's message to show how it stands; showing again changes nothing."""
        key, channel = f"drift:{row.project}", self.policy.channel
        if row.episode and not row.trouble:
            content = drift_notice(row, owners)
            self.store.messages.show(
                Message(key=f"{key}:{row.episode}", channel=channel, content=content)
            )
        if row.troubles:
            content = trouble_notice(row)
            self.store.messages.show(
                Message(key=f"{key}:trouble:{row.troubles}", channel=channel, content=content)
            )

    def _answer(self, look: str, by: str, content: Notice) -> None:
        if by:
            self.store.messages.show(
                Message(key=f"drift:{look}:answer", recipient=by, content=content, urgent=True)
            )


def _why(outcome: Outcome) -> str:
    errors = [each for each in outcome.diagnostics if each.severity == "error"]
    if not errors:
        return f"Terraform ended as {outcome.ending} while planning."
    where = f" ({errors[-1].address})" if errors[-1].address else ""
    return f"{errors[-1].summary}{where}. {errors[-1].detail[:300]}".strip()
