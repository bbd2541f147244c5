"""Is the bot's database there, with the schema of this version? Nothing is created or changed."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from provisioning import migrations
from provisioning.database import Database
from provisioning.diagnosis import Check, Verdict, fine, problem
from provisioning.errors import TemporaryError

SYSTEM = "Database"
REMEDY = "Check database_url: sqlite:////path/to/file or postgresql://user:password@host/database."


def database_checks(url: str) -> Iterator[Check]:
    """Return the check of the database."""
    yield Check(SYSTEM, "schema", partial(schema, url), silence=REMEDY)


def schema(url: str) -> Verdict:
    """Tell whether the database answers and its schema is what this version needs."""
    try:
        parsed = make_url(url)
    except SQLAlchemyError:
        return problem("database_url is no database URL", REMEDY)
    file = parsed.database or ""
    if parsed.get_backend_name() == "sqlite" and not Path(file).exists():
        return fine(f"{file} does not exist yet: `sciclops serve` creates it")
    database = Database(url)
    try:
        return _revision(database)
    except TemporaryError:
        return problem("the database did not answer", REMEDY)
    except SQLAlchemyError as error:
        return problem(f"this is no usable database ({type(error).__name__})", REMEDY)
    finally:
        database.close()


def _revision(database: Database) -> Verdict:
    wanted, found = migrations.head(), migrations.current(database)
    if found is None:
        return fine("empty: `sciclops serve` creates the schema")
    if found == wanted:
        return fine(f"at revision {found}")
    return problem(
        f"the schema is at revision {found}, this version of the bot needs {wanted}",
        "Run `sciclops db upgrade`; if the database is newer, run the newer version of the bot.",
    )
