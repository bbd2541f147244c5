"""Projects that exist without Terraform having made them: for stories about very many of them.

The repository gets the rulesets, environments and teams of one that Terraform has made, and its
code by the adapter that pushes starter code; our own rows come from the store. What nobody looks at
in these stories, everything at Databricks above all, is not there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from bot import installation, vendors
from bot.settings import Settings, load
from playground import cast
from playground.github.repos import commit_files, make_repo
from playground.github.runs import RunBook, WorkflowRun
from playground.world import Playground
from provisioning.adapters.bundle_templates import BundleTemplates
from provisioning.adapters.github import Connection, GitHubRepositories
from provisioning.adapters.local_terraform.module_version import version_of
from provisioning.clock import SystemClock
from provisioning.database import Database
from provisioning.operation import CREATE
from provisioning.project import ProjectSpec, Reviewer
from provisioning.starter import starter_answers
from provisioning.store import Store
from provisioning.tables import OperationRow, ProjectRow


@dataclass
class Seeding:
    """Seeds projects into a playground, beside the bot that runs there."""

    playground: Playground
    like: str
    store: Store

    @cached_property
    def settings(self) -> Settings:
        """Return the bot's settings."""
        world = self.playground.world
        return load(world.directory / "sciclops.toml", world.secrets())

    @cached_property
    def repositories(self) -> GitHubRepositories:
        """Return the adapter that pushes starter code."""
        key = installation.read_private_key(self.settings)
        clock = SystemClock()
        return GitHubRepositories(Connection(vendors.app_of(self.settings, key), clock), clock)

    @property
    def templates(self) -> BundleTemplates:
        """Return the templates that the bot offers."""
        folder = Path(self.settings.templates_directory)
        return BundleTemplates(folder, vendors.bundle_context(self.settings))

    def make(self, name: str, *, sandbox_until: date | None = None) -> None:
        """Make a project that is ready, of the template's present version."""
        spec = ProjectSpec(
            name=name,
            owners=(cast.ADA.slack, cast.GRACE.slack),
            managed_group="aad-data-science",
            github_team="data-science",
            reviewers=(Reviewer(kind="team", name="ml-reviewers"),),
            workspace_groups=("gbx1",),
            template="job",
            sandbox_until=sandbox_until,
        )
        marker = self._reserve(spec)
        self._repository(name)
        policy = installation.policy_of(self.settings)
        answers = starter_answers(spec, policy.catalogs, policy)
        files = self.templates.render(spec.template, {**spec.answers, **answers})
        commit = self.repositories.push_starter(name, files, marker)
        self.store.versions.made(name, "job", self.templates.version("job"), commit)
        self.store.versions.applied(name, version_of(vendors.MODULES))
        self.store.projects.become(name, "ready", {"commit": commit})

    def _reserve(self, spec: ProjectSpec) -> str:
        now, request = SystemClock().now(), spec.model_dump(mode="json")
        by = cast.ADA.slack
        project = ProjectRow(
            name=spec.name, state="reserved", spec=request, requested_by=by, created_at=now
        )
        run = OperationRow(
            id=f"run-seeded-{spec.name}",
            kind=CREATE,
            project=spec.name,
            phase="ready",
            request=request,
            requested_by=by,
            channel="",
            created_at=now,
            ended_at=now,
        )
        self.store.projects.reserve_and_begin(project, run)
        return f"sciclops:{run.id}"

    def _repository(self, name: str) -> None:
        world = self.playground.world.github.world
        like = world.repos[self.like]

        async def made() -> None:
            repo = make_repo(world, name, like.visibility)
            commit_files(world, repo, {"README.md": b"# new\n"}, "Initial commit")
            repo.settings, repo.rulesets = dict(like.settings), like.rulesets
            repo.environments = like.environments
            for team in world.teams.values():
                if role := team.repositories.get(like.id):
                    team.repositories[repo.id] = role

        self.playground.run(made())


@contextmanager
def seeding(playground: Playground, like: str) -> Iterator[Seeding]:
    """Seed projects that are like one that Terraform has made."""
    settings = load(playground.world.directory / "sciclops.toml", playground.world.secrets())
    database = Database(settings.url())
    yield Seeding(playground, like, Store(database, SystemClock()))
    database.close()


@dataclass
class CheckingRunner:
    """Plays pull requests' checks, which pass; what is merged is deployed in no time."""

    book: RunBook

    async def run(self, run: WorkflowRun) -> None:
        """Pass what a pull request has to pass."""
        if run.event == "pull_request":
            for name in self._checks(run):
                job = self.book.add_job(run, name, "")
                self.book.set_job(job, "in_progress")
                self.book.set_job(job, "completed", "success")
        self.book.finish(run, "success")

    def _checks(self, run: WorkflowRun) -> Iterator[str]:
        for ruleset in run.repo.rulesets.values():
            rule: Any = ruleset.rule("required_status_checks") or {"parameters": {}}
            for check in rule["parameters"].get("required_status_checks", ()):
                yield check["context"]

    async def cancel(self, run: WorkflowRun) -> None:
        """There is nothing to cancel."""
