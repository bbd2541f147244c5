"""What every task is told: which model, where models are kept, and a fixture instead of tables."""

import argparse
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from .names import ModelName
from .registry import Registry

WORKSPACE = "workspace"
FIXTURE = "observations.csv"


def parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser of what all tasks understand; Databricks passes parameters as --key=value."""
    found = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    found.add_argument(
        "--fixture", type=Path, help="a CSV file, or the folder of it: no Spark, no tables"
    )
    found.add_argument(
        "--model",
        type=ModelName.parse,
        help="full name of the deployed model: catalog.schema.name",
    )
    return found


def add_registry(found: argparse.ArgumentParser) -> None:
    """Add where models are kept."""
    found.add_argument(
        "--registry",
        default="",
        help=f"'{WORKSPACE}', or a folder (with --fixture, where it is the default)",
    )


def add_as_of(found: argparse.ArgumentParser) -> None:
    """Add the day that counts as today."""
    found.add_argument(
        "--as-of",
        type=lambda text: date.fromisoformat(text) if text else None,
        help="the newest day to learn from, as in 2026-01-31",
    )


def parse(found: argparse.ArgumentParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the arguments; tables need a model's name, a fixture makes one up."""
    options = found.parse_args(arguments)
    if options.model is None:
        if options.fixture is None:
            found.error("give --fixture, or the --model whose tables are meant")
        options.model = ModelName("local", "local", __name__.partition(".")[0])
    if options.fixture and options.fixture.is_dir():
        options.fixture = options.fixture / FIXTURE
    return options


def registry(options: argparse.Namespace) -> Registry:
    """Open the registry that is meant; on Databricks it is MLflow's."""
    if options.fixture is None:
        from .mlflow_registry import MlflowRegistry

        return MlflowRegistry(options.model, getattr(options, "experiment", ""))
    if options.registry == WORKSPACE:
        from .workspace_registry import WorkspaceRegistry

        return WorkspaceRegistry(options.model)
    from .local_registry import LocalRegistry

    return LocalRegistry(Path(options.registry or ".databricks/models"), options.model)
