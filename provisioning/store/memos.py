"""Memos: small things worth remembering over a restart."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import col, delete, select

from provisioning.database import Database, insert_once
from provisioning.tables import MemoRow


class Memos:
    """Small JSON values by key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str) -> dict[str, Any] | None:
        """Return what was remembered under a key."""
        with self._database.reading() as session:
            row = session.get(MemoRow, key)
            return row.value if row else None

    def keys(self, beginning: str) -> Sequence[str]:
        """Return the keys that begin like this."""
        keys = select(MemoRow.key).where(col(MemoRow.key).startswith(beginning, autoescape=True))
        with self._database.reading() as session:
            return session.exec(keys).all()

    def set(self, key: str, value: Mapping[str, Any]) -> None:
        """Remember a value, in place of the one before."""
        with self._database.writing() as session:
            insert_once(session, MemoRow(key=key))
            row = session.exec(select(MemoRow).where(MemoRow.key == key).with_for_update()).one()
            row.value = dict(value)
            session.add(row)

    def drop(self, key: str) -> None:
        """Forget what was remembered under a key; nothing is fine."""
        if self.get(key) is None:
            return
        with self._database.writing() as session:
            session.exec(delete(MemoRow).where(col(MemoRow.key) == key))
