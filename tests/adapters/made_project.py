"""A project at the vendors, made by the real Terraform, and the adapters that look at it."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from github_standin import one_vault
from terraform_workshop import Onlooker
from terraform_world import MODULES

from playground import cast
from playground.databricks.server import Databricks
from playground.faults import Faults
from playground.github.limits import UNLIMITED
from playground.github.server import GitHub
from playground.terraform.server import TerraformProviders
from provisioning.adapters.bundle_templates.adapter import BundleTemplates
from provisioning.adapters.bundle_templates.bundle_functions import BundleContext
from provisioning.adapters.databricks import Accounts, DatabricksWorkspaces, Login
from provisioning.adapters.github import App, Connection, GitHubRepositories
from provisioning.adapters.local_terraform.engine import LocalTerraform
from provisioning.adapters.local_terraform.toolbox import Installation
from provisioning.clock import MovableClock
from provisioning.ports import Finding
from provisioning.project import STAGES, DataAccess, ProjectSpec, Reviewer
from provisioning.redaction import SecretRedactor
from provisioning.runs import Outcome, Plan
from provisioning.starter import starter_answers
from provisioning.terraform_root import (
    AccountContext,
    TerraformContext,
    WorkspaceContext,
    root_files,
)

T = TypeVar("T")
MARKER = "sciclops:run-0123456789ab"
SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin"
TEMPLATES = Path(__file__).parents[2] / "bundle_templates"
SPEC = ProjectSpec(
    name="ada-7",
    owners=(cast.ADA.slack,),
    managed_group="aad-data-science",
    github_team="data-science",
    reviewers=(Reviewer(kind="team", name="ml-reviewers"), Reviewer(kind="user", name="Grace")),
    workspace_groups=("gbx1",),
    template="job",
    data_access=(
        DataAccess(securable="gbx1_prod.sales", level="read"),
        DataAccess(securable="gbx1_prod.loyalty.cards", level="write"),
    ),
)


class VendorWorld:
    """Both vendors in a loop of their own, and the adapters on them; providers when needed.

    `delivery` says how deployments travel, where that differs from the default.
    """

    def __init__(self, directory: Path, **delivery: Any) -> None:
        self.directory = directory
        self.clock, self.faults = MovableClock(), Faults()
        self.github = GitHub(
            self.clock,
            self.faults,
            directory / "git",
            limits=UNLIMITED,
            vault=one_vault(),
        )
        self.databricks = Databricks(self.clock, self.faults)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.run(self.github.start())
        self.run(self.databricks.start())
        self.context = context_of(self.github, self.databricks).model_copy(update=delivery)
        self.connection = self.another_connection()
        self.repositories = GitHubRepositories(self.connection, self.clock, self.context)
        self.accounts = self.another_accounts()
        self.workspaces = DatabricksWorkspaces(self.accounts, self.context)

    def another_connection(self, seconds_between_writes: float = 0, key: str = "") -> Connection:
        """Return a connection of the App, with another private key if one is given."""
        app = App(
            organisation=cast.ORGANISATION,
            api_url=self.github.base_url,
            app_id=self.github.app_id,
            installation_id=self.github.installation_id,
            private_key=key or self.github.app_private_key_pem,
            seconds_between_writes=seconds_between_writes,
        )
        return Connection(app, self.clock)

    def another_accounts(self, **more: Any) -> Accounts:
        """Return Databricks' clients with nothing known and nobody logged in."""
        login = Login(self.databricks.bot_client_id, self.databricks.bot_client_secret)
        return Accounts(login, self.context.accounts, self.context.workspaces, self.clock, **more)

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the vendors' loop."""
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result(30)

    @cached_property
    def providers(self) -> TerraformProviders:
        """The providers of these vendors, started."""
        pem = self.github.app_private_key_pem
        made = TerraformProviders(
            self.clock,
            self.faults,
            github_app=(str(self.github.app_id), str(self.github.installation_id), pem),
            databricks_client=(self.databricks.bot_client_id, self.databricks.bot_client_secret),
        )
        self.run(made.start())
        return made

    def terraform(self, folder: str = "data", search_path: str = SEARCH_PATH) -> LocalTerraform:
        """Return an engine; with another folder it has no state of what the first one made."""
        return LocalTerraform(
            Installation(
                data=self.directory / folder,
                modules=MODULES,
                redact=SecretRedactor(),
                search_path=search_path,
                environment={"TF_REATTACH_PROVIDERS": self.providers.reattach},
            )
        )

    def close(self) -> None:
        """Stop everything."""
        if "providers" in self.__dict__:
            self.run(self.providers.stop())
        self.run(self.databricks.stop())
        self.run(self.github.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Project:
    """One project: its root, its plans, its starter code, what verification says of it."""

    def __init__(self, vendors: VendorWorld, spec: ProjectSpec = SPEC) -> None:
        self.vendors, self.spec = vendors, spec
        self.terraform = vendors.terraform()
        self.files = rendered(spec)

    def planned(self, run: str, imports: Mapping[str, str] | None = None) -> Plan:
        """Write the root and plan it."""
        files = root_files(self.spec, MARKER, self.vendors.context, imports or {})
        self.terraform.prepare(self.spec.name, files)
        outcome, plan = self.terraform.plan(self.spec.name, run, Onlooker())
        assert plan is not None, outcome
        return plan

    def applied(self, run: str) -> Outcome:
        """Apply a plan."""
        return self.terraform.apply(self.spec.name, run, Onlooker())

    def make(self) -> "Project":
        """Make all of it."""
        self.planned("one")
        assert self.applied("one").ending == "succeeded"
        self.push()
        return self

    def push(self) -> str:
        """Push the starter code."""
        return self.vendors.repositories.push_starter(self.spec.name, self.files, MARKER)

    def outputs(self) -> dict[str, object]:
        """Return Terraform's outputs."""
        return self.terraform.outputs(self.spec.name)

    def found(self) -> dict[str, str]:
        """Return what exists at the vendors and cannot simply be made again, by its address."""
        return {
            **self.vendors.repositories.leftovers(self.spec.name, MARKER),
            **self.vendors.workspaces.leftovers(self.spec, MARKER),
        }

    def found_missing(self) -> dict[str, str]:
        """Return what an interrupted run has begun and not recorded: what is to be adopted."""
        name = self.spec.name
        lost = self.terraform.started(name) - self.terraform.addresses(name)
        found = self.found()
        return {address: found[address] for address in sorted(lost & found.keys())}

    def findings(self, outputs: dict[str, object]) -> tuple[Finding, ...]:
        """Return what both vendors say."""
        return (
            *self.vendors.repositories.verify(self.spec, self.files, outputs),
            *self.vendors.workspaces.verify(self.spec, outputs),
        )


def rendered(spec: ProjectSpec) -> dict[str, bytes]:
    """Return the project's starter code."""
    answers = {
        "organisation": cast.ORGANISATION,
        "platform_repository": "sciclops",
        "platform_team": "platform",
    }
    templates = BundleTemplates(TEMPLATES, BundleContext(answers=answers))
    catalogs = {
        group: {stage: cast.catalog(group, stage) for stage in STAGES} for group in cast.GROUPS
    }
    known = starter_answers(spec, catalogs)
    return templates.render(spec.template, {**spec.answers, **known})


def context_of(github: GitHub, databricks: Databricks) -> TerraformContext:
    """Return the playground as an installation."""
    account = AccountContext(account_id=cast.DATABRICKS_ACCOUNT_ID, host=databricks.account_host)
    workspaces = {
        group: {
            stage: WorkspaceContext(
                host=databricks.hosts[(group, stage)], catalog=cast.catalog(group, stage)
            )
            for stage in STAGES
        }
        for group in cast.GROUPS
    }
    return TerraformContext(
        organisation=cast.ORGANISATION,
        github_url=f"{github.root}/",
        github_app_id=github.app_id,
        visibility="private",
        platform_team="platform",
        write_delay_ms=0,
        oidc_issuer=github.oidc_issuer,
        oidc_audience="",
        immutable_subjects=True,
        automation_client_id=databricks.bot_client_id,
        accounts=dict.fromkeys(cast.GROUPS, account),
        workspaces=workspaces,
    )


@contextmanager
def vendors(directory: Path, **delivery: Any) -> Iterator[VendorWorld]:
    """Serve the vendors until the end of the block."""
    served = VendorWorld(directory, **delivery)
    try:
        yield served
    finally:
        served.close()
