"""Logging in to Databricks as the bot's service principal, and anew where a token is refused.

databricks-sdk goes by the machine's clock alone, takes a refused token for a missing right, and
waits for a silent login service as long as that stays silent. So its place for strategies is
filled by ours.
"""

import re
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import requests
from databricks.sdk.config import Config
from databricks.sdk.core import ApiClient
from databricks.sdk.credentials_provider import CredentialsProvider, CredentialsStrategy

from provisioning.clock import Clock

DISCOVERY_SECONDS = 3
"""How long the description of the login service may take: it needs neither login nor work."""
DISCOVERY = ".well-known/oauth-authorization-server"
RENEW_BEFORE = timedelta(minutes=5)
ABOUT_THE_TOKEN = re.compile(r"\b(?:token|jwt)\b", re.IGNORECASE)
"""Databricks refuses expired tokens with 403, like missing rights: “Invalid access token.”, “Token
is expiring within 30 seconds.”, “JWT has expired”."""


@dataclass(frozen=True)
class Login:
    """The bot's own service principal; it must be account admin (OAuth M2M)."""

    client_id: str
    client_secret: str


class Tokens(CredentialsStrategy):
    """The tokens of one client, one at a time, each renewed shortly before it expires.

    One may take `seconds`, the wait for another thread's login included. Raises ValueError where
    the login is refused, and what `requests` raises where nobody answers.
    """

    def __init__(self, login: Login, clock: Clock, seconds: float) -> None:
        self.login = login
        self._clock = clock
        self._seconds = seconds
        self._lock = threading.Lock()
        self._endpoint = ""
        self._held = ""
        self._due = datetime.min.replace(tzinfo=UTC)

    def auth_type(self) -> str:
        """Return what the SDK calls this way to log in."""
        return "oauth-m2m"

    def __call__(self, cfg: Config) -> CredentialsProvider:
        """Find out where to log in; return what makes the headers of a request."""
        where = cfg.discovery_url or f"{_usual_root(cfg)}/{DISCOVERY}"
        self._endpoint = str(
            _found(
                requests.get(where, timeout=min(DISCOVERY_SECONDS, self._seconds)), "token_endpoint"
            )
        )
        return self.headers

    def watch(self, client: ApiClient) -> None:
        """Let every answer to a client pass through `renewed`."""
        session = client._api_client._session  # noqa: SLF001 - the SDK gives it no public name
        session.hooks["response"].append(self.renewed)

    def headers(self, refused: str = "") -> dict[str, str]:
        """Return what authenticates a request for some minutes to come; not what was refused."""
        began = time.monotonic()
        if not self._lock.acquire(timeout=self._seconds):
            raise TimeoutError("another login still waits for its answer")
        try:
            if self._held == refused:
                self._held = ""  # even if the login fails: nobody else need try it
            if not self._held or self._clock.now() >= self._due:
                self._log_in(max(self._seconds - (time.monotonic() - began), 1))
            return {"Authorization": self._held}
        finally:
            self._lock.release()

    def renewed(self, answer: requests.Response, **sending: Any) -> requests.Response:
        """Return the answer, or that to a second try with a new token if this one was refused.

        A request that is refused for its token has done nothing, so writes are repeated as well.
        """
        if not _refuses_token(answer) or not isinstance(answer.request.body, str | bytes | None):
            return answer
        request = answer.request.copy()
        request.headers.update(self.headers(refused=request.headers["Authorization"]))
        answer.close()
        second: requests.Response = answer.connection.send(request, **sending)
        second.history.append(answer)
        return second

    def _log_in(self, seconds: float) -> None:
        now = self._clock.now()
        answer = requests.post(
            self._endpoint,
            data={"grant_type": "client_credentials", "scope": "all-apis"},
            auth=(self.login.client_id, self.login.client_secret),
            timeout=seconds,
        )
        self._held = f"Bearer {_found(answer, 'access_token')}"
        lifetime = timedelta(seconds=float(_found(answer, "expires_in")))
        self._due = now + lifetime - min(RENEW_BEFORE, lifetime / 2)


def _usual_root(cfg: Config) -> str:
    """Return where the login service is, for hosts that don't describe themselves."""
    return f"{cfg.host}/oidc/accounts/{cfg.account_id}" if cfg.account_id else f"{cfg.host}/oidc"


def _refuses_token(answer: requests.Response) -> bool:
    if answer.status_code == HTTPStatus.FORBIDDEN:
        return ABOUT_THE_TOKEN.search(answer.text) is not None
    return answer.status_code == HTTPStatus.UNAUTHORIZED


def _found(answer: requests.Response, name: str) -> Any:
    """Return a field of an answer of the login service."""
    if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS or answer.status_code >= 500:
        answer.raise_for_status()
    try:
        said = answer.json()
    except ValueError:
        said = None
    if isinstance(said, dict) and name in said:
        return said[name]
    reason = said.get("error_description") if isinstance(said, dict) else None
    raise ValueError(reason or f"{answer.url} answered {answer.status_code}, not as Databricks")
