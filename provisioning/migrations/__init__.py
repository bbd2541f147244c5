"""The database's schema, brought up to date at each start, one process at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from provisioning.database import Database
from provisioning.errors import PermanentError
from provisioning.migrations.models import METADATA, is_ours

LOCK = 0x5C1C_1095
"""Any number that nobody else in the database uses for an advisory lock."""


def upgrade(database: Database) -> None:
    """Create or upgrade the schema; several processes that start at once take turns."""
    with _alone(database) as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def current(database: Database) -> str | None:
    """Return the schema's revision, or None if there is no schema yet."""
    with database.reading() as session:
        return MigrationContext.configure(session.connection()).get_current_revision()


def check(database: Database) -> None:
    """Raise `PermanentError` unless the schema is the one this version of the bot needs."""
    wanted, found = head(), current(database)
    if found != wanted:
        raise PermanentError(
            f"The database's schema is at revision {found or 'none'}, this version needs {wanted}. "
            "Nothing was changed. Run `sciclops db upgrade` with this version; if the database is "
            "newer, run the newer version of the bot."
        )


def head() -> str:
    """Return the newest revision."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise PermanentError("This installation has no migrations; install it again.")
    return revision


def differences(database: Database) -> list[Any]:
    """Return what an upgraded schema lacks or has too much, compared with the tables."""
    with database.reading() as session:
        options = {"include_name": is_ours, "compare_type": True}
        migrated = MigrationContext.configure(session.connection(), opts=options)
        return list(compare_metadata(migrated, METADATA))


@contextmanager
def _alone(database: Database) -> Iterator[Connection]:
    """Open the only writing transaction that upgrades; on SQLite any other would have to wait."""
    with database.connected() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        yield connection


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config
