"""Backup and restore as docs/operating.md shows them, on real databases: work goes on there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from databases import PostgreSQL
from documents import ROOT, tried
from engine_bench import Process
from rows import a_project, an_operation

from provisioning import migrations
from provisioning.backup import back_up
from provisioning.clock import MovableClock
from provisioning.database import Database
from provisioning.errors import UserError
from provisioning.store import Store

STATE = Path("terraform/projects/ada-7/root/terraform.tfstate")


class Installation:
    """A folder as docs/operating.md describes it, and what is typed there."""

    def __init__(self, folder: Path, url: str, **environment: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.database = url or f"sqlite:///{self.data / 'sciclops.sqlite'}"
        (self.data / STATE.parent).mkdir(parents=True)
        (self.data / STATE).write_text('{"serial": 7}')
        (folder / ".venv").symlink_to(sys.prefix)
        (folder / "sciclops.toml").write_text((ROOT / "sciclops.example.toml").read_text())
        self._environment = {
            "PATH": os.defpath,
            "SCICLOPS__DATABASE_URL": self.database,
            "DATABASE": url,
            **environment,
        }

    def type(self, block: str) -> str:
        """Run a block of the document in a shell; return what it printed."""
        done = subprocess.run(
            ["bash", "-eu", "-c", block],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def ask_for_a_project(url: str) -> None:
    """Store a project with its audit trail, as the bot does."""
    database = Database(url)
    migrations.upgrade(database)
    store = Store(database, MovableClock())
    store.projects.reserve_and_begin(a_project(), an_operation())
    database.close()


def work_until_the_middle(installation: Installation) -> Process:
    """Return a bot in small that stands still in the middle of an operation."""
    process = Process(Database(installation.database), installation.folder, "two:after")
    process.tell("start op-1")
    process.hear("step op-1 two after")
    return process


def happened(installation: Installation) -> list[str]:
    return (installation.folder / "world").read_text().splitlines()


def goes_on(installation: Installation) -> None:
    """Start the bot in small anew: it has to end what it had begun when the copy was made."""
    process = Process(Database(installation.database), installation.folder)
    process.hear("step op-1 three after")
    process.stop()
    assert happened(installation)[0] == "op-1 one"
    assert happened(installation).count("op-1 one") == 1
    assert happened(installation)[-1] == "op-1 three"


def has_kept_the_project(installation: Installation) -> None:
    database = Database(installation.database)
    store = Store(database, MovableClock())
    project = store.projects.get("ada-7")
    trail = store.trail("ada-7")
    database.close()
    assert project is not None
    assert project.state == "reserved"
    assert [row.what for row in trail.rows] == ["asked for create_project"]
    assert trail.fault is None


def lose_terraform(installation: Installation) -> None:
    (installation.data / STATE).unlink()


def test_a_copy_of_sqlite_is_whole_and_work_goes_on_from_it(tmp_path: Path) -> None:
    installation = Installation(tmp_path, "")
    ask_for_a_project(installation.database)
    bot = work_until_the_middle(installation)

    installation.type(tried("back up SQLite"))
    bot.kill()
    files = ("backup", "backup/sciclops.sqlite", "backup/terraform.tar")
    assert {(tmp_path / name).stat().st_mode & 0o077 for name in files} == {0}
    damaged = installation.data / "sciclops.sqlite"
    damaged.write_bytes(damaged.read_bytes()[:4096])
    lose_terraform(installation)

    said = installation.type(tried("restore SQLite"))
    installation.type(tried("restore Terraform"))
    assert "The schema is at revision" in said
    has_kept_the_project(installation)
    assert (installation.data / STATE).read_text() == '{"serial": 7}'
    goes_on(installation)


def test_a_dump_of_postgresql_is_whole_and_work_goes_on_from_it(
    tmp_path: Path, postgresql: PostgreSQL
) -> None:
    path = f"{postgresql.binaries}:{os.defpath}"
    installation = Installation(tmp_path, postgresql.new_database(), PATH=path)
    ask_for_a_project(installation.database)
    bot = work_until_the_middle(installation)

    installation.type(tried("back up PostgreSQL"))
    bot.kill()
    ask_for_a_second_one(installation)

    said = installation.type(tried("restore PostgreSQL"))
    assert "The schema is at revision" in said
    has_kept_the_project(installation)
    goes_on(installation)


def ask_for_a_second_one(installation: Installation) -> None:
    """Change what was copied: the restored database does not know of it."""
    database = Database(installation.database)
    store = Store(database, MovableClock())
    store.projects.become("ada-7", "failed")
    database.close()


def test_nothing_is_overwritten_by_a_copy(database: Database, tmp_path: Path) -> None:
    target = tmp_path / "copy.sqlite"
    back_up(database, target)
    kept = target.read_bytes()
    with pytest.raises(UserError, match="name a new file"):
        back_up(database, target)
    with pytest.raises(UserError, match="in a folder that exists"):
        back_up(database, tmp_path / "nowhere" / "copy.sqlite")
    assert target.read_bytes() == kept


def test_what_cannot_be_copied_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no database"):
        back_up(Database(f"sqlite:///{tmp_path / 'none.sqlite'}"), tmp_path / "copy")
    with pytest.raises(UserError, match="pg_dump"):
        back_up(Database("postgresql://sciclops@127.0.0.1:1/nothing"), tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []
