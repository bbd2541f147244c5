"""The settings' file and environment as they are read, and what is wrong with them in words."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from provisioning.errors import UserError

ENVIRONMENT_PREFIX = "SCICLOPS__"
SECRETS = (
    ("slack", "bot_token"),
    ("slack", "app_token"),
    ("slack", "signing_secret"),
    ("databricks", "client_secret"),
    ("github", "webhook_secret"),
    ("terraform", "state_url"),
    ("security", "seal_keys"),
)
"""What comes from the environment only."""


def read(file: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return what the file says, with the environment laid over it; raises `UserError`."""
    try:
        values = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError as missing:
        raise UserError(
            f"there is no settings file {file}; copy sciclops.example.toml there and adapt it, "
            "or name another with --settings"
        ) from missing
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as broken:
        raise UserError(f"{file} is not valid TOML: {broken}") from broken
    except OSError as unreadable:
        raise UserError(f"{file} cannot be read: {unreadable.strerror}") from unreadable
    _refuse_secrets(file, values)
    for name, value in environment.items():
        if name.startswith(ENVIRONMENT_PREFIX):
            _lay_over(values, name, value)
    return values


def explain(file: Path, bad: ValidationError) -> str:
    """Return each bad key with its remedy; no value is shown, since it may be a secret."""
    lines = [f"{file} has {bad.error_count()} problem(s):"]
    for error in bad.errors(include_url=False, include_input=False, include_context=False):
        key = ".".join(str(part) for part in error["loc"])
        variable = ENVIRONMENT_PREFIX + key.replace(".", "__").upper()
        is_in_list = any(isinstance(part, int) for part in error["loc"])
        remedy = {
            "missing": "add it to the file" + ("" if is_in_list else f", or set {variable}"),
            "extra_forbidden": "there is no such setting: check the spelling or remove it",
        }.get(error["type"], "correct the value")
        said = error["msg"].removeprefix("Value error, ")
        lines.append(f"  {key}: {said} ({remedy})" if key else f"  {said}")
    return "\n".join(lines)


def _refuse_secrets(file: Path, values: Mapping[str, Any]) -> None:
    """Refuse secrets in the file: it is committed, copied and shown around."""
    found = [
        f"  {table}.{key}: remove it and set {ENVIRONMENT_PREFIX}{table.upper()}__{key.upper()}"
        for table, key in SECRETS
        if isinstance(values.get(table), Mapping) and key in values[table]
    ]
    if found:
        raise UserError(f"{file} must not hold secrets:\n" + "\n".join(found))


def _lay_over(values: dict[str, Any], name: str, value: str) -> None:
    *tables, key = name.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")
    for table in tables:
        values = values.setdefault(table, {})
        if not isinstance(values, dict):
            raise UserError(f"{name} goes into {table}, which is no table: correct the name")
    values[key] = value
