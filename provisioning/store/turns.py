"""Who may write to GitHub now: its limits count for the whole installation, so runs take turns.

GitHub allows an installation 80 content-creating requests a minute and 500 an hour
(docs.github.com, "Rate limits for the REST API", secondary limits). Terraform's writes count too.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, func, select

from provisioning.clock import Clock
from provisioning.database import Database, insert_once
from provisioning.tables import MemoRow, OperationRow
from provisioning.text import Frozen

LEDGER = "github.writes"
WINDOW = timedelta(hours=1)


class Turn(Frozen):
    """What a turn needs: `at_once` runs may write side by side, `per_hour` writes in all."""

    at_once: int
    per_hour: int


class Turns:
    """The queue of confirmed runs, in the order in which they were asked for."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def grant(self, run: str, cost: int, writing: Collection[str], turn: Turn) -> bool:
        """Reserve `cost` writes for a run, unless too many write already or lately.

        `writing` are the phases that write. A run that has its turn keeps it: asking again is
        harmless. One that would need more than an hour's writes gets them when nobody else wrote.
        """
        with self._database.writing() as session:
            memo = _ledger(session)
            recent = _recent(memo, self._clock.now())
            if any(entry["run"] == run for entry in recent):
                return True
            spent = sum(entry["cost"] for entry in recent)
            if _writers(session, writing) >= turn.at_once:
                return False
            if spent and spent + cost > turn.per_hour:
                return False
            entry = {"run": run, "cost": cost, "at": self._clock.now().isoformat()}
            memo.value = {"writes": [*recent, entry]}
            session.add(memo)
            return True

    def waiting(self) -> tuple[OperationRow, ...]:
        """Return the confirmed runs, first come first."""
        rows = select(OperationRow).where(OperationRow.phase == "confirmed")
        ordered = rows.order_by(col(OperationRow.created_at), col(OperationRow.id))
        with self._database.reading() as session:
            return tuple(session.exec(ordered).all())


def _ledger(session: Session) -> MemoRow:
    insert_once(session, MemoRow(key=LEDGER, value={"writes": []}))
    return session.exec(select(MemoRow).where(MemoRow.key == LEDGER).with_for_update()).one()


def _recent(memo: MemoRow, now: datetime) -> list[dict[str, Any]]:
    since = (now - WINDOW).isoformat()
    return [entry for entry in memo.value.get("writes", []) if entry["at"] > since]


def _writers(session: Session, writing: Collection[str]) -> int:
    rows = (
        select(func.count())
        .select_from(OperationRow)
        .where(col(OperationRow.phase).in_(writing), col(OperationRow.ended_at).is_(None))
    )
    return session.exec(rows).one()
