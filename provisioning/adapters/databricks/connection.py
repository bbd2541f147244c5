"""The bot's clients: one for each account and each workspace, made when first needed.

databricks-sdk retries for five minutes by default, longer than anybody waits for a form; ours gives
up after ten seconds, and the engine tries again where that makes sense.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

import requests
from databricks.sdk import AccountClient, WorkspaceClient
from databricks.sdk.config import Config
from databricks.sdk.errors import (
    DeadlineExceeded,
    InternalError,
    NotFound,
    PermissionDenied,
    TemporarilyUnavailable,
    TooManyRequests,
    Unauthenticated,
)
from databricks.sdk.errors.base import DatabricksError

from provisioning.errors import PermanentError, TemporaryError
from provisioning.project import Environment
from provisioning.terraform_root import AccountContext, WorkspaceContext

C = TypeVar("C")
SECONDS = 10
SILENT = (
    TooManyRequests,
    TemporarilyUnavailable,
    InternalError,
    DeadlineExceeded,
    requests.exceptions.RequestException,
    TimeoutError,
    OSError,
)
"""What may work later."""


@dataclass(frozen=True)
class Login:
    """The bot's own service principal; it must be account admin (OAuth M2M)."""

    client_id: str
    client_secret: str


class Clients(Generic[C]):
    """Clients that are made when first needed, once each: making one asks its host where to log in.

    Different hosts don't wait for each other.
    """

    def __init__(self, make: Callable[[str, str], C]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._locks: dict[tuple[str, str], threading.Lock] = {}
        self._clients: dict[tuple[str, str], C] = {}

    def at(self, host: str, account_id: str = "") -> C:
        """Return the client of a host."""
        key = (host, account_id)
        with self._lock:
            own_lock = self._locks.setdefault(key, threading.Lock())
        with own_lock:
            if key not in self._clients:
                self._clients[key] = self._make(host, account_id)
            return self._clients[key]


class Accounts:
    """Clients by workspace group and stage; safe to use from several threads."""

    def __init__(
        self,
        login: Login,
        accounts: Mapping[str, AccountContext],
        workspaces: Mapping[str, Mapping[str, WorkspaceContext]],
    ) -> None:
        self.login = login
        self.accounts = accounts
        self.workspaces = workspaces
        self._account_clients = Clients(
            lambda host, account_id: AccountClient(config=self._config(host, account_id))
        )
        self._workspace_clients = Clients(
            lambda host, _: WorkspaceClient(config=self._config(host, None))
        )

    def account(self, group: str) -> AccountClient:
        """Return the client of a workspace group's account."""
        account = self.accounts[group]
        return self._account_clients.at(account.host, account.account_id)

    def workspace(self, environment: Environment) -> WorkspaceClient:
        """Return the client of an environment's workspace."""
        return self._workspace_clients.at(self._place(environment).host)

    def distinct(self, groups: Iterable[str]) -> tuple[str, ...]:
        """Return one of the workspace groups for each account that they have."""
        return tuple({self.accounts[group]: group for group in reversed([*groups])}.values())[::-1]

    def catalog(self, environment: Environment) -> str:
        """Return the catalog of an environment."""
        return self._place(environment).catalog

    def _place(self, environment: Environment) -> WorkspaceContext:
        return self.workspaces[environment.group][environment.stage]

    def _config(self, host: str, account_id: str | None) -> Config:
        return Config(
            host=host,
            account_id=account_id,
            client_id=self.login.client_id,
            client_secret=self.login.client_secret,
            auth_type="oauth-m2m",
            http_timeout_seconds=SECONDS,
            retry_timeout_seconds=SECONDS,
            product="sciclops-bot",
            product_version="0.1.0",
        )


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn Databricks' errors into ours; `doing` says what was attempted."""
    try:
        yield
    except SILENT as error:
        wish = getattr(error, "retry_after_secs", None)
        after = timedelta(seconds=wish) if wish else None
        raise TemporaryError(
            f"Databricks did not answer (could not {doing})", after=after
        ) from error
    except (PermissionDenied, Unauthenticated) as error:
        raise PermanentError(
            f"Databricks does not let the bot {doing}: {error} The platform team must grant its "
            "service principal the right; `sciclops doctor` names what is missing."
        ) from error
    except DatabricksError as error:
        raise PermanentError(f"Databricks refused to {doing}: {error}") from error
    except ValueError as error:
        # The SDK's own: it could not log in (bad secret, wrong host).
        raise PermanentError(
            f"The bot could not log in to Databricks (to {doing}). The platform team must check "
            "`databricks.client_id`, its secret and the hosts; `sciclops doctor` tells more."
        ) from error


__all__ = ["Accounts", "Login", "NotFound", "translated"]
