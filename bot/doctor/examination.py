"""All checks of one installation, and their results without any secret."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from bot.doctor.database import database_checks
from bot.doctor.rules import settings_checks
from bot.doctor.running import Result, run
from bot.doctor.slack import slack_checks
from bot.installation import known_secrets, read_private_key
from bot.settings import Settings
from bot.vendors import MODULES, app_of, device_flow_of
from provisioning.adapters.databricks.diagnosis import (
    AccountUnderTest,
    WorkspaceUnderTest,
    databricks_checks,
)
from provisioning.adapters.databricks.login import Login
from provisioning.adapters.github.diagnosis import GitHubExpectations, github_checks
from provisioning.adapters.github.linking_diagnosis import linking_checks
from provisioning.adapters.github.rule_diagnosis import rule_checks
from provisioning.adapters.local_terraform.diagnosis import terraform_checks
from provisioning.adapters.local_terraform.toolbox import Installation
from provisioning.clock import SystemClock
from provisioning.diagnosis import Check, fine, problem
from provisioning.errors import UserError
from provisioning.ports import Redactor
from provisioning.redaction import SecretRedactor

FILE = ("Settings", "file")


def examine(read: Callable[[], Settings], seconds: float) -> tuple[Result, ...]:
    """Return every check's result; `read` reads the settings, `seconds` is each check's deadline.

    No result holds a secret, whatever a vendor said.
    """
    try:
        settings = read()
    except UserError as bad:
        remedy = "Mend the settings; nothing else can be looked at before."
        return (Result(*FILE, problem(str(bad), remedy)),)
    redact = SecretRedactor(known_secrets(settings, _private_key(settings)))
    results = (Result(*FILE, fine("complete and valid")), *run(checks_of(settings), seconds))
    return tuple(_without_secrets(result, redact) for result in results)


def checks_of(settings: Settings) -> list[Check]:
    """Return every check of an installation."""
    github = settings.github
    expected = GitHubExpectations(
        private_key_file=github.private_key_file,
        visibility=github.visibility,
        gated_stages=settings.deployment.gated_stages,
        platform_repository=github.platform_repository,
        platform_team=github.platform_team,
        oidc_issuer=github.oidc_issuer,
        immutable_subjects=github.immutable_subjects,
    )
    app = app_of(settings, _private_key(settings))
    return [
        *settings_checks(settings),
        *database_checks(settings.url()),
        *slack_checks(settings),
        *github_checks(app, expected, SystemClock()),
        *(rule_checks(app) if settings.deployment.gate == "app_rule" else ()),
        *linking_checks(app, device_flow_of(settings), SystemClock()),
        *_databricks_checks(settings),
        *terraform_checks(_installation(settings)),
    ]


def _databricks_checks(settings: Settings) -> Iterator[Check]:
    groups = settings.workspace_groups
    homes: dict[tuple[str, str], tuple[str, ...]] = {}
    for name, group in groups.items():
        home = (group.account_host, group.account_id)
        homes[home] = (*homes.get(home, ()), name)
    yield from databricks_checks(
        Login(settings.databricks.client_id, settings.databricks.client_secret.get_secret_value()),
        tuple(
            AccountUnderTest(host=host, account_id=account_id, groups=names)
            for (host, account_id), names in homes.items()
        ),
        tuple(
            WorkspaceUnderTest(group=name, stage=stage, **workspace.model_dump())
            for name, group in groups.items()
            for stage, workspace in group.stages.items()
        ),
        tuple(entry.securable for entry in settings.data),
        settings.databricks.authentication,
    )


def _installation(settings: Settings) -> Installation:
    """Return how Terraform runs here, without its credentials: no question needs them."""
    terraform = settings.terraform
    return Installation(
        data=settings.data_directory,
        modules=MODULES,
        redact=SecretRedactor(()),
        binary=terraform.binary,
        search_path=os.getenv("PATH") or os.defpath,
        environment=terraform.environment,
        plugin_mirror=Path(terraform.plugin_mirror) if terraform.plugin_mirror else None,
        state_url=terraform.state_url.get_secret_value() if terraform.state == "pg" else "",
    )


def _private_key(settings: Settings) -> str:
    """Return the App's private key, empty if there is none; a check of its own tells why."""
    try:
        return read_private_key(settings)
    except (UserError, ValueError):
        return ""


def _without_secrets(result: Result, redact: Redactor) -> Result:
    verdict = result.verdict
    clean = {"detail": redact(verdict.detail), "remedy": redact(verdict.remedy)}
    return replace(result, verdict=verdict.model_copy(update=clean))
