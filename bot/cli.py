"""The command line: `sciclops serve | doctor | check | db | manifest`, and what other packages add.

Packages add sub-commands through the entry point group `sciclops.commands`.
"""

import json
import os
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer

from bot import logs
from bot.settings import Settings, load
from provisioning.errors import SciclopsError

SettingsFile = Annotated[
    Path, typer.Option("--settings", envvar="SCICLOPS_SETTINGS", help="the settings file")
]
DEFAULT = Path("sciclops.toml")

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
db = typer.Typer(no_args_is_help=True, help="Look after the database.")
cli.add_typer(db, name="db")


def read_settings(file: Path) -> Settings:
    """Read the settings file and the environment."""
    return load(file, os.environ)  # noqa: TID251 - the one place where the environment is read


@cli.command()
def serve(settings: SettingsFile = DEFAULT) -> None:
    """Run the bot until it is told to stop."""
    from bot import serve as server
    from bot.wiring import build

    read = read_settings(settings)
    server.refuse_without_tokens(read)
    bot = build(read)
    logs.set_up(bot.redact, read.log.format)
    server.serve(bot)


@cli.command()
def doctor(
    settings: SettingsFile = DEFAULT,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON, for programs")] = False,
    seconds: Annotated[float, typer.Option(help="how long each check may take")] = 20,
) -> None:
    """Check the settings against the live systems and say how to mend what is wrong."""
    from bot import doctor as clinic

    results = clinic.examine(lambda: read_settings(settings), seconds)
    typer.echo(clinic.as_json(results) if as_json else clinic.as_text(results))
    if not clinic.is_healthy(results):
        raise typer.Exit(1)


@cli.command("check")
def check_project(
    project: Annotated[str, typer.Argument(help="the project's name")],
    settings: SettingsFile = DEFAULT,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON, for programs")] = False,
) -> None:
    """Check a project that is ready; the exit status is 1 unless everything is as it should be."""
    from bot.wiring import build
    from provisioning import check_report, migrations
    from provisioning.database import Database

    read = read_settings(settings)
    migrations.check(Database(read.url()))  # a bot that is put together upgrades it
    report = build(read).checking.examine(project)
    typer.echo(check_report.as_json(report) if as_json else check_report.as_text(report))
    if not report.passed:
        raise typer.Exit(1)


@db.command("upgrade")
def upgrade(settings: SettingsFile = DEFAULT) -> None:
    """Bring the database's schema up to date."""
    from provisioning import migrations
    from provisioning.database import Database

    read = read_settings(settings)
    read.data_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = Database(read.url())
    migrations.upgrade(database)
    typer.echo(f"The schema is at revision {migrations.current(database)}.")


@db.command("check")
def check(settings: SettingsFile = DEFAULT) -> None:
    """Tell whether the schema is what this version needs."""
    from provisioning import migrations
    from provisioning.database import Database

    database = Database(read_settings(settings).url())
    migrations.check(database)
    typer.echo("The schema is up to date.")


@db.command("backup")
def backup(
    file: Annotated[Path, typer.Argument(help="a new file")], settings: SettingsFile = DEFAULT
) -> None:
    """Copy the SQLite database into a file, while the bot goes on."""
    from provisioning.backup import back_up
    from provisioning.database import Database

    back_up(Database(read_settings(settings).url()), file)
    typer.echo(f"The database is copied to {file}.")


@cli.command()
def manifest(
    mode: Annotated[str, typer.Option(help="socket or http")] = "socket",
    url: Annotated[str, typer.Option(help="public address of the bot, for http")] = "",
) -> None:
    """Print the Slack app's manifest."""
    from bot.manifest import manifest as build_manifest

    typer.echo(json.dumps(build_manifest(mode, url), indent=2))


def main() -> None:
    """Run the command line; errors that people can mend are told without a traceback."""
    for entry in entry_points(group="sciclops.commands"):
        command: Callable[..., None] = entry.load()
        cli.command(entry.name)(command)
    try:
        cli()
    except SciclopsError as error:
        typer.echo(str(error), err=True)
        sys.exit(2)
