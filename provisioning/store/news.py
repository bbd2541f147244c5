"""What the community was told for good: whoever notes it first tells it, nobody else ever does."""

from collections.abc import Callable, Mapping

from sqlmodel import Session, col, select

from provisioning.clock import Clock
from provisioning.database import Database, insert_once
from provisioning.store.messages import Message, want
from provisioning.tables import NewsRow
from provisioning.text import Frozen


class Version(Frozen):
    """One state of something that changes now and then.

    `id` tells it from all others; `name` is what people call it.
    """

    id: str
    name: str


class Novelty(Frozen):
    """A version that nobody was told of; `is_new` says that there was none before it."""

    of: str
    version: Version
    is_new: bool


Tell = Callable[[tuple[Novelty, ...]], Message]
"""Turns what is new into the message that tells of it."""


class News:
    """Subjects that were told; rows are never dropped."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def told(self, subject: str) -> str | None:
        """Return what a subject was last told about; None if nothing was ever told."""
        with self._database.reading() as session:
            row = session.get(NewsRow, subject)
            return row.told if row else None

    def first(self, subject: str, told: str) -> bool:
        """Tell whether this is what the subject was first told about; whoever comes first is."""
        with self._database.writing() as session:
            if self._note(session, subject, told):
                return True
            row = session.get(NewsRow, subject)
            return row is not None and row.told == told

    def follow(self, subject: str, before: str | None, told: str, message: Message | None) -> bool:
        """Go on from what was told before, with a message if there is one; the first one wins.

        `before` is None where nothing was told yet.
        """
        with self._database.writing() as session:
            if before is None:
                is_ours = self._note(session, subject, told)
            else:
                rows = select(NewsRow).where(NewsRow.subject == subject).with_for_update()
                row = session.exec(rows).one()
                is_ours = row.told == before
                if is_ours:
                    row.told, row.at = told, self._clock.now()
                    session.add(row)
            if is_ours and message:
                want(session, message, self._clock.now())
            return is_ours

    def see(self, family: str, versions: Mapping[str, Version], tell: Tell) -> bool:
        """Tell of each version that was never seen before, once; of none at the very first time.

        A version that comes back is no news. Return whether anything was told.
        """
        with self._database.writing() as session:
            is_beginning = self._note(session, family, "")
            novelties = [
                Novelty(of=name, version=version, is_new=is_new)
                for name, version in sorted(versions.items())
                for is_new in [not _is_known(session, f"{family}:{name}:")]
                if self._note(session, f"{family}:{name}:{version.id}", version.name)
            ]
            if is_beginning or not novelties:
                return False
            want(session, tell(tuple(novelties)), self._clock.now())
            return True

    def _note(self, session: Session, subject: str, told: str) -> bool:
        return insert_once(session, NewsRow(subject=subject, told=told, at=self._clock.now()))


def _is_known(session: Session, beginning: str) -> bool:
    subjects = select(NewsRow.subject).where(
        col(NewsRow.subject).startswith(beginning, autoescape=True)
    )
    return session.exec(subjects.limit(1)).first() is not None
