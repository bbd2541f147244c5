"""`upgrade_template` and `upgrade_project`: what is new reaches a project that exists.

The first offers a new version of the template by pull request. The second is for projects whose
infrastructure was made from other Terraform modules: these are planned, shown and confirmed before.
Durable parts: `plan` ends when people are asked, or when it waits for GitHub's budget; `apply`
applies and offers. A version is the project's own once people have merged it, not before.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from provisioning.engine import Steps
from provisioning.errors import RunEnded
from provisioning.offering_parts import OfferingParts
from provisioning.operation import Operation
from provisioning.rule_parts import RuleParts
from provisioning.run_steps import RunSteps
from provisioning.secret_parts import SecretParts
from provisioning.terraform_parts import TerraformParts

OFFERING = "Offering the new version"


@dataclass(frozen=True)
class UpgradeProject:
    """The workflow's parts, as the engine runs them."""

    run_steps: RunSteps
    terraform: TerraformParts
    secrets: SecretParts
    rules: RuleParts
    offering: OfferingParts
    on_end: Callable[[str], None]
    """Hears which upgrade of all projects one has ended of."""

    def parts(self) -> dict[str, Callable[[Steps, str], None]]:
        """Return the parts by the names they are registered under."""
        return {
            "upgrade_template.plan": self.queue,
            "upgrade_template.apply": self.offer,
            "upgrade_project.plan": self.plan,
            "upgrade_project.apply": self.apply,
            "upgrade_project.discard_plan": self.discard_plan,
        }

    # ------------------------------------------------------------------ the template alone

    def queue(self, steps: Steps, run: str) -> None:
        """Wait for a turn to write to GitHub: people decide when they merge."""
        with suppress(RunEnded), self._truthful(run, OFFERING):
            steps.do("queue", self._queue, run)

    def offer(self, steps: Steps, run: str) -> None:
        """Offer the version, in this run's turn."""
        with suppress(RunEnded), self._truthful(run, OFFERING):
            self.offering.offer(steps, run)
            steps.do("end", self._end, run)

    def _queue(self, run: str) -> None:
        self.offering.check(self.run_steps.load(run))
        self.run_steps.enter(run, ["queued"], "confirmed")

    # ------------------------------------------------------------------ infrastructure, too

    def plan(self, steps: Steps, run: str) -> None:
        """Plan with the present modules; ask, unless these change nothing."""
        with suppress(RunEnded), self._truthful(run, "Planning"):
            steps.do("prepare", self._prepare, run)
            attempt = self.run_steps.load(run).attempt
            self.terraform.plan(steps, run, "plan", f"{run}-{attempt}")
            steps.do("show plan", self.terraform.show_plan, run)
            steps.do("go on if nothing changes", self._go_on_unchanged, run)
            steps.do("ask", self.terraform.ask, run)

    def apply(self, steps: Steps, run: str) -> None:
        """Apply the confirmed plan, equip what was made anew, then offer the template's version."""
        with suppress(RunEnded):
            if steps.do("find whether anything changes", self._changes, run):
                with self._truthful(run, "Applying"):
                    self.terraform.apply(steps, run)
                with self._truthful(run, "Writing the secrets"):
                    self.secrets.write(steps, run)
                with self._truthful(run, "Enabling the release rule"):
                    self.rules.enable(steps, run)
            with self._truthful(run, OFFERING):
                steps.do("note the modules", self._note_modules, run)
                self.offering.offer(steps, run)
                steps.do("end", self._end, run)

    def discard_plan(self, steps: Steps, run: str) -> None:
        """Delete the plan of a run that ended before its apply."""
        steps.do("discard plan", self._discard_plan, run)

    def _prepare(self, run: str) -> None:
        self.offering.check(self.run_steps.enter(run, ["queued"], "planning"))
        self.terraform.write_root(run)

    def _go_on_unchanged(self, run: str) -> None:
        """Wait for a turn where there is nothing to confirm; a repeated call ends here, too."""
        operation = self.run_steps.load(run)
        if operation.phase == "planning":
            if _changes_something(operation):
                return
            self._discard_plan(run)
            self.run_steps.finish(run, "waiting")
            self.run_steps.enter(run, ["planning"], "confirmed")
        raise RunEnded

    def _changes(self, run: str) -> bool:
        operation = self.run_steps.enter(run, ["confirmed"], "applying")
        return _changes_something(operation)

    def _note_modules(self, run: str) -> None:
        operation = self.run_steps.load(run)
        self.run_steps.store.versions.applied(operation.project, self.terraform.modules)
        self.run_steps.finish(run, "applying")

    def _discard_plan(self, run: str) -> None:
        operation = self.run_steps.load(run)
        self.run_steps.terraform.discard(operation.project, operation.facts.terraform_run)

    # ------------------------------------------------------------------ the end

    def _end(self, run: str) -> None:
        self.run_steps.finish(run, "starter")
        self.run_steps.store.operations.end(run, "done")
        self.run_steps.desk.show(run)
        self.run_steps.desk.admit()
        self._tell_end(run)

    def _tell_end(self, run: str) -> None:
        upgrade = self.run_steps.load(run).facts.upgrade
        if upgrade is not None:
            self.on_end(upgrade.fleet)

    @contextmanager
    def _truthful(self, run: str, step: str) -> Iterator[None]:
        """End the run as failed when a step raises, and let the overview of upgrades know why."""
        try:
            with self.run_steps.truthful(run, step):
                yield
        except RunEnded:
            operation = self.run_steps.load(run)
            if operation.phase == "failed" and operation.facts.trouble:
                why = operation.facts.trouble.what
                self.run_steps.store.versions.failed(operation.project, why)
                self._tell_end(run)
            raise


def _changes_something(operation: Operation) -> bool:
    plan = operation.facts.plan
    return plan is not None and any(one.action not in ("no-op", "read") for one in plan.changes)
