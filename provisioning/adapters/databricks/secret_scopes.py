"""The scopes of projects' own secrets: values are written into them, and checked to be there.

Sources: docs.databricks.com/api/workspace/secrets (`put`, `list`, `delete`, `acls/get`). Terraform
makes the scopes, so that we manage them.
"""

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from functools import partial

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound
from databricks.sdk.service.workspace import AclPermission
from pydantic import SecretStr

from provisioning.adapters.databricks.connection import Accounts, translated
from provisioning.adapters.databricks.names import Names
from provisioning.project import Environment
from provisioning.project_secrets import scope_of

READING = (AclPermission.READ, AclPermission.WRITE, AclPermission.MANAGE)


class DatabricksSecretScopes:
    """Implements the port `SecretPlace`; safe to use from several threads."""

    title = "Databricks"

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def put(self, project: str, environment: Environment, name: str, value: SecretStr) -> None:
        """Write a secret, in place of what it was."""
        scope = scope_of(project, environment.name, name)
        workspace = self._accounts.workspace(environment)
        with translated(f"write the secret {name} of {environment.name}"):
            workspace.secrets.put_secret(scope, name, string_value=value.get_secret_value())

    def written(
        self, project: str, environment: Environment, names: Collection[str]
    ) -> dict[str, datetime]:
        """Return when each of these secrets was last written; a scope that is gone has none."""
        workspace = self._accounts.workspace(environment)
        with translated(f"list the secrets of {environment.name}"):
            dates = ((name, _written(workspace, project, environment, name)) for name in names)
            return {name: at for name, at in dates if at is not None}

    def remove(self, project: str, environment: Environment, name: str) -> None:
        """Delete a secret's value; one that is gone is fine."""
        scope = scope_of(project, environment.name, name)
        workspace = self._accounts.workspace(environment)
        with translated(f"delete the secret {name} of {environment.name}"):
            try:
                workspace.secrets.delete_secret(scope, name)
            except NotFound:
                return


def _written(
    workspace: WorkspaceClient, project: str, environment: Environment, name: str
) -> datetime | None:
    try:
        listed = list(workspace.secrets.list_secrets(scope_of(project, environment.name, name)))
    except NotFound:
        return None
    found = next((each for each in listed if each.key == name), None)
    millis = found.last_updated_timestamp if found else None
    return datetime.fromtimestamp(millis / 1000, UTC) if millis else None


def secret_checks(
    workspace: Callable[[], WorkspaceClient], names: Names, client_id: str
) -> Iterator[tuple[str, Callable[[], str]]]:
    """Return the checks on each of the project's own secrets, by name."""
    for secret in names.spec.secrets:
        if names.environment.stage in secret.stages:
            ask = partial(_readable, workspace, names, secret.name, client_id)
            yield f"jobs may read the secret {secret.name}", ask
            yield (
                f"the secret {secret.name} has a value",
                partial(_stored, workspace, names, secret.name),
            )


def _readable(
    workspace: Callable[[], WorkspaceClient], names: Names, name: str, client_id: str
) -> str:
    """Expect the secret's scope, and that the service principal may read it."""
    scope = scope_of(names.spec.name, names.environment.name, name)
    try:
        acl = workspace().secrets.get_acl(scope, client_id)
    except NotFound:
        return f"There is no scope {scope} that the service principal may read."
    return "" if acl.permission in READING else "The service principal may not read it."


def _stored(workspace: Callable[[], WorkspaceClient], names: Names, name: str) -> str:
    """Expect that somebody has entered a value."""
    found = _written(workspace(), names.spec.name, names.environment, name)
    return "" if found else "Nobody has entered its value, or it was deleted."
