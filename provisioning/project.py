"""What people ask for: a project, as they described it in the form."""

from datetime import date
from typing import Literal

from pydantic import Field

from provisioning.questions import Answer
from provisioning.text import Frozen

STAGES = ("development", "testing", "staging", "production")
"""The stages in the order deployments travel. Environments are named by `environment_name`."""

PULL_REQUESTS = "refs/pull/*/merge"
"""What GitHub Actions builds for a pull request."""

PLANNER_SUFFIX = "-plan"
"""What the environment is called, after the gated one that plans are made for; no stage ends so."""

AccessLevel = Literal["read", "write"]


class DataAccess(Frozen):
    """Access to one securable of Unity Catalog, e.g. schema `gbx1_prod.sales`, read."""

    securable: str
    level: AccessLevel


class Reviewer(Frozen):
    """Who may release production: a GitHub team (its slug) or a GitHub user (the login)."""

    kind: Literal["team", "user"]
    name: str

    @classmethod
    def read(cls, word: str) -> "Reviewer":
        """Read `team:slug` or `user:login`."""
        kind, _, name = word.partition(":")
        return cls(kind="team" if kind == "team" else "user", name=name)


class ProjectSecret(Frozen):
    """A secret of a project: what it is called and which stages have it, never its value."""

    name: str
    stages: tuple[str, ...]


class ProjectSpec(Frozen):
    """One project. Names are as the vendors know them; people are chat user ids.

    `name` never changes: renaming would replace 37 resources, schemas with data among them.
    """

    name: str
    owners: tuple[str, ...]
    managed_group: str
    github_team: str
    reviewers: tuple[Reviewer, ...]
    workspace_groups: tuple[str, ...]
    template: str
    answers: dict[str, Answer] = Field(default_factory=dict)
    data_access: tuple[DataAccess, ...] = ()
    sandbox_until: date | None = None
    secrets: tuple[ProjectSecret, ...] = ()

    def environments(self) -> tuple["Environment", ...]:
        """Return every environment: stage by stage, group by group."""
        many = len(self.workspace_groups) > 1
        return tuple(
            Environment(
                group=group,
                stage=stage,
                name=f"{group}-{stage.capitalize()}" if many else stage.capitalize(),
            )
            for stage in STAGES
            for group in self.workspace_groups
        )


def template_title(template: str) -> str:
    """Return what people call a bundle template: `ml_workflow` is “ML workflow”."""
    words = template.split("_")
    spelled = [word.upper() if len(word) == 2 else word for word in words]
    return " ".join([spelled[0][:1].upper() + spelled[0][1:], *spelled[1:]])


class Environment(Frozen):
    """Project × workspace group × stage: one GitHub environment with one service principal.

    `name` is the GitHub environment: `Production`, or `gbx2-Production` where the project lives in
    more than one group. A gated one has a twin, its `planner`: `Production-plan`.
    """

    group: str
    stage: str
    name: str
    is_planner: bool = False

    @property
    def target(self) -> str:
        """Return the bundle target: `production`, or `gbx2-production`."""
        return self.name.lower()

    @property
    def planner_name(self) -> str:
        """Return the GitHub environment in which plans for this one are made."""
        return f"{self.name}{PLANNER_SUFFIX}"

    @property
    def planner(self) -> "Environment":
        """Return where plans for this one are made, before its gate, by who may only read."""
        name = self.planner_name
        return Environment(group=self.group, stage=self.stage, name=name, is_planner=True)

    @property
    def branches(self) -> tuple[str, ...]:
        """Return the patterns of what may be deployed: pull requests have copies in Development."""
        return ("main", PULL_REQUESTS) if self.stage == "development" else ("main",)
