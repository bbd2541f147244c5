"""Is Databricks as the bot needs it? Each account, each workspace, the data people may ask for."""

from collections.abc import Callable, Iterator
from functools import cached_property, partial

import requests
from databricks.sdk import AccountClient, WorkspaceClient
from databricks.sdk.config import Config
from databricks.sdk.errors import NotFound, PermissionDenied
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.catalog import EffectivePermissionsList

from provisioning.adapters.databricks.connection import SILENT
from provisioning.adapters.databricks.login import DISCOVERY, Login
from provisioning.delivery import Authentication
from provisioning.diagnosis import Check, Verdict, fine, problem
from provisioning.text import Frozen

SYSTEM = "Databricks"
TIMEOUT_SECONDS = 10
CATALOG_RIGHTS = ("USE_CATALOG", "CREATE_SCHEMA", "MANAGE")
"""To make a project's schema, and to grant on what people ask for."""
BEYOND_ALL_PRIVILEGES = ("MANAGE",)
EVERYBODY = "account users"
KINDS = {1: "catalog", 2: "schema", 3: "table"}
SECRET = "SCICLOPS__DATABRICKS__CLIENT_SECRET"
SILENCE = "Check the host in the settings, and that this machine may reach it (proxy, firewall)."
Ask = Callable[[], Verdict]


class AccountUnderTest(Frozen):
    """An account, and the workspace groups that live in it."""

    host: str
    account_id: str
    groups: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return how checks call it."""
        return f"account of {', '.join(self.groups)}"


class WorkspaceUnderTest(Frozen):
    """A stage of a workspace group, as the settings describe it."""

    group: str
    stage: str
    host: str
    workspace_id: int
    catalog: str
    policy_family: str

    @property
    def name(self) -> str:
        """Return how checks call it."""
        return f"{self.group} {self.stage}"

    def key(self, setting: str) -> str:
        """Return a setting's full name."""
        return f"workspace_groups.{self.group}.stages.{self.stage}.{setting}"


def databricks_checks(
    login: Login,
    accounts: tuple[AccountUnderTest, ...],
    workspaces: tuple[WorkspaceUnderTest, ...],
    data: tuple[str, ...],
    authentication: Authentication = "oidc",
) -> Iterator[Check]:
    """Return every check of Databricks; `data` are the securables that may be requested."""
    homes: dict[str, str] = {}
    for account in accounts:
        yield from _account_checks(login, account, authentication)
        homes |= dict.fromkeys(account.groups, f"{account.name}: login")
    by_catalog: dict[str, WorkspaceDiagnosis] = {}
    for place in workspaces:
        clinic = WorkspaceDiagnosis(login, place)
        by_catalog[place.catalog] = clinic
        yield from _workspace_checks(clinic, homes[place.group])
    for securable in data:
        catalog, *inside = securable.split(".")
        if catalog in by_catalog and len(inside) < len(KINDS):  # else the settings are wrong
            where = by_catalog[catalog]
            ask = partial(where.requestable, securable)
            yield _check(f"data {securable}", ask, (f"{where.place.name}: catalog",))


def _account_checks(
    login: Login, account: AccountUnderTest, authentication: Authentication
) -> Iterator[Check]:
    name, clinic = account.name, AccountDiagnosis(login, account)
    yield _check(f"{name}: reachable", clinic.reachable)
    yield _check(f"{name}: login", clinic.login, (f"{name}: reachable",))
    yield _check(f"{name}: account admin", clinic.admin, (f"{name}: login",))
    as_admin = (f"{name}: account admin",)
    if authentication == "secret":
        yield _check(f"{name}: OAuth secrets", clinic.secrets, as_admin)
    else:
        yield _check(f"{name}: federation policies", clinic.federation, as_admin)


def _workspace_checks(clinic: "WorkspaceDiagnosis", account_login: str) -> Iterator[Check]:
    name = clinic.place.name
    yield _check(f"{name}: reachable", clinic.reachable)
    yield _check(f"{name}: login", clinic.login, (f"{name}: reachable", account_login))
    inside = (f"{name}: login",)
    yield _check(f"{name}: workspace id", clinic.workspace_id, inside)
    yield _check(f"{name}: workspace admin", clinic.admin, inside)
    yield _check(f"{name}: metastore", clinic.metastore, inside)
    yield _check(f"{name}: catalog", clinic.catalog, (f"{name}: metastore",))
    yield _check(f"{name}: policy family", clinic.policy_family, inside)


class AccountDiagnosis:
    """The questions about one account."""

    def __init__(self, login: Login, account: AccountUnderTest) -> None:
        self._login = login
        self._account = account
        self._keys = ", ".join(f"workspace_groups.{name}" for name in account.groups)

    def reachable(self) -> Verdict:
        """Tell whether the account answers under its host."""
        host, account_id = self._account.host.rstrip("/"), self._account.account_id
        where = f"{host}/oidc/accounts/{account_id}/{DISCOVERY}"
        keys = f"account_host and account_id in {self._keys}"
        return _discovered(where, f"{host} with account {account_id}", keys)

    def login(self) -> Verdict:
        """Tell whether the client id and secret open the account."""
        try:
            self._client.config.authenticate()
        except ValueError as refused:
            return problem(
                f"Databricks refused {self._login.client_id or 'a login without client id'}: "
                f"{_reason(refused)}",
                f"databricks.client_id is the application id of the bot's service principal, "
                f"{SECRET} its OAuth secret (Account console > User management > Service "
                f"principals > the bot's > Credentials & secrets); account_id in {self._keys} is "
                "the account it belongs to.",
            )
        return fine(f"as {self._login.client_id}")

    def admin(self) -> Verdict:
        """Tell whether the bot may make service principals, groups and federation policies."""
        try:
            list(
                self._client.service_principals_v2.list(
                    filter=f'applicationId eq "{self._login.client_id}"'
                )
            )
        except PermissionDenied:
            return problem(
                "the bot's service principal is no account admin",
                "Account console > User management > Service principals > the bot's > Roles: "
                "switch on Account admin.",
            )
        return fine("the bot is account admin")

    def federation(self) -> Verdict:
        """Tell whether the bot may say which tokens of GitHub log in as a service principal."""
        try:
            list(self._client.service_principal_federation_policy.list(self._number))
        except (PermissionDenied, NotFound) as refused:
            return problem(
                f"the bot may not read federation policies of service principals: {refused}",
                "Account console > User management > Service principals > the bot's > Roles: "
                "Account admin. Where the account has no federation (ask Databricks), set "
                'databricks.authentication = "secret".',
            )
        return fine("workflows will log in with GitHub's own tokens")

    def secrets(self) -> Verdict:
        """Tell whether the bot may manage OAuth secrets of service principals."""
        try:
            list(self._client.service_principal_secrets.list(str(self._number)))
        except (PermissionDenied, NotFound) as refused:
            return problem(
                f"the bot may not read OAuth secrets of service principals: {refused}",
                "Account console > User management > Service principals > the bot's > Roles: "
                'Account admin; or set databricks.authentication = "oidc", which needs none.',
            )
        return fine("workflows will log in with OAuth secrets, kept in GitHub's environments")

    @property
    def _number(self) -> int:
        """Return the number of the bot's own service principal, as an example."""
        named = f'applicationId eq "{self._login.client_id}"'
        found = self._client.service_principals_v2.list(filter=named)
        return next((int(each.id or 0) for each in found), 0)

    @cached_property
    def _client(self) -> AccountClient:
        return AccountClient(config=_config(self._login, self._account.host, self._account))


class WorkspaceDiagnosis:
    """The questions about one workspace."""

    def __init__(self, login: Login, place: WorkspaceUnderTest) -> None:
        self._login = login
        self.place = place

    def reachable(self) -> Verdict:
        """Tell whether a workspace answers under the host."""
        host = self.place.host.rstrip("/")
        return _discovered(f"{host}/oidc/{DISCOVERY}", host, self.place.key("host"))

    def login(self) -> Verdict:
        """Tell whether the bot's service principal is in the workspace."""
        try:
            me = self._client.current_user.me()
        except ValueError as refused:
            return problem(
                f"the workspace refused the bot's service principal: {_reason(refused)}",
                "Account console > Workspaces > this one > Permissions: add the bot's service "
                "principal as Admin.",
            )
        return fine(f"as {me.display_name}")

    def workspace_id(self) -> Verdict:
        """Tell whether it is the workspace that the settings mean."""
        found = self._client.get_workspace_id()
        if found == self.place.workspace_id:
            return fine(str(found))
        return problem(
            f"{self.place.host} is workspace {found}, the settings say {self.place.workspace_id}",
            f"Correct {self.place.key('workspace_id')} or {self.place.key('host')}.",
        )

    def admin(self) -> Verdict:
        """Tell whether the bot may assign principals and make cluster policies."""
        try:
            self._client.api_client.do("GET", "/api/2.0/preview/permissionassignments")
        except PermissionDenied:
            return problem(
                "the bot's service principal is no workspace admin",
                "Account console > Workspaces > this one > Permissions: make the bot's service "
                "principal Admin.",
            )
        return fine("the bot is workspace admin")

    def metastore(self) -> Verdict:
        """Tell whether the workspace uses Unity Catalog."""
        try:
            found = self._client.metastores.current()
        except NotFound:
            return problem(
                "the workspace has no metastore, so no Unity Catalog",
                "Account console > Catalog > the metastore > Workspaces: assign this workspace.",
            )
        return fine(found.metastore_id)

    def catalog(self) -> Verdict:
        """Tell whether the catalog exists and the bot may make and grant schemas in it."""
        name = self.place.catalog
        try:
            rights = self._rights("catalog", name)
        except NotFound:
            return problem(
                f"there is no catalog {name}",
                f"Create it, or correct {self.place.key('catalog')}.",
            )
        return self._lacking(f"catalog {name}", rights, CATALOG_RIGHTS)

    def policy_family(self) -> Verdict:
        """Tell whether Databricks has the family of cluster policies."""
        family = self.place.policy_family
        try:
            found = self._client.policy_families.get(family)
        except NotFound:
            known = [each.policy_family_id for each in self._client.policy_families.list()]
            return problem(
                f"there is no policy family {family}",
                f"Set {self.place.key('policy_family')} to one of "
                f"{', '.join(each for each in known if each)}.",
            )
        return fine(found.name or family)

    def requestable(self, securable: str) -> Verdict:
        """Tell whether the data exists and the bot may grant on it."""
        kind = KINDS[len(securable.split("."))]
        try:
            rights = self._rights(kind, securable)
        except NotFound:
            return problem(
                f"there is no {kind} {securable} in {self.place.name}",
                f"Correct or remove the entry of [[data]] with securable = {securable}.",
            )
        needed = ("MANAGE", "USE_SCHEMA") if kind == "table" else ("MANAGE",)
        return self._lacking(f"{kind} {securable}", rights, needed)

    # ------------------------------------------------------------------ rights

    def _rights(self, kind: str, name: str) -> frozenset[str] | None:
        """Return what the bot may do, itself or through groups; None says that it owns all."""
        me = self._client.current_user.me()
        groups = {group.display for group in me.groups or () if group.display}
        identities = {self._login.client_id, EVERYBODY, *groups}
        found = self._client.grants.get_effective(kind, name)
        return None if self._owner(kind, name) in identities else _privileges(found, identities)

    def _owner(self, kind: str, name: str) -> str:
        try:
            if kind == "catalog":
                return self._client.catalogs.get(name).owner or ""
            if kind == "schema":
                return self._client.schemas.get(name).owner or ""
            return self._client.tables.get(name).owner or ""
        except PermissionDenied:
            return ""

    def _lacking(
        self, what: str, rights: frozenset[str] | None, needed: tuple[str, ...]
    ) -> Verdict:
        if rights is None:
            return fine(f"the bot owns {what}")
        everything = "ALL_PRIVILEGES" in rights
        lacking = [
            right
            for right in needed
            if right not in rights and not (everything and right not in BEYOND_ALL_PRIVILEGES)
        ]
        if not lacking:
            return fine(f"the bot has {', '.join(needed)} on {what}")
        words = ", ".join(right.replace("_", " ") for right in lacking)
        kind, name = what.split(" ", 1)
        quoted = ".".join(f"`{part}`" for part in name.split("."))
        return problem(
            f"the bot lacks {', '.join(lacking)} on {what}",
            f"GRANT {words} ON {kind.upper()} {quoted} TO `{self._login.client_id}`; "
            "(by an owner of it).",
        )

    @cached_property
    def _client(self) -> WorkspaceClient:
        return WorkspaceClient(config=_config(self._login, self.place.host))


def _privileges(found: EffectivePermissionsList, identities: set[str]) -> frozenset[str]:
    return frozenset(
        privilege.privilege.value
        for assignment in found.privilege_assignments or ()
        if assignment.principal in identities
        for privilege in assignment.privileges or ()
        if privilege.privilege
    )


def _config(login: Login, host: str, account: AccountUnderTest | None = None) -> Config:
    return Config(
        host=host,
        account_id=account.account_id if account else None,
        client_id=login.client_id,
        client_secret=login.client_secret,
        auth_type="oauth-m2m",
        http_timeout_seconds=TIMEOUT_SECONDS,
        retry_timeout_seconds=1,
        product="sciclops-bot",
        product_version="0.1.0",
    )


def _discovered(url: str, what: str, keys: str) -> Verdict:
    """Look at the login service's description: it needs no login."""
    try:
        answer = requests.get(url, timeout=TIMEOUT_SECONDS)
    except requests.exceptions.SSLError:
        return problem(f"{what} shows no valid certificate", f"Check {keys}, and the proxy.")
    except (requests.exceptions.RequestException, OSError) as error:
        return problem(
            f"nothing answers at {what} ({type(error).__name__})", f"Check {keys}. {SILENCE}"
        )
    if answer.ok and "token_endpoint" in answer.text:
        return fine(what)
    return problem(f"{what} answers {answer.status_code}, not as Databricks", f"Check {keys}.")


def _reason(refused: ValueError) -> str:
    """Return the SDK's reason without the configuration it appends."""
    return str(refused).partition(". Config:")[0].removeprefix("default auth: oauth-m2m: ")


def _check(name: str, ask: Ask, needs: tuple[str, ...] = ()) -> Check:
    return Check(SYSTEM, name, partial(_translated, ask), needs, SILENCE)


def _translated(ask: Ask) -> Verdict:
    """Ask, and turn what Databricks may always answer into a verdict."""
    try:
        return ask()
    except SILENT as error:
        return problem(f"Databricks did not answer ({type(error).__name__})", SILENCE)
    except DatabricksError as error:
        return problem(
            f"Databricks refused: {error}", "Give the bot's service principal the right."
        )
