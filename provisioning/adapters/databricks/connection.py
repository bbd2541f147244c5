"""The bot's clients: one for each account and each workspace, made when first needed.

databricks-sdk retries for five minutes by default, longer than anybody waits for a form; ours gives
up after ten seconds, and the engine tries again where that makes sense.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Generic, TypeVar

import requests
from databricks.sdk import AccountClient, WorkspaceClient
from databricks.sdk import clock as sdk_clock
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

from provisioning.adapters.databricks.login import Login, Tokens
from provisioning.clock import Clock
from provisioning.errors import PermanentError, TemporaryError
from provisioning.project import Environment
from provisioning.terraform_root import AccountContext, WorkspaceContext

C = TypeVar("C")
PATIENCE = 10
"""Seconds that an answer of Databricks may take, or a login."""
LONGEST_PAUSE = 5
"""Seconds that we wait in silence when Databricks asks for it; a longer wish is passed on."""
SILENT = (
    TooManyRequests,
    TemporarilyUnavailable,
    InternalError,
    DeadlineExceeded,
    requests.exceptions.RequestException,
    TimeoutError,
    ConnectionError,
)
"""What may work later. Not OSError: every refusal of the SDK's is one."""

Config.attributes()  # noted at the first call, which cannot be that of two threads at once


class ImpatientClock(sdk_clock.Clock):
    """The SDK's time, in which nobody sleeps long: left alone, it takes any wish for a command."""

    def time(self) -> float:
        """Return seconds that only ever grow."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait before another try, or give up."""
        if seconds > LONGEST_PAUSE + 1:
            raise TimeoutError(f"asked to wait for {seconds:.0f} s")
        threading.Event().wait(seconds)


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
    """Clients by workspace group and stage; safe to use from several threads.

    They wait `patience` seconds for an answer.
    """

    def __init__(
        self,
        login: Login,
        accounts: Mapping[str, AccountContext],
        workspaces: Mapping[str, Mapping[str, WorkspaceContext]],
        clock: Clock,
        patience: float = PATIENCE,
    ) -> None:
        self.login = login
        self.accounts = accounts
        self.workspaces = workspaces
        self.clock = clock
        self._patience = patience
        self._account_clients = Clients(self._account_client)
        self._workspace_clients = Clients(self._workspace_client)

    def account(self, group: str) -> AccountClient:
        """Return the client of a workspace group's account."""
        account = self.accounts[group]
        return self._account_clients.at(account.host, account.account_id)

    def workspace(self, environment: Environment) -> WorkspaceClient:
        """Return the client of an environment's workspace."""
        return self._workspace_clients.at(self._place(environment).host)

    def visitor(self, environment: Environment, login: Login) -> WorkspaceClient:
        """Return a client of an environment's workspace that logs in as somebody else, once."""
        tokens = Tokens(login, self.clock, self._patience)
        return WorkspaceClient(config=self._config(tokens, self._place(environment).host))

    def distinct(self, groups: Iterable[str]) -> tuple[str, ...]:
        """Return one of the workspace groups for each account that they have."""
        return tuple({self.accounts[group]: group for group in reversed([*groups])}.values())[::-1]

    def catalog(self, environment: Environment) -> str:
        """Return the catalog of an environment."""
        return self._place(environment).catalog

    def _place(self, environment: Environment) -> WorkspaceContext:
        return self.workspaces[environment.group][environment.stage]

    def _account_client(self, host: str, account_id: str) -> AccountClient:
        tokens = Tokens(self.login, self.clock, self._patience)
        client = AccountClient(config=self._config(tokens, host, account_id))
        tokens.watch(client.api_client)
        return client

    def _workspace_client(self, host: str, _: str) -> WorkspaceClient:
        tokens = Tokens(self.login, self.clock, self._patience)
        client = WorkspaceClient(config=self._config(tokens, host))
        tokens.watch(client.api_client)
        return client

    def _config(self, tokens: Tokens, host: str, account_id: str | None = None) -> Config:
        """Return the SDK's settings; the login is named so that none is taken from elsewhere."""
        return Config(
            host=host,
            account_id=account_id,
            client_id=tokens.login.client_id,
            client_secret=tokens.login.client_secret,
            auth_type=tokens.auth_type(),
            credentials_strategy=tokens,
            http_timeout_seconds=self._patience,
            retry_timeout_seconds=self._patience,
            product="sciclops-bot",
            product_version="0.1.0",
            clock=ImpatientClock(),
        )


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn Databricks' errors into ours; `doing` says what was attempted."""
    try:
        yield
    except SILENT as error:
        raise TemporaryError(
            f"Databricks did not answer (could not {doing})", after=_wish(error)
        ) from error
    except (PermissionDenied, Unauthenticated) as error:
        raise PermanentError(
            f"Databricks does not let the bot {doing}: {_said(error)} The platform team must grant "
            "its service principal the right; `sciclops doctor` names what is missing."
        ) from error
    except DatabricksError as error:
        if type(error) is DatabricksError:  # a status that the SDK doesn't know, e.g. 502
            raise TemporaryError(
                f"Databricks failed (could not {doing}): {_said(error)}"
            ) from error
        raise PermanentError(f"Databricks refused to {doing}: {_said(error)}") from error
    except ValueError as error:
        # The SDK's own: it could not log in (bad secret, wrong host).
        raise PermanentError(
            f"The bot could not log in to Databricks (to {doing}). The platform team must check "
            "`databricks.client_id`, its secret and the hosts; `sciclops doctor` tells more."
        ) from error


def _wish(error: BaseException | None) -> timedelta | None:
    """Return how long Databricks asked to wait, in whichever error it said so."""
    while error is not None:
        if seconds := getattr(error, "retry_after_secs", None):
            return timedelta(seconds=seconds)
        error = error.__cause__ or error.__context__
    return None


def _said(error: DatabricksError) -> str:
    """Return Databricks' own sentence, without the configuration that the SDK adds to it."""
    return str(error).partition(" Config: ")[0].removeprefix("None ")


__all__ = ["Accounts", "NotFound", "translated"]
