"""One database: SQLite by default, PostgreSQL by URL, and what is different between the two."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlmodel import Session, SQLModel

from provisioning.errors import TemporaryError

SECONDS_TO_WAIT_FOR_A_LOCK = 30
SECONDS_BETWEEN_TRIES = 0.001
"""SQLite itself sleeps up to 0.1 s between its tries for the write lock: who waits in vain once or
twice is overtaken by everybody who comes at the right moment, for a second and more."""
SILENCE = (
    "The bot's database did not answer. Nothing was changed by this attempt; "
    "it is tried again, or try again in a minute."
)
PASSING_STATES = frozenset({"08", "40", "53", "55", "57"})
"""Classes of SQLSTATE: connection, deadlock, resources, lock not available, shutting down."""


class Database:
    """Transactions on one database; both kinds raise `TemporaryError` when it does not answer.

    `url` is any SQLAlchemy URL of SQLite (a file) or PostgreSQL (driver psycopg). `patience` is how
    many seconds a transaction waits for those of others.
    """

    def __init__(self, url: str, patience: float = SECONDS_TO_WAIT_FOR_A_LOCK) -> None:
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if not self.is_sqlite:
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.url = parsed.render_as_string(hide_password=False)
        self.engine = _sqlite(self.url, patience) if self.is_sqlite else _postgresql(self.url)
        self._writer = self.engine.execution_options(writes=True)
        self._patience = patience
        self._lock = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a transaction that only reads."""
        with _translated(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Open a transaction that is committed at the end, or undone by an exception.

        Read rows that decide something with `with_for_update()`: PostgreSQL then locks them, while
        on SQLite the whole transaction holds the only write lock from its beginning.
        """
        with (
            _translated(),
            self._turn(),
            Session(self._writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """Open a bare connection with a writing transaction, for migrations."""
        with _translated(), self._turn(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait for a turn to write: SQLite lets one write at a time, and here the next is woken."""
        if not self.is_sqlite:
            yield
            return
        if not self._lock.acquire(timeout=self._patience):
            raise TemporaryError(SILENCE)
        try:
            yield
        finally:
            self._lock.release()

    def ping(self) -> None:
        """Ask for nothing; raises TemporaryError if there is no answer."""
        with self.reading() as session:
            session.connection().execute(select(literal(1)))

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def insert_once(session: Session, row: SQLModel) -> bool:
    """Insert a row unless its key (or another unique value) is taken; tell whether it was new.

    On PostgreSQL this waits for a competing transaction: afterwards the winner's row is visible.
    """
    dialect = session.get_bind().dialect.name
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    statement = insert(type(row)).values(**row.model_dump()).on_conflict_do_nothing()
    return session.connection().execute(statement.returning(literal(1))).first() is not None


def _sqlite(url: str, patience: float) -> Engine:
    engine = create_engine(url, connect_args={"timeout": patience})
    event.listen(engine, "connect", partial(_prepare_sqlite, patience))
    event.listen(engine, "begin", partial(_begin_sqlite, patience))
    return engine


def _prepare_sqlite(patience: float, connection: DBAPIConnection, record: object) -> None:
    del record
    # Python's driver would begin transactions by itself, and only before the first write.
    connection.isolation_level = None
    cursor = connection.cursor()
    # For this change SQLite itself does not wait for others who begin at the same moment.
    _patiently(patience, lambda: cursor.execute("PRAGMA journal_mode=WAL"))
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(patience: float, connection: Connection) -> None:
    # A read transaction that turned into a write would fail at once if somebody wrote in between.
    writes = connection.get_execution_options().get("writes", False)
    milliseconds = 0 if writes else round(patience * 1000)
    connection.exec_driver_sql(f"PRAGMA busy_timeout={milliseconds}")
    if not writes:
        connection.exec_driver_sql("BEGIN")
        return
    _patiently(patience, lambda: connection.exec_driver_sql("BEGIN IMMEDIATE"))


def _patiently(patience: float, attempt: Callable[[], object]) -> None:
    """Try until the engine or another process no longer holds the database, or patience ends."""
    deadline = time.monotonic() + patience
    while True:
        try:
            attempt()
        except (OperationalError, sqlite3.OperationalError) as error:
            if time.monotonic() > deadline or "locked" not in str(error):
                raise
            threading.Event().wait(SECONDS_BETWEEN_TRIES)
        else:
            return


def _postgresql(url: str) -> Engine:
    options: dict[str, Any] = {"connect_timeout": 10, "application_name": "sciclops"}
    return create_engine(url, pool_pre_ping=True, pool_size=10, connect_args=options)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        if not _may_pass(error):
            raise
        raise TemporaryError(SILENCE) from error


def _may_pass(error: DBAPIError) -> bool:
    """Tell a database that is busy or away from one that is wrong, e.g. lacks a table."""
    if isinstance(error.orig, sqlite3.Error):
        return any(word in str(error.orig) for word in ("locked", "busy", "unable to open"))
    state: str | None = getattr(error.orig, "sqlstate", None)
    return state is None or state[:2] in PASSING_STATES
