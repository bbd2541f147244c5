"""The schema on real databases: equal to the tables, and made by one process at a time."""

from collections.abc import Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from databases import KINDS
from engine_bench import PROCESSES
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from provisioning import migrations
from provisioning.clock import SystemClock
from provisioning.database import Database, _may_pass
from provisioning.engine import Engine
from provisioning.errors import PermanentError, TemporaryError


@pytest.fixture(params=KINDS)
def empty(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path / 'sciclops.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql").new_database()
    database = Database(url)
    yield database
    database.close()


def test_migrations_and_tables_agree(empty: Database) -> None:
    assert migrations.current(empty) is None
    assert migrations.differences(empty) != []

    migrations.upgrade(empty)

    assert migrations.differences(empty) == []
    assert migrations.current(empty) == migrations.head()
    migrations.check(empty)


def test_a_difference_between_schema_and_tables_is_found(empty: Database) -> None:
    migrations.upgrade(empty)
    with empty.connected() as connection:
        connection.execute(text("ALTER TABLE project DROP COLUMN repository_url"))

    assert "repository_url" in str(migrations.differences(empty))


def test_the_engines_own_tables_are_no_difference(empty: Database, tmp_path: Path) -> None:
    migrations.upgrade(empty)
    engine = Engine(empty, SystemClock(), tmp_path)
    engine.launch()
    assert engine.stop()

    assert migrations.differences(empty) == []
    migrations.upgrade(empty)


def test_a_schema_of_another_version_is_refused_with_what_to_do(empty: Database) -> None:
    with pytest.raises(PermanentError, match=r"none.*sciclops db upgrade"):
        migrations.check(empty)
    migrations.upgrade(empty)
    with empty.connected() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(PermanentError, match="9999"):
        migrations.check(empty)


def test_processes_that_start_at_once_on_an_empty_database_take_turns(empty: Database) -> None:
    together = PROCESSES.Barrier(4, timeout=30)
    processes = [
        PROCESSES.Process(target=upgrade_together, args=(empty.url, together), daemon=True)
        for _ in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=40)

    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    assert migrations.differences(empty) == []


def upgrade_together(url: str, together: Barrier) -> None:
    """Upgrade at the same moment as others, in a process of its own."""
    database = Database(url)
    together.wait()
    migrations.upgrade(database)
    migrations.check(database)
    database.close()


def test_a_failed_upgrade_leaves_nothing_behind(empty: Database) -> None:
    with empty.connected() as connection:
        connection.execute(text("CREATE TABLE memo (unrelated INTEGER)"))

    with pytest.raises(DBAPIError, match="memo"):
        migrations.upgrade(empty)

    assert migrations.current(empty) is None
    with empty.connected() as connection:
        connection.execute(text("DROP TABLE memo"))
    migrations.upgrade(empty)
    assert migrations.differences(empty) == []


def test_a_database_that_does_not_answer_is_a_temporary_error() -> None:
    nowhere = Database("postgresql://sciclops@127.0.0.1:1/nothing")

    with pytest.raises(TemporaryError, match="did not answer"):
        migrations.current(nowhere)
    nowhere.close()


def test_a_locked_database_is_a_temporary_error_and_a_missing_table_is_not(
    empty: Database,
) -> None:
    with pytest.raises(DBAPIError, match="nothing"), empty.connected() as connection:
        connection.execute(text("SELECT * FROM nothing"))
    if empty.is_sqlite:
        statement, impatient = "SELECT 1", "PRAGMA busy_timeout=1"
    else:
        migrations.upgrade(empty)
        statement, impatient = "LOCK TABLE memo", "SET SESSION lock_timeout='1ms'"
    with empty.engine.connect() as other, empty.connected() as holder:
        other.exec_driver_sql(impatient)
        other.commit()
        holder.execute(text(statement))
        with pytest.raises(OperationalError) as refusal:
            other.exec_driver_sql("BEGIN IMMEDIATE" if empty.is_sqlite else statement)
        assert _may_pass(refusal.value)
