"""The command line: `python -m playground.databricks_cli bundle deploy -t development`."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from playground.databricks_cli import bundle_commands, run_command, workspace_commands
from playground.databricks_cli.failures import CliError

VERSION = "1.22.1"
BUNDLE = {
    "validate": bundle_commands.validate,
    "plan": bundle_commands.plan,
    "deploy": bundle_commands.deploy,
    "destroy": bundle_commands.destroy,
    "summary": bundle_commands.summary,
    "run": run_command.run,
}


class Parser(argparse.ArgumentParser):
    """Refuses like the rest of the command."""

    def error(self, message: str) -> NoReturn:
        """Refuse a command line."""
        raise CliError(message)


def parser() -> Parser:
    """Return what reads the command line."""
    top = Parser(prog="databricks", allow_abbrev=False)
    top.add_argument("--version", "-v", action="version", version=f"Databricks CLI v{VERSION}")
    common = Parser(add_help=False, allow_abbrev=False)
    common.add_argument("--target", "-t", default=os.getenv("DATABRICKS_BUNDLE_TARGET", ""))
    common.add_argument("--output", "-o", choices=("text", "json"), default="text")
    common.add_argument("--debug", action="store_true")
    first = top.add_subparsers(dest="command", required=True, parser_class=Parser)
    _add_bundle(first.add_parser("bundle"), common)
    user = first.add_parser("current-user").add_subparsers(required=True, parser_class=Parser)
    user.add_parser("me", parents=[common]).set_defaults(act=workspace_commands.me)
    api = first.add_parser("api", parents=[common])
    api.add_argument("method", choices=("get", "post", "put", "patch", "delete"))
    api.add_argument("path")
    api.add_argument("--json", default="")
    api.set_defaults(act=workspace_commands.api)
    return top


def _add_bundle(bundle: argparse.ArgumentParser, common: Parser) -> None:
    commands = bundle.add_subparsers(required=True, parser_class=Parser)
    for name, act in BUNDLE.items():
        command = commands.add_parser(name, parents=[common], allow_abbrev=False)
        command.add_argument("--var", action="append", default=[])
        command.add_argument("--strict", action="store_true")
        command.set_defaults(act=act, bundle_root=os.getenv("DATABRICKS_BUNDLE_ROOT", ""))
        if name in ("deploy", "destroy"):
            command.add_argument("--auto-approve", action="store_true")
            command.add_argument("--force-lock", action="store_true")
        if name == "deploy":
            command.add_argument("--force", action="store_true")
            command.add_argument("--plan", default="")
        if name == "run":
            command.add_argument("key")
            command.add_argument("--params", action="append", default=[])
            command.add_argument("--no-wait", action="store_true")


def main(words: Sequence[str]) -> int:
    """Run one command; return the exit code."""
    try:
        options = parser().parse_args(words)
        options.variables = dict(_pair(each) for each in getattr(options, "var", []))
        options.act(options)
    except CliError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    return 0


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise CliError(f"unexpected flag value for variable assignment: {text}")
    return name, value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
