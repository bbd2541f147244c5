"""Databases for tests: SQLite files, and a real PostgreSQL server from the installed binaries.

Without PostgreSQL its tests are skipped, except in CI (CI=true), where that is a failure.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Literal

import psycopg
import pytest
from waiting import wait_until

from provisioning import migrations
from provisioning.clock import MovableClock
from provisioning.database import Database
from provisioning.migrations.models import OURS
from provisioning.store import Store

Kind = Literal["sqlite", "postgresql"]
KINDS: tuple[Kind, ...] = ("sqlite", "postgresql")
_numbers = count(1)


class PostgreSQL:
    """A server of our own, on a free loopback port, gone with the test session."""

    def __init__(self, binaries: Path, directory: Path) -> None:
        self.binaries = binaries
        self._data = directory / "data"
        self._log = directory / "log"
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._shared = ""

    def start(self) -> None:
        """Create the cluster and wait until it answers."""
        create = ["initdb", "-D", str(self._data), "-U", "sciclops", "-A", "trust", "--no-sync"]
        subprocess.run(
            self._command(*create, "-E", "UTF8", "--locale=C"), check=True, capture_output=True
        )
        serve = ["postgres", "-D", str(self._data), "-p", str(self.port), "-F"]
        options = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command(*serve, *options), stdout=log, stderr=log
            )
        wait_until(self._answers, seconds=30)

    def stop(self) -> None:
        """End every connection and the server."""
        if self._process:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(timeout=20)

    def shared_database(self) -> str:
        """Return the URL of a database whose tables of ours are empty: quicker than a new one."""
        if not self._shared:
            self._shared = self.new_database()
            _upgraded(self._shared).close()
        with psycopg.connect(self._shared, autocommit=True) as connection:
            names = ", ".join(sorted(OURS))
            connection.execute(f"TRUNCATE {names}".encode())
        return self._shared

    def new_database(self) -> str:
        """Create an empty database and return its URL."""
        name = f"test_{next(_numbers)}"
        with self._connected() as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql://sciclops@127.0.0.1:{self.port}/{name}"

    def _connected(self) -> psycopg.Connection:
        server = f"host=127.0.0.1 port={self.port} user=sciclops dbname=postgres"
        return psycopg.connect(server, autocommit=True)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()
        try:
            self._connected().close()
        except psycopg.OperationalError:
            return False
        return True

    def _command(self, binary: str, *arguments: str) -> list[str]:
        command = [str(self.binaries / binary), *arguments]
        if os.geteuid() != 0:
            return command
        # PostgreSQL refuses to run as root.
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """Run a PostgreSQL server for this test session."""
    binaries = postgresql_binaries()
    if binaries is None:
        reason = "PostgreSQL is not installed (no initdb in PATH, pg_config or /usr/lib/postgresql)"
        if os.getenv("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with serving(binaries) as server:
        yield server


@contextmanager
def serving(binaries: Path) -> Iterator[PostgreSQL]:
    """Run a server, in a directory that goes with it."""
    # Not pytest's own directory, whose parents the user `postgres` may not enter.
    directory = Path(tempfile.mkdtemp(prefix="sciclops-postgresql-"))
    if os.geteuid() == 0:
        shutil.chown(directory, "postgres", "postgres")
    server = PostgreSQL(binaries, directory)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory)


@contextmanager
def opened(kind: Kind, directory: Path, request: pytest.FixtureRequest) -> Iterator[Database]:
    """Open a new database of a kind, its schema upgraded."""
    if kind == "sqlite":
        database = _copied(directory, request)
    else:
        database = _upgraded(request.getfixturevalue("postgresql").new_database())
    yield database
    database.close()


@pytest.fixture
def clock() -> MovableClock:
    """Return a clock that tests set forward."""
    return MovableClock()


@pytest.fixture
def database(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Database]:
    """Open an SQLite database for one test."""
    with opened("sqlite", tmp_path, request) as one:
        yield one


@pytest.fixture
def store(database: Database, clock: MovableClock) -> Store:
    """Return an empty store on SQLite."""
    return Store(database, clock)


@pytest.fixture(params=KINDS)
def each_database(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Database]:
    """Open a database for one test, which runs once for each kind."""
    if request.param == "sqlite":
        database = _copied(tmp_path, request)
    else:
        database = Database(request.getfixturevalue("postgresql").shared_database())
    yield database
    database.close()


@pytest.fixture
def each_store(each_database: Database, clock: MovableClock) -> Store:
    """Return an empty store; the test runs once for each kind of database."""
    return Store(each_database, clock)


@pytest.fixture(scope="session")
def upgraded_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty SQLite database with all tables: a copy of it is quicker than a new one."""
    file = tmp_path_factory.mktemp("upgraded") / "sciclops.db"
    _upgraded(f"sqlite:///{file}").close()
    assert [*file.parent.iterdir()] == [file], "all of it is in the file"
    return file


def _copied(directory: Path, request: pytest.FixtureRequest) -> Database:
    file = directory / "sciclops.db"
    shutil.copyfile(request.getfixturevalue("upgraded_file"), file)
    return Database(f"sqlite:///{file}")


def _upgraded(url: str) -> Database:
    database = Database(url)
    migrations.upgrade(database)
    return database


def postgresql_binaries() -> Path | None:
    """Return where initdb is, the newest version first."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).parent
    configured = shutil.which("pg_config")
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if configured:
        answer = subprocess.run(
            [configured, "--bindir"], capture_output=True, text=True, check=True
        )
        places.insert(0, Path(answer.stdout.strip()))
    return next((place for place in places if (place / "initdb").exists()), None)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
