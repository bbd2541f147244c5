"""The accounts' groups and what a project has in their workspaces."""

from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from functools import partial
from itertools import islice

from provisioning.adapters.databricks.connection import Accounts, translated
from provisioning.adapters.databricks.holdings import HeldInWorkspaces
from provisioning.adapters.databricks.principal_secrets import PrincipalSecrets
from provisioning.adapters.databricks.suggestions import MOST_CHOICES, Choices, Suggestions
from provisioning.adapters.databricks.traces import AccountTraces, EnvironmentTraces, Trace
from provisioning.adapters.databricks.verification import Verification
from provisioning.delivery import Delivery
from provisioning.ports import Choice, Finding, MintedSecret, Principal, SecretFacts
from provisioning.project import ProjectSpec
from provisioning.removal_ports import Held

AT_ONCE = 48
"""Questions side by side, over all workspaces; the SDK sends at most 20 at once to one host."""
MOST_LOOKED_AT = 10 * MOST_CHOICES
"""Groups that are compared here, where Databricks could not be asked for exactly what is typed."""

Look = Callable[[], list[Trace]]


class DatabricksWorkspaces:
    """Implements the ports `Workspaces` and `Holdings`; safe to use from several threads."""

    def __init__(self, accounts: Accounts, delivery: Delivery | None = None) -> None:
        self._accounts = accounts
        self._delivery = delivery or Delivery()
        self._secrets = PrincipalSecrets(accounts)
        self._executor = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="databricks")
        self._suggestions = Suggestions(self._executor, self._search)
        self._verification = Verification(accounts, self._executor, self._delivery)
        self._holdings = HeldInWorkspaces(accounts, self._executor)

    # ------------------------------------------------------------------ groups

    def search_groups(self, query: str, workspace_group: str = "") -> Choices:
        """Return at most 100 account groups whose name contains the query."""
        group = workspace_group or next(iter(self._accounts.accounts))
        return self._suggestions.matching(group, query.strip())

    def _search(self, group: str, query: str) -> Choices:
        """Let Databricks search, which knows no escapes: what it cannot quote is compared here."""
        quotable = max(query.replace("\\", '"').split('"'), key=len)
        wanted = query.casefold()
        with translated("search the account's groups"):
            groups = self._accounts.account(group).groups_v2.list(
                attributes="displayName",
                count=MOST_CHOICES,
                filter=f'displayName co "{quotable}"' if quotable else None,
                sort_by="displayName",
            )
            names = (found.display_name or "" for found in islice(groups, MOST_LOOKED_AT))
            found = list(islice((n for n in names if n and wanted in n.casefold()), MOST_CHOICES))
        return tuple(Choice(value=name, label=name) for name in found)

    def group_exists(self, display_name: str, workspace_group: str) -> bool:
        """Tell whether the account of a workspace group has the account group."""
        with translated(f"find the group {display_name}"):
            account = AccountTraces(self._accounts, workspace_group)
            return account.find_group(display_name) is not None

    # ------------------------------------------------------------------ what is there already

    def taken(self, spec: ProjectSpec) -> tuple[str, ...]:
        """Return what already exists under names that the project would use, for people to read."""
        looks = self._looks(spec, lambda traces: traces.principal)
        return tuple(f"{trace.kind} {trace.name}" for trace in self._found(looks))

    def leftovers(self, spec: ProjectSpec, marker: str) -> dict[str, str]:
        """Return what exists under the project's names and markers; twins are removed.

        Keys are resource addresses within the root, values are Terraform import ids. What somebody
        else has made under our names is left out.
        """
        looks = self._looks(spec, lambda traces: partial(traces.marked_principal, marker))
        return {trace.address: trace.import_id for trace in self._found(looks) if trace.ours}

    def _looks(
        self, spec: ProjectSpec, principals: Callable[[EnvironmentTraces], Look]
    ) -> list[Look]:
        """Return everything to look at; clients are made by the threads that look."""

        def at_account(group: str) -> list[Trace]:
            return AccountTraces(self._accounts, group).group(spec)

        groups = self._accounts.distinct(spec.workspace_groups)
        looks: list[Look] = [partial(at_account, group) for group in groups]
        for environment in spec.environments():
            traces = EnvironmentTraces(self._accounts, spec, environment)
            looks += [traces.schema, traces.scope, traces.secret_scopes]
            looks += [traces.policy, principals(traces)]
        for planner in self._delivery.planners(spec):
            looks.append(principals(EnvironmentTraces(self._accounts, spec, planner)))
        return looks

    def _found(self, looks: Iterable[Look]) -> list[Trace]:
        """Look everywhere side by side; nobody is still looking when it returns or raises."""
        running = [self._executor.submit(_translated, look) for look in looks]
        wait(running)
        return [trace for each in running for trace in each.result()]

    def held(self, spec: ProjectSpec, client_ids: Collection[str]) -> tuple[Held, ...]:
        """Return what the schemas hold, and the jobs and pipelines of the principals."""
        return self._holdings.held(spec, client_ids)

    # ------------------------------------------------------------------ secrets

    def secrets(self, principal: Principal) -> tuple[SecretFacts, ...]:
        """Return the OAuth secrets of a service principal, oldest first; Databricks allows five."""
        with translated(f"list the secrets of {principal.client_id}"):
            return self._secrets.secrets(principal)

    def mint_secret(self, principal: Principal, lifetime: timedelta) -> MintedSecret:
        """Mint an OAuth secret that logs in to the environment's workspace: that was tried."""
        with translated(f"mint a secret for {principal.client_id}"):
            return self._secrets.mint(principal, lifetime)

    def retire_secret(self, principal: Principal, secret: str) -> None:
        """Delete an OAuth secret by its id: it logs in no more. One that is gone is fine."""
        with translated(f"retire a secret of {principal.client_id}"):
            self._secrets.retire(principal, secret)

    def own_secrets(self) -> tuple[SecretFacts, ...]:
        """Return the OAuth secrets of the bot's own service principal, oldest first."""
        with translated("list the bot's own secrets"):
            return self._secrets.own(next(iter(self._accounts.accounts)))

    # ------------------------------------------------------------------ verification

    def federation(self, spec: ProjectSpec, outputs: Mapping[str, object]) -> tuple[Finding, ...]:
        """Ask Databricks whether exactly GitHub's tokens of each environment log in there."""
        with translated(f"look at the federation policies of {spec.name}"):
            return self._verification.federation(spec, outputs)

    def verify(self, spec: ProjectSpec, outputs: Mapping[str, object]) -> tuple[Finding, ...]:
        """Ask Databricks whether the project is as it was asked for, check by check."""
        with translated(f"verify {spec.name}"):
            return self._verification.findings(spec, outputs)


def _translated(look: Look) -> list[Trace]:
    with translated("look for what a project has in its workspaces"):
        return look()
