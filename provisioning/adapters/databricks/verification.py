"""Are environments as they were asked for? Each check asks Databricks one fact, and fails alone."""

from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, cast

from databricks.sdk import AccountClient, WorkspaceClient
from databricks.sdk.errors import BadRequest
from databricks.sdk.service.catalog import EffectivePrivilegeAssignment
from databricks.sdk.service.workspace import AclPermission

from provisioning.adapters.databricks.connection import Accounts, NotFound
from provisioning.adapters.databricks.names import Names
from provisioning.adapters.databricks.principal_secrets import PrincipalSecrets
from provisioning.adapters.databricks.secret_scopes import secret_checks
from provisioning.adapters.databricks.traces import AccountTraces
from provisioning.delivery import Delivery
from provisioning.ports import Finding, Principal
from provisioning.project import DataAccess, Environment, ProjectSpec

REMEDY = "Retry repairs what Terraform manages; what somebody changed by hand, change back."
FEDERATED = "GitHub may log in as the service principal"
WRITABLE = ("development",)
"""The stages where people of the project may write the schema and run jobs as its principal."""
READING = frozenset({"USE_SCHEMA", "SELECT", "EXECUTE", "READ_VOLUME"})
WRITING = READING | {
    "MODIFY",
    "CREATE_TABLE",
    "CREATE_VOLUME",
    "CREATE_FUNCTION",
    "CREATE_MODEL",
    "WRITE_VOLUME",
}
PLANNING = frozenset({"USE_SCHEMA", "EXECUTE"})
"""What making a plan needs of a schema: EXECUTE shows the description of a registered model."""
HARMLESS = frozenset({"BROWSE"})
"""What shows names and descriptions, and no data."""
ACCESS = {"read": frozenset({"SELECT"}), "write": frozenset({"SELECT", "MODIFY"})}
SECURABLES = {1: "catalog", 2: "schema", 3: "table"}
ON_THE_WAY = {1: frozenset({"USE_CATALOG"}), 2: frozenset({"USE_SCHEMA"})}

Check = Callable[[], str]
"""Returns what is wrong, or an empty string."""
NamedCheck = tuple[str, Check]


class Verification:
    """The checks on projects' environments, asked side by side."""

    def __init__(self, accounts: Accounts, executor: Executor, delivery: Delivery) -> None:
        self._accounts = accounts
        self._executor = executor
        self._delivery = delivery

    def findings(self, spec: ProjectSpec, outputs: Mapping[str, object]) -> tuple[Finding, ...]:
        """Return the result of every check."""
        return tuple(self._executor.map(_finding, self._checks(spec, outputs)))

    def federation(self, spec: ProjectSpec, outputs: Mapping[str, object]) -> tuple[Finding, ...]:
        """Return the result of the checks on federation policies alone."""
        checks = (one for one in self._checks(spec, outputs) if one[0].endswith(FEDERATED))
        return tuple(self._executor.map(_finding, checks))

    def _checks(self, spec: ProjectSpec, outputs: Mapping[str, object]) -> Iterator[NamedCheck]:
        described = cast("Mapping[str, Mapping[str, Any]]", outputs.get("environments") or {})
        for group in self._accounts.distinct(spec.workspace_groups):
            yield f"{Names.group(spec)}: has the managed group", partial(self._team, spec, group)
        for environment in self._delivery.identities(spec):
            names = Names(spec, environment, self._accounts.catalog(environment))
            facts = described.get(environment.name) or {}
            checks = EnvironmentChecks(self._accounts, self._delivery, environment, names, facts)
            for name, check in checks.all():
                yield f"{environment.name}: {name}", check

    def _team(self, spec: ProjectSpec, group: str) -> str:
        """Expect the people of the managed group in the project's own."""
        account = AccountTraces(self._accounts, group)
        project, managed = (
            account.find_group(name) for name in (Names.group(spec), spec.managed_group)
        )
        if project is None or managed is None:
            missing = Names.group(spec) if project is None else spec.managed_group
            return f"There is no account group {missing}."
        whole = self._accounts.account(group).groups_v2.get(project.id or "")
        members = {member.value for member in whole.members or ()}
        return "" if managed.id in members else f"{spec.managed_group} is not a member of it."


@dataclass(frozen=True)
class EnvironmentChecks:
    """The checks on one environment; `facts` are Terraform's outputs about it."""

    accounts: Accounts
    delivery: Delivery
    environment: Environment
    names: Names
    facts: Mapping[str, Any]

    def all(self) -> Iterator[NamedCheck]:
        """Return every check by its name."""
        yield "service principal is active", self.principal
        yield "service principal has no twin", self.twins
        if self.delivery.authentication == "secret":
            yield "service principal trusts no tokens", self.federation
            yield "service principal has a fresh secret", self.secrets
        else:
            yield FEDERATED, self.federation
            yield "service principal has no secret", self.no_secrets
        yield from self._of_planner() if self.environment.is_planner else self._of_deployer()

    def _of_planner(self) -> Iterator[NamedCheck]:
        yield "planner is a mere user of the workspace", self.mere_user
        yield "planner may only read the schema", self.only_reads
        yield "planner may only pass the catalog", self.only_passes

    def _of_deployer(self) -> Iterator[NamedCheck]:
        yield "who may use the service principal", self.rule_set
        yield "service principal is in the workspace", self.principal_assigned
        yield "team is in the workspace", self.team_assigned
        yield "cluster policy is usable", self.policy
        yield "secret scope is readable", self.scope
        yield from secret_checks(lambda: self._workspace, self.names, self._client_id)
        yield "schema exists", self.schema
        yield "service principal may use its schema", partial(self.own, self._client_id, WRITING)
        yield f"team may {'write' if self._writable else 'read'} the schema", self.team_grants
        for who, principal in (("service principal", self._client_id), ("team", self._team)):
            yield f"{who} may use the catalog", partial(self.catalog, principal)
        for access in self.names.spec.data_access:
            if access.securable.split(".")[0] == self.names.catalog:
                yield f"may {access.level} {access.securable}", partial(self.data, access)

    # ------------------------------------------------------------------ the principal

    def principal(self) -> str:
        """Expect an active principal with the application id that GitHub was told."""
        try:
            found = self._account.service_principals_v2.get(self._number)
        except NotFound:
            return f"There is no service principal {self.names.principal}."
        if found.application_id != self._client_id:
            return f"Its application id is {found.application_id}, not {self._client_id}."
        return "" if found.active else f"{self.names.principal} is deactivated."

    def twins(self) -> str:
        """Expect that no interrupted creation has left a second one: names are not unique."""
        named = f'displayName eq "{self.names.principal}"'
        found = self._account.service_principals_v2.list(filter=named)
        others = [each.id for each in found if each.id != self._number]
        return f"A service principal of the same name is left: {others[0]}." if others else ""

    def federation(self) -> str:
        """Expect that exactly the environment's GitHub tokens may log in as it, or nobody's."""
        policy = {
            "issuer": self.facts.get("federation_issuer"),
            "audiences": [self.facts.get("federation_audience")],
            "subject": self.facts.get("federation_subject"),
        }
        wanted = [policy] if self.delivery.authentication == "oidc" else []
        try:
            policies = self._account.service_principal_federation_policy.list(int(self._number))
            trusted = [each.oidc_policy.as_dict() for each in policies if each.oidc_policy]
        except NotFound:
            trusted = []
        if trusted == wanted:
            return ""
        return f"It trusts {trusted or 'nobody'}, not {policy if wanted else 'nobody'}."

    def secrets(self) -> str:
        """Expect a secret that is alive, and none that is older or lives longer than agreed."""
        days, now = self.delivery.secret_days, self.accounts.clock.now()
        longest = timedelta(days=days)
        held = PrincipalSecrets(self.accounts).secrets(self._principal)
        if not any(each.is_alive(now) for each in held):
            return "It has no secret that is valid."
        stale = [each.id for each in held if each.is_stale(now, longest)]
        return f"Older than {days} days, or made to be: {_listed(stale)}." if stale else ""

    def no_secrets(self) -> str:
        """Expect that nothing long-lived logs in as it: no OAuth secret, no access token."""
        held = PrincipalSecrets(self.accounts).secrets(self._principal)
        told = {
            "OAuth secrets": [each.id for each in held],
            "personal access tokens": self._access_tokens(),
        }
        return " ".join(f"It has {what}: {_listed(some)}." for what, some in told.items() if some)

    def rule_set(self) -> str:
        """Expect us to manage it, and people to run jobs as it where they may write."""
        principal = f"servicePrincipals/{self._client_id}"
        name = f"accounts/{self._account.config.account_id}/{principal}/ruleSets/default"
        wanted = {("roles/servicePrincipal.manager", f"servicePrincipals/{self._us}")}
        if self._writable:
            wanted.add(("roles/servicePrincipal.user", f"groups/{self._team}"))
        try:
            found = self._account.access_control.get_rule_set(name, "")
        except NotFound:
            return "It has no rules."
        rules = {
            (rule.role, who) for rule in found.grant_rules or () for who in rule.principals or ()
        }
        told = {"missing": wanted - rules, "nobody asked for": rules - wanted}
        return "; ".join(f"{what}: {_pairs(some)}" for what, some in told.items() if some)

    def _access_tokens(self) -> list[str]:
        try:
            tokens = [*self._workspace.token_management.list()]
        except (NotFound, BadRequest):
            return []  # they are switched off in this workspace
        return [each.token_id or "" for each in tokens if str(each.owner_id) == self._number]

    # ------------------------------------------------------------------ the workspace

    def principal_assigned(self) -> str:
        """Expect the principal in the workspace."""
        named = f'applicationId eq "{self._client_id}"'
        found = self._workspace.service_principals.list(filter=named)
        is_there = any(each.application_id == self._client_id for each in found)
        return "" if is_there else f"{self.names.principal} is not assigned to the workspace."

    def mere_user(self) -> str:
        """Expect the principal in the workspace, and administering nothing there."""
        said = self._workspace.api_client.do("GET", "/api/2.0/preview/permissionassignments")
        assignments = cast("Mapping[str, Any]", said).get("permission_assignments", ())
        for each in assignments:
            if str(each["principal"]["principal_id"]) == self._number:
                levels = each["permissions"]
                return "" if levels == ["USER"] else f"It is {', '.join(levels)} there."
        return f"{self.names.principal} is not assigned to the workspace."

    def team_assigned(self) -> str:
        """Expect the project's group in the workspace."""
        found = self._workspace.groups.list(filter=f'displayName eq "{self._team}"')
        is_there = any(each.display_name == self._team for each in found)
        return "" if is_there else f"{self._team} is not assigned to the workspace."

    def policy(self) -> str:
        """Expect the principal and the team to be allowed to use the cluster policy."""
        policy = str(self.facts.get("policy_id"))
        try:
            permissions = self._workspace.permissions.get("cluster-policies", policy)
        except NotFound:
            return f"There is no cluster policy {self.names.policy}."
        users = {
            entry.service_principal_name or entry.group_name
            for entry in permissions.access_control_list or ()
            for each in entry.all_permissions or ()
            if each.permission_level and each.permission_level.value == "CAN_USE"
        }
        lacking = [who for who in (self._client_id, self._team) if who not in users]
        return f"May not use it: {', '.join(lacking)}." if lacking else ""

    def scope(self) -> str:
        """Expect the principal to be able to read secrets."""
        try:
            acl = self._workspace.secrets.get_acl(self.names.scope, self._client_id)
        except NotFound:
            return f"There is no scope {self.names.scope} that the service principal may read."
        levels = (AclPermission.READ, AclPermission.WRITE, AclPermission.MANAGE)
        return "" if acl.permission in levels else "The service principal may not read it."

    # ------------------------------------------------------------------ data

    def schema(self) -> str:
        """Expect the schema."""
        try:
            self._workspace.schemas.get(self.names.schema)
        except NotFound:
            return f"There is no schema {self.names.schema}."
        return ""

    def team_grants(self) -> str:
        """Expect the team to write the schema or only to read it, by stage."""
        return self.own(self._team, WRITING if self._writable else READING)

    def own(self, principal: str, wanted: frozenset[str]) -> str:
        """Expect exactly these privileges on the own schema; more may come from above."""
        try:
            held = self._privileges("schema", self.names.schema, principal)
        except NotFound as missing:
            return "" if self.schema() else str(missing)
        if lacking := wanted - held.keys():
            return f"{principal} lacks {_listed(lacking)} on {self.names.schema}."
        direct = {privilege for privilege, is_inherited in held.items() if not is_inherited}
        surplus = direct - wanted
        return f"{principal} has {_listed(surplus)}, which is too much." if surplus else ""

    def catalog(self, principal: str) -> str:
        """Expect the way to the schema to be open."""
        return self._lack("catalog", self.names.catalog, principal, ON_THE_WAY[1])

    def only_reads(self) -> str:
        """Expect what plans need of the schema, and nothing else."""
        return self.own(self._client_id, PLANNING)

    def only_passes(self) -> str:
        """Expect the way to the schema to be open, and nothing else to come from the catalog."""
        name, wanted = self.names.catalog, ON_THE_WAY[1]
        if lack := self.catalog(self._client_id):
            return lack
        surplus = self._privileges("catalog", name, self._client_id).keys() - wanted - HARMLESS
        return f"It has {_listed(surplus)} on {name}, which is too much." if surplus else ""

    def data(self, access: DataAccess) -> str:
        """Expect the data that was asked for within reach of jobs."""
        parts = access.securable.split(".")
        for depth in range(2, len(parts)):
            above = ".".join(parts[:depth])
            if lack := self._lack(SECURABLES[depth], above, self._client_id, ON_THE_WAY[depth]):
                return lack
        wanted = ACCESS[access.level] | (ON_THE_WAY[2] if len(parts) == 2 else frozenset())
        return self._lack(SECURABLES[len(parts)], access.securable, self._client_id, wanted)

    def _lack(self, kind: str, name: str, principal: str, wanted: frozenset[str]) -> str:
        try:
            lacking = wanted - self._privileges(kind, name, principal).keys()
        except NotFound as missing:
            return str(missing)
        return f"{principal} lacks {_listed(lacking)} on {name}." if lacking else ""

    def _privileges(self, kind: str, name: str, principal: str) -> dict[str, bool]:
        """Return what a principal has on a securable: privilege to whether it comes from above."""
        held: dict[str, bool] = {}
        for assignment in self._assignments(kind, name, principal):
            for each in assignment.privileges or ():
                if each.privilege and assignment.principal == principal:
                    is_inherited = bool(each.inherited_from_name)
                    previous = held.get(each.privilege.value, True)
                    held[each.privilege.value] = previous and is_inherited
        return held

    def _assignments(
        self, kind: str, name: str, principal: str
    ) -> Iterator[EffectivePrivilegeAssignment]:
        token: str | None = None
        while token != "":
            page = self._workspace.grants.get_effective(
                kind, name, max_results=0, page_token=token, principal=principal
            )
            yield from page.privilege_assignments or ()
            token = page.next_page_token or ""

    # ------------------------------------------------------------------ who and where

    @property
    def _account(self) -> AccountClient:
        return self.accounts.account(self.environment.group)

    @property
    def _workspace(self) -> WorkspaceClient:
        return self.accounts.workspace(self.environment)

    @property
    def _us(self) -> str:
        return self.accounts.login.client_id

    @property
    def _number(self) -> str:
        return str(self.facts.get("service_principal_id") or 0)

    @property
    def _principal(self) -> Principal:
        return Principal(
            environment=self.environment, number=self._number, client_id=self._client_id
        )

    @property
    def _client_id(self) -> str:
        return str(self.facts.get("client_id") or "")

    @property
    def _team(self) -> str:
        return Names.group(self.names.spec)

    @property
    def _writable(self) -> bool:
        return self.environment.stage in WRITABLE


def _listed(words: Collection[str]) -> str:
    return ", ".join(sorted(words))


def _pairs(rules: set[tuple[str, str]]) -> str:
    return ", ".join(sorted(f"{who} as {role}" for role, who in rules))


def _finding(named: NamedCheck) -> Finding:
    name, check = named
    wrong = check()
    return Finding(check=name, passed=not wrong, detail=wrong, remedy=REMEDY if wrong else "")
