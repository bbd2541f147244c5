"""The projects' own secrets in their GitHub environments: sealed for GitHub, and never read."""

from collections.abc import Collection, Mapping
from datetime import datetime
from urllib.parse import quote

from pydantic import SecretStr

from provisioning.adapters.github.connection import Connection
from provisioning.adapters.github.environment_secrets import EnvironmentSecrets
from provisioning.adapters.github.protection_rule import repository_path
from provisioning.project import Environment


class GitHubSecretPlaces:
    """Implements the port `SecretPlace`; safe to use from several threads."""

    title = "GitHub"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, project: str, environment: Environment, name: str, value: SecretStr) -> None:
        """Write a secret, in place of what it was."""
        with self._connection.doing(f"write the secret {name} of {environment.name}"):
            self._secrets(project, environment).put({name: value})

    def written(
        self, project: str, environment: Environment, names: Collection[str]
    ) -> Mapping[str, datetime]:
        """Return when each of these secrets was last written."""
        with self._connection.doing(f"list the secrets of {environment.name}"):
            dates = self._secrets(project, environment).dates()
        return {name: at for name, at in dates.items() if name in names}

    def remove(self, project: str, environment: Environment, name: str) -> None:
        """Delete a secret; one that is gone is fine."""
        with self._connection.doing(f"delete the secret {name} of {environment.name}"):
            self._secrets(project, environment).remove(name)

    def _secrets(self, project: str, environment: Environment) -> EnvironmentSecrets:
        repository = repository_path(self._connection, project)
        path = f"{repository}/environments/{quote(environment.name, safe='')}"
        return EnvironmentSecrets(self._connection, path)
