"""What exists under a project's names, whoever made it.

Only what cannot simply be made again is looked for: Databricks refuses a second group, schema,
scope or policy of a name, and makes a twin of a principal or a federation policy. Rights,
memberships, assignments and rule sets are set, not added: making them again changes nothing.
"""

from dataclasses import dataclass

from databricks.sdk import AccountClient, WorkspaceClient
from databricks.sdk.errors import NotFound, PermissionDenied
from databricks.sdk.service.iam import AccountGroup, AccountServicePrincipal
from databricks.sdk.service.workspace import AclPermission

from provisioning.adapters.databricks.connection import Accounts
from provisioning.adapters.databricks.names import Names
from provisioning.project import Environment, ProjectSpec
from provisioning.project_secrets import scopes_of, secret_of
from provisioning.terraform_root import account_module, environment_module, identity_module


@dataclass(frozen=True)
class Trace:
    """Something that exists; `ours` says whether it may be the bot's own work."""

    kind: str
    name: str
    address: str
    import_id: str
    ours: bool


class AccountTraces:
    """What exists in the account of one workspace group."""

    def __init__(self, accounts: Accounts, group: str) -> None:
        self._accounts = accounts
        self._group = group
        self._module = account_module(accounts.accounts, group)

    def group(self, spec: ProjectSpec) -> list[Trace]:
        """Return the project's group; nothing in a group tells who made it."""
        name = Names.group(spec)
        found = self.find_group(name)
        if found is None:
            return []
        address = f"{self._module}.databricks_group.project"
        return [Trace("account group", name, address, found.id or "", ours=True)]

    def find_group(self, name: str) -> AccountGroup | None:
        """Return the account group of exactly this name."""
        if set('"\\') & set(name):
            return None  # what a filter cannot quote; Terraform's module refuses it, too
        client = self._accounts.account(self._group)
        found = client.groups_v2.list(filter=f'displayName eq "{name}"', count=10)
        return next((group for group in found if group.display_name == name), None)


class EnvironmentTraces:
    """What exists for one environment."""

    def __init__(self, accounts: Accounts, spec: ProjectSpec, environment: Environment) -> None:
        self._accounts = accounts
        self._us = accounts.login.client_id
        self._names = Names(spec, environment, accounts.catalog(environment))
        self._environment = environment
        self._module = environment_module(environment)
        self._identity = identity_module(environment.name)

    def schema(self) -> list[Trace]:
        """Return the schema; one that we may not see is somebody else's."""
        name = self._names.schema
        try:
            maker = self._workspace.schemas.get(name).created_by
        except NotFound:
            return []
        except PermissionDenied:
            maker = "somebody"
        return [self._trace("schema", name, f"{self._module}.databricks_schema.this", name, maker)]

    def scope(self) -> list[Trace]:
        """Return the secret scope; lists show only those that we may read, this shows any."""
        name = self._names.scope
        return self._scope(name, f"{self._module}.databricks_secret_scope.this")

    def _scope(self, name: str, address: str) -> list[Trace]:
        try:
            acls = list(self._workspace.secrets.list_acls(name))
        except NotFound:
            return []
        except PermissionDenied:
            acls = []
        managers = [acl.principal for acl in acls if acl.permission == AclPermission.MANAGE]
        maker = self._us if self._us in managers else "somebody"
        return [self._trace("secret scope", name, address, name, maker)]

    def secret_scopes(self) -> list[Trace]:
        """Return the scopes of the project's own secrets.

        Those that nobody asks for any more are no resources: their address is none of Terraform's.
        """
        prefix = scopes_of(self._names.spec.name, self._environment.name)
        listed = (scope.name or "" for scope in self._workspace.secrets.list_scopes())
        found = (name for name in listed if name.startswith(prefix))
        return [
            trace for name in found for trace in self._scope(name, self._address_of(name, prefix))
        ]

    def _address_of(self, scope: str, prefix: str) -> str:
        secret = secret_of(self._names.spec, scope.removeprefix(prefix))
        if secret is None or self._environment.stage not in secret.stages:
            return f"secret scope {scope}"
        return f'{self._module}.databricks_secret_scope.secret["{secret.name}"]'

    def policy(self) -> list[Trace]:
        """Return the cluster policy."""
        name, address = self._names.policy, f"{self._module}.databricks_cluster_policy.jobs"
        return [
            self._trace("cluster policy", name, address, policy.policy_id, policy.creator_user_name)
            for policy in self._workspace.cluster_policies.list()
            if policy.name == name
        ]

    def principal(self) -> list[Trace]:
        """Return the service principals of this name: it need not be unique."""
        address = f"{self._identity}.databricks_service_principal.this"
        return [
            self._trace("service principal", self._names.principal, address, found.id, "somebody")
            for found in self._principals()
        ]

    def marked_principal(self, marker: str) -> list[Trace]:
        """Return the principal that carries our marker, and its federation policy.

        Several are twins of one interrupted creation. The one that GitHub may log in as, by token
        or by secret, is kept, or else the latest, which is the one that Terraform had an answer
        about, if it had any.
        """
        mark = f"{marker}:{self._environment.name}"
        marked = [found for found in self._principals() if found.external_id == mark]
        policies = {int(found.id or 0): self._federation_ids(found) for found in marked}
        used = {number for number in policies if policies[number] or self._has_secret(number)}
        twins = sorted(policies, key=lambda number: (number in used, number))
        for twin in twins[:-1]:
            if twin not in used:
                self._account.service_principals_v2.delete(id=str(twin))
        return [trace for kept in twins[-1:] for trace in self._adoptable(kept, policies[kept])]

    def _has_secret(self, number: int) -> bool:
        return any(self._account.service_principal_secrets.list(str(number)))

    def _adoptable(self, number: int, policies: list[str]) -> list[Trace]:
        name, us = self._names.principal, self._us
        this = f"{self._identity}.databricks_service_principal.this"
        github = f"{self._identity}.databricks_service_principal_federation_policy.github[0]"
        return [
            self._trace("service principal", name, this, str(number), us),
            *(
                self._trace("federation policy", name, github, f"{number},{policy}", us)
                for policy in policies[:1]
            ),
        ]

    @property
    def _account(self) -> AccountClient:
        return self._accounts.account(self._environment.group)

    @property
    def _workspace(self) -> WorkspaceClient:
        return self._accounts.workspace(self._environment)

    def _principals(self) -> list[AccountServicePrincipal]:
        named = f'displayName eq "{self._names.principal}"'
        return list(self._account.service_principals_v2.list(filter=named))

    def _federation_ids(self, principal: AccountServicePrincipal) -> list[str]:
        policies = self._account.service_principal_federation_policy.list(int(principal.id or 0))
        return sorted(policy.policy_id or "" for policy in policies)

    def _trace(
        self, kind: str, name: str, address: str, import_id: str | None, maker: str | None
    ) -> Trace:
        return Trace(kind, name, address, import_id or "", ours=maker in (None, "", self._us))
