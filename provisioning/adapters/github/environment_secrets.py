"""The secrets of one environment: their dates can be read, their values only be written, sealed."""

import base64
from collections.abc import Mapping
from datetime import datetime

from nacl.public import PublicKey, SealedBox
from pydantic import SecretStr

from provisioning.adapters.github.connection import LARGEST_PAGE, Connection
from provisioning.errors import PermanentError


class EnvironmentSecrets:
    """The secrets of an environment, e.g. `/repos/acme/ada-7/environments/Production`."""

    def __init__(self, connection: Connection, path: str) -> None:
        self._connection = connection
        self._path = f"{path}/secrets"

    def dates(self) -> dict[str, datetime]:
        """Return when each secret was last written; none if there is no such environment."""
        found = self._connection.get(f"{self._path}?per_page={LARGEST_PAGE}") or {}
        return {
            each["name"]: datetime.fromisoformat(each["updated_at"])
            for each in found.get("secrets", ())
        }

    def put(self, values: Mapping[str, SecretStr]) -> None:
        """Write secrets, each sealed so that GitHub alone can open it."""
        key = self._connection.get(f"{self._path}/public-key")
        if key is None:
            names = ", ".join(values)
            raise PermanentError(f"{names} could not be written: {self._path} is not at GitHub.")
        box = SealedBox(PublicKey(base64.b64decode(key["key"])))
        for name, value in values.items():
            sealed = base64.b64encode(box.encrypt(value.get_secret_value().encode())).decode()
            body = {"encrypted_value": sealed, "key_id": key["key_id"]}
            self._connection.write("PUT", f"{self._path}/{name}", body)

    def remove(self, name: str) -> None:
        """Delete a secret; one that is gone is fine."""
        self._connection.remove(f"{self._path}/{name}")
