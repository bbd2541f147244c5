"""`create_project`: from a reserved name to a living project that the community hears about.

Durable parts: `plan` ends when people are asked; their answer starts `apply`, or `discard_plan`;
`clean_up` removes what a failed run has made. Every step may run twice: it looks what exists
before it acts.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from provisioning.engine import Steps
from provisioning.errors import PermanentError, RunEnded
from provisioning.rule_parts import RuleParts
from provisioning.run_steps import RunSteps
from provisioning.secret_parts import SecretParts
from provisioning.terraform_parts import TerraformParts
from provisioning.verifying_parts import VerifyingParts, side_by_side


@dataclass(frozen=True)
class CreateProject:
    """The workflow's parts, as the engine runs them."""

    run_steps: RunSteps
    terraform: TerraformParts
    secrets: SecretParts
    rules: RuleParts
    verifying: VerifyingParts

    def parts(self) -> dict[str, Callable[[Steps, str], None]]:
        """Return the parts by the names they are registered under."""
        return {
            "create_project.plan": self.plan,
            "create_project.apply": self.apply,
            "create_project.clean_up": self.clean_up,
            "create_project.discard_plan": self.discard_plan,
        }

    def plan(self, steps: Steps, run: str) -> None:
        """Plan, then ask those who have to agree, or go on at once if nobody has to."""
        self.terraform.plan_and_ask(steps, run, self._prepare)

    def apply(self, steps: Steps, run: str) -> None:
        """Apply the confirmed plan, push the starter code, verify; GitHub then deploys it."""
        with suppress(RunEnded):
            with self.run_steps.truthful(run, "Applying"):
                self.terraform.apply(steps, run)
                steps.do("note outputs", self._note_outputs, run)
            if steps.patched("secrets"):
                with self.run_steps.truthful(run, "Writing the secrets"):
                    self.secrets.write(steps, run)
            if steps.patched("rule"):
                with self.run_steps.truthful(run, "Enabling the release rule"):
                    self.rules.enable(steps, run)
            with self.run_steps.truthful(run, "Pushing the starter code"):
                steps.do("push starter code", self._push_starter, run)
            with self.run_steps.truthful(run, "Verifying"):
                steps.do("verify", self._verify, run)
            steps.do("await deployment", self._await_deployment, run)

    def clean_up(self, steps: Steps, run: str) -> None:
        """Remove what a half-made project left at the vendors, and say what could not be."""
        with suppress(RunEnded), self.run_steps.truthful(run, "Cleaning up"):
            self.terraform.destroy(steps, run)
            steps.do("free the name", self._free_the_name, run)

    def discard_plan(self, steps: Steps, run: str) -> None:
        """Delete the plan of a run that ended before its apply, and say what there is."""
        steps.do("discard plan", self.terraform.discard, run)

    # ------------------------------------------------------------------ steps

    def _prepare(self, run: str) -> None:
        operation = self.run_steps.enter(run, ["queued"], "planning")
        self.verifying.render(operation.spec)  # fails now if it cannot be, before anything exists
        if operation.facts.made:
            return
        repository, others = side_by_side(
            lambda: self.terraform.repositories.find(operation.project),
            lambda: self.terraform.workspaces.taken(operation.spec),
        )
        taken = [*others, *([f"repository {operation.project}"] if repository else [])]
        if taken:
            raise PermanentError(
                f"These exist already and are not ours to change: {', '.join(taken)}. "
                "Nothing was made. Clean up to free the name, and choose another one."
            )

    def _note_outputs(self, run: str) -> None:
        operation = self.run_steps.load(run)
        outputs = self.run_steps.terraform.outputs(operation.project)
        repository = outputs.get("repository")
        url = repository.get("url", "") if isinstance(repository, dict) else ""
        changes = {"outputs": outputs, "repository_url": str(url)}
        self.run_steps.store.projects.become(operation.project, "reserved", changes)
        self.run_steps.finish(run, "applying")

    def _push_starter(self, run: str) -> None:
        operation = self.run_steps.enter(run, ["applying"], "starter")
        files = self.verifying.render(operation.spec)
        commit = self.terraform.repositories.push_starter(
            operation.project, files, operation.marker
        )
        store, template = self.run_steps.store, operation.spec.template
        store.projects.become(operation.project, "reserved", {"commit": commit})
        version = self.verifying.templates.version(template)
        store.versions.made(operation.project, template, version, commit)
        self.run_steps.finish(run, "starter")

    def _verify(self, run: str) -> None:
        operation = self.run_steps.enter(run, ["starter"], "verifying")
        files = self.verifying.render(operation.spec)
        self.verifying.verify(operation, files, otherwise="The project exists")

    def _await_deployment(self, run: str) -> None:
        """Leave it to GitHub: whoever follows the first workflow run ends ours.

        That run may have got far by now, so it is looked at again.
        """
        operation = self.run_steps.enter(run, ["verifying"], "deploying")
        self.run_steps.store.workflow_runs.wake_project(operation.project)

    def _free_the_name(self, run: str) -> None:
        operation = self.run_steps.enter(run, ["cleaning"], "freeing")
        gone = self.terraform.repositories.delete(operation.project, operation.marker)
        begun = self.run_steps.terraform.started(operation.project)
        remaining = sorted(self.terraform.leftovers(operation).keys() & begun)
        if remaining or not gone:
            left = ", ".join(remaining) or f"repository {operation.project}"
            raise PermanentError(
                f"These could not be removed: {left}. Remove them by hand or press Clean Up again."
            )
        if operation.facts.made or not self.run_steps.terraform.addresses(operation.project):
            self.run_steps.terraform.forget(operation.project)
        self.run_steps.store.projects.become(operation.project, "gone")
        self.run_steps.store.operations.end(run, "cleaned")
        self.run_steps.desk.show(run)
