"""`change_project`: from a project's present specification to the one that was asked for.

Durable parts: `plan` ends when people are asked, or at once where nothing is to be changed; their
answer starts `apply`, or `discard_plan`. The project's specification is replaced once all of it is
so at the vendors; until then the one before it is in force, and only its owners decide.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from provisioning.engine import Steps
from provisioning.errors import PermanentError, RunEnded
from provisioning.operation import Operation
from provisioning.project import ProjectSpec
from provisioning.rule_parts import RuleParts
from provisioning.run_steps import RunSteps
from provisioning.secret_parts import SecretParts
from provisioning.spec_change import differences, new_environments
from provisioning.spec_file import FILE
from provisioning.terraform_parts import TerraformParts
from provisioning.verifying_parts import VerifyingParts


@dataclass(frozen=True)
class ChangeProject:
    """The workflow's parts, as the engine runs them."""

    run_steps: RunSteps
    terraform: TerraformParts
    secrets: SecretParts
    rules: RuleParts
    verifying: VerifyingParts

    def parts(self) -> dict[str, Callable[[Steps, str], None]]:
        """Return the parts by the names they are registered under."""
        return {
            "change_project.plan": self.plan,
            "change_project.apply": self.apply,
            "change_project.discard_plan": self.discard_plan,
        }

    def plan(self, steps: Steps, run: str) -> None:
        """Plan, then ask those who have to agree; end where there is nothing to agree to."""
        self.terraform.plan_and_ask(steps, run, self._prepare, self._end_unchanged)

    def apply(self, steps: Steps, run: str) -> None:
        """Apply the confirmed plan, equip what is new, take the specification, verify."""
        with suppress(RunEnded):
            with self.run_steps.truthful(run, "Applying"):
                self.terraform.apply(steps, run)
            with self.run_steps.truthful(run, "Writing the secrets"):
                for name in steps.do("find who needs a secret", self._needing, run):
                    steps.do(f"write secrets of {name}", self.secrets.provide, run, name)
            with self.run_steps.truthful(run, "Enabling the release rule"):
                for name in steps.do("find what the rule holds", self._to_rule, run):
                    steps.do(f"enable the rule of {name}", self.rules.hold, run, name)
            with self.run_steps.truthful(run, "Changing the template's branch"):
                steps.do("change the template's branch", self._change_files, run)
            with self.run_steps.truthful(run, "Verifying"):
                steps.do("take the specification", self._take_specification, run)
                steps.do("verify", self._verify, run)
                steps.do("end", self._end, run)

    def discard_plan(self, steps: Steps, run: str) -> None:
        """Delete the plan of a run that ended before its apply, and say what there is."""
        steps.do("discard plan", self.terraform.discard, run)

    # ------------------------------------------------------------------ planning

    def _prepare(self, run: str) -> None:
        operation = self.run_steps.enter(run, ["queued"], "planning")
        project = self.run_steps.store.projects.get(operation.project)
        if project is None or project.state != "ready":
            raise PermanentError(f"{operation.project} is not ready any more.")
        self.verifying.render(operation.spec)  # fails now if it cannot be rendered
        before = _before(operation)
        if operation.facts.touched or not self._new(operation):
            return
        workspaces = self.terraform.workspaces
        known = workspaces.taken(before)
        if taken := [name for name in workspaces.taken(operation.spec) if name not in known]:
            raise PermanentError(
                f"These exist already and are not ours to change: {', '.join(taken)}. "
                "Remove or rename them, then retry; or ask for the change without that group."
            )

    def _end_unchanged(self, run: str) -> None:
        """End a run that wants nothing and has nothing to repair; a repeated call ends it, too."""
        operation = self.run_steps.load(run)
        if operation.phase == "planning":
            if _changes_something(operation):
                return
            self.run_steps.terraform.discard(operation.project, operation.facts.terraform_run)
            self.run_steps.finish(run, "planning")
            operations = self.run_steps.store.operations
            operations.move(run, ["planning"], "unchanged", by="bot")
        self.run_steps.desk.tidy(run)
        raise RunEnded

    # ------------------------------------------------------------------ what is new

    def _new(self, operation: Operation) -> tuple[str, ...]:
        """Return the names of the environments that the change adds."""
        policy = self.run_steps.policy
        found = new_environments(_before(operation), operation.spec, policy)
        return tuple(each.name for each in found)

    def _needing(self, run: str) -> tuple[str, ...]:
        """Return who needs secrets: those of the others are not touched, some may be rotating."""
        new = self._new(self.run_steps.load(run))
        return tuple(name for name in self.secrets.needing(run) if name in new)

    def _to_rule(self, run: str) -> tuple[str, ...]:
        new = self._new(self.run_steps.load(run))
        return tuple(name for name in self.rules.ruled(run) if name in new)

    def _change_files(self, run: str) -> None:
        """Let the template's branch follow, which people merge: `main` is theirs."""
        operation = self.run_steps.load(run)
        before, after = map(self.verifying.render, (_before(operation), operation.spec))
        message = f"Follow the changed specification\n\nsciclops:{run}"
        follow = self.terraform.repositories.follow
        commit = follow(operation.project, before, after, message)
        if not commit:  # projects that are older than the specification's file don't have it
            older = {path: content for path, content in before.items() if path != FILE}
            commit = follow(operation.project, older, after, message)
        if operation.facts.from_github:
            before = {**before, FILE: after[FILE]}  # that was merged: `main` has it
        same = before == after
        files = ("same" if same else "moved") if commit else ("other" if same else "left")
        self.run_steps.remember(run, files=files, commit=commit)

    # ------------------------------------------------------------------ the end

    def _take_specification(self, run: str) -> None:
        operation = self.run_steps.load(run)
        outputs = self.run_steps.terraform.outputs(operation.project)
        self.run_steps.store.projects.take_specification(run, outputs)
        self.run_steps.finish(run, "applying")

    def _verify(self, run: str) -> None:
        operation = self.run_steps.enter(run, ["applying"], "verifying")
        project = self.run_steps.store.projects.get(operation.project)
        pushed = project.commit if project else ""
        self.verifying.verify(operation, {}, pushed, otherwise="The change is made and in force")

    def _end(self, run: str) -> None:
        """End; releases that wait are looked at again, since others may review them now."""
        store = self.run_steps.store
        store.operations.end(run, "done")
        store.workflow_runs.wake_project(self.run_steps.load(run).project)
        self.run_steps.desk.show(run)
        self.run_steps.desk.admit()


def _before(operation: Operation) -> ProjectSpec:
    if operation.facts.before is None:
        raise PermanentError(f"Run {operation.id} does not know what it changes.")
    return operation.facts.before


def _changes_something(operation: Operation) -> bool:
    """Tell whether there is something to do, or something was begun."""
    plan = operation.facts.plan
    planned = plan is not None and any(one.action not in ("no-op", "read") for one in plan.changes)
    is_asked = bool(differences(_before(operation), operation.spec))
    return planned or is_asked or operation.facts.touched
