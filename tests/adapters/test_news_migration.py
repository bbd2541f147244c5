"""Projects that had released before we kept news do not release for the first time once more."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from databases import KINDS
from sqlalchemy import Connection, text

from provisioning import migrations
from provisioning.clock import MovableClock
from provisioning.database import Database
from provisioning.store import Store

START = datetime(2026, 11, 1, tzinfo=UTC)
OPERATION = """
    INSERT INTO operation (id, kind, project, phase, version, attempt, request, facts,
                           requested_by, channel, created_at, cancel_requested_by)
    VALUES (:id, :kind, :project, 'ready', 0, 1, '{}', '{}', 'U-ada', 'C-runs', :at, '')
"""
RUN = """
    INSERT INTO workflow_run (id, project, run, created_at, wakes, looks, requested_by, failure,
                              told)
    VALUES (:id, :project, '{}', :at, 0, 0, '', '', '[]')
"""
MESSAGE = """
    INSERT INTO message (key, channel, thread_of, recipient, file_name, content, urgent, wanted,
                         sent, sending, ts, trouble, refusals, created_at, updated_at)
    VALUES (:key, 'C', '', '', '', '{}', false, 1, 1, false, '1', '', 0, :at, :at)
"""


def at(day: int) -> datetime:
    return START + timedelta(days=day)


def old_rows(connection: Connection) -> None:
    """Have two lives of one name, of which the first released twice; and another project."""
    lives = (("op-1", "ada-7", 1), ("op-2", "ada-7", 9), ("op-3", "ada-8", 1))
    for number, project, day in lives:
        values = {"id": number, "kind": "create_project", "project": project, "at": at(day)}
        connection.execute(text(OPERATION), values)
    for number, project, day in (("71", "ada-7", 2), ("72", "ada-7", 3), ("73", "ada-8", 2)):
        connection.execute(text(RUN), {"id": number, "project": project, "at": at(day)})
    for number in ("71", "72"):
        values = {"key": f"announce:deployment:{number}", "at": at(3)}
        connection.execute(text(MESSAGE), values)


@pytest.mark.parametrize("kind", KINDS)
def test_who_has_released_already_is_known(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, clock: MovableClock
) -> None:
    url = f"sqlite:///{tmp_path / 'sciclops.db'}"
    if kind == "postgresql":
        url = request.getfixturevalue("postgresql").new_database()
    database = Database(url)
    with database.connected() as connection:
        config = migrations._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0010")
        old_rows(connection)
    migrations.upgrade(database)
    news = Store(database, clock).news
    assert news.told("first-release:op-1") == "71"
    assert news.told("first-release:op-2") is None
    assert news.told("first-release:op-3") is None
    assert not news.first("first-release:op-1", "74")
    database.close()
