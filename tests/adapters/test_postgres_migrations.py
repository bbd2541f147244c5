"""The schema on real databases: equal to the tables, and made by one process at a time."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from databases import KINDS, PostgreSQL
from engine_bench import PROCESSES
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from provisioning import migrations
from provisioning.clock import SystemClock
from provisioning.database import Database, _may_pass
from provisioning.engine import Engine
from provisioning.errors import PermanentError, TemporaryError
from provisioning.tables import MemoRow


@pytest.fixture(params=KINDS)
def empty(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path / 'sciclops.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql").new_database()
    database = Database(url)
    yield database
    database.close()


def write(database: Database) -> None:
    with database.writing() as session:
        session.connection()


def read(database: Database) -> None:
    with database.reading() as session:
        session.connection()


def in_another_thread(work: Callable[[], None]) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()


def count_up(database: Database) -> None:
    with database.writing() as session:
        row = session.get(MemoRow, "counter") or MemoRow(key="counter", value={"last": 0})
        row.value = {"last": row.value["last"] + 1}
        session.add(row)


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


def test_a_missing_table_is_no_temporary_error(empty: Database) -> None:
    with pytest.raises(DBAPIError, match="nothing"), empty.connected() as connection:
        connection.execute(text("SELECT * FROM nothing"))


def test_a_locked_table_is_a_passing_trouble_of_postgresql(postgresql: PostgreSQL) -> None:
    database = Database(postgresql.new_database())
    migrations.upgrade(database)
    with database.engine.connect() as other, database.connected() as holder:
        other.exec_driver_sql("SET SESSION lock_timeout='1ms'")
        other.commit()
        holder.execute(text("LOCK TABLE memo"))
        with pytest.raises(OperationalError) as refusal:
            other.exec_driver_sql("LOCK TABLE memo")
        assert _may_pass(refusal.value)
    database.close()


@pytest.mark.parametrize("whose", ["own", "another process'"])
def test_who_waits_too_long_for_sqlite_to_be_written_gets_a_temporary_error(
    whose: str, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'sciclops.db'}"
    impatient = Database(url, patience=0.02)
    holder = impatient if whose == "own" else Database(url)
    with holder.connected():
        with pytest.raises(TemporaryError, match="did not answer"):
            in_another_thread(lambda: write(impatient))
        read(impatient)  # readers wait for nobody
    write(impatient)
    for database in {holder, impatient}:
        database.close()


def test_among_many_who_want_to_write_sqlite_nobody_is_left_behind(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'sciclops.db'}", patience=10)
    migrations.upgrade(database)
    with ThreadPoolExecutor(8) as pool:
        for written in [pool.submit(count_up, database) for _ in range(200)]:
            written.result()
    with database.reading() as session:
        memo = session.get(MemoRow, "counter")
    assert memo is not None
    assert memo.value == {"last": 200}
    database.close()
