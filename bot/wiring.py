"""The composition root: from settings to a bot. The only place that builds adapters."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cached_property
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
    TEMPLATES,
    app_of,
    bundle_context,
    device_flow_of,
    installation_of,
    seal_of,
    workspaces_of,
)
from commands.command import Services
from provisioning import migrations
from provisioning.adapters.bundle_templates.adapter import BundleTemplates
from provisioning.adapters.github import (
    App,
    Connection,
    GitHubIdentities,
    GitHubRepositories,
)
from provisioning.adapters.github.actions import GitHubActions
from provisioning.adapters.github.protection_rule import GitHubProtectionRule
from provisioning.adapters.github.webhooks import GitHubWebhooks
from provisioning.adapters.local_terraform.engine import LocalTerraform
from provisioning.breaking_glass import BreakingGlass
from provisioning.clock import Clock, SystemClock
from provisioning.database import Database
from provisioning.deployment_board import DeploymentBoard
from provisioning.desk import Desk
from provisioning.dispatching import Dispatching
from provisioning.engine import Engine, Limits, Observer
from provisioning.extending import Extending
from provisioning.first_deployment import FirstDeployment
from provisioning.following import Following
from provisioning.linking import Linking
from provisioning.missed import Missed
from provisioning.policy import Policy
from provisioning.ports import Redactor, Workspaces
from provisioning.redaction import SecretRedactor
from provisioning.release_cards import Cards
from provisioning.release_gates import AppRuleGate, ReviewerGate
from provisioning.release_times import ReleaseTimes
from provisioning.releasing import Releasing
from provisioning.requesting import Requesting
from provisioning.rule_parts import RuleParts
from provisioning.run_steps import RunSteps
from provisioning.sandbox_times import SandboxTimes
from provisioning.secret_parts import SecretParts
from provisioning.store import Store
from provisioning.sweeps import Sweeps
from provisioning.terraform_parts import TerraformParts
from provisioning.terraform_root import root_files
from provisioning.workflows.create_project import CreateProject


class Bot:
    """Everything that runs, put together as it is asked for; nothing is started here."""

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
        return BundleTemplates(TEMPLATES, bundle_context(self.settings))

    # ------------------------------------------------------------------ the work

    @cached_property
    def desk(self) -> Desk:
        """Return where requests and decisions are settled."""
        return Desk(self.store, self.engine, self.policy, self.people, self.clock, self.redact)

    @cached_property
    def requesting(self) -> Requesting:
        """Return where operations begin."""
        return Requesting(self.store, self.engine, self.policy, self.clock)

    @cached_property
    def create_project(self) -> CreateProject:
        """Return the workflow that makes projects."""
        terraform = LocalTerraform(installation_of(self.settings, self.redact))
        run_steps = RunSteps(self.store, self.desk, self.clock, self.policy, terraform, self.redact)
        parts = TerraformParts(
            run_steps,
            self.repositories,
            self.workspaces,
            self.people,
            lambda spec, marker, imports: root_files(spec, marker, self._context, imports),
        )
        secrets = SecretParts(run_steps, self.repositories, self.workspaces)
        rules = RuleParts(run_steps, self.protection_rule)
        return CreateProject(run_steps, parts, secrets, rules, self.templates)

    @cached_property
    def linking(self) -> Linking:
        """Return who is who at GitHub."""
        seal = seal_of(self.settings)
        return Linking(
            self.store, self.identities, seal, self.repositories, self.people, self.clock
        )

    @cached_property
    def releasing(self) -> Releasing:
        """Return where releases to gated environments are decided."""
        return Releasing(
            store=self.store,
            engine=self.engine,
            deployments=self.actions,
            dispatches=self.actions,
            reviewer_gate=ReviewerGate(self.store, self.actions, self.linking, self.actions),
            rule_gate=self.rule_gate,
            cards=Cards(self.store, self.actions, self.policy),
            linking=self.linking,
            board=self.deployment_board,
            policy=self.policy,
            clock=self.clock,
            redact=self.redact,
        )

    @cached_property
    def rule_gate(self) -> AppRuleGate:
        """Return the gate that is our App's own rule."""
        return AppRuleGate(
            self.store, self.actions, self.linking, self.people, self.policy, self.protection_rule
        )

    @cached_property
    def breaking_glass(self) -> BreakingGlass:
        """Return where a few let deployments in without approvals."""
        return BreakingGlass(self.releasing, self.rule_gate, self.people)

    @cached_property
    def deployment_board(self) -> DeploymentBoard:
        """Return where workflow runs and releases are shown."""
        return DeploymentBoard(self.store, self.linking, self.policy)

    @cached_property
    def dispatching(self) -> Dispatching:
        """Return what begins deployments for people."""
        return Dispatching(self.store, self.engine, self.actions, self.linking, self.clock)

    @cached_property
    def first_deployment(self) -> FirstDeployment:
        """Return what ends the making of a project."""
        return FirstDeployment(
            self.store,
            self.desk,
            deployments=self.actions,
            dispatches=self.actions,
            engine=self.engine,
            policy=self.policy,
            clock=self.clock,
        )

    @cached_property
    def following(self) -> Following:
        """Return what follows workflow runs."""
        return Following(
            store=self.store,
            deployments=self.actions,
            releasing=self.releasing,
            board=self.deployment_board,
            policy=self.policy,
            clock=self.clock,
            redact=self.redact,
            on_seen=self.first_deployment.seen,
        )

    @cached_property
    def sweeps(self) -> Sweeps:
        """Return what is done from time to time."""
        release_times = ReleaseTimes(
            self.store, self.engine, self.releasing, self.deployment_board, self.clock
        )
        sandboxes = SandboxTimes(self.store, self.requesting, self.clock)
        missed = Missed(self.following, self.webhooks, self.actions, self.store, self.policy)
        others = {
            "sweep.links": (timedelta(seconds=15), self.linking.look_at_all),
            "sweep.tokens": (timedelta(minutes=5), self.linking.tidy),
            "sweep.deployments": (timedelta(seconds=15), self.first_deployment.sweep),
            "sweep.releases": (timedelta(seconds=30), release_times.sweep),
            "sweep.sandboxes": (timedelta(seconds=15), sandboxes.sweep),
            "sweep.glass": (timedelta(seconds=30), self.breaking_glass.sweep),
            "sweep.missed": (timedelta(seconds=30), missed.sweep),
        }
        kept = timedelta(days=self.settings.limits.workflow_run_days)
        return Sweeps(self.store, self.desk, self.engine, self.clock, kept, others)

    @cached_property
    def services(self) -> Services:
        """Return everything that a command may ask."""
        return Services(
            policy=self.policy,
            clock=self.clock,
            store=self.store,
            requesting=self.requesting,
            desk=self.desk,
            people=self.people,
            repositories=self.repositories,
            workspaces=self.workspaces,
            templates=self.templates,
            vendors=ThreadPoolExecutor(32, thread_name_prefix="vendor"),
            redact=self.redact,
            linking=self.linking,
            releasing=self.releasing,
            dispatching=self.dispatching,
            breaking_glass=self.breaking_glass,
            extending=Extending(self.store, self.people, self.policy, self.clock),
        )


def build(settings: Settings, clock: Clock | None = None, observe: Observer | None = None) -> Bot:
    """Put a bot together; its database is brought up to date."""
    settings.data_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    bot = Bot(settings, clock or SystemClock(), observe)
    migrations.upgrade(bot.database)
    bot.engine.report(bot.create_project.run_steps.trying)
    for workflows in (
        bot.create_project.parts(),
        bot.releasing.workflows(),
        bot.breaking_glass.workflows(),
        bot.dispatching.workflows(),
        bot.first_deployment.workflows(),
        bot.sweeps.all(),
    ):
        for name, workflow in workflows.items():
            bot.engine.register(name, workflow)
    return bot
