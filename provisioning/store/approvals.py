"""Approvals: questions to people about one exact artefact, each settled once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from provisioning import audit
from provisioning.clock import Clock
from provisioning.database import Database, insert_once
from provisioning.errors import PermanentError
from provisioning.tables import ApprovalRow, OperationRow

Settled = Literal["granted", "refused", "void", "expired"]


class Approvals:
    """Who was asked what, and what they said."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def ask(self, approval: ApprovalRow) -> ApprovalRow:
        """Put a question; the same question about the same artefact is asked once."""
        with self._database.writing() as session:
            if insert_once(session, approval):
                self._note(session, approval, "asked", audit.US)
            return session.exec(
                select(ApprovalRow)
                .where(ApprovalRow.operation == approval.operation)
                .where(ApprovalRow.question == approval.question)
                .where(ApprovalRow.artefact == approval.artefact)
            ).one()

    def get(self, approval: str) -> ApprovalRow | None:
        """Return an approval."""
        with self._database.reading() as session:
            return session.get(ApprovalRow, approval)

    def settle(
        self, approval: str, state: Settled, *, by: str, comment: str = ""
    ) -> ApprovalRow | None:
        """Settle an open question; None if it is settled already. `comment` is redacted before."""
        with self._database.writing() as session:
            row = session.exec(
                select(ApprovalRow).where(ApprovalRow.id == approval).with_for_update()
            ).first()
            if row is None:
                raise PermanentError(f"There is no approval {approval}; nothing was changed.")
            if row.state != "open":
                return None
            self._settle(session, row, state, by, comment)
            return row

    def void(self, operation: str, *, by: str = audit.US) -> int:
        """Withdraw an operation's open questions; return how many there were."""
        with self._database.writing() as session:
            rows = session.exec(_of(operation, open_only=True).with_for_update()).all()
            for row in rows:
                self._settle(session, row, "void", by, "")
            return len(rows)

    def of_operation(self, operation: str, *, open_only: bool = False) -> Sequence[ApprovalRow]:
        """Return an operation's questions, oldest first, or only the open ones."""
        with self._database.reading() as session:
            return session.exec(_of(operation, open_only=open_only)).all()

    def due(self, now: datetime) -> Sequence[ApprovalRow]:
        """Return open questions whose deadline has passed."""
        late = select(ApprovalRow).where(
            ApprovalRow.state == "open", col(ApprovalRow.deadline) <= now
        )
        with self._database.reading() as session:
            return session.exec(late.order_by(col(ApprovalRow.deadline))).all()

    def _settle(
        self, session: Session, row: ApprovalRow, state: Settled, by: str, comment: str
    ) -> None:
        row.state = state
        row.decided_by = by
        row.decided_at = self._clock.now()
        row.comment = comment
        session.add(row)
        session.flush()
        self._note(session, row, state, by)

    def _note(self, session: Session, row: ApprovalRow, what: str, by: str) -> None:
        operation = session.exec(select(OperationRow).where(OperationRow.id == row.operation)).one()
        entry = audit.Entry(
            project=operation.project,
            who=by,
            what=f"approval {what}",
            detail={
                "operation": row.operation,
                "question": row.question,
                "artefact": row.artefact,
                "comment": row.comment,
            },
        )
        audit.append(session, self._clock.now(), entry)


def _of(operation: str, *, open_only: bool) -> SelectOfScalar[ApprovalRow]:
    rows = select(ApprovalRow).where(ApprovalRow.operation == operation)
    if open_only:
        rows = rows.where(ApprovalRow.state == "open")
    return rows.order_by(col(ApprovalRow.asked_at), col(ApprovalRow.id))
