"""`destroy_project`: from a living project to an archived repository, and nothing else.

Durable parts: `plan` ends when people are asked; their Yes starts what removes the bundles'
deployments (`provisioning.undeploying`), and then `apply`; `discard_plan` follows a No. Every step
may run twice: it looks what exists before it acts.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from provisioning.engine import Steps
from provisioning.errors import PermanentError, RunEnded
from provisioning.losses import client_ids
from provisioning.operation import DESTROY, Operation
from provisioning.ports import Finding, Repositories
from provisioning.removal_ports import Dismantling, Holdings
from provisioning.run_steps import RunSteps
from provisioning.terraform_parts import TerraformParts

MOST_NAMED = 5
"""So many things that remain are named one by one."""


@dataclass(frozen=True)
class DestroyProject:
    """The workflow's parts, as the engine runs them."""

    run_steps: RunSteps
    terraform: TerraformParts
    repositories: Repositories
    dismantling: Dismantling
    holdings: Holdings
    close_drift: Callable[[str], None]

    def parts(self) -> dict[str, Callable[[Steps, str], None]]:
        """Return the parts by the names they are registered under."""
        return {
            f"{DESTROY}.plan": self.plan,
            f"{DESTROY}.apply": self.apply,
            f"{DESTROY}.discard_plan": self.discard_plan,
        }

    def plan(self, steps: Steps, run: str) -> None:
        """Plan the destruction, then ask whoever has to confirm it."""
        self.terraform.plan_and_ask(steps, run, self._prepare)

    def apply(self, steps: Steps, run: str) -> None:
        """Destroy what the confirmed plan names, ask the vendors what is left, close the record."""
        with suppress(RunEnded):
            with self.run_steps.truthful(run, "Destroying"):
                self.terraform.begin(steps, run)
                self.terraform.removal.let_go(steps, run)
                self.terraform.finish(steps, run)
                steps.do("note the end", self.run_steps.finish, run, "applying")
            with self.run_steps.truthful(run, "Verifying that nothing is left"):
                steps.do("verify", self._verify, run)
                steps.do("close the record", self._close, run)

    def discard_plan(self, steps: Steps, run: str) -> None:
        """Delete the plan of a run that ended before its apply, and say what there is."""
        steps.do("discard plan", self.terraform.discard, run)

    # ------------------------------------------------------------------ steps

    def _prepare(self, run: str) -> None:
        self.run_steps.enter(run, ["queued"], "planning")

    def _verify(self, run: str) -> None:
        operation = self.run_steps.enter(run, ["applying"], "verifying")
        findings = (
            self._repository(operation),
            self._environments(operation),
            self._databricks(operation),
        )
        self.run_steps.remember(run, findings=[one.model_dump(mode="json") for one in findings])
        failed = [one for one in findings if not one.passed]
        if failed:
            told = " ".join(f"{one.check}: {one.detail} {one.remedy}" for one in failed)
            raise PermanentError(f"Something is left. {told}")
        self.run_steps.finish(run, "verifying")

    def _repository(self, operation: Operation) -> Finding:
        found = self.repositories.find(operation.project)
        return Finding(
            check="Repository",
            passed=found is None or found.archived,
            detail=f"{operation.project} is not archived.",
            remedy="Press Retry, which archives it.",
        )

    def _environments(self, operation: Operation) -> Finding:
        """Tell whether environments are left, and with them secrets and variables."""
        left = self.dismantling.environments(operation.project)
        return Finding(
            check="Environments at GitHub",
            passed=not left,
            detail=f"{named(left)} and their secrets are left.",
            remedy=(
                "Delete them in the repository's settings (unarchive it for that, and archive it "
                "again), then press Retry."
            ),
        )

    def _databricks(self, operation: Operation) -> Finding:
        marked = self.terraform.workspaces.leftovers(operation.spec, operation.marker)
        project = self.run_steps.store.projects.get(operation.project)
        outputs = project.outputs if project else {}
        held = self.holdings.held(operation.spec, client_ids(outputs))
        left = (*sorted(marked), *(f"{h.kind} {h.name} ({h.environment})" for h in held))
        return Finding(
            check="Databricks",
            passed=not left,
            detail=f"{named(left)} {'is' if len(left) == 1 else 'are'} left.",
            remedy="Press Retry; what is still there then has to be deleted by hand.",
        )

    def _close(self, run: str) -> None:
        """Forget the project; only now its record says that it is gone."""
        operation, store = self.run_steps.load(run), self.run_steps.store
        self.run_steps.terraform.forget(operation.project)
        for key in store.memos.keys(f"secret:{operation.project}:"):
            store.memos.drop(key)
        self.close_drift(operation.project)
        store.projects.become(operation.project, "gone")
        store.operations.end(run, "done")
        self.run_steps.desk.show(run)


def named(things: tuple[str, ...]) -> str:
    """List things by name; of many, say how many more there are."""
    more = len(things) - MOST_NAMED
    shown = ", ".join(things[:MOST_NAMED])
    return f"{shown} and {more} more" if more > 0 else shown
