"""The composition root: from settings to a bot. The only place that builds adapters."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cached_property
from typing import cast

from bot.dispatch import COMMANDS
from bot.later import Later
from bot.releases import Releases
from bot.settings import Settings
from bot.upgrades import Upgrades, upgrades_of
from bot.vendors import (
    installation_of,
    secret_scopes_of,
)
from commands.change import objections
from commands.command import Services
from provisioning import migrations
from provisioning.adapters.github.secret_places import GitHubSecretPlaces
from provisioning.adapters.local_terraform.engine import LocalTerraform
from provisioning.adapters.local_terraform.state_locks import LocalStateLocks
from provisioning.checking import Checking
from provisioning.clock import Clock, SystemClock
from provisioning.desk import Desk
from provisioning.drift import SWEEP_PERIOD, Drift
from provisioning.engine import Observer
from provisioning.extending import Extending
from provisioning.first_deployment import FirstDeployment
from provisioning.following import Following
from provisioning.key_ages import KeyAges
from provisioning.losses import Losses
from provisioning.measuring import Measuring
from provisioning.missed import Missed
from provisioning.overlaps import Overlaps
from provisioning.owners import Owners
from provisioning.project_locks import ProjectLocks
from provisioning.release_times import ReleaseTimes
from provisioning.requesting import Requesting
from provisioning.rotation_parts import RotationParts
from provisioning.rule_parts import RuleParts
from provisioning.run_steps import RunSteps
from provisioning.sandbox_times import SandboxTimes
from provisioning.secret_parts import SecretParts
from provisioning.secret_ports import SecretPlace
from provisioning.secret_values import SecretValues
from provisioning.spec_files import PERIOD as SPECIFICATIONS_EVERY
from provisioning.spec_files import SpecificationFiles
from provisioning.store import Followed
from provisioning.sweeps import Sweeps
from provisioning.terraform_parts import TerraformParts
from provisioning.terraform_root import root_files
from provisioning.undeploying import Undeploying
from provisioning.verifying_parts import VerifyingParts
from provisioning.workflows.change_project import ChangeProject
from provisioning.workflows.change_secrets import ChangeSecrets
from provisioning.workflows.create_project import CreateProject
from provisioning.workflows.destroy_project import DestroyProject
from provisioning.workflows.reconcile import Reconcile
from provisioning.workflows.rotate_keys import RotateKeys


class Bot(Releases):
    """Everything that runs, put together as it is asked for; nothing is started here."""

    @cached_property
    def desk(self) -> Desk:
        """Return where requests and decisions are settled."""
        return Desk(self.store, self.engine, self.policy, self.people, self.clock, self.redact)

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
            lambda spec, marker, imports, removes: root_files(
                spec, marker, self._context, imports, removes=removes
            ),
            self.modules,
        )
        secrets = SecretParts(run_steps, self.repositories, self.workspaces)
        rules = RuleParts(run_steps, self.protection_rule)
        verifying = VerifyingParts(run_steps, self.repositories, self.workspaces, self.templates)
        return CreateProject(run_steps, parts, secrets, rules, verifying)

    @cached_property
    def change_project(self) -> ChangeProject:
        """Return the workflow that gives projects another specification."""
        made = self.create_project
        return ChangeProject(
            made.run_steps, made.terraform, made.secrets, made.rules, made.verifying
        )

    @cached_property
    def rotate_keys(self) -> RotateKeys:
        """Return the workflow that replaces projects' keys."""
        create = self.create_project
        return RotateKeys(create.run_steps, RotationParts(create.secrets), self.overlaps)

    @cached_property
    def upgrades(self) -> Upgrades:
        """Return what upgrades projects."""
        return upgrades_of(
            self.create_project, self.template_upgrades, self.people, self.requesting
        )

    @cached_property
    def secret_places(self) -> tuple[SecretPlace, ...]:
        """Return where the values of projects' own secrets go."""
        scopes = Later(lambda: secret_scopes_of(self.settings, self._context, self.clock))
        return cast("SecretPlace", scopes), GitHubSecretPlaces(self.github)

    @cached_property
    def secret_values(self) -> SecretValues:
        """Return what writes values of projects' own secrets, and forgets them."""
        return SecretValues(
            self.store,
            self.desk,
            self.requesting,
            self.people,
            self.secret_places,
            self.policy,
            self.clock,
            self.redact,
        )

    @cached_property
    def change_secrets(self) -> ChangeSecrets:
        """Return the workflows that make and remove the places of projects' own secrets."""
        made = self.create_project
        return ChangeSecrets(made.run_steps, made.terraform, self.secret_places)

    @cached_property
    def overlaps(self) -> Overlaps:
        """Return what sees when old keys may go."""
        return Overlaps(self.store, self.desk, self.actions, self.clock)

    @cached_property
    def key_ages(self) -> KeyAges:
        """Return what knows how old keys are."""
        return KeyAges(self.store, self.workspaces, self.requesting, self.policy, self.clock)

    @cached_property
    def requesting(self) -> Requesting:
        """Return where operations begin."""
        return Requesting(self.store, self.engine, self.policy, self.clock)

    @cached_property
    def destroy_project(self) -> DestroyProject:
        """Return the workflow that destroys projects."""
        made = self.create_project
        return DestroyProject(
            made.run_steps,
            made.terraform,
            self.repositories,
            self.dismantling,
            self.holdings,
            self.drift.close,
        )

    @cached_property
    def undeploying(self) -> Undeploying:
        """Return what removes the bundles' deployments of a project that goes."""
        return Undeploying(
            self.create_project.run_steps,
            self.repositories,
            self.dismantling,
            deployments=self.actions,
            dispatches=self.actions,
            outcomes=self.releasing.outcomes,
            engine=self.engine,
        )

    @cached_property
    def checking(self) -> Checking:
        """Return what checks projects that are ready."""
        return Checking(
            store=self.store,
            engine=self.engine,
            repositories=self.repositories,
            workspaces=self.workspaces,
            deployments=self.actions,
            terraform=self.create_project.run_steps.terraform,
            templates=self.templates,
            policy=self.policy,
            clock=self.clock,
            redact=self.redact,
        )

    @cached_property
    def drift(self) -> Drift:
        """Return what looks for changes outside Terraform."""
        return Drift(
            store=self.store,
            engine=self.engine,
            terraform=self.create_project.run_steps.terraform,
            root_files=self.create_project.terraform.root_files,
            people=self.people,
            policy=self.policy,
            clock=self.clock,
            redact=self.redact,
        )

    @cached_property
    def reconcile(self) -> Reconcile:
        """Return the workflow that changes back what has drifted."""
        making = self.create_project
        return Reconcile(
            making.run_steps,
            making.terraform,
            making.secrets,
            making.rules,
            self.drift.look_again,
        )

    @cached_property
    def locks(self) -> ProjectLocks:
        """Return who may lock projects, and what becomes of Terraform's own locks."""
        states = LocalStateLocks(installation_of(self.settings, self.redact))
        return ProjectLocks(self.store, self.people, self.policy, self.clock, self.redact, states)

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
            on_seen=self._seen,
        )

    def _seen(self, followed: Followed) -> None:
        """Let all hear of a workflow run that wait for one."""
        self.first_deployment.seen(followed)
        self.overlaps.seen(followed)
        self.undeploying.seen(followed)
        self.specification_files.seen(followed)

    @cached_property
    def specification_files(self) -> SpecificationFiles:
        """Return what follows projects' specifications in their repositories."""
        return SpecificationFiles(
            self.store,
            self.spec_files,
            self.requesting,
            Owners(self.store, self.people, self.policy),
            self.linking,
            lambda before, wanted, who: objections(before, wanted, who, self.services),
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
            "sweep.undeploying": (timedelta(seconds=15), self.undeploying.sweep),
            "sweep.releases": (timedelta(seconds=30), release_times.sweep),
            "sweep.sandboxes": (timedelta(seconds=15), sandboxes.sweep),
            "sweep.glass": (timedelta(seconds=30), self.breaking_glass.sweep),
            "sweep.missed": (timedelta(seconds=30), missed.sweep),
            "sweep.specifications": (SPECIFICATIONS_EVERY, self.specification_files.sweep),
            "sweep.drift": (SWEEP_PERIOD, self.drift.sweep),
            "sweep.overlaps": (timedelta(seconds=15), self.overlaps.sweep),
            "sweep.secrets": (timedelta(seconds=15), self.secret_values.sweep),
            **self.upgrades.sweeps(),
            "sweep.keys": (timedelta(seconds=30), self.key_ages.sweep),
            "sweep.digest": (timedelta(minutes=1), self.digest.sweep),
            "sweep.versions": (timedelta(minutes=15), self.version_news.sweep),
        }
        kept = timedelta(days=self.settings.limits.workflow_run_days)
        return Sweeps(self.store, self.desk, self.engine, self.clock, kept, others)

    @cached_property
    def services(self) -> Services:
        """Return everything that a command may ask."""
        vendors = ThreadPoolExecutor(32, thread_name_prefix="vendor")
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
            vendors=vendors,
            redact=self.redact,
            linking=self.linking,
            releasing=self.releasing,
            dispatching=self.dispatching,
            breaking_glass=self.breaking_glass,
            locks=self.locks,
            checking=self.checking,
            drift=self.drift,
            key_ages=self.key_ages,
            losses=Losses(self.store, self.policy, self.dismantling, self.holdings, vendors),
            extending=Extending(self.store, self.people, self.policy, self.clock),
            secrets=self.secret_values,
            upgrading=self.upgrades.upgrading,
            fleet=self.upgrades.fleet,
        )


def build(settings: Settings, clock: Clock | None = None, observe: Observer | None = None) -> Bot:
    """Put a bot together; its database is brought up to date."""
    settings.data_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    bot = Bot(settings, clock or SystemClock(), observe)
    migrations.upgrade(bot.database)
    bot.engine.report(bot.create_project.run_steps.trying)
    if bot.metrics:
        Measuring(bot.metrics, bot.store, frozenset(COMMANDS)).listen()
    for workflows in (
        bot.create_project.parts(),
        bot.change_project.parts(),
        bot.destroy_project.parts(),
        bot.undeploying.workflows(),
        bot.releasing.workflows(),
        bot.breaking_glass.workflows(),
        bot.dispatching.workflows(),
        bot.first_deployment.workflows(),
        bot.checking.workflows(),
        bot.reconcile.parts(),
        bot.drift.workflows(),
        bot.rotate_keys.workflows(),
        bot.change_secrets.parts(),
        bot.upgrades.workflow.parts(),
        bot.sweeps.all(),
    ):
        for name, workflow in workflows.items():
            bot.engine.register(name, workflow)
    return bot
