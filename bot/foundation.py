"""What every part of the bot stands on: settings, the clock, our database, the world outside."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import cast

from bot.installation import (
    known_secrets,
    policy_of,
    read_private_key,
    terraform_context,
)
from bot.later import Later
from bot.people import SlackPeople
from bot.settings import Settings
from bot.vendors import (
    MODULES,
    TEMPLATES,
    app_of,
    bundle_context,
    device_flow_of,
    workspaces_of,
)
from provisioning.adapters.bundle_templates.adapter import BundleTemplates
from provisioning.adapters.bundle_templates.versions import TemplateVersions
from provisioning.adapters.dogstatsd import DogStatsD
from provisioning.adapters.github import (
    App,
    Connection,
    GitHubIdentities,
    GitHubRepositories,
)
from provisioning.adapters.github.actions import GitHubActions
from provisioning.adapters.github.dismantling import GitHubDismantling
from provisioning.adapters.github.protection_rule import GitHubProtectionRule
from provisioning.adapters.github.spec_files import GitHubSpecFiles
from provisioning.adapters.github.template_upgrades import GitHubTemplateUpgrades
from provisioning.adapters.github.webhooks import GitHubWebhooks
from provisioning.adapters.github.workflow_tags import WorkflowTags
from provisioning.adapters.local_terraform.module_version import version_of
from provisioning.clock import Clock
from provisioning.database import Database
from provisioning.digest import Digest
from provisioning.engine import Engine, Limits, Observer
from provisioning.policy import Policy
from provisioning.ports import Redactor, Workspaces
from provisioning.redaction import SecretRedactor
from provisioning.removal_ports import Holdings
from provisioning.store import Store
from provisioning.version_news import VersionNews


class Foundation:
    """What is opened once for all: nothing here decides anything, and nothing is started."""

    def __init__(self, settings: Settings, clock: Clock, observe: Observer | None) -> None:
        self.settings = settings
        self.clock = clock
        self._observe = observe
        self._private_key = read_private_key(settings)
        self._context = terraform_context(settings)

    @cached_property
    def redact(self) -> Redactor:
        """Return what takes secrets out of texts."""
        return SecretRedactor(known_secrets(self.settings, self._private_key))

    @cached_property
    def policy(self) -> Policy:
        """Return the rules of this installation."""
        return policy_of(self.settings)

    @cached_property
    def database(self) -> Database:
        """Return our database."""
        return Database(self.settings.url())

    @cached_property
    def store(self) -> Store:
        """Return the database's contents."""
        return Store(self.database, self.clock)

    @cached_property
    def engine(self) -> Engine:
        """Return the durable engine."""
        limits = Limits(operations_at_once=self.settings.limits.operations_at_once)
        directory = self.settings.data_directory
        return Engine(self.database, self.clock, directory, limits, self._observe)

    # ------------------------------------------------------------------ the world outside

    @cached_property
    def people(self) -> SlackPeople:
        """Return the people of the chat workspace."""
        slack = self.settings.slack
        return SlackPeople(slack.bot_token.get_secret_value(), slack.api_url)

    @cached_property
    def app(self) -> App:
        """Return our GitHub App."""
        return app_of(self.settings, self._private_key)

    @cached_property
    def github(self) -> Connection:
        """Return the App's installation at GitHub."""
        return Connection(self.app, self.clock)

    @cached_property
    def repositories(self) -> GitHubRepositories:
        """Return the organisation's repositories."""
        return GitHubRepositories(self.github, self.clock, self._context)

    @cached_property
    def actions(self) -> GitHubActions:
        """Return GitHub Actions of the projects."""
        return GitHubActions(self.github)

    @cached_property
    def dismantling(self) -> GitHubDismantling:
        """Return what undoes repositories."""
        return GitHubDismantling(self.github)

    @cached_property
    def template_upgrades(self) -> GitHubTemplateUpgrades:
        """Return what offers new versions of templates."""
        return GitHubTemplateUpgrades(self.github)

    @cached_property
    def spec_files(self) -> GitHubSpecFiles:
        """Return the specifications in projects' repositories."""
        return GitHubSpecFiles(self.github)

    @property
    def holdings(self) -> Holdings:
        """Return what projects hold in their workspaces."""
        return cast("Holdings", self.later)

    @cached_property
    def protection_rule(self) -> GitHubProtectionRule:
        """Return our App's own rule, which may hold deployments."""
        return GitHubProtectionRule(self.github)

    @cached_property
    def webhooks(self) -> GitHubWebhooks:
        """Return what GitHub tells by itself."""
        return GitHubWebhooks(self.app, self.clock)

    @cached_property
    def identities(self) -> GitHubIdentities:
        """Return people's own accounts at GitHub."""
        return GitHubIdentities(device_flow_of(self.settings), self.clock)

    @cached_property
    def modules(self) -> str:
        """Return which Terraform modules this process applies."""
        return version_of(MODULES)

    @cached_property
    def later(self) -> Later:
        """Return Databricks, whose SDK is imported beside the rest."""
        return Later(lambda: workspaces_of(self.settings, self._context, self.clock))

    @property
    def workspaces(self) -> Workspaces:
        """Return the Databricks accounts and workspaces."""
        return cast("Workspaces", self.later)

    @cached_property
    def templates(self) -> BundleTemplates:
        """Return the bundle templates."""
        own = self.settings.templates_directory
        folder = Path(own) if own else TEMPLATES
        return BundleTemplates(folder, bundle_context(self.settings))

    # ------------------------------------------------------------------ what the community hears

    @cached_property
    def digest(self) -> Digest:
        """Return what tells how a week went."""
        times, channel = self.settings.digest.times, self.settings.slack.announcements
        return Digest(self.store, self.clock, times, channel)

    @cached_property
    def version_news(self) -> VersionNews:
        """Return what tells of new versions."""
        tags = WorkflowTags(self.github, self.settings.github.platform_repository)
        templates = TemplateVersions(self.templates)
        return VersionNews(self.store, templates, tags, self.settings.slack.announcements)

    # ------------------------------------------------------------------ observers

    @cached_property
    def metrics(self) -> DogStatsD | None:
        """Return where measurements go, if anybody wants them."""
        settings = self.settings.metrics
        if settings.address is None:
            return None
        return DogStatsD(settings.address, settings.prefix, settings.tags)

    def measured(self) -> Mapping[str, Mapping[str, int]]:
        """Return what became of measurements, if there are any."""
        return {"metrics": self.metrics.counts} if self.metrics else {}
