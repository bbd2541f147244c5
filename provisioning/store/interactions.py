"""Interactions: what people did in the chat, stored before it is acknowledged, acted upon once."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlmodel import col, delete, select

from provisioning.clock import Clock
from provisioning.database import Database, insert_once
from provisioning.tables import InteractionRow


class Interactions:
    """What was typed, pressed or submitted. `by` is the executor (process) that acts upon it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.on_new: Callable[[InteractionRow], None] = lambda _: None
        """Hears of each interaction, once, when it is stored; must not raise."""

    def take(self, key: str, payload: Mapping[str, Any], *, by: str = "") -> bool:
        """Store an interaction; False if it is known, so that somebody acts upon it already."""
        row = InteractionRow(
            key=key, payload=dict(payload), received_at=self._clock.now(), taken_by=by
        )
        with self._database.writing() as session:
            is_new = insert_once(session, row)
        if is_new:
            self.on_new(row)
        return is_new

    def adopt(self, key: str, *, of: str, by: str) -> bool:
        """Take over an unfinished interaction of a process that is dead; one of several gets it."""
        with self._database.writing() as session:
            rows = select(InteractionRow).where(InteractionRow.key == key).with_for_update()
            row = session.exec(rows).first()
            if row is None or row.done_at or row.taken_by != of:
                return False
            row.taken_by = by
            session.add(row)
            return True

    def unfinished(self) -> Sequence[InteractionRow]:
        """Return what was stored and not finished, oldest first."""
        rows = select(InteractionRow).where(col(InteractionRow.done_at).is_(None))
        with self._database.reading() as session:
            return session.exec(rows.order_by(col(InteractionRow.received_at))).all()

    def finish(self, key: str) -> None:
        """Note that an interaction was acted upon; again changes nothing."""
        with self._database.writing() as session:
            row = session.get(InteractionRow, key)
            if row and not row.done_at:
                row.done_at = self._clock.now()
                session.add(row)

    def forget(self, older_than: timedelta) -> int:
        """Drop interactions finished that long ago; keep them longer than anybody resends one."""
        done = col(InteractionRow.done_at) < self._clock.now() - older_than
        with self._database.writing() as session:
            return session.exec(delete(InteractionRow).where(done)).rowcount
