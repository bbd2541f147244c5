"""The bot's settings for a playground: ordinary settings that point at loopback."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from playground import cast
from playground.github.world import APP_CLIENT_ID

SHORT_LIVED = {"GOGC": "400"}
"""Terraform ends in a second here; collecting less garbage saves a quarter of its work."""

TITLES = {
    "gbx1": "Gigabricks 1",
    "gbx2": "Gigabricks 2",
    "gbxphil": "Gigabricks PHI, limited",
    "gbxpiil": "Gigabricks PII, limited",
}


@dataclass(frozen=True)
class Addresses:
    """Where the stand-ins listen."""

    slack_api: str
    github_api: str
    oidc_issuer: str
    account_host: str
    hosts: Mapping[tuple[str, str], str]
    workspace_ids: Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class Choices:
    """What differs between one playground and another; `database_url` "" is SQLite."""

    mode: str = "socket"
    port: int = 0
    confirm: str = "requester"
    database_url: str = ""
    plan_blocks: str = "auto"
    edit_seconds: float = 1.0
    github_write_pause: float = 0.0
    github_writing_applies: int = 3
    github_writes_per_hour: int = 100_000
    terraform_binary: str = ""
    webhooks: bool = True
    gated_stages: tuple[str, ...] = ("production",)
    authentication: str = "oidc"
    gate: str = "reviewer"
    approvals_needed: int = 1
    logins: Mapping[str, str] = field(default_factory=dict)
    statsd: str = ""
    log_format: str = "text"
    templates: str = ""
    upgrades: Mapping[str, object] = field(default_factory=dict)


def settings_toml(
    directory: Path,
    at: Addresses,
    choices: Choices,
    app: tuple[int, int],
    client_id: str,
    reattach: str,
) -> str:
    """Return the text of `sciclops.toml`."""
    return "\n".join(
        [
            *_general(directory, choices),
            *_slack(at, choices),
            *_github(directory, at, choices, app),
            *_table("databricks", _databricks(choices, client_id)),
            *_table("deployment", _deployment(choices)),
            *_table("confirmation", {"create": choices.confirm}),
            *_table("limits", _limits(choices)),
            *_table("upgrades", choices.upgrades),
            *_table("metrics", {"statsd": choices.statsd}),
            *_table("log", {"format": choices.log_format}),
            *_table("terraform", {"binary": choices.terraform_binary}),
            *_table("terraform.environment", {"TF_REATTACH_PROVIDERS": reattach, **SHORT_LIVED}),
            *_workspace_groups(at),
            *_data(),
            "",
        ]
    )


def _general(directory: Path, choices: Choices) -> Iterator[str]:
    yield f"data_directory = {json.dumps(str(directory / 'bot'))}"
    if choices.templates:
        yield f"templates_directory = {json.dumps(choices.templates)}"
    if choices.database_url:
        yield f"database_url = {json.dumps(choices.database_url)}"


def _limits(choices: Choices) -> Mapping[str, object]:
    return {
        "message_edit_seconds": choices.edit_seconds,
        "github_writing_applies": choices.github_writing_applies,
        "github_writes_per_hour": choices.github_writes_per_hour,
    }


def _databricks(choices: Choices, client_id: str) -> Mapping[str, object]:
    return {"client_id": client_id, "authentication": choices.authentication}


def _deployment(choices: Choices) -> Mapping[str, object]:
    return {
        "gated_stages": choices.gated_stages,
        "gate": choices.gate,
        "approvals_needed": choices.approvals_needed,
    }


def _roles(choices: Choices) -> Mapping[str, object]:
    """Return the roles; who releases and breaks glass is the bot's to know with the App's rule."""
    roles = {"platform": "S0PLATFORM"}
    if choices.gate == "app_rule":
        roles |= {"release": "S0RELEASE", "break_glass": "S0GLASS"}
    return roles


def _slack(at: Addresses, choices: Choices) -> Iterator[str]:
    channels = {name: number for number, name in cast.CHANNELS.items()}
    slack = {
        "mode": choices.mode,
        "api_url": at.slack_api,
        "port": choices.port,
        "channel": channels["sciclops"],
        "announcements": channels["sciclops-community"],
        "plan_blocks": choices.plan_blocks,
    }
    yield from _table("slack", slack)
    yield from _table("roles", _roles(choices))


def _github(
    directory: Path, at: Addresses, choices: Choices, app: tuple[int, int]
) -> Iterator[str]:
    github = {
        "organisation": cast.ORGANISATION,
        "api_url": at.github_api,
        "app_id": app[0],
        "client_id": APP_CLIENT_ID,
        "installation_id": app[1],
        "private_key_file": str(directory / "app.pem"),
        "oidc_issuer": at.oidc_issuer,
        "seconds_between_writes": choices.github_write_pause,
    }
    yield from _table("github", github)
    if choices.logins:
        yield from _table("github.logins", choices.logins)


def _workspace_groups(at: Addresses) -> Iterator[str]:
    for group in cast.GROUPS:
        account = {
            "title": TITLES[group],
            "account_id": cast.DATABRICKS_ACCOUNT_ID,
            "account_host": at.account_host,
        }
        yield from _table(f"workspace_groups.{group}", account)
        for stage in cast.STAGES:
            workspace = {
                "host": at.hosts[group, stage],
                "workspace_id": at.workspace_ids[group, stage],
                "catalog": cast.catalog(group, stage),
            }
            yield from _table(f"workspace_groups.{group}.stages.{stage}", workspace)


def _data() -> Iterator[str]:
    for group in cast.GROUPS:
        for schema in cast.SHARED_DATA:
            yield "[[data]]"
            yield f'securable = "{cast.catalog(group, "production")}.{schema}"'
            yield 'levels = ["read", "write"]'
            yield 'owners = ["S0DATAOWN"]'


def _table(name: str, values: Mapping[str, object]) -> Iterator[str]:
    yield f"\n[{name}]"
    for key, value in values.items():
        yield f"{key} = {json.dumps(value)}"
