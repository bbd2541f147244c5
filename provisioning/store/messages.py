"""Messages we owe: the latest state of each is a row; whoever holds the message sends it."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import JSON, type_coerce
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, delete, or_, select, update

from provisioning.clock import Clock
from provisioning.database import Database, insert_once
from provisioning.errors import PermanentError
from provisioning.tables import MessageRow
from provisioning.text import Frozen, Notice

FIRST_REST = timedelta(seconds=10)
"""How long a message that was refused rests; twice as long after each further refusal."""
LONGEST_REST = timedelta(minutes=10)
KEPT = ("created_at", "ts", "sent", "sending", "sender", "wanted")
"""What a message keeps, whatever it says."""
Settle = Callable[[Notice], Notice]
"""Turns a message that has buttons into what it says once they are of no more use."""


class Attachment(Frozen):
    """A text file, e.g. a log."""

    name: str
    text: str


class Message(Frozen):
    """What somebody should see.

    `key` names the message for good, e.g. `op-1:progress`. `thread_of` is the key of the message it
    answers; `recipient` makes it a direct message to one person, in no channel; `urgent` ones are
    sent first.
    """

    key: str
    content: Notice | Attachment
    channel: str = ""
    thread_of: str = ""
    recipient: str = ""
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
            recipient=row.recipient,
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

    def settle(self, beginning: str, settle: Settle) -> None:
        """Change the messages whose keys begin like this and that still have buttons."""
        with self._database.writing() as session:
            settle_all(session, beginning, settle, self._clock.now())
        self.on_show()

    def get(self, key: str) -> MessageRow | None:
        """Return a message; `ts` is where it was posted."""
        with self._database.reading() as session:
            return session.get(MessageRow, key)

    def recipients(self, beginning: str) -> Sequence[str]:
        """Return whom the direct messages are for whose keys begin like this."""
        keys = col(MessageRow.key).startswith(beginning, autoescape=True)
        with self._database.reading() as session:
            rows = session.exec(select(MessageRow.recipient).where(keys)).all()
            return [recipient for recipient in rows if recipient]

    def owed(self, limit: int = 100) -> Sequence[MessageRow]:
        """Return messages to send or edit: urgent ones first, then those that wait longest.

        Answers wait until the message they answer is there; those that were refused rest, and then
        come last, so that they hold up nobody.
        """
        rested = col(MessageRow.rests_until)
        parent = aliased(MessageRow)
        rows = (
            select(MessageRow)
            .outerjoin(parent, col(parent.key) == col(MessageRow.thread_of))
            .where(col(MessageRow.wanted) > col(MessageRow.sent))
            .where(or_(rested.is_(None), rested <= self._clock.now()))
            .where(or_(MessageRow.thread_of == "", col(parent.ts) != ""))
            .order_by(
                col(MessageRow.trouble) != "",
                col(MessageRow.urgent).desc(),
                col(MessageRow.updated_at),
            )
        )
        with self._database.reading() as session:
            return session.exec(rows.limit(limit)).all()

    def mark_sending(self, key: str, *, by: str = "", instead_of: str = "") -> MessageRow | None:
        """Note that a process begins an attempt; return what to send.

        None, while another process is at it, unless that is the one `instead_of` which it acts,
        since it is dead. A row that was `sending` before may have arrived: look for it before
        sending it again.
        """
        with self._database.writing() as session:
            row = _locked(session, key)
            if row.sending and row.sender not in ("", by, instead_of):
                return None
            before = row.model_copy()
            row.sending, row.sender = True, by
            session.add(row)
            return before

    def mark_sent(self, key: str, version: int, ts: str) -> None:
        """Note that version `version` (the row's `wanted` when it was read) is there, at `ts`.

        If it had been in trouble, that is mended: others with the same trouble rest no longer.
        """
        with self._database.writing() as session:
            row = _locked(session, key)
            row.sent = max(row.sent, version)
            row.ts = ts
            row.sending, row.sender = False, ""
            if row.trouble:
                self._wake_others(session, row)
                row.trouble, row.refusals, row.rests_until = "", 0, None
            session.add(row)

    def _wake_others(self, session: Session, mended: MessageRow) -> None:
        """Let messages rest no longer that were refused there for the same reason."""
        session.exec(
            update(MessageRow)
            .where(col(MessageRow.channel) == mended.channel)
            .where(col(MessageRow.trouble) == mended.trouble)
            .where(col(MessageRow.key) != mended.key)
            .values(rests_until=None)
        )

    def let_go(self, key: str, *, by: str) -> None:
        """Note that a process's attempt failed: any process may try again, and looks first."""
        with self._database.writing() as session:
            row = _locked(session, key)
            if row.sender == by:
                row.sender = ""
                session.add(row)

    def mark_trouble(self, key: str, trouble: str) -> None:
        """Note that a message is refused until somebody mends something; it rests, ever longer.

        It stays `sending`: an earlier attempt, cut off by a crash, may have arrived.
        """
        with self._database.writing() as session:
            row = _locked(session, key)
            row.rests_until = self._clock.now() + _rest(row.refusals)
            row.refusals += 1
            row.trouble = trouble
            session.add(row)

    def drop_texts(self, older_than: timedelta) -> int:
        """Drop the texts of files shown that long ago, once they have arrived; the rows stay.

        So no file goes twice. Return how many there were.
        """
        text = type_coerce(MessageRow.content, JSON)["text"].as_string()
        with self._database.writing() as session:
            return session.exec(
                update(MessageRow)
                .where(col(MessageRow.file_name) != "", col(MessageRow.ts) != "", text != "")
                .where(col(MessageRow.updated_at) < self._clock.now() - older_than)
                .values(content={"text": ""})
            ).rowcount

    def forget(self, older_than: timedelta) -> int:
        """Drop what was last shown that long ago, but for messages that others answer.

        Those in trouble go, too: it is too late for them. Return how many there were.
        """
        dispensable = or_(
            col(MessageRow.thread_of) != "",
            col(MessageRow.recipient) != "",
            col(MessageRow.trouble) != "",
        )
        old = col(MessageRow.updated_at) < self._clock.now() - older_than
        with self._database.writing() as session:
            return session.exec(delete(MessageRow).where(old, dispensable)).rowcount


def want(session: Session, message: Message, now: datetime) -> MessageRow:
    """Want a message within the caller's transaction; a file that Slack has stays as it is."""
    wanted = _row(message, now)
    rows = select(MessageRow).where(MessageRow.key == message.key).with_for_update()
    row = session.exec(rows).first()
    if row is None:
        is_new = insert_once(session, wanted)
        row = session.exec(rows).one()
        if is_new:
            return row
    if row.file_name and row.ts:
        return row
    if Message.of(row) != message:
        # What is owed already keeps its place in the line, however often it changes.
        owed = {"updated_at"} if row.wanted > row.sent and not row.trouble else set()
        keep = {*KEPT, "trouble", "refusals"} | owed
        row.sqlmodel_update(wanted.model_dump(exclude=keep | {"rests_until"}))
        row.wanted += 1
        if row.rests_until:
            # Somebody does something about it: perhaps the trouble is mended, too.
            row.rests_until = min(row.rests_until, now + FIRST_REST)
        session.add(row)
    return row


def settle_all(session: Session, beginning: str, settle: Settle, now: datetime) -> None:
    """Change, within the caller's transaction, what begins like this and still has buttons."""
    keys = col(MessageRow.key).startswith(beginning, autoescape=True)
    for row in session.exec(select(MessageRow).where(keys).with_for_update()).all():
        message = Message.of(row)
        if isinstance(message.content, Notice) and message.content.buttons:
            want(session, message.model_copy(update={"content": settle(message.content)}), now)


def _row(message: Message, now: datetime) -> MessageRow:
    content = message.content
    is_file = isinstance(content, Attachment)
    return MessageRow(
        key=message.key,
        channel=message.channel,
        thread_of=message.thread_of,
        recipient=message.recipient,
        file_name=content.name if isinstance(content, Attachment) else "",
        content=content.model_dump(mode="json", exclude={"name"} if is_file else None),
        urgent=message.urgent,
        created_at=now,
        updated_at=now,
    )


def _rest(refusals: int) -> timedelta:
    return min(LONGEST_REST, FIRST_REST * (1 << min(refusals, 10)))


def _locked(session: Session, key: str) -> MessageRow:
    row = session.exec(select(MessageRow).where(MessageRow.key == key).with_for_update()).first()
    if row is None:
        raise PermanentError(f"There is no message {key}; nothing was changed.")
    return row
