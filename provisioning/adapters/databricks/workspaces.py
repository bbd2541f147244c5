"""The accounts' groups and what a project has in their workspaces."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from databricks.sdk.service.iam import AccountGroup, AccountServicePrincipal

from provisioning.adapters.databricks.connection import Accounts, NotFound, translated
from provisioning.adapters.databricks.names import Names
from provisioning.adapters.databricks.verification import Verification
from provisioning.ports import Choice, Finding
from provisioning.project import Environment, ProjectSpec
from provisioning.terraform_root import account_module, environment_module

MOST_CHOICES = 100
T = TypeVar("T")


class DatabricksWorkspaces:
    """Implements the `Workspaces` port; safe to use from several threads."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._verification = Verification(accounts)

    # ------------------------------------------------------------------ groups

    def search_groups(self, query: str, workspace_group: str = "") -> tuple[Choice, ...]:
        """Return at most 100 account groups whose name contains the query."""
        group = workspace_group or next(iter(self._accounts.accounts))
        words = query.replace("\\", "").replace('"', "")
        filtered = f'displayName co "{words}"' if words else None
        with translated("search the account's groups"):
            groups = self._accounts.account(group).groups_v2.list(filter=filtered)
            names = sorted({name for found in groups if (name := found.display_name)})
        return tuple(Choice(value=name, label=name) for name in names[:MOST_CHOICES])

    def group_exists(self, display_name: str, workspace_group: str) -> bool:
        """Tell whether the account of a workspace group has the account group."""
        with translated(f"find the group {display_name}"):
            return self._find_group(workspace_group, display_name) is not None

    def _find_group(self, workspace_group: str, display_name: str) -> AccountGroup | None:
        if set('"\\') & set(display_name):
            return None
        client = self._accounts.account(workspace_group)
        for group in client.groups_v2.list(filter=f'displayName eq "{display_name}"'):
            if group.display_name == display_name:
                return group
        return None

    # ------------------------------------------------------------------ what is there already

    def taken(self, spec: ProjectSpec) -> tuple[str, ...]:
        """Return what already exists under names that the project would use."""
        groups = {self._accounts.accounts[group]: group for group in spec.workspace_groups}
        found = [
            f"account group {Names.group(spec)}"
            for group in groups.values()
            if self._existing_group(spec, group)
        ]
        for things in self._everywhere(spec, self._taken_in):
            found += things
        return tuple(found)

    def _existing_group(self, spec: ProjectSpec, group: str) -> AccountGroup | None:
        with translated("look for the project's group"):
            return self._find_group(group, Names.group(spec))

    def _taken_in(self, spec: ProjectSpec, environment: Environment) -> list[str]:
        names = Names(spec, environment, self._accounts.catalog(environment))
        with translated(f"look into the workspace of {environment.name}"):
            return [
                f"{kind} {name} in {environment.group} {environment.stage}"
                for kind, name, there in (
                    ("schema", names.schema, self._schema_exists(environment, names)),
                    ("secret scope", names.scope, self._scope_exists(environment, names)),
                    ("cluster policy", names.policy, self._policy_id(environment, names)),
                )
                if there
            ]

    # ------------------------------------------------------------------ leftovers

    def leftovers(self, spec: ProjectSpec, marker: str) -> dict[str, str]:
        """Return what exists under the project's names and markers; twins are removed.

        A principal's name is not unique: two that carry the same marker are twins of one
        interrupted creation, and the later one, which nothing refers to yet, is deleted.
        """
        found: dict[str, str] = {}
        accounts = {self._accounts.accounts[group]: group for group in spec.workspace_groups}
        for group in accounts.values():
            if existing := self._existing_group(spec, group):
                address = (
                    f"{account_module(self._accounts.accounts, group)}.databricks_group.project"
                )
                found[address] = existing.id or ""
        for environment, some in zip(
            spec.environments(),
            self._everywhere(spec, lambda s, e: self._leftovers_in(s, e, marker)),
            strict=True,
        ):
            module = environment_module(environment)
            found |= {f"{module}.{resource}": import_id for resource, import_id in some.items()}
        return found

    def _leftovers_in(
        self, spec: ProjectSpec, environment: Environment, marker: str
    ) -> dict[str, str]:
        names = Names(spec, environment, self._accounts.catalog(environment))
        with translated(f"look into the workspace of {environment.name}"):
            found = self._principal_leftovers(environment, names, marker)
            if self._schema_exists(environment, names):
                found["databricks_schema.this"] = names.schema
            if self._scope_exists(environment, names):
                found["databricks_secret_scope.this"] = names.scope
            if policy := self._policy_id(environment, names):
                found["databricks_cluster_policy.jobs"] = policy
        return found

    def _principal_leftovers(
        self, environment: Environment, names: Names, marker: str
    ) -> dict[str, str]:
        principals = self._marked_principals(environment, names, marker)
        if not principals:
            return {}
        client = self._accounts.account(environment.group)
        first, *twins = principals
        for twin in twins:
            client.service_principals_v2.delete(id=twin.id or "")
        found = {"databricks_service_principal.this": first.id or ""}
        for policy in client.service_principal_federation_policy.list(int(first.id or 0)):
            address = "databricks_service_principal_federation_policy.github"
            found.setdefault(address, f"{first.id},{policy.policy_id}")
        return found

    def _marked_principals(
        self, environment: Environment, names: Names, marker: str
    ) -> list[AccountServicePrincipal]:
        client = self._accounts.account(environment.group)
        listed = client.service_principals_v2.list(filter=f'displayName eq "{names.principal}"')
        mark = f"{marker}:{environment.name}"
        ours = [principal for principal in listed if principal.external_id == mark]
        return sorted(ours, key=lambda principal: int(principal.id or 0))

    def _schema_exists(self, environment: Environment, names: Names) -> bool:
        try:
            self._accounts.workspace(environment).schemas.get(names.schema)
        except NotFound:
            return False
        return True

    def _scope_exists(self, environment: Environment, names: Names) -> bool:
        scopes = self._accounts.workspace(environment).secrets.list_scopes()
        return any(scope.name == names.scope for scope in scopes)

    def _policy_id(self, environment: Environment, names: Names) -> str:
        for policy in self._accounts.workspace(environment).cluster_policies.list():
            if policy.name == names.policy:
                return policy.policy_id or ""
        return ""

    # ------------------------------------------------------------------ verification

    def verify(self, spec: ProjectSpec, outputs: Mapping[str, object]) -> tuple[Finding, ...]:
        """Ask Databricks whether the project is as it was asked for, check by check."""

        def look(spec: ProjectSpec, environment: Environment) -> tuple[Finding, ...]:
            with translated(f"verify the environment {environment.name}"):
                return self._verification.findings(spec, environment, outputs)

        return tuple(f for findings in self._everywhere(spec, look) for f in findings)

    def _everywhere(
        self, spec: ProjectSpec, look: Callable[[ProjectSpec, Environment], T]
    ) -> Iterator[T]:
        """Look into all of a project's environments side by side, in their order."""
        environments = spec.environments()
        with ThreadPoolExecutor(max_workers=8, thread_name_prefix="databricks") as pool:
            yield from pool.map(lambda environment: look(spec, environment), environments)
