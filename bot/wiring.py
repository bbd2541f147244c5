"""The composition root: from settings to a bot. The only place that builds adapters."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast
from uuid import NAMESPACE_URL, uuid5

import commands
import provisioning
from bot.later import Later
from bot.people import SlackPeople
from bot.settings import Settings
from commands.command import Services
from provisioning import migrations
from provisioning.adapters.bundle_templates.adapter import BundleTemplates
from provisioning.adapters.bundle_templates.bundle_functions import BundleContext
from provisioning.adapters.github import App, Connection, GitHubRepositories
from provisioning.adapters.local_terraform.engine import LocalTerraform
from provisioning.adapters.local_terraform.toolbox import Installation
from provisioning.clock import Clock, SystemClock
from provisioning.database import Database
from provisioning.desk import Desk
from provisioning.engine import Engine, Limits, Observer
from provisioning.errors import UserError
from provisioning.policy import Naming, Policy, RequestableData
from provisioning.ports import Redactor, Workspaces
from provisioning.redaction import SecretRedactor
from provisioning.run_steps import RunSteps
from provisioning.store import Store
from provisioning.sweeps import Sweeps
from provisioning.terraform_parts import TerraformParts
from provisioning.terraform_root import (
    AccountContext,
    TerraformContext,
    WorkspaceContext,
    root_files,
)
from provisioning.workflows.create_project import CreateProject

if TYPE_CHECKING:
    from provisioning.adapters.databricks import Accounts

TEMPLATES = Path(commands.__file__).parent.parent / "bundle_templates"
MODULES = Path(provisioning.__file__).parent / "terraform"


@dataclass(frozen=True)
class Bot:
    """Everything that runs, put together; nothing has been started."""

    settings: Settings
    services: Services
    engine: Engine
    database: Database
    sweeps: Sweeps
    redact: Redactor
    later: Later


def build(settings: Settings, clock: Clock | None = None, observe: Observer | None = None) -> Bot:
    """Put a bot together; its database is brought up to date."""
    clock = clock or SystemClock()
    settings.data_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    private_key = read_private_key(settings)
    redact = SecretRedactor(known_secrets(settings, private_key))
    database = Database(settings.url())
    migrations.upgrade(database)
    store = Store(database, clock)
    limits = Limits(operations_at_once=settings.limits.operations_at_once)
    engine = Engine(database, clock, settings.data_directory, limits, observe)
    people = SlackPeople(settings.slack.bot_token.get_secret_value(), settings.slack.api_url)
    policy = policy_of(settings)
    desk = Desk(store, engine, policy, people, clock, redact)
    repositories = GitHubRepositories(Connection(app_of(settings, private_key), clock), clock)
    context = terraform_context(settings)
    later = Later(lambda: workspaces_of(settings, context, clock))
    workspaces = cast("Workspaces", later)
    templates = BundleTemplates(TEMPLATES, bundle_context(settings))
    terraform = LocalTerraform(installation_of(settings, redact))
    run_steps = RunSteps(store, desk, clock, policy, terraform, redact)
    engine.report(run_steps.trying)
    parts = TerraformParts(
        run_steps,
        repositories,
        workspaces,
        people,
        lambda spec, marker, imports: root_files(spec, marker, context, imports),
    )
    for name, workflow in CreateProject(run_steps, parts, templates).parts().items():
        engine.register(name, workflow)
    sweeps = Sweeps(store, desk, engine, clock)
    for name, workflow in sweeps.all().items():
        engine.register(name, workflow)
    services = Services(
        policy=policy,
        clock=clock,
        store=store,
        desk=desk,
        people=people,
        repositories=repositories,
        workspaces=workspaces,
        templates=templates,
        vendors=ThreadPoolExecutor(32, thread_name_prefix="vendor"),
        redact=redact,
    )
    return Bot(settings, services, engine, database, sweeps, redact, later)


def policy_of(settings: Settings) -> Policy:
    """Return the rules of this installation."""
    limits = settings.limits
    return Policy(
        naming=Naming(**settings.naming.model_dump()),
        workspace_groups={name: group.title for name, group in settings.workspace_groups.items()},
        catalogs={
            name: {stage: workspace.catalog for stage, workspace in group.stages.items()}
            for name, group in settings.workspace_groups.items()
        },
        data=tuple(RequestableData(**entry.model_dump()) for entry in settings.data),
        confirm_create=settings.confirmation.create,
        confirmation_expires=timedelta(hours=settings.confirmation.expires_after_hours),
        platform_group=settings.roles.platform,
        users_group=settings.roles.users,
        channel=settings.slack.channel,
        announcements=settings.slack.announcements,
        sandbox_default=timedelta(days=limits.sandbox_days_default),
        sandbox_maximum=timedelta(days=limits.sandbox_days_maximum),
        github_writing_applies=limits.github_writing_applies,
        github_writes_per_hour=limits.github_writes_per_hour,
    )


def read_private_key(settings: Settings) -> str:
    """Return the App's private key; raises UserError that names the setting."""
    file = settings.github.private_key_file
    try:
        return file.read_text()
    except OSError as missing:
        raise UserError(
            f"github.private_key_file: {file} cannot be read ({missing.strerror}). Download the "
            "App's private key from GitHub, store it there, readable by the bot only."
        ) from missing


def known_secrets(settings: Settings, private_key: str) -> tuple[str, ...]:
    """Return every secret value that must never be shown."""
    slack = settings.slack
    secrets = (
        slack.bot_token.get_secret_value(),
        slack.app_token.get_secret_value(),
        slack.signing_secret.get_secret_value(),
        settings.databricks.client_secret.get_secret_value(),
        settings.terraform.state_url.get_secret_value(),
        private_key,
    )
    return tuple(secret for secret in secrets if secret)


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


def workspaces_of(settings: Settings, context: TerraformContext, clock: Clock) -> Workspaces:
    """Return the adapter of Databricks; imports its SDK."""
    from provisioning.adapters.databricks import DatabricksWorkspaces

    return DatabricksWorkspaces(accounts_of(settings, context, clock))


def accounts_of(settings: Settings, context: TerraformContext, clock: Clock) -> "Accounts":
    """Return the Databricks accounts and workspaces; imports their SDK."""
    from provisioning.adapters.databricks import Accounts, Login

    secret = settings.databricks.client_secret.get_secret_value()
    login = Login(settings.databricks.client_id, secret)
    return Accounts(login, context.accounts, context.workspaces, clock)


def bundle_context(settings: Settings) -> BundleContext:
    """Return what templates may know of this installation."""
    github = settings.github
    answers = {
        "organisation": github.organisation,
        "platform_repository": github.platform_repository,
        "platform_team": github.platform_team,
    }
    return BundleContext(seed=uuid5(NAMESPACE_URL, github.organisation), answers=answers)


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


def terraform_context(settings: Settings) -> TerraformContext:
    """Return what a root needs to know of this installation."""
    github, groups = settings.github, settings.workspace_groups
    return TerraformContext(
        organisation=github.organisation,
        # The provider adds `api/v3` by itself to a server that isn't github.com.
        github_url=github.api_url.rstrip("/").removesuffix("/api/v3") + "/",
        github_app_id=github.app_id,
        visibility=github.visibility,
        platform_team=github.platform_team,
        write_delay_ms=round(github.seconds_between_writes * 1000),
        oidc_issuer=github.oidc_issuer,
        oidc_audience=settings.databricks.token_audience,
        immutable_subjects=github.immutable_subjects,
        automation_client_id=settings.databricks.client_id,
        accounts={
            name: AccountContext(account_id=group.account_id, host=group.account_host)
            for name, group in groups.items()
        },
        workspaces={
            name: {
                stage: WorkspaceContext(
                    host=workspace.host,
                    catalog=workspace.catalog,
                    policy_family=workspace.policy_family,
                )
                for stage, workspace in group.stages.items()
            }
            for name, group in groups.items()
        },
    )
