"""What exists in the stand-in's account: plain dataclasses and the questions asked about them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Literal, TypeVar

from playground.databricks.deployed import (
    Endpoint,
    Job,
    ModelVersion,
    Node,
    Pipeline,
    Run,
    Update,
)

ACCOUNT_ADMIN = "account_admin"
ACCOUNT_USERS = "account users"
"""The group of everybody in the account, which Unity Catalog knows without anybody making it."""
Level = Literal["USER", "ADMIN"]


@dataclass
class Principal:
    """Whoever can be given rights; `name` is what grants and access lists call it."""

    id: int
    display_name: str
    active: bool = True
    external_id: str = ""
    roles: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """Return the name that grants use."""
        return self.display_name


@dataclass
class User(Principal):
    """A person."""

    user_name: str = ""

    @property
    def name(self) -> str:
        """Return the e-mail address."""
        return self.user_name


@dataclass
class OAuthSecret:
    """A client secret of a service principal; its value is shown once, at creation."""

    id: str
    value: str
    created: datetime
    expires: datetime


@dataclass
class FederationPolicy:
    """Which outside tokens may log in as a service principal."""

    policy_id: str
    uid: str
    issuer: str
    subject: str
    audiences: list[str]
    created: datetime
    updated: datetime
    subject_claim: str = ""
    jwks_uri: str = ""
    jwks_json: str = ""
    description: str = ""


@dataclass
class ServicePrincipal(Principal):
    """A machine identity; known to grants by its application id, never by its display name."""

    application_id: str = ""
    secrets: dict[str, OAuthSecret] = field(default_factory=dict)
    policies: dict[str, FederationPolicy] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the application id."""
        return self.application_id


@dataclass
class Group(Principal):
    """An account group; members are ids of any kind of principal."""

    members: set[int] = field(default_factory=set)


@dataclass
class ClusterPolicy:
    """What a cluster made under this policy may be."""

    policy_id: str
    name: str
    created: datetime
    creator: str
    definition: str = "{}"
    description: str = ""
    family_id: str = ""
    overrides: str = ""
    max_clusters_per_user: int | None = None
    is_default: bool = False
    users: set[int] = field(default_factory=set)
    """Ids of principals with CAN_USE; workspace admins have CAN_MANAGE by nature."""


@dataclass
class Secret:
    """A stored value and when it was last written."""

    value: bytes
    updated: datetime


@dataclass
class Scope:
    """A secret scope: values by key, permission by principal name."""

    name: str
    secrets: dict[str, Secret] = field(default_factory=dict)
    acls: dict[str, str] = field(default_factory=dict)


@dataclass
class Workspace:
    """One workspace: who is in it and what they made there."""

    id: int
    name: str
    group: str
    stage: str
    created: datetime
    assignments: dict[int, Level] = field(default_factory=dict)
    entitlements: dict[int, set[str]] = field(default_factory=dict)
    policies: dict[str, ClusterPolicy] = field(default_factory=dict)
    scopes: dict[str, Scope] = field(default_factory=dict)
    jobs: dict[int, Job] = field(default_factory=dict)
    runs: dict[int, Run] = field(default_factory=dict)
    pipelines: dict[str, Pipeline] = field(default_factory=dict)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    """Files, folders, dashboards and experiments by path, without `/Workspace` before it."""
    access: dict[str, dict[str, str]] = field(default_factory=dict)
    """Level by principal's name, of every object by its id: `/jobs/17`."""


SecurableKind = Literal["METASTORE", "CATALOG", "SCHEMA", "TABLE", "VOLUME", "MODEL"]


@dataclass
class Securable:
    """A catalog or what is in one; `grants` maps a principal's id to its privileges."""

    kind: SecurableKind
    full_name: str
    owner: str
    created: datetime
    created_by: str
    id: str
    updated: datetime
    updated_by: str
    comment: str = ""
    properties: dict[str, str] = field(default_factory=dict)
    """Of a model these are its tags."""
    storage_root: str = ""
    volume_type: str = ""
    storage_location: str = ""
    grants: dict[int, set[str]] = field(default_factory=dict)
    versions: dict[int, ModelVersion] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)

    @property
    def short_name(self) -> str:
        """Return the last part of the full name."""
        return self.full_name.rpartition(".")[2]

    @property
    def parent_name(self) -> str:
        """Return the full name of what contains this."""
        return self.full_name.rpartition(".")[0]


@dataclass
class RuleSet:
    """Who may use or manage a resource of the account; `version` becomes the etag."""

    name: str
    version: int = 0
    rules: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class BudgetPolicy:
    """Tags that serverless use is billed under."""

    policy_id: str
    name: str
    workspace_ids: list[int]
    tags: list[dict[str, str]]
    request_id: str = ""


@dataclass
class Token:
    """A bearer token. `workspace_id` None means that the account issued it."""

    value: str
    principal_id: int
    kind: Literal["oauth", "pat"]
    workspace_id: int | None
    created: datetime
    expires: datetime
    id: str = ""
    comment: str = ""
    created_by: int = 0


P = TypeVar("P", bound=Principal)


def _nobody(*_: object) -> None:
    """Run nothing: an account that is no server has nobody who does."""


@dataclass
class World:
    """One account with everything in it."""

    account_id: str
    metastore: Securable
    everybody: Group
    principals: dict[int, Principal] = field(default_factory=dict)
    workspaces: dict[int, Workspace] = field(default_factory=dict)
    securables: dict[tuple[SecurableKind, str], Securable] = field(default_factory=dict)
    rule_sets: dict[str, RuleSet] = field(default_factory=dict)
    budget_policies: dict[str, BudgetPolicy] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    begin_run: Callable[[Workspace, Run], None] = _nobody
    cancel_run: Callable[[Workspace, Run], None] = _nobody
    begin_update: Callable[[Workspace, Pipeline, Update], None] = _nobody
    next_id: Callable[[], int] = field(default_factory=lambda: count(70_100_000_000_001).__next__)

    def of_type(self, kind: type[P]) -> Iterator[P]:
        """Yield the principals of one kind, oldest first."""
        return (each for each in self.principals.values() if isinstance(each, kind))

    def named(self, name: str) -> Principal | None:
        """Return the principal that grants call `name`."""
        if name == ACCOUNT_USERS:
            return self.everybody
        return next((each for each in self.principals.values() if each.name == name), None)

    def by_id(self, principal_id: int) -> Principal | None:
        """Return a principal, or the group of everybody."""
        if principal_id == self.everybody.id:
            return self.everybody
        return self.principals.get(principal_id)

    def identities(self, principal: Principal) -> set[int]:
        """Return the ids that give `principal` rights: itself and its groups, nested ones too."""
        found = {principal.id}
        waiting = [principal.id]
        while waiting:
            member = waiting.pop()
            for group in self.of_type(Group):
                if member in group.members and group.id not in found:
                    found.add(group.id)
                    waiting.append(group.id)
        return found | {self.everybody.id}

    def is_account_admin(self, principal: Principal) -> bool:
        """Tell whether `principal` administers the account, itself or through a group."""
        holders = (self.principals.get(each) for each in self.identities(principal))
        return any(holder and ACCOUNT_ADMIN in holder.roles for holder in holders)

    def level_in(self, workspace: Workspace, principal: Principal) -> Level | None:
        """Return what `principal` is in a workspace, itself or through a group."""
        ids = self.identities(principal)
        levels = {level for who, level in workspace.assignments.items() if who in ids}
        return "ADMIN" if "ADMIN" in levels else "USER" if levels else None

    def forget(self, principal: Principal) -> None:
        """Remove a principal and every right, membership and token it had."""
        del self.principals[principal.id]
        for group in self.of_type(Group):
            group.members.discard(principal.id)
        for workspace in self.workspaces.values():
            self.unassign(workspace, principal)
        for securable in [self.metastore, *self.securables.values()]:
            securable.grants.pop(principal.id, None)
        self.tokens = {k: t for k, t in self.tokens.items() if t.principal_id != principal.id}
        if isinstance(principal, ServicePrincipal):
            self.rule_sets.pop(rule_set_name(self.account_id, principal), None)

    def unassign(self, workspace: Workspace, principal: Principal) -> None:
        """Take a principal out of a workspace, with its permissions on objects there."""
        workspace.assignments.pop(principal.id, None)
        workspace.entitlements.pop(principal.id, None)
        for policy in workspace.policies.values():
            policy.users.discard(principal.id)
        for levels in workspace.access.values():
            levels.pop(principal.name, None)


def rule_set_name(account_id: str, principal: ServicePrincipal) -> str:
    """Return the name of a service principal's rule set."""
    return f"accounts/{account_id}/servicePrincipals/{principal.application_id}/ruleSets/default"
