"""One installation of our App: its token, its clients, its errors.

PyGithub 2.10 is not safe to share between threads (a shared connection can hand one request's
answer to another), so each thread has a client. Tokens are shared: a fresh client of its own would
ask for one each. Writes go one at a time with a pause, as GitHub's best practices ask (secondary
rate limits: 80 content-creating requests a minute, 500 an hour, for the whole installation).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from github import Auth, Github, GithubIntegration, GithubRetry
from github.GithubException import (
    BadCredentialsException,
    GithubException,
    RateLimitExceededException,
    UnknownObjectException,
)

from provisioning.clock import Clock
from provisioning.errors import PermanentError, TemporaryError

RETRIED = {"GET", "HEAD"}
"""Never POST: PyGithub's default would send one dispatch up to eleven times under 502."""
TIMEOUT_SECONDS = 15
RENEW_BEFORE = timedelta(minutes=5)


@dataclass(frozen=True)
class App:
    """Our GitHub App and where it is installed; `private_key` is PEM."""

    organisation: str
    api_url: str
    app_id: int
    installation_id: int
    private_key: str
    seconds_between_writes: float = 1


class SharedToken(Auth.Auth):
    """An installation token for every client of this process, renewed shortly before it expires."""

    def __init__(self, app: App, clock: Clock) -> None:
        self._app = app
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._expires = datetime.min.replace(tzinfo=UTC)

    @property
    def token_type(self) -> str:
        """Return the scheme of the Authorization header."""
        return "token"

    @property
    def token(self) -> str:
        """Return a token that is valid for at least five minutes."""
        with self._lock:
            if self._clock.now() + RENEW_BEFORE >= self._expires:
                fresh = self._integration().get_access_token(self._app.installation_id)
                self._token, self._expires = fresh.token, fresh.expires_at
            return self._token

    def _integration(self) -> GithubIntegration:
        return GithubIntegration(
            auth=Auth.AppAuth(self._app.app_id, self._app.private_key),
            base_url=self._app.api_url,
            timeout=TIMEOUT_SECONDS,
            retry=_retry(),
            seconds_between_requests=0,
        )


class Connection:
    """The clients of one installation."""

    def __init__(self, app: App, clock: Clock) -> None:
        self.app = app
        self._token = SharedToken(app, clock)
        self._local = threading.local()
        self._writing = threading.Lock()
        self._writer = self._client(app.seconds_between_writes)

    def reader(self) -> Github:
        """Return this thread's client for reading."""
        client: Github | None = getattr(self._local, "client", None)
        if client is None:
            client = self._local.client = self._client(0)
        return client

    @contextmanager
    def writer(self) -> Iterator[Github]:
        """Hold the one client that writes; its writes are at least the set seconds apart."""
        with self._writing:
            yield self._writer

    def get(self, path: str) -> Any:
        """Return the JSON at a path under the API's root, or None if there is no such thing."""
        try:
            _, answer = self.reader().requester.requestJsonAndCheck("GET", path)
        except UnknownObjectException:
            return None
        return answer

    def _client(self, seconds_between_writes: float) -> Github:
        return Github(
            auth=self._token,
            base_url=self.app.api_url,
            timeout=TIMEOUT_SECONDS,
            retry=_retry(),
            per_page=100,
            lazy=True,
            seconds_between_requests=0,
            seconds_between_writes=seconds_between_writes,
        )


def _retry() -> GithubRetry:
    return GithubRetry(total=2, backoff_factor=0.5, allowed_methods=RETRIED)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn GitHub's errors into ours; `doing` says what was attempted, e.g. `find the team x`."""
    try:
        yield
    except RateLimitExceededException as error:
        raise TemporaryError(
            f"GitHub asks us to slow down (could not {doing})", after=_after(error)
        ) from error
    except BadCredentialsException as error:
        raise PermanentError(
            f"GitHub refused the App's key (could not {doing}). The platform team must check "
            "`github.app_id` and `github.private_key_file`; `sciclops doctor` tells more."
        ) from error
    except GithubException as error:
        raise _of_status(error, doing) from error
    except (requests.exceptions.RequestException, OSError) as error:
        raise TemporaryError(f"GitHub did not answer (could not {doing})") from error


def _of_status(error: GithubException, doing: str) -> PermanentError | TemporaryError:
    said = _message(error)
    if error.status == 429 or error.status >= 500:
        return TemporaryError(
            f"GitHub answered {error.status} (could not {doing})", after=_after(error)
        )
    if error.status == 403:
        return PermanentError(
            f"GitHub does not let the App {doing}: {said} The platform team must grant the App "
            "the permission; `sciclops doctor` names what is missing."
        )
    return PermanentError(f"GitHub refused to {doing}: {said}")


def _message(error: GithubException) -> str:
    data = error.data if isinstance(error.data, dict) else {}
    details = [
        str(detail.get("message") or detail.get("code"))
        for detail in data.get("errors") or ()
        if isinstance(detail, dict)
    ]
    return "; ".join([str(data.get("message", error.status)), *details])


def _after(error: GithubException) -> timedelta | None:
    wish = (error.headers or {}).get("retry-after", "")
    return timedelta(seconds=int(wish)) if wish.isdigit() else None
