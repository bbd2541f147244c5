"""The notice board: what is shown of runs and of the questions that they ask."""

from collections.abc import Collection

from provisioning.audit import US
from provisioning.errors import PermanentError, UserError
from provisioning.operation import ENDED, Operation, Phase
from provisioning.question_message import question_notice, subject
from provisioning.run_message import Question, run_notice
from provisioning.store import Message, Store
from provisioning.tables import ApprovalRow, OperationRow
from provisioning.text import Notice, Span, bold, code, person, quoted, say

CONFIRM = "confirm"
"""The question whether a plan may be applied; all others are about data."""

ENDINGS: dict[Phase, str] = {
    "discarded": "Discarded",
    "refused": "refused",
    "expired": "Timed out",
    "cancelled": "Cancelled",
}
"""A word in the decision that ended a run, by how it ended."""


def read_operation(row: OperationRow) -> Operation:
    """Return a stored operation as a value."""
    stored = row.model_dump()
    return Operation.model_validate(stored | {"spec": stored.pop("request")})


class Board:
    """Wants messages to show runs and questions as they stand; showing again changes nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, run: str) -> Operation:
        """Return a run by its id, or a project's latest run by the project's name."""
        row = self._store.operations.get(run)
        if row is None:
            row = next(iter(self._store.operations.of_project(run)), None)
        if row is None:
            raise UserError(
                say(
                    f"There is no run or project {quoted(run)}. ",
                    code("/sciclops list"),
                    " shows the projects.",
                )
            )
        return read_operation(row)

    def show(self, run: str) -> None:
        """Want the run's message to show the run as it stands.

        Several threads may show a run at once: whoever writes last has looked again afterwards.
        One without a channel is shown with many others, by whoever began it.
        """
        if not (wanted := self._message(run)).channel:
            return
        while True:
            self._store.messages.show(wanted)
            latest = self._message(run)
            if latest == wanted:
                return
            wanted = latest

    def tell_end(self, run: Operation) -> None:
        """Tell in the thread that a run has failed, or that others ended it; again changes nothing.

        Nobody is notified of a message that is edited.
        """
        if run.phase == "failed" and run.facts.trouble:
            self.tell_failure(run, run.facts.trouble.step)
        last = run.facts.decisions[-1] if run.facts.decisions else None
        if run.phase not in ENDINGS or last is None or run.requested_by == last.by:
            return
        if ENDINGS[run.phase] not in last.what or not run.channel:
            return
        by = (" by ", person(last.by)) if last.by else ()
        why = f": {last.comment}" if last.comment else ""
        words = (*_called(run), ": ", bold(last.what), *by, why)
        self._answer(
            run,
            "ended",
            Notice(
                summary=f"Project {run.project}: {last.what}",
                body=(say(*words), say("The run's message says what is left.")),
            ),
        )

    def tell_failure(self, run: Operation, step: str) -> None:
        """Tell in the thread that a run has failed; again changes nothing."""
        words = (*_called(run), ": ", bold(f"{step} failed. "))
        self._answer(
            run,
            "failed",
            Notice(
                summary=f"Project {run.project}: {step.lower()} failed",
                body=(say(*words, "The message above says why, and what you can do."),),
            ),
        )

    def _answer(self, run: Operation, what: str, content: Notice) -> None:
        if not run.channel:
            return  # it has no message of its own
        self._store.messages.show(
            Message(
                key=f"{run.message}:{what}:{run.attempt}",
                channel=run.channel,
                thread_of=run.message,
                content=content,
            )
        )

    def _message(self, run: str) -> Message:
        operation = self.find(run)
        project = self._store.projects.get(operation.project)
        url = project.repository_url if project else ""
        return Message(
            key=operation.message,
            channel=operation.channel,
            content=run_notice(operation, url, self._open_questions(operation)),
            urgent=operation.phase in (*ENDED, "waiting"),
        )

    def _open_questions(self, run: Operation) -> tuple[Question, ...]:
        if run.phase != "waiting":
            return ()
        asked = self._store.approvals.of_operation(run.id, open_only=True)
        return tuple(
            Question(
                about="" if row.question == CONFIRM else subject(row),
                approvers=tuple(row.approvers),
            )
            for row in asked
            if row.artefact == artefact(run)
        )

    def show_question(self, question: str, directly: Collection[str] = ()) -> None:
        """Want a question about data to show how it stands, in the run's thread and directly.

        As long as it is open, `directly` are asked so, too. Several threads may show a question at
        once: whoever writes last has looked again afterwards.
        """
        shown = ""
        while (approval := self._question(question)).state != shown:
            shown = approval.state
            run = self.find(approval.operation)
            asked = set(self._store.messages.recipients(_directly(approval)))
            if shown == "open":
                asked |= set(directly)
            for recipient in ("", *sorted(asked)):
                self._store.messages.show(_question_message(approval, run, recipient))

    def _question(self, question: str) -> ApprovalRow:
        approval = self._store.approvals.get(question)
        if approval is None:
            raise PermanentError(f"There is no question {question}; nothing was shown.")
        return approval


def artefact(run: Operation) -> str:
    """Return what questions about a run are bound to: its plan, in this attempt."""
    return f"{run.facts.plan.digest}/{run.attempt}" if run.facts.plan else ""


def _called(run: Operation) -> tuple[Span | str, ...]:
    """Mention who asked for a run; where nobody did, the owners."""
    asked = run.spec.owners if run.requested_by == US else (run.requested_by,)
    parts = [part for who in asked for part in (" ", person(who))]
    return tuple(parts[1:])


def _question_message(approval: ApprovalRow, run: Operation, recipient: str) -> Message:
    content = question_notice(approval, run, direct=bool(recipient))
    is_open = approval.state == "open"
    if recipient:
        key = f"{_directly(approval)}{recipient}"
        return Message(key=key, recipient=recipient, content=content, urgent=is_open)
    return Message(
        key=_question_key(approval),
        channel=run.channel,
        thread_of=run.message,
        content=content,
        urgent=is_open,
    )


def _question_key(approval: ApprovalRow) -> str:
    return f"run:{approval.operation}:question:{approval.id}"


def _directly(approval: ApprovalRow) -> str:
    """Return how the keys begin of the messages that ask somebody directly."""
    return f"{_question_key(approval)}:to:"
