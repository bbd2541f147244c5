"""What has to be so before Terraform destroys a project, or what is left of one.

A destroy reads from the state, not from the root, what it is to do and in which order. After an
import the state does not say that; and GitHub lets nobody change an archived repository.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from provisioning.engine import Steps
from provisioning.interruptions import KILLED, until_not_killed
from provisioning.operation import Operation
from provisioning.operation_kinds import kind_of
from provisioning.ports import Repositories
from provisioning.run_steps import RunSteps
from provisioning.runs import Outcome

SCHEMA = ".databricks_schema.this"
REPOSITORY = ".github_repository.this"
DESTROYED_AS_STATED = (SCHEMA, ".databricks_service_principal.this", REPOSITORY)
"""What a destroy does with these it reads from the state: whether tables may go with a schema,
whether it deletes or deactivates a principal, deletes or archives a repository."""
AFTER_A_YES = ("applying", "cleaning")


@dataclass(frozen=True)
class Removal:
    """Before everybody's Yes it adopts and no more: nothing but a destruction drops data.

    What was adopted once counts until it is gone, whichever run has adopted it.
    """

    run_steps: RunSteps
    repositories: Repositories

    def let_go(self, steps: Steps, run: str) -> None:
        """Note in the state that schemas may go with their tables: it counts from there only.

        So does what a destroy is to do with principals and the repository, if they were adopted.
        """
        name = f"{run}-{self.run_steps.load(run).attempt}-let-go"
        until_not_killed(
            lambda number: steps.do(
                f"let schemas go {number}", self._let_go, run, f"{name}.{number}"
            ),
            doing="before it destroyed anything",
            left=".",
            again="retry",
        )

    def _let_go(self, run: str, name: str) -> str:
        operation, terraform = self.run_steps.load(run), self.run_steps.terraform
        known = terraform.addresses(operation.project)
        self._reopen(operation, known)
        schemas = {address for address in known if address.endswith(SCHEMA)}
        adopted = terraform.adopted(operation.project) & known
        outcome = self._note_their_end(operation, name, schemas | adopted)
        self.run_steps.require_success(run, "Destroying", outcome)
        return outcome.ending

    def adopt(self, operation: Operation, name: str) -> Outcome:
        """Take into the state what the root imports; after a Yes, with what a destroy is to do.

        An import does not note that: the repository would be deleted, principals deactivated, and
        schemas that hold tables would stay.
        """
        project, terraform = operation.project, self.run_steps.terraform
        watch = self.run_steps.watch(operation.id)
        outcome = terraform.adopt(project, f"{name}.adopt", watch)
        if outcome.ending != "succeeded" or operation.phase not in AFTER_A_YES:
            return outcome
        known = terraform.addresses(project)
        self._reopen(operation, known)
        adopted = terraform.adopted(project) & known
        return self._note_their_end(operation, f"{name}.let-go", adopted)

    def _note_their_end(
        self, operation: Operation, name: str, addresses: AbstractSet[str]
    ) -> Outcome:
        only = [one for one in sorted(addresses) if one.endswith(DESTROYED_AS_STATED)]
        if not only:
            return Outcome(ending="succeeded")
        terraform, watch = self.run_steps.terraform, self.run_steps.watch(operation.id)
        outcome, _ = terraform.plan(operation.project, name, watch, only=only)
        if outcome.ending == "succeeded":
            outcome = terraform.apply(operation.project, name, watch)
        # One that was overtaken has changed nothing, and is done again like one that was killed.
        return Outcome(ending=KILLED) if outcome.stale else outcome

    def _reopen(self, operation: Operation, known: AbstractSet[str]) -> None:
        """Unarchive a repository in which something of ours is left; Terraform archives it last."""
        inside = any(".github_" in one and not one.endswith(REPOSITORY) for one in known)
        if not inside or not kind_of(operation).removes:
            return
        found = self.repositories.find(operation.project)
        if found and found.archived:
            self.repositories.unarchive(operation.project)
