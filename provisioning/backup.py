"""A copy of the SQLite database, whole and of one moment, while the bot goes on writing."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import make_url

from provisioning.database import Database
from provisioning.errors import UserError


def back_up(database: Database, target: Path) -> None:
    """Copy the database into a new file, for us alone; raises `UserError` if that cannot be."""
    if not database.is_sqlite:
        raise UserError("The database is PostgreSQL's: copy it with pg_dump. Nothing was written.")
    source = Path(make_url(database.url).database or "")
    if not source.is_file():
        raise UserError(f"There is no database {source} yet. Nothing was written.")
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as refused:
        raise UserError(
            f"{target} cannot be made ({refused.strerror}): name a new file in a folder that "
            "exists. Nothing was written."
        ) from refused
    with closing(sqlite3.connect(source)) as whole, closing(sqlite3.connect(target)) as copy:
        whole.backup(copy)
