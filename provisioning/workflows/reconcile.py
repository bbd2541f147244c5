"""`reconcile`: what has drifted is planned back, shown, confirmed and applied.

It asks for nothing new: the project's own request is planned once more, against what exists.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from provisioning.engine import Steps
from provisioning.errors import RunEnded
from provisioning.operation import Phase
from provisioning.operation_kinds import RECONCILE
from provisioning.rule_parts import RuleParts
from provisioning.run_steps import RunSteps
from provisioning.secret_parts import SecretParts
from provisioning.terraform_parts import TerraformParts


@dataclass(frozen=True)
class Reconcile:
    """The workflow's parts; `look_again` is told the project and the run at its end."""

    run_steps: RunSteps
    terraform: TerraformParts
    secrets: SecretParts
    rules: RuleParts
    look_again: Callable[[str, str], None]

    def parts(self) -> dict[str, Callable[[Steps, str], None]]:
        """Return the parts by the names they are registered under."""
        return {
            f"{RECONCILE.name}.plan": self.plan,
            f"{RECONCILE.name}.apply": self.apply,
            f"{RECONCILE.name}.discard_plan": self.discard_plan,
        }

    def plan(self, steps: Steps, run: str) -> None:
        """Plan, then ask those who have to agree; where nothing differs, that is all."""
        with suppress(RunEnded):
            with self.run_steps.truthful(run, "Planning"):
                steps.do("prepare", self._prepare, run)
                attempt = self.run_steps.load(run).attempt
                self.terraform.plan(steps, run, "plan", f"{run}-{attempt}")
                steps.do("show plan", self.terraform.show_plan, run)
                steps.do("end if nothing differs", self._end_without_changes, run)
                steps.do("ask", self.terraform.ask, run)
            self.terraform.ask_owners(steps, run)

    def apply(self, steps: Steps, run: str) -> None:
        """Apply the confirmed plan; what was made anew gets its secrets and its rule again."""
        with suppress(RunEnded):
            with self.run_steps.truthful(run, "Applying"):
                self.terraform.apply(steps, run)
            with self.run_steps.truthful(run, "Writing the secrets"):
                self.secrets.write(steps, run)
            with self.run_steps.truthful(run, "Enabling the release rule"):
                self.rules.enable(steps, run)
            with self.run_steps.truthful(run, "Ending"):
                steps.do("end", self._end, run)

    def discard_plan(self, steps: Steps, run: str) -> None:
        """Delete the plan of a run that ended before its apply."""
        steps.do("discard plan", self.terraform.discard, run)

    def _prepare(self, run: str) -> None:
        self.run_steps.enter(run, ["queued"], "planning")
        self.terraform.write_root(run)

    def _end_without_changes(self, run: str) -> None:
        operation = self.run_steps.load(run)
        if (
            operation.phase == "planning"
            and operation.facts.plan
            and not operation.facts.plan.changes
        ):
            self.terraform.discard(run)
            self._end_as(run, "unchanged")
        if self.run_steps.load(run).phase == "unchanged":
            raise RunEnded

    def _end(self, run: str) -> None:
        if self.run_steps.load(run).phase == "applying":
            self.run_steps.finish(run, "applying")
        self._end_as(run, "done")

    def _end_as(self, run: str, phase: Phase) -> None:
        operation = self.run_steps.load(run)
        self.run_steps.store.operations.end(run, phase)
        self.run_steps.desk.show(run)
        self.run_steps.desk.admit()
        self.look_again(operation.project, run)
