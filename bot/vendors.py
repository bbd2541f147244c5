"""From settings to what the adapters need: our App, our accounts, our Terraform, our seal."""

import os
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

import commands
import provisioning
from bot.installation import read_private_key
from bot.settings import Settings
from provisioning.adapters.bundle_templates.bundle_functions import BundleContext
from provisioning.adapters.github import App, DeviceFlow
from provisioning.adapters.local_terraform.toolbox import Installation
from provisioning.clock import Clock
from provisioning.ports import Redactor, Workspaces
from provisioning.sealing import Seal, keys_of
from provisioning.terraform_root import TerraformContext

if TYPE_CHECKING:
    from provisioning.adapters.databricks import Accounts
    from provisioning.adapters.databricks.secret_scopes import DatabricksSecretScopes

TEMPLATES = Path(commands.__file__).parent.parent / "bundle_templates"
MODULES = Path(provisioning.__file__).parent / "terraform"


def bundle_context(settings: Settings) -> BundleContext:
    """Return what templates may know of this installation."""
    github = settings.github
    answers = {
        "organisation": github.organisation,
        "platform_repository": github.platform_repository,
        "platform_team": github.platform_team,
    }
    return BundleContext(seed=uuid5(NAMESPACE_URL, github.organisation), answers=answers)


def app_of(settings: Settings, private_key: str) -> App:
    """Return our GitHub App."""
    github = settings.github
    return App(
        organisation=github.organisation,
        api_url=github.api_url,
        app_id=github.app_id,
        installation_id=github.installation_id,
        private_key=private_key,
        seconds_between_writes=github.seconds_between_writes,
    )


def device_flow_of(settings: Settings) -> DeviceFlow:
    """Return our GitHub App as people meet it."""
    return DeviceFlow(settings.github.client_id, settings.github.api_url)


def seal_of(settings: Settings) -> Seal | None:
    """Return what seals people's tokens; None unless linking is set up. Raises UserError."""
    keys = keys_of(settings.security.seal_keys.get_secret_value())
    return Seal(keys) if keys and settings.github.client_id else None


def workspaces_of(settings: Settings, context: TerraformContext, clock: Clock) -> Workspaces:
    """Return the adapter of Databricks; imports its SDK."""
    from provisioning.adapters.databricks import DatabricksWorkspaces

    return DatabricksWorkspaces(accounts_of(settings, context, clock), context)


def secret_scopes_of(
    settings: Settings, context: TerraformContext, clock: Clock
) -> "DatabricksSecretScopes":
    """Return the scopes of projects' own secrets; imports Databricks' SDK."""
    from provisioning.adapters.databricks.secret_scopes import DatabricksSecretScopes

    return DatabricksSecretScopes(accounts_of(settings, context, clock))


def accounts_of(settings: Settings, context: TerraformContext, clock: Clock) -> "Accounts":
    """Return the Databricks accounts and workspaces; imports their SDK."""
    from provisioning.adapters.databricks import Accounts, Login

    secret = settings.databricks.client_secret.get_secret_value()
    login = Login(settings.databricks.client_id, secret)
    return Accounts(login, context.accounts, context.workspaces, clock)


def installation_of(settings: Settings, redact: Redactor) -> Installation:
    """Return how Terraform runs here; its credentials go by environment, never by argument."""
    terraform = settings.terraform
    return Installation(
        data=settings.data_directory / "terraform",
        modules=MODULES,
        redact=redact,
        binary=terraform.binary,
        search_path=os.defpath if not (path := os.getenv("PATH")) else path,
        credentials={
            "GITHUB_APP_ID": str(settings.github.app_id),
            "GITHUB_APP_INSTALLATION_ID": str(settings.github.installation_id),
            "GITHUB_APP_PEM_FILE": read_private_key(settings),
            "DATABRICKS_CLIENT_ID": settings.databricks.client_id,
            "DATABRICKS_CLIENT_SECRET": settings.databricks.client_secret.get_secret_value(),
        },
        environment=terraform.environment,
        parallelism=terraform.parallelism,
        plugin_mirror=Path(terraform.plugin_mirror) if terraform.plugin_mirror else None,
        state_url=terraform.state_url.get_secret_value() if terraform.state == "pg" else "",
    )
