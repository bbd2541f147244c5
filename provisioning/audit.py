"""Who did what: append-only rows, chained by hash within a project.

The chain shows that rows were changed, removed or reordered by accident or behind our back. It is
no seal against somebody who may rewrite the whole table: ship the rows elsewhere for that.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlmodel import Session, col, select

from provisioning.database import Database, insert_once
from provisioning.tables import AuditHeadRow, AuditRow
from provisioning.text import OURSELVES, Frozen

BEGINNING = "0" * 64
US = OURSELVES


class Entry(Frozen):
    """One thing that somebody did. `detail` is plain JSON without secrets."""

    project: str
    who: str
    what: str
    detail: Mapping[str, Any] = {}


class Trail(NamedTuple):
    """Everything that happened to a project, oldest first, and what is wrong with its chain."""

    rows: Sequence[AuditRow]
    fault: str | None


def append(session: Session, at: datetime, entry: Entry) -> AuditRow:
    """Add an entry within the caller's transaction: it counts if, and only if, the deed does.

    Call it last in a transaction, since appenders to one project wait for each other.
    """
    head = _locked_head(session, entry.project)
    row = AuditRow(
        project=entry.project,
        sequence=head.sequence + 1,
        at=at.astimezone(UTC),
        who=entry.who,
        what=entry.what,
        detail=json.loads(json.dumps(dict(entry.detail))),
        previous=head.hash,
        hash="",
    )
    row.hash = head.hash = _digest(row)
    head.sequence = row.sequence
    session.add(row)
    session.add(head)
    session.flush()
    return row


def history(database: Database, project: str) -> Sequence[AuditRow]:
    """Return everything that happened to a project, oldest first."""
    with database.reading() as session:
        return _chain(session, project)


def trail(database: Database, project: str) -> Trail:
    """Return a project's whole history with the verdict on its chain, both of the same moment."""
    with database.reading() as session:
        if not database.is_sqlite:  # where each question would see what was appended meanwhile
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        head = session.get(AuditHeadRow, project)
        rows = _chain(session, project)
    return Trail(rows, _fault_of(head, rows))


def verify(database: Database, project: str) -> str | None:
    """Return what is wrong with a project's chain, or None if it is whole."""
    return trail(database, project).fault


def _fault_of(head: AuditHeadRow | None, rows: Sequence[AuditRow]) -> str | None:
    previous = BEGINNING
    for expected, row in enumerate(rows, start=1):
        fault = _fault(row, expected, previous)
        if fault:
            return fault
        previous = row.hash
    if (head.sequence if head else 0) != len(rows):
        return f"the last entries are missing: {head.sequence if head else 0} were written"
    return None if not head or head.hash == previous else "the head does not match the last entry"


def _fault(row: AuditRow, expected: int, previous: str) -> str | None:
    if row.sequence != expected:
        return f"entry {expected} is missing"
    if row.previous != previous:
        return f"entry {expected} does not follow the one before it"
    return None if row.hash == _digest(row) else f"entry {expected} was changed"


def _chain(session: Session, project: str) -> Sequence[AuditRow]:
    rows = select(AuditRow).where(AuditRow.project == project)
    return session.exec(rows.order_by(col(AuditRow.sequence))).all()


def _locked_head(session: Session, project: str) -> AuditHeadRow:
    insert_once(session, AuditHeadRow(project=project, sequence=0, hash=BEGINNING))
    head = select(AuditHeadRow).where(AuditHeadRow.project == project).with_for_update()
    return session.exec(head).one()


def _digest(row: AuditRow) -> str:
    content = [
        row.project,
        row.sequence,
        row.at.isoformat(),
        row.who,
        row.what,
        row.detail,
        row.previous,
    ]
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
