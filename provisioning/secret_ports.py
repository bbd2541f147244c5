"""Where values of projects' secrets go, in our own words: they are written there and never read."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from pydantic import SecretStr

from provisioning.project import Environment


class SecretPlace(Protocol):
    """One vendor's place for the secrets of a project's environments; safe for several threads."""

    @property
    def title(self) -> str:
        """Return what people call the vendor."""

    def put(self, project: str, environment: Environment, name: str, value: SecretStr) -> None:
        """Write a secret, in place of what it was; no error says the value."""

    def written(
        self, project: str, environment: Environment, names: Collection[str]
    ) -> Mapping[str, datetime]:
        """Return when each of these secrets was last written, by name; what has no value lacks."""

    def remove(self, project: str, environment: Environment, name: str) -> None:
        """Delete a secret's value; one that is gone is fine."""
