"""What exists at the stand-in GitHub, as plain data."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from provisioning.clock import Clock

if TYPE_CHECKING:
    from playground.github.deployments import Deployment
    from playground.github.pulls import PullRequest
    from playground.github.runs import WorkflowRun

Json = dict[str, object]
Role = Literal["pull", "triage", "push", "maintain", "admin"]
ROLES: tuple[Role, ...] = ("pull", "triage", "push", "maintain", "admin")
"""A repository's roles, weakest first."""
Plan = Literal["team", "enterprise"]

APP_ID = 424242
APP_SLUG = "sciclops-bot"
APP_CLIENT_ID = "Iv23liSciclops424242"
INSTALLATION_ID = 51423001

APP_PERMISSIONS = {
    "actions": "write",
    "administration": "write",
    "checks": "write",
    "contents": "write",
    "deployments": "write",
    "environments": "write",
    "members": "read",
    "metadata": "read",
    "organization_administration": "read",
    "pull_requests": "write",
    "workflows": "write",
}
"""What the organisation granted the App: no more than it needs, so stories prove it suffices.

`World.installation_permissions` starts as a copy.
"""


@dataclass
class User:
    """A personal account."""

    id: int
    login: str
    name: str
    email: str


@dataclass
class Team:
    """A team of the organisation; `repositories` maps a repository's id to the team's role."""

    id: int
    slug: str
    name: str
    members: set[str]
    created_at: datetime
    repositories: dict[int, Role] = field(default_factory=dict)


@dataclass
class Variable:
    """An Actions variable."""

    value: str
    created_at: datetime
    updated_at: datetime


@dataclass
class Secret:
    """An Actions secret, opened: the value never leaves through the API or a snapshot."""

    value: bytes = field(repr=False)
    created_at: datetime
    updated_at: datetime


@dataclass
class BranchPolicy:
    """A name pattern of branches or tags that may deploy to an environment."""

    id: int
    name: str
    type: Literal["branch", "tag"]


@dataclass
class Environment:
    """A deployment environment; `reviewers` holds (User or Team, numeric id).

    `custom_rule` is the id of the App's own protection rule, if that is enabled.
    """

    id: int
    name: str
    created_at: datetime
    updated_at: datetime
    wait_timer: int = 0
    prevent_self_review: bool = False
    can_admins_bypass: bool = True
    reviewers: list[tuple[str, int]] = field(default_factory=list)
    branch_policy: dict[str, bool] | None = None
    patterns: dict[int, BranchPolicy] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    secrets: dict[str, Secret] = field(default_factory=dict)
    custom_rule: int | None = None


@dataclass
class WorkflowEntry:
    """A workflow file that GitHub has met, and the number of its last run."""

    id: int
    created_at: datetime
    last_run: int = 0


@dataclass
class Ruleset:
    """A repository ruleset, its rules as GitHub's own JSON."""

    id: int
    name: str
    target: str
    enforcement: str
    bypass_actors: list[Json]
    include: list[str]
    exclude: list[str]
    rules: list[Json]
    created_at: datetime
    updated_at: datetime

    def rule(self, kind: str) -> Json | None:
        """Return the rule of one type, or None."""
        return next((rule for rule in self.rules if rule["type"] == kind), None)


@dataclass
class CheckRun:
    """An App's verdict on a commit."""

    id: int
    name: str
    head_sha: str
    status: str
    conclusion: str | None
    title: str | None
    summary: str | None
    annotations: list[Json]
    started_at: datetime


@dataclass
class SubjectClaim:
    """How a repository's OIDC subjects are built."""

    use_default: bool = True
    include_claim_keys: list[str] = field(default_factory=list)
    immutable: bool = True


@dataclass
class Repository:
    """A repository; its git objects are in the bare repository at `path`."""

    id: int
    name: str
    path: Path
    created_at: datetime
    updated_at: datetime
    pushed_at: datetime
    settings: Json
    description: str | None = None
    homepage: str | None = None
    visibility: str = "private"
    archived: bool = False
    default_branch: str = "main"
    topics: list[str] = field(default_factory=list)
    collaborators: dict[str, Role] = field(default_factory=dict)
    environments: dict[str, Environment] = field(default_factory=dict)
    rulesets: dict[int, Ruleset] = field(default_factory=dict)
    properties: dict[str, str | list[str]] = field(default_factory=dict)
    subject: SubjectClaim = field(default_factory=SubjectClaim)
    vulnerability_alerts: bool = False
    automated_fixes: bool = False
    actions_enabled: bool = True
    actions_access: str = "none"
    allowed_actions: str = "all"
    workflows: dict[str, WorkflowEntry] = field(default_factory=dict)
    pulls: "dict[int, PullRequest]" = field(default_factory=dict)
    deployments: "dict[int, Deployment]" = field(default_factory=dict)
    check_runs: list[CheckRun] = field(default_factory=list)

    def environment(self, name: str) -> Environment | None:
        """Return the environment of that name: GitHub compares names without regard to case."""
        return next((e for e in self.environments.values() if e.name.lower() == name.lower()), None)


@dataclass
class Organisation:
    """The one organisation of this world."""

    id: int
    login: str
    name: str
    created_at: datetime
    plan: Plan = "enterprise"
    owners: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)
    base_role: Role | None = "pull"
    actions_repositories: str = "all"
    allowed_actions: str = "all"
    sha_pinning_required: bool = False
    properties: dict[str, Json] = field(default_factory=dict)


@dataclass
class World:
    """Everything, with the look-ups that endpoints share."""

    clock: Clock
    directory: Path
    organisation: Organisation
    users: dict[str, User] = field(default_factory=dict)
    teams: dict[str, Team] = field(default_factory=dict)
    repos: dict[str, Repository] = field(default_factory=dict)
    renamed: dict[str, int] = field(default_factory=dict)
    installation_permissions: dict[str, str] = field(default_factory=APP_PERMISSIONS.copy)
    runs: "dict[int, WorkflowRun]" = field(default_factory=dict)
    root: str = ""
    """The server's address, once it serves."""
    last_id: int = 90_000_000

    def next_id(self) -> int:
        """Return a number that nothing else has."""
        self.last_id += 1
        return self.last_id

    def now(self) -> datetime:
        """Return the present moment in whole seconds, as GitHub keeps it."""
        return self.clock.now().replace(microsecond=0)

    def find_repo(self, name: str) -> Repository | None:
        """Return the repository of that name in any case of letters, or under an old name."""
        folded = name.lower()
        for repo in self.repos.values():
            if repo.name.lower() == folded or self.renamed.get(folded) == repo.id:
                return repo
        return None

    def find_user(self, login: str) -> User | None:
        """Return the person with that login, in any case of letters."""
        return self.users.get(login.lower())

    def user_by_id(self, number: int) -> User | None:
        """Return the person with that numeric id."""
        return next((user for user in self.users.values() if user.id == number), None)

    def team_by_id(self, number: int) -> Team | None:
        """Return the team with that numeric id."""
        return next((team for team in self.teams.values() if team.id == number), None)

    def role_of(self, login: str, repo: Repository) -> Role | None:
        """Return the strongest role a person has in a repository, from whatever source."""
        organisation = self.organisation
        if login in organisation.owners:
            return "admin"
        roles = [
            team.repositories.get(repo.id) for team in self.teams.values() if login in team.members
        ]
        roles.append(repo.collaborators.get(login))
        if login in organisation.members:
            roles.append(organisation.base_role)
        if repo.visibility == "public":
            roles.append("pull")
        held = [role for role in roles if role is not None]
        return max(held, key=ROLES.index) if held else None
