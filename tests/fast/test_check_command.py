"""`sciclops check` changes nothing: not even the schema of a database that is older or newer."""

from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from bot.cli import cli
from provisioning import migrations
from provisioning.database import Database
from provisioning.errors import PermanentError

EXAMPLE = Path(__file__).parents[2] / "sciclops.example.toml"


@pytest.mark.parametrize("revision", [None, "r0001"])
def test_a_check_refuses_another_schema_and_leaves_it_as_it_is(
    tmp_path: Path, revision: str | None
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'kept.sqlite'}")
    if revision:
        with database.connected() as connection:
            connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
            connection.execute(text("INSERT INTO alembic_version VALUES ('r0001')"))
    words = ["check", "ada-7", "--settings", str(EXAMPLE)]
    found = CliRunner().invoke(cli, words, env={"SCICLOPS__DATABASE_URL": database.url})
    assert isinstance(found.exception, PermanentError)
    assert "sciclops db upgrade" in str(found.exception)
    assert migrations.current(database) == revision
    database.close()
