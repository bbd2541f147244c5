"""Messages we owe: the latest state of each is a row; whoever holds the message sends it."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, or_, select

from provisioning.clock import Clock
from provisioning.database import Database
from provisioning.errors import PermanentError
from provisioning.tables import MessageRow
from provisioning.text import Frozen, Notice


class Attachment(Frozen):
    """A text file, e.g. a raw log."""

    name: str
    text: str


class Message(Frozen):
    """What somebody should see.

    `key` names the message for good, e.g. `op-1:progress`. `thread_of` is the key of the message it
    answers; `reader` makes it ephemeral for one person; `urgent` ones are sent first.
    """

    key: str
    channel: str
    content: Notice | Attachment
    thread_of: str = ""
    reader: str = ""
    urgent: bool = False

    @staticmethod
    def of(row: MessageRow) -> "Message":
        """Return what a row says."""
        content: Notice | Attachment = (
            Attachment(name=row.file_name, text=row.content["text"])
            if row.file_name
            else Notice.model_validate(row.content)
        )
        return Message(
            key=row.key,
            channel=row.channel,
            content=content,
            thread_of=row.thread_of,
            reader=row.reader,
            urgent=row.urgent,
        )


class Messages:
    """What we owe to people, and what they have.

    `on_show` is called, from any thread, when a message was shown: whoever sends may look at once.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.on_show: Callable[[], None] = lambda: None

    def show(self, message: Message) -> MessageRow:
        """Want a message to look like this; what it looked like before, and was not sent, is lost.

        Showing what is wanted already changes nothing.
        """
        with self._database.writing() as session:
            row = want(session, message, self._clock.now())
        self.on_show()
        return row

    def get(self, key: str) -> MessageRow | None:
        """Return a message; `ts` is where it was posted."""
        with self._database.reading() as session:
            return session.get(MessageRow, key)

    def owed(self, limit: int = 100) -> Sequence[MessageRow]:
        """Return messages to send or edit: urgent ones first, then those that wait longest.

        Answers wait until the message they answer is there; those in trouble until they change.
        """
        parent = aliased(MessageRow)
        rows = (
            select(MessageRow)
            .outerjoin(parent, col(parent.key) == col(MessageRow.thread_of))
            .where(col(MessageRow.wanted) > col(MessageRow.sent), MessageRow.trouble == "")
            .where(or_(MessageRow.thread_of == "", col(parent.ts) != ""))
            .order_by(col(MessageRow.urgent).desc(), col(MessageRow.updated_at))
        )
        with self._database.reading() as session:
            return session.exec(rows.limit(limit)).all()

    def mark_sending(self, key: str) -> MessageRow:
        """Note that an attempt begins; return what to send.

        A row that was `sending` before may have arrived: look for it before sending it again.
        """
        with self._database.writing() as session:
            row = _locked(session, key)
            before = row.model_copy()
            row.sending = True
            session.add(row)
            return before

    def mark_sent(self, key: str, version: int, ts: str) -> None:
        """Note that version `version` (the row's `wanted` when it was read) is there, at `ts`."""
        with self._database.writing() as session:
            row = _locked(session, key)
            row.sent = max(row.sent, version)
            row.ts = ts
            row.sending = False
            session.add(row)

    def mark_trouble(self, key: str, version: int, trouble: str) -> None:
        """Note that version `version` was refused for good; a newer one is tried nevertheless."""
        with self._database.writing() as session:
            row = _locked(session, key)
            row.sending = False
            if row.wanted == version:
                row.trouble = trouble
            session.add(row)


def want(session: Session, message: Message, now: datetime) -> MessageRow:
    """Want a message within the caller's transaction."""
    wanted = _row(message, now)
    rows = select(MessageRow).where(MessageRow.key == message.key).with_for_update()
    row = session.exec(rows).first()
    if row is None:
        session.add(wanted)
        session.flush()
        return wanted
    if Message.of(row) != message:
        # What is owed already keeps its place in the line, however often it changes.
        owed = {"updated_at"} if row.wanted > row.sent and not row.trouble else set()
        keep = {"created_at", "ts", "sent", "sending", "wanted"} | owed
        row.sqlmodel_update(wanted.model_dump(exclude=keep))
        row.wanted += 1
        session.add(row)
    return row


def _row(message: Message, now: datetime) -> MessageRow:
    content = message.content
    is_file = isinstance(content, Attachment)
    return MessageRow(
        key=message.key,
        channel=message.channel,
        thread_of=message.thread_of,
        reader=message.reader,
        file_name=content.name if isinstance(content, Attachment) else "",
        content=content.model_dump(mode="json", exclude={"name"} if is_file else None),
        urgent=message.urgent,
        created_at=now,
        updated_at=now,
    )


def _locked(session: Session, key: str) -> MessageRow:
    row = session.exec(select(MessageRow).where(MessageRow.key == key).with_for_update()).first()
    if row is None:
        raise PermanentError(f"There is no message {key}; nothing was changed.")
    return row
