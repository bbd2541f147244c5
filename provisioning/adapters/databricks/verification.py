"""Is an environment as it was asked for? Each check asks Databricks one fact, and fails alone."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, cast

from databricks.sdk import AccountClient, WorkspaceClient
from databricks.sdk.service.catalog import EffectivePermissionsList
from databricks.sdk.service.iam import AccountServicePrincipal
from databricks.sdk.service.workspace import AclPermission

from provisioning.adapters.databricks.connection import Accounts, NotFound
from provisioning.adapters.databricks.names import Names
from provisioning.ports import Finding
from provisioning.project import DataAccess, Environment, ProjectSpec

REMEDY = "Retry repairs it."
OWN_SCHEMA = frozenset({"USE_SCHEMA", "SELECT", "MODIFY", "CREATE_TABLE"})
ACCESS = {"read": frozenset({"SELECT"}), "write": frozenset({"SELECT", "MODIFY"})}
SECURABLES = {1: "catalog", 2: "schema", 3: "table"}

Check = Callable[[], str]
"""Returns what is wrong, or an empty string."""


class Verification:
    """The checks on a project's environments."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def findings(
        self, spec: ProjectSpec, environment: Environment, outputs: Mapping[str, object]
    ) -> tuple[Finding, ...]:
        """Return the result of every check on one environment."""
        described = cast("Mapping[str, Mapping[str, Any]]", outputs.get("environments", {}))
        checks = EnvironmentChecks(
            account=self._accounts.account(environment.group),
            workspace=self._accounts.workspace(environment),
            names=Names(spec, environment, self._accounts.catalog(environment)),
            facts=described.get(environment.name, {}),
        )
        return tuple(_finding(f"{environment.name}: {name}", check) for name, check in checks.all())


@dataclass(frozen=True)
class EnvironmentChecks:
    """The checks on one environment; `facts` are Terraform's outputs about it."""

    account: AccountClient
    workspace: WorkspaceClient
    names: Names
    facts: Mapping[str, Any]

    def all(self) -> Iterator[tuple[str, Check]]:
        """Return every check by its name."""
        yield "service principal is active", self._principal_active
        yield "GitHub may log in as it", self._federation
        yield "service principal is in the workspace", self._assigned
        yield "schema exists", self._schema
        yield "service principal may use its schema", self._own_grants
        yield "cluster policy is usable", self._policy
        yield "secret scope is readable", self._scope
        for access in self.names.spec.data_access:
            if access.securable.split(".")[0] == self.names.catalog:
                yield f"may {access.level} {access.securable}", partial(self._data, access)

    @cached_property
    def _principal(self) -> AccountServicePrincipal | None:
        number = self.facts.get("service_principal_id")
        if not number:
            return None
        try:
            return self.account.service_principals_v2.get(str(number))
        except NotFound:
            return None

    @property
    def _client_id(self) -> str:
        return str((self._principal and self._principal.application_id) or "")

    def _principal_active(self) -> str:
        if self._principal is None:
            return f"There is no service principal {self.names.principal}."
        return "" if self._principal.active else "It is deactivated."

    def _federation(self) -> str:
        if self._principal is None:
            return "There is no service principal."
        wanted = {
            "issuer": self.facts.get("federation_issuer"),
            "audiences": [self.facts.get("federation_audience")],
            "subject": self.facts.get("federation_subject"),
        }
        number = int(self._principal.id or 0)
        policies = list(self.account.service_principal_federation_policy.list(number))
        trusted = [p.oidc_policy.as_dict() for p in policies if p.oidc_policy]
        if trusted == [wanted]:
            return ""
        return f"It trusts {trusted or 'nobody'} instead of {wanted}."

    def _assigned(self) -> str:
        number = str(self.facts.get("service_principal_id", ""))
        for principal in self.workspace.service_principals.list(
            filter=f'applicationId eq "{self._client_id}"'
        ):
            if principal.id == number:
                return ""
        return "It is not assigned to the workspace."

    def _schema(self) -> str:
        try:
            self.workspace.schemas.get(self.names.schema)
        except NotFound:
            return f"There is no schema {self.names.schema}."
        return ""

    def _own_grants(self) -> str:
        lacking = OWN_SCHEMA - self._privileges("schema", self.names.schema)
        return f"It lacks {', '.join(sorted(lacking))}." if lacking else ""

    def _data(self, access: DataAccess) -> str:
        securable = SECURABLES[len(access.securable.split("."))]
        lacking = ACCESS[access.level] - self._privileges(securable, access.securable)
        return f"It lacks {', '.join(sorted(lacking))}." if lacking else ""

    def _privileges(self, securable: str, full_name: str) -> frozenset[str]:
        try:
            found = self.workspace.grants.get_effective(
                securable, full_name, principal=self._client_id
            )
        except NotFound:
            return frozenset()
        return _privileges_of(found, self._client_id)

    def _policy(self) -> str:
        policy = str(self.facts.get("policy_id", ""))
        try:
            self.workspace.cluster_policies.get(policy)
            permissions = self.workspace.permissions.get("cluster-policies", policy)
        except NotFound:
            return f"There is no cluster policy {self.names.policy}."
        for entry in permissions.access_control_list or ():
            levels = {
                str(p.permission_level and p.permission_level.value)
                for p in entry.all_permissions or ()
            }
            if entry.service_principal_name == self._client_id and "CAN_USE" in levels:
                return ""
        return "The service principal may not use it."

    def _scope(self) -> str:
        try:
            acl = self.workspace.secrets.get_acl(self.names.scope, self._client_id)
        except NotFound:
            return f"There is no scope {self.names.scope} that the service principal may read."
        readable = acl.permission in (AclPermission.READ, AclPermission.WRITE, AclPermission.MANAGE)
        return "" if readable else "The service principal may not read it."


def _privileges_of(found: EffectivePermissionsList, principal: str) -> frozenset[str]:
    return frozenset(
        privilege.privilege.value
        for assignment in found.privilege_assignments or ()
        if assignment.principal == principal
        for privilege in assignment.privileges or ()
        if privilege.privilege
    )


def _finding(name: str, check: Check) -> Finding:
    wrong = check()
    return Finding(check=name, passed=not wrong, detail=wrong, remedy=REMEDY if wrong else "")
