"""The notice board: what is shown of runs and of the questions that they ask."""

from provisioning.errors import UserError
from provisioning.operation import ENDED, Operation
from provisioning.run_message import Question, run_notice
from provisioning.store import Message, Store
from provisioning.tables import ApprovalRow, OperationRow
from provisioning.text import Notice, bold, person, say

CONFIRM = "confirm"
"""The question whether a plan may be applied; all others are about data."""
ANSWERS = {
    "granted": "Consent given",
    "refused": "Refused",
    "expired": "Timed out, nobody answered in time",
}


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
            raise UserError(f"There is no run or project “{run}”. `list` shows the projects.")
        return read_operation(row)

    def show(self, run: str) -> None:
        """Want the run's message to show the run as it stands.

        Several threads may show a run at once: whoever writes last has looked again afterwards.
        """
        wanted = self._message(run)
        while True:
            self._store.messages.show(wanted)
            latest = self._message(run)
            if latest == wanted:
                return
            wanted = latest

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

    def show_question(self, approval: ApprovalRow) -> None:
        """Want a data owner's question to show how it was answered."""
        run = self.find(approval.operation)
        said = ANSWERS.get(approval.state, "Withdrawn, the run has ended")
        lines = [say(bold(subject(approval)), " for the project ", bold(run.project))]
        answered = approval.state in ("granted", "refused")
        who = (" by ", person(approval.decided_by)) if answered else ()
        lines.append(say(said, *who, f": {approval.comment}" if approval.comment else ""))
        self._store.messages.show(
            Message(
                key=question_key(approval),
                channel=run.channel,
                thread_of=run.message,
                content=Notice(summary=f"{said}: {subject(approval)}", body=tuple(lines)),
            )
        )


def artefact(run: Operation) -> str:
    """Return what questions about a run are bound to: its plan, in this attempt."""
    return f"{run.facts.plan.digest}/{run.attempt}" if run.facts.plan else ""


def question_key(approval: ApprovalRow) -> str:
    """Return the key of the message that asks a question."""
    return f"run:{approval.operation}:question:{approval.id}"


def subject(approval: ApprovalRow) -> str:
    """Return what a data question is about: `read gbx1_prod.sales`."""
    _, securable, level = approval.question.split("|")
    return f"{level} {securable}"
