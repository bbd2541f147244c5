"""Plan, ask, apply, destroy: what every operation that changes infrastructure has in common."""

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from provisioning.board import CONFIRM, artefact
from provisioning.change_message import unlisted_changes
from provisioning.engine import Steps
from provisioning.errors import PermanentError, RunEnded, SciclopsError
from provisioning.interruptions import KILLED, until_not_killed
from provisioning.operation import Operation
from provisioning.operation_kinds import kind_of
from provisioning.ports import People, Repositories, Workspaces
from provisioning.project import ProjectSpec
from provisioning.removal import Removal
from provisioning.run_message import plan_notice, unlisted
from provisioning.run_steps import RunSteps
from provisioning.spec_change import data_to_ask_for
from provisioning.store import Attachment
from provisioning.tables import ApprovalRow

log = logging.getLogger(__name__)

MOST_ASKED_DIRECTLY = 10
"""So many owners get a direct message; a larger group hears of it in the run's thread."""

RootFiles = Callable[[ProjectSpec, str, Mapping[str, str], bool], dict[str, str]]
"""Builds a root's files from the request, our marker and what to adopt (address to import id).

The last one tells whether all of it is to be removed, schemas that are not empty included.
"""


@dataclass(frozen=True)
class TerraformParts:
    """The steps between a request and infrastructure that is as requested."""

    run_steps: RunSteps
    repositories: Repositories
    workspaces: Workspaces
    people: People
    root_files: RootFiles
    modules: str = ""
    """The digest of the modules that are applied now."""

    @property
    def removal(self) -> Removal:
        """Return what comes before a destruction."""
        return Removal(self.run_steps, self.repositories)

    # ------------------------------------------------------------------ the root

    def write_root(self, run: str) -> None:
        """Write the root; what an interrupted run has begun and not recorded is adopted.

        Only what some run of the project has begun to create is looked at: anything else that has
        our names is somebody else's.
        """
        operation = self.run_steps.load(run)
        terraform = self.run_steps.terraform
        lost = terraform.started(operation.project) - terraform.addresses(operation.project)
        found = self.leftovers(operation) if lost else {}
        imports = {address: found[address] for address in sorted(lost & found.keys())}
        removes = kind_of(operation).removes
        files = self.root_files(operation.spec, operation.marker, imports, removes)
        terraform.prepare(operation.project, files)

    def leftovers(self, operation: Operation) -> dict[str, str]:
        """Return what exists under the project's names at the vendors."""
        return {
            **self._at_github(operation),
            **self.workspaces.leftovers(operation.spec, operation.marker),
        }

    def _at_github(self, operation: Operation) -> Mapping[str, str]:
        """Leave out a repository that was archived on purpose: adopted, it would be deleted."""
        repositories, name = self.repositories, operation.project
        found = repositories.find(name) if kind_of(operation).removes else None
        if found and found.archived:
            return {}
        return repositories.leftovers(name, operation.marker)

    # ------------------------------------------------------------------ plan

    def plan_and_ask(
        self,
        steps: Steps,
        run: str,
        prepare: Callable[[str], None],
        end_unchanged: Callable[[str], None] | None = None,
    ) -> None:
        """Plan and show the plan, then ask those who have to agree, or go on if nobody has to.

        `prepare` enters the phase "planning"; `end_unchanged` may end a run that changes nothing.
        """
        with suppress(RunEnded):
            with self.run_steps.truthful(run, "Planning"):
                steps.do("prepare", prepare, run)
                steps.do("write root", self.write_root, run)
                attempt = self.run_steps.load(run).attempt
                self.plan(steps, run, "plan", f"{run}-{attempt}")
                if end_unchanged:
                    steps.do("end what changes nothing", end_unchanged, run)
                steps.do("show plan", self.show_plan, run)
                steps.do("ask", self.ask, run)
            self.ask_owners(steps, run)

    def discard(self, run: str) -> None:
        """Delete the plan of a run that ended before its apply, and note what there is."""
        operation = self.run_steps.load(run)
        self.run_steps.terraform.discard(operation.project, operation.facts.terraform_run)
        self.run_steps.note_left_behind(run)

    def plan(self, steps: Steps, run: str, step: str, name: str) -> None:
        """Make a plan; one whose process vanished is made again under another name."""
        until_not_killed(
            lambda number: steps.do(f"{step} {number}", self._plan_once, run, f"{name}.{number}"),
            doing="while planning",
            left=", which changes nothing.",
            again="retry",
        )

    def _plan_once(self, run: str, name: str) -> str:
        operation, terraform = self.run_steps.load(run), self.run_steps.terraform
        watch, removes = self.run_steps.watch(run), kind_of(operation).removes
        if removes:  # a plan to destroy passes over what is to be adopted
            adopted = self.removal.adopt(operation, name)
            self.run_steps.require_success(run, "Planning", adopted)
            if adopted.ending == KILLED:  # half adopted, the rest would neither go nor be named
                return KILLED
        outcome, plan = terraform.plan(operation.project, name, watch, destroy=removes)
        if outcome.ending == "failed":
            self.run_steps.attach_log(operation, name, "plan")
        self.run_steps.require_success(run, "Planning", outcome)
        if plan is not None:
            self.run_steps.remember(run, plan=plan.model_dump(mode="json"), terraform_run=name)
        return outcome.ending

    def show_plan(self, run: str) -> None:
        """Put the plan into the run's thread: in short, in full, and the log."""
        self.run_steps.finish(run, "planning")
        self._note_cover(run)
        operation = self.run_steps.load(run)
        name = operation.facts.terraform_run
        asked = () if operation.is_covered else self._confirmers(operation)
        self.run_steps.tell(operation, f"plan:{name}", plan_notice(operation, asked))
        if rights := unlisted_changes(operation) or unlisted(operation.spec):
            rest = Attachment(name=f"request-{name}.txt", text=self.run_steps.redact(rights))
            self.run_steps.tell(operation, f"request:{name}", rest)
        text = self.run_steps.terraform.describe(operation.project, name)
        attachment = Attachment(name=f"plan-text-{name}.txt", text=text)
        self.run_steps.tell(operation, f"plan-text:{name}", attachment)
        self.run_steps.attach_log(operation, name, "plan")

    def _note_cover(self, run: str) -> None:
        """Remember which plan people saw and confirmed, if that covers the present one."""
        operation = self.run_steps.load(run)
        facts = operation.facts
        covered = facts.confirmed if operation.is_covered and self._is_asked(operation) else None
        seen = (facts.covered_by or covered.digest) if covered else ""
        if seen != facts.covered_by:
            self.run_steps.remember(run, covered_by=seen)

    def _confirmers(self, operation: Operation) -> tuple[str, ...]:
        policy = self.run_steps.policy
        return policy.confirmers(operation.in_force, operation.requested_by, operation.kind)

    def _is_asked(self, operation: Operation) -> bool:
        policy = self.run_steps.policy
        return policy.confirmer(operation.kind, operation.in_force) != "nobody"

    # ------------------------------------------------------------------ ask

    def ask(self, run: str) -> None:
        """Ask everybody whose word the plan needs; go on at once where nobody's is missing.

        All questions are there before the run waits: whoever is fast cannot overtake a question.
        """
        operation = self.run_steps.load(run)
        plan = operation.facts.plan
        if plan is None:
            raise PermanentError(f"Run {run} has no plan to ask about.")
        asked = (
            []
            if operation.is_covered
            else [self.run_steps.store.approvals.ask(one) for one in self._questions(operation)]
        )
        self.run_steps.enter(run, ["planning"], "waiting")
        for question in asked:
            if question.question != CONFIRM:
                self.run_steps.board.show_question(question.id)
        self.run_steps.desk.proceed(run)

    def _questions(self, operation: Operation) -> list[ApprovalRow]:
        policy, before = self.run_steps.policy, operation.facts.before
        questions = []
        if self._is_asked(operation):
            questions.append(self._question(operation, CONFIRM, self._confirmers(operation)))
        asked = operation.spec.data_access
        if before is not None:
            asked = data_to_ask_for(before, operation.spec, policy.catalogs)
        for access in asked if self._asks_owners(operation) else ():
            entry = policy.requestable(access)
            if entry is not None and entry.owners:
                about = f"data|{access.securable}|{access.level}"
                questions.append(self._question(operation, about, entry.owners))
        return questions

    def ask_owners(self, steps: Steps, run: str) -> None:
        """Ask owners of data directly, too: they need not be where the run is shown.

        Where that cannot be, the question in the run's thread stands all the same.
        """
        operation = self.run_steps.load(run)
        if not operation.spec.data_access or not self._asks_owners(operation):
            return
        try:
            steps.do("ask owners directly", self._ask_owners, run)
        except SciclopsError:
            log.warning("could not ask the owners of data for %s directly", run, exc_info=True)

    def _ask_owners(self, run: str) -> None:
        operation = self.run_steps.load(run)
        for question in self.run_steps.store.approvals.of_operation(run, open_only=True):
            if question.question != CONFIRM and question.artefact == artefact(operation):
                owners = self._owners_to_ask(operation, question)
                self.run_steps.board.show_question(question.id, directly=owners)

    def _owners_to_ask(self, operation: Operation, question: ApprovalRow) -> tuple[str, ...]:
        found = self.people.active(tuple(question.approvers), MOST_ASKED_DIRECTLY + 1)
        others = [owner for owner in found if owner != operation.requested_by]
        return tuple(others[:MOST_ASKED_DIRECTLY])

    def _asks_owners(self, operation: Operation) -> bool:
        kind = kind_of(operation)
        return kind.asks_owners and not kind.removes

    def _question(
        self, operation: Operation, question: str, approvers: tuple[str, ...]
    ) -> ApprovalRow:
        now = self.run_steps.clock.now()
        return ApprovalRow(
            id=f"{operation.id}.{operation.attempt}.{question.replace('|', '.')}",
            operation=operation.id,
            question=question,
            artefact=artefact(operation),
            approvers=list(approvers),
            asked_at=now,
            deadline=now + self.run_steps.policy.confirmation_expires,
        )

    # ------------------------------------------------------------------ apply

    def apply(self, steps: Steps, run: str) -> None:
        """Apply the confirmed plan; what a kill left unfinished is planned again and finished."""
        self.begin(steps, run)
        self.finish(steps, run)

    def begin(self, steps: Steps, run: str) -> None:
        """Enter the phase in which Terraform changes what there is."""
        steps.do("start applying", self._start_applying, run)

    def finish(self, steps: Steps, run: str) -> None:
        """Apply the plan, and whatever a kill or an overtaken plan leaves of it."""
        until_not_killed(
            lambda number: self._apply_or_plan_the_rest(steps, run, number),
            doing="while applying",
            left=". What it made is in its state.",
            again="retry",
        )

    def _apply_or_plan_the_rest(self, steps: Steps, run: str, number: int) -> str:
        ended = steps.do(f"apply {number}", self._apply_once, run)
        if ended == KILLED:
            steps.do(f"adopt {number}", self.write_root, run)
            attempt = self.run_steps.load(run).attempt
            self.plan(steps, run, f"plan the rest {number}", f"{run}-{attempt}-rest-{number}")
            steps.do(f"still confirmed {number}", self._require_confirmed, run)
        return ended

    def _start_applying(self, run: str) -> None:
        # What was shown so far was the plan's progress.
        facts = {"unmade": True} if kind_of(self.run_steps.load(run)).removes else {}
        facts |= {"made": True, "touched": True}
        self.run_steps.enter(run, ["confirmed"], "applying", progress=None, **facts)

    def _apply_once(self, run: str) -> str:
        operation = self.run_steps.load(run)
        name = operation.facts.terraform_run
        outcome = self.run_steps.terraform.apply(operation.project, name, self.run_steps.watch(run))
        self.run_steps.remember(run, applied=outcome.model_dump(mode="json"))
        self.run_steps.attach_log(operation, name, "apply")
        if outcome.stale:
            return KILLED  # overtaken by what was applied since: plan the rest
        self.run_steps.require_success(run, "Applying", outcome)
        if outcome.ending == "succeeded" and not kind_of(operation).removes:
            self.run_steps.store.versions.applied(operation.project, self.modules)
        return outcome.ending

    def _require_confirmed(self, run: str) -> None:
        if self.run_steps.load(run).is_covered:
            self._note_cover(run)
            return
        raise PermanentError(
            "What is left to do differs from the plan that was confirmed, so nothing more was "
            "applied. Press Retry to see the new plan and confirm it."
        )

    # ------------------------------------------------------------------ destroy

    def destroy(self, steps: Steps, run: str) -> None:
        """Remove everything in the state, and what an interrupted run left beside it."""
        steps.do("start cleaning", self._start_cleaning, run)
        steps.do("adopt", self.write_root, run)
        name = f"{run}-{self.run_steps.load(run).attempt}-destroy"
        until_not_killed(
            lambda number: steps.do(
                f"destroy {number}", self._destroy_once, run, f"{name}.{number}"
            ),
            doing="while destroying",
            left=". What is left is in its state.",
            again="clean up again",
        )

    def _start_cleaning(self, run: str) -> None:
        self.run_steps.enter(run, ["to_clean"], "cleaning")

    def _destroy_once(self, run: str, name: str) -> str:
        operation, terraform = self.run_steps.load(run), self.run_steps.terraform
        if not operation.facts.made:
            return "succeeded"  # a state that it finds, e.g. after a restore, is another project's
        watch = self.run_steps.watch(run)
        outcome = self.removal.adopt(operation, name)
        if outcome.ending == "succeeded":
            outcome, _ = terraform.plan(operation.project, name, watch, destroy=True)
        if outcome.ending == "succeeded":
            self.run_steps.remember(run, unmade=True)
            outcome = terraform.apply(operation.project, name, watch)
            self.run_steps.remember(run, applied=outcome.model_dump(mode="json"))
            self.run_steps.attach_log(operation, name, "clean-up")
        self.run_steps.require_success(run, "Cleaning up", outcome)
        return outcome.ending
