"""The front desk: where requests and decisions of people are settled, once, with the reason.

Everything here is quick and touches only our own database, except that rights are checked against
live membership. Work is then done by the operation's workflow, which the engine starts.
"""

from typing import Any

from provisioning.board import CONFIRM, Board, artefact, read_operation
from provisioning.clock import Clock
from provisioning.engine import Engine
from provisioning.errors import UserError
from provisioning.operation import (
    CANCELLABLE,
    ENDED,
    IDLE,
    STOPPABLE,
    STOPPED,
    Decision,
    Operation,
    Phase,
    operation_id,
)
from provisioning.operation_kinds import kind_of
from provisioning.policy import Policy, may_confirm, may_stop, needs_another
from provisioning.ports import People, Redactor
from provisioning.question_message import subject
from provisioning.refusals import ANSWERED, confirmed_already, not_now
from provisioning.starting import Starting
from provisioning.store import Change, Message, Settled, Store
from provisioning.tables import ApprovalRow
from provisioning.text import Notice, person, quoted, say
from provisioning.verdicts import Allowed, Refused

SHORT_DIGEST = 12
"""How many characters of a plan's digest a button carries and people type."""
ENDING = "This run is just ending. Try again in a moment. Nothing was changed."
FRESH: dict[str, Any] = {
    "finished": {},
    "progress": None,
    "applied": None,
    "findings": [],
    "trouble": None,
    "left_behind": "",
    "queue_position": 0,
}
"""What another attempt forgets of the one before; plan, confirmation and decisions stay."""


class Desk:
    """Takes requests and decisions; every refusal is a `UserError` that says why."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        policy: Policy,
        people: People,
        clock: Clock,
        redact: Redactor,
    ) -> None:
        self._store = store
        self._board = Board(store)
        self._starting = Starting(store, engine, policy)
        self._policy = policy
        self._people = people
        self._clock = clock
        self._redact = redact

    # ------------------------------------------------------------------ finding and starting

    def find(self, run: str) -> Operation:
        """Return a run by its id, or a project's latest run by the project's name."""
        return self._board.find(run)

    def start(self, operation: Operation) -> None:
        """Start the part that works in the operation's phase; starting it again is a no-op."""
        self._starting.start(operation)

    def admit(self) -> None:
        """Let runs write to GitHub, first come first, as far as its limits allow."""
        self._starting.admit()

    # ------------------------------------------------------------------ decisions on a plan

    def confirm(self, run: Operation, *, plan: str, by: str) -> None:
        """Confirm exactly the plan whose digest begins with `plan`; go on if all is answered."""
        self._require(run, by, "confirm", self._may_confirm(run, by))
        self._require_open(run, by, "confirm")
        if run.phase != "waiting":
            raise UserError(not_now(run))
        approval = self._open_question(run, CONFIRM)
        shown = run.facts.plan
        if shown is None or plan not in (shown.digest, shown.digest[:SHORT_DIGEST]):
            raise UserError(
                "The plan has changed since that message. Nothing was applied; "
                "read the new plan and confirm that one."
            )
        if self._store.approvals.settle(approval.id, "granted", by=by) is None:
            raise UserError(confirmed_already(self.find(run.id)))
        self.note(run, by, "Confirmed")
        self.proceed(run.id)

    def discard(self, run: Operation, *, by: str) -> None:
        """Say no to a waiting plan: the run ends; a name under which nothing exists is free."""
        self._require(run, by, "discard", self._may_stop(run, by))
        self._end_waiting(run, "discarded", by=by, what="Discarded")

    def expire(self, run: Operation) -> None:
        """End a run whose plan nobody confirmed in time."""
        self._end_waiting(run, "expired", by="", what="Timed out, not everybody answered in time")

    def _end_waiting(
        self, run: Operation, to: Phase, *, by: str, what: str, comment: str = ""
    ) -> None:
        decided = self.decided(run, by, what, comment)
        operations = self._store.operations
        if operations.move(run.id, ["waiting"], to, by=by or "bot", facts=decided) is None:
            raise UserError(not_now(self.find(run.id)))
        self.tidy(run.id)

    def tidy(self, run: str) -> None:
        """Do what the end of a run entails; again changes nothing.

        Its open questions are withdrawn, and the name is free if nothing was ever made under it.
        The project of a run that failed has failed. Only then the run is over: a sweep repeats
        what a crash cut off.
        """
        operation = self.find(run)
        if operation.phase not in ENDED:
            return
        state: Settled = "expired" if operation.phase == "expired" else "void"
        for question in self._store.approvals.of_operation(run, open_only=True):
            self._store.approvals.settle(question.id, state, by="bot")
        self._show_questions(run)
        self._board.tell_end(operation)
        self.show(run)
        if operation.phase in STOPPED and operation.facts.terraform_run:
            self._starting.start_part(operation, "discard_plan")
        self.admit()
        is_latest = self.find(operation.project).id == run
        nothing_made = operation.makes_project and not operation.facts.made
        free = operation.phase in STOPPED and nothing_made
        failed = kind_of(operation).failed if operation.phase == "failed" else ""
        becomes = "gone" if free else failed
        self._store.operations.close(run, operation.version, becomes if is_latest else "")

    def _show_questions(self, run: str) -> None:
        """Show how answered questions about data stand: a crash may have kept one from it."""
        for question in self._store.approvals.of_operation(run):
            if question.question != CONFIRM and question.state != "open":
                self._board.show_question(question.id)

    def proceed(self, run: str) -> None:
        """Move a waiting run on: to its apply after every Yes, to its end after the first No."""
        operation = self.find(run)
        if operation.phase != "waiting":
            return
        self._show_questions(run)
        questions = self._store.approvals.of_operation(run)
        current = [q for q in questions if q.artefact == artefact(operation)]
        refusal = next((q for q in current if q.state == "refused"), None)
        if refusal:
            what = f"Consent to {subject(refusal)} refused"
            by, why = refusal.decided_by, refusal.comment
            self._end_waiting(operation, "refused", by=by, what=what, comment=why)
        elif all(question.state == "granted" for question in current):
            self._apply(operation)
        else:
            self.show(run)

    def _apply(self, operation: Operation) -> None:
        run = operation.id
        plan = operation.facts.plan
        moved = self._store.operations.move(
            run,
            ["waiting"],
            kind_of(operation).consented,
            by="bot",
            facts={
                "confirmed": plan.model_dump(mode="json") if plan else None,
                "finished": self._stamped(operation, "waiting"),
            },
        )
        if moved:
            self.show(run)
            self.start(read_operation(moved))

    def question(self, approval: str, *, by: str) -> Operation:
        """Return the run of an open question about data that somebody may answer."""
        row = self._store.approvals.get(approval)
        if row is None or row.question == CONFIRM:
            raise UserError(f"There is no such question: {quoted(approval)}.")
        run = self.find(row.operation)
        if by == run.requested_by:
            self._store.refused(run.project, by, "consent", "their own request")
            raise UserError("Nobody consents to their own request for data.")
        if not self._people.is_among(by, tuple(row.approvers)):
            self._store.refused(run.project, by, "consent", "no owner of the data")
            raise UserError("Only an owner of the data can answer this.")
        if row.state != "open":
            raise UserError(ANSWERED)
        return run

    def answer(self, approval: str, *, granted: bool, by: str, comment: str = "") -> None:
        """Settle a question about data access; a refusal ends the run."""
        run = self.question(approval, by=by)
        if granted:
            self._require_open(run, by, "consent")
        comment = self._redact(comment)
        settled = self._store.approvals.settle(
            approval, "granted" if granted else "refused", by=by, comment=comment
        )
        if settled is None:
            raise UserError(ANSWERED)
        self._board.show_question(settled.id)
        if granted:
            self.note(run, by, f"Consent to {subject(settled)} given", comment)
        self.proceed(run.id)

    def comment(self, run: Operation, *, text: str, by: str, key: str) -> None:
        """Put a comment into the run's thread; secrets in it are redacted first."""
        said = self._redact(text)
        self._store.messages.show(
            Message(
                key=f"{run.message}:comment:{operation_id(key)}",
                channel=run.channel,
                thread_of=run.message,
                content=Notice(
                    summary=f"Comment on {run.project}",
                    body=(say(person(by), " commented:"), say(said)),
                ),
            )
        )

    # ------------------------------------------------------------------ stopping and going on

    def cancel(self, run: Operation, *, by: str) -> None:
        """Stop a run: at once while it waits, for its turn or for people, else when Terraform can.

        An accepted wish always takes effect: a run that is to stop enters no other phase.
        """
        if run.phase == "waiting":
            self.discard(run, by=by)
            return
        self._require(run, by, "cancel", self._may_stop(run, by))
        if run.phase not in CANCELLABLE:
            raise UserError(not_now(run))
        operations = self._store.operations
        decided = self.decided(run, by, "Cancelled")
        if operations.move(run.id, IDLE, "cancelled", by=by, facts=decided):
            self.tidy(run.id)
            return
        if operations.request_cancel(run.id, by, STOPPABLE) is None:
            now = self.find(run.id)
            if now.phase == run.phase or now.phase not in (*CANCELLABLE, "waiting"):
                raise UserError(not_now(now))
            self.cancel(now, by=by)
            return
        self.show(run.id)

    def retry(self, run: Operation, *, by: str) -> None:
        """Go on with a run that stopped, from what exists."""
        self._require(run, by, "retry", self._may_stop(run, by))
        if not run.may_be_retried:
            raise UserError(not_now(run))
        self._require_open(run, by, "retry")
        self._again(run, "queued", by, "Retried")

    def clean_up(self, run: Operation, *, by: str) -> None:
        """Remove what a run that stopped has made, when it is its turn at GitHub."""
        self.require_clean_up(run, by=by)
        self._again(run, "to_clean", by, "Clean-up requested")

    def require_clean_up(self, run: Operation, *, by: str) -> None:
        """Refuse who may not remove what a run has made, and runs of which nothing may go."""
        self._require(run, by, "clean up", self._may_stop(run, by))
        if not run.may_be_cleaned_up:
            raise UserError(not_now(run))
        self._require_open(run, by, "clean up")

    def _again(self, run: Operation, to: Phase, by: str, what: str) -> None:
        if self.find(run.project).id != run.id:
            raise UserError(
                f"{run.project} has a newer run since; look at that one. Nothing was changed."
            )
        facts = FRESH | {"started": {to: self._clock.now().isoformat()}}
        # Who saw everything removed has not confirmed that it is made again.
        facts |= {"confirmed": None} if to == "to_clean" else {}
        again = self._store.operations.retry(run.id, [run.phase], to, by=by, facts=facts)
        if again is None:
            now = self.find(run.id)
            raise UserError(ENDING if now.phase == run.phase else not_now(now))
        self.note(read_operation(again), by, what)
        self.show(run.id)
        self.start(self.find(run.id))

    # ------------------------------------------------------------------ showing

    def show(self, run: str) -> None:
        """Want the run's message to show the run as it stands."""
        self._board.show(run)

    # ------------------------------------------------------------------ rights and reasons

    def _may_confirm(self, run: Operation, by: str) -> Allowed | Refused:
        return may_confirm(
            self._policy.confirmer(run.kind, run.in_force),
            who=by,
            requested_by=run.requested_by,
            owners=run.in_force.owners,
            platform=self._people.is_among(by, (self._policy.platform_group,)),
            needs_another=needs_another(run.kind, run.spec),
        )

    def _may_stop(self, run: Operation, by: str) -> Allowed | Refused:
        return may_stop(
            who=by,
            requested_by=run.requested_by,
            owners=run.in_force.owners,
            platform=self._people.is_among(by, (self._policy.platform_group,)),
        )

    def _require(self, run: Operation, by: str, what: str, verdict: Allowed | Refused) -> None:
        """Refuse who may not do something; that they tried is noted."""
        if isinstance(verdict, Refused):
            self._store.refused(run.project, by, what, verdict.why)
            raise UserError(f"Not done: {verdict.why}.")

    def _require_open(self, run: Operation, by: str, what: str) -> None:
        """Refuse to go on where somebody else has locked the project; stopping is always free."""
        self._store.locks.require_open(run.project, by, what)

    def _open_question(self, run: Operation, question: str) -> ApprovalRow:
        for approval in self._store.approvals.of_operation(run.id, open_only=True):
            if approval.question == question and approval.artefact == artefact(run):
                return approval
        raise UserError(confirmed_already(self.find(run.id)))

    def note(self, run: Operation, by: str, what: str, comment: str = "") -> None:
        """Remember who decided what about a run, for its message."""
        self._store.operations.revise(run.id, self.decided(run, by, what, comment))

    def decided(self, run: Operation, by: str, what: str, comment: str = "") -> Change:
        """Return what adds a decision to a run's facts."""
        decision = Decision(
            by=by,
            at=self._clock.now(),
            what=what,
            comment=comment,
            phase=run.phase,
            attempt=run.attempt,
        )

        def add(facts: dict[str, Any]) -> dict[str, Any]:
            return {"decisions": [*facts.get("decisions", []), decision.model_dump(mode="json")]}

        return add

    def _stamped(self, run: Operation, step: str) -> dict[str, str]:
        known = {name: at.isoformat() for name, at in run.facts.finished.items()}
        return known | {step: self._clock.now().isoformat()}
