"""Who may write to GitHub now: its limits count for the whole installation, so runs take turns.

GitHub allows an installation 80 content-creating requests a minute and 500 an hour
(docs.github.com, "Rate limits for the REST API", secondary limits). Terraform's writes count too.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from provisioning.clock import Clock
from provisioning.database import Database, insert_once
from provisioning.tables import MemoRow, OperationRow
from provisioning.text import Frozen

LEDGER = "github.writes"
WINDOW = timedelta(hours=1)
"""How long writes count, and how long a turn lasts: a run that hangs holds nobody up for longer."""


class Turn(Frozen):
    """What a turn needs: `at_once` runs may write side by side, `per_hour` writes in all."""

    at_once: int
    per_hour: int


class Turns:
    """The queue of runs that want to write, in the order in which they were asked for."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def grant(self, run: str, cost: int, writing: Collection[str], turn: Turn) -> bool:
        """Reserve `cost` writes for an attempt of a run, unless too many write already or lately.

        `run` is `<id>:<attempt>`; `writing` are the phases that write. Who has a turn keeps it:
        asking again is harmless. One that would need more than an hour's writes gets them when
        nobody else wrote.
        """
        with self._database.writing() as session:
            memo = _ledger(session)
            recent = _recent(memo, self._clock.now())
            if any(entry["run"] == run for entry in recent):
                return True
            spent = sum(entry["cost"] for entry in recent)
            turns = {str(entry["run"]) for entry in recent}
            if len(turns & _attempts_in(session, writing)) >= turn.at_once:
                return False
            if spent and spent + cost > turn.per_hour:
                return False
            entry = {"run": run, "cost": cost, "at": self._clock.now().isoformat()}
            memo.value = {"writes": [*recent, entry]}
            session.add(memo)
            return True

    def spent(self) -> int:
        """Return how many writes were reserved in the last hour."""
        with self._database.reading() as session:
            memo = session.get(MemoRow, LEDGER)
            return sum(entry["cost"] for entry in _recent(memo, self._clock.now())) if memo else 0

    def waiting(self, phases: Collection[str]) -> tuple[OperationRow, ...]:
        """Return the runs in the phases that wait for a turn, first come first."""
        rows = select(OperationRow).where(col(OperationRow.phase).in_(phases))
        ordered = rows.order_by(col(OperationRow.created_at), col(OperationRow.id))
        with self._database.reading() as session:
            return tuple(session.exec(ordered).all())


def _ledger(session: Session) -> MemoRow:
    insert_once(session, MemoRow(key=LEDGER, value={"writes": []}))
    return session.exec(select(MemoRow).where(MemoRow.key == LEDGER).with_for_update()).one()


def _recent(memo: MemoRow, now: datetime) -> list[dict[str, Any]]:
    since = (now - WINDOW).isoformat()
    return [entry for entry in memo.value.get("writes", []) if entry["at"] > since]


def _attempts_in(session: Session, phases: Collection[str]) -> set[str]:
    rows = select(OperationRow.id, OperationRow.attempt).where(
        col(OperationRow.phase).in_(phases), col(OperationRow.ended_at).is_(None)
    )
    return {f"{run}:{attempt}" for run, attempt in session.exec(rows)}
