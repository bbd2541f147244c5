"""`add_secret`, `set_secret`, `remove_secret`: the places of projects' secrets, never the values.

Terraform plans and makes places, and people confirm that. Then the run waits, without a workflow,
until somebody enters the value (`provisioning.secret_values`). Removing deletes values first, then
their places. Every step may run twice.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from provisioning.engine import Steps
from provisioning.errors import PermanentError, RunEnded
from provisioning.operation import Operation
from provisioning.operation_kinds import ADD_SECRET, REMOVE_SECRET, SET_SECRET
from provisioning.project import ProjectSpec
from provisioning.project_secrets import SecretWork, is_planned_from
from provisioning.run_steps import RunSteps
from provisioning.secret_ports import SecretPlace
from provisioning.terraform_parts import TerraformParts


@dataclass(frozen=True)
class ChangeSecrets:
    """The workflows' parts, as the engine runs them."""

    run_steps: RunSteps
    terraform: TerraformParts
    places: Sequence[SecretPlace]

    def parts(self) -> dict[str, Callable[[Steps, str], None]]:
        """Return the parts by the names they are registered under."""
        return {
            f"{ADD_SECRET.name}.plan": self.plan,
            f"{ADD_SECRET.name}.apply": self.make,
            f"{ADD_SECRET.name}.discard_plan": self.discard_plan,
            f"{SET_SECRET.name}.plan": self.offer,
            f"{REMOVE_SECRET.name}.plan": self.plan,
            f"{REMOVE_SECRET.name}.apply": self.remove,
            f"{REMOVE_SECRET.name}.discard_plan": self.discard_plan,
        }

    def plan(self, steps: Steps, run: str) -> None:
        """Plan the secret's places, or their removal, then ask those who have to agree."""
        self.terraform.plan_and_ask(steps, run, self._prepare)

    def make(self, steps: Steps, run: str) -> None:
        """Make the places, note that the project has the secret, and ask for its value."""
        with suppress(RunEnded), self.run_steps.truthful(run, "Making the secret's place"):
            self.terraform.apply(steps, run)
            steps.do("keep the secret", self._keep, run)
            steps.do("ask for the value", self._ask, run)

    def offer(self, steps: Steps, run: str) -> None:
        """Ask for a value whose writer a crash has stopped before it began; else do nothing."""
        with suppress(RunEnded), self.run_steps.truthful(run, "Asking for the value"):
            steps.do("offer to enter the value", self._offer, run)

    def remove(self, steps: Steps, run: str) -> None:
        """Delete the values, then the places, and note that the project has it no more."""
        with suppress(RunEnded), self.run_steps.truthful(run, "Removing the secret"):
            self.terraform.begin(steps, run)
            for name in steps.do("find where the secret is", self._where, run):
                steps.do(f"delete the value in {name}", self._delete, run, name)
            self.terraform.finish(steps, run)
            steps.do("keep the others", self._keep, run)
            steps.do("end", self._end, run)

    def discard_plan(self, steps: Steps, run: str) -> None:
        """Delete the plan of a run that ended before its apply."""
        steps.do("discard plan", self.terraform.discard, run)

    # ------------------------------------------------------------------ steps

    def _prepare(self, run: str) -> None:
        operation = self.run_steps.enter(run, ["queued"], "planning")
        project = self.run_steps.store.projects.get(operation.project)
        present = ProjectSpec.model_validate(project.spec) if project else None
        name = work_of(operation).name
        is_done = present == operation.spec
        if present is None or not (is_done or is_planned_from(present, operation.spec, name)):
            raise PermanentError(
                f"{operation.project} has changed since this was asked for. Nothing was changed "
                "now; ask for it again."
            )

    def _keep(self, run: str) -> None:
        """Let the project have what was asked for, as far as this one secret goes."""
        operation = self.run_steps.load(run)
        found = [each for each in operation.spec.secrets if each.name == work_of(operation).name]
        stages = found[0].stages if found else ()
        self.run_steps.store.secrets.keep(run, work_of(operation).name, stages)
        self.run_steps.finish(run, "applying")

    def _ask(self, run: str) -> None:
        self.run_steps.enter(run, ["applying"], "entering")

    def _offer(self, run: str) -> None:
        self.run_steps.enter(run, ["queued"], "entering")

    def _where(self, run: str) -> tuple[str, ...]:
        return work_of(self.run_steps.load(run)).wanted

    def _delete(self, run: str, name: str) -> None:
        operation = self.run_steps.load(run)
        environments = {each.name: each for each in operation.spec.environments()}
        for place in self.places:
            place.remove(operation.project, environments[name], work_of(operation).name)

    def _end(self, run: str) -> None:
        self.run_steps.store.operations.end(run, "done")
        self.run_steps.desk.show(run)
        self.run_steps.desk.admit()


def work_of(operation: Operation) -> SecretWork:
    """Return what an operation knows of its secret."""
    if operation.facts.secret is None:
        raise PermanentError("This run does not say which secret it is about. Nothing was changed.")
    return operation.facts.secret
