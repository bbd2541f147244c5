"""`databricks current-user me` and `databricks api …`."""

import json
from argparse import Namespace
from pathlib import Path

from playground.databricks_cli.bundle_commands import show
from playground.databricks_cli.connection import Connection
from playground.databricks_cli.failures import CliError
from playground.databricks_cli.trees import Tree


def me(_: Namespace) -> None:
    """Print who is logged in."""
    show(json.dumps(Connection().me(), indent=2))


def api(options: Namespace) -> None:
    """Send one request and print what is answered."""
    body = _body(options.json)
    show(json.dumps(Connection().ask(options.method.upper(), options.path, body), indent=2))


def _body(text: str) -> Tree | None:
    if not text:
        return None
    try:
        told = json.loads(Path(text[1:]).read_text("utf-8") if text.startswith("@") else text)
    except (OSError, ValueError) as error:
        raise CliError(f"error parsing --json: {error}") from error
    if not isinstance(told, dict):
        raise CliError("error parsing --json: expected an object")
    return told
