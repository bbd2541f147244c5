"""One installation of our App: its token, its clients, its pace, its errors.

PyGithub 2.10 is not safe to share between threads (a shared connection can hand one request's
answer to another), so each thread has a client. Tokens are shared: a fresh client of its own would
ask for one each. Only reads are repeated here, never a write whose answer was lost.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import requests
from github import Auth, Github, GithubIntegration
from github.GithubException import GithubException, RateLimitExceededException
from pydantic import SecretStr
from urllib3.util import Retry

from provisioning.clock import Clock
from provisioning.errors import PermanentError, TemporaryError

Json = Any
TIMEOUT_SECONDS = 10
RENEW_BEFORE = timedelta(minutes=5)
LARGEST_PAGE = 100
MOST_KNOWN = 400
"""So many answers are kept to ask whether they have changed: four for each run under way."""
WRITES_AT_ONCE = 5
"""How many writes may follow each other at once: what the starter code of a project takes."""
PAUSES_PER_WRITE = 3
"""GitHub takes 80 creating requests a minute of an installation; Terraform, with a pause of a
second after each, may use 60 of them, so in the long run we leave three pauses between ours."""


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
            if not self._token or self._clock.now() + RENEW_BEFORE >= self._expires:
                self._token, self._expires = self._fresh()
            return self._token

    def forget(self, refused: str) -> None:
        """Drop a token that GitHub refused, unless another thread has renewed it already."""
        with self._lock:
            if self._token == refused:
                self._token = ""

    def _fresh(self) -> tuple[str, datetime]:
        integration = GithubIntegration(
            auth=Auth.AppAuth(self._app.app_id, self._app.private_key),
            base_url=self._app.api_url,
            timeout=TIMEOUT_SECONDS,
            retry=None,
            seconds_between_requests=0,
            seconds_between_writes=0,
        )
        try:
            answer = integration.get_access_token(self._app.installation_id)
        finally:
            integration.close()
        return answer.token, answer.expires_at


class Pace:
    """Lets one write through at a time, a few at once, and in the long run as many as agreed."""

    def __init__(self, pause: float) -> None:
        self._interval = pause * PAUSES_PER_WRITE
        self._turn = threading.Lock()
        self._due = 0.0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn to write, and hold it while writing."""
        with self._turn:
            now = time.monotonic()
            ahead = self._due - now - self._interval * (WRITES_AT_ONCE - 1)
            if ahead > 0:
                threading.Event().wait(ahead)
            self._due = max(self._due, now) + self._interval
            yield


class Connection:
    """What is asked of GitHub as one installation; safe to use from several threads."""

    def __init__(self, app: App, clock: Clock) -> None:
        self.app = app
        self._clock = clock
        self._token = SharedToken(app, clock)
        self._local = threading.local()
        self._pace = Pace(app.seconds_between_writes)
        self._turn = threading.Lock()
        self._known: dict[str, tuple[str, Json]] = {}

    def reader(self) -> Github:
        """Return this thread's client."""
        client: Github | None = getattr(self._local, "client", None)
        if client is None:
            client = self._local.client = self._client()
        return client

    def get(self, path: str) -> Json:
        """Return the JSON at a path under the API's root, or None if there is no such thing."""
        try:
            return self._ask("GET", path)
        except GithubException as error:
            if error.status != 404:
                raise
        return None

    def get_if_changed(self, path: str, tag: str) -> tuple[str, Json]:
        """Return what is at a path and its ETag, or the same tag and None if nothing has changed.

        An answer of 304 costs nothing of the hourly limit. What does not exist has no tag.
        """
        headers = {"If-None-Match": tag} if tag else {}
        try:
            told, answer = self._answer("GET", path, headers=headers)
        except GithubException as error:
            if error.status != 404:
                raise
            return "", None
        return (tag, None) if answer is None else (told.get("etag", ""), answer)

    def get_again(self, path: str) -> Json:
        """Return the JSON at a path that is asked for often: unchanged, it costs nothing."""
        with self._turn:
            tag, known = self._known.pop(path, ("", None))
        tag, found = self.get_if_changed(path, tag)
        if found is None and tag:
            found = known
        if tag:
            self._remember(path, tag, found)
        return found

    def _remember(self, path: str, tag: str, found: Json) -> None:
        with self._turn:
            self._known[path] = (tag, found)
            while len(self._known) > MOST_KNOWN:
                del self._known[next(iter(self._known))]

    def pages(self, path: str, **wanted: str) -> Iterator[Json]:
        """Return each entry of a list, page by page; nothing if there is no such thing."""
        asked = urlencode({**wanted, "per_page": LARGEST_PAGE})
        number, page = 1, self.get(f"{path}?{asked}")
        while page:
            yield from page
            if len(page) < LARGEST_PAGE:
                return
            number += 1
            page = self.get(f"{path}?{asked}&page={number}")

    def write(self, method: str, path: str, body: Json = None) -> Json:
        """Send a write once and return the answer's JSON."""
        with self._pace.turn():
            return self._ask(method, path, body)

    def as_person(self, token: SecretStr, method: str, path: str, body: Json) -> Json:
        """Send a write once as the person whose token it is; GitHub's errors come as they are."""
        client = self._client(Auth.Token(token.get_secret_value()))
        try:
            with self._pace.turn():
                _, answer = client.requester.requestJsonAndCheck(method, path, input=body)
        finally:
            client.close()
        return answer

    @property
    def token(self) -> str:
        """Return the installation's token, for what is no part of the API: downloads."""
        return self._token.token

    def remove(self, path: str) -> None:
        """Delete what is at a path; what is gone already is fine."""
        try:
            self.write("DELETE", path)
        except GithubException as error:
            if error.status != 404:
                raise

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Turn GitHub's errors into ours; `what` was attempted, e.g. `find the team x`."""
        try:
            yield
        except GithubException as error:
            raise self._translated(error, what) from error
        except (requests.exceptions.RequestException, OSError) as error:
            raise TemporaryError(f"GitHub did not answer (could not {what})") from error

    def _ask(self, method: str, path: str, body: Json = None) -> Json:
        return self._answer(method, path, body)[1]

    def _answer(
        self, method: str, path: str, body: Json = None, headers: dict[str, str] | None = None
    ) -> tuple[dict[str, Any], Json]:
        """Ask; where the token is refused, nothing was done and a new token may be tried."""
        held = self._token.token
        try:
            return self._send(method, path, body, headers)
        except GithubException as error:
            if error.status != 401:
                raise
        self._token.forget(held)
        return self._send(method, path, body, headers)

    def _send(
        self, method: str, path: str, body: Json, headers: dict[str, str] | None
    ) -> tuple[dict[str, Any], Json]:
        requester = self.reader().requester
        return requester.requestJsonAndCheck(method, path, headers=headers, input=body)

    def _client(self, auth: Auth.Auth | None = None) -> Github:
        return Github(
            auth=auth or self._token,
            base_url=self.app.api_url,
            timeout=TIMEOUT_SECONDS,
            retry=_reads_only(),
            per_page=LARGEST_PAGE,
            lazy=True,
            seconds_between_requests=0,
            seconds_between_writes=0,
        )

    def _translated(self, error: GithubException, what: str) -> PermanentError | TemporaryError:
        if later := self.later(error, what):
            return later
        if error.status == 401:
            return PermanentError(
                f"GitHub refused the App's key (could not {what}). The platform team must check "
                "`github.app_id` and `github.private_key_file`; `sciclops doctor` tells more."
            )
        if error.status == 403:
            return PermanentError(
                f"GitHub does not let the App {what}: {_said(error)} The platform team must grant "
                "the App the permission; `sciclops doctor` names what is missing."
            )
        return PermanentError(f"GitHub refused to {what}: {_said(error)}")

    def later(self, error: GithubException, what: str) -> TemporaryError | None:
        """Return what tells to try again, and when; None if GitHub means its refusal.

        A rate limit is a 403, too, often. 409 is its answer while a new repository is being filled.
        """
        throttled = isinstance(error, RateLimitExceededException) or _is_throttled(error)
        if not throttled and error.status not in (409, 429) and error.status < 500:
            return None
        why = f"GitHub answered {error.status}: {_said(error)} (could not {what})"
        return TemporaryError(why, after=self._after(error))

    def _after(self, error: GithubException) -> timedelta | None:
        """Return GitHub's wish: `Retry-After`, or when the hour's budget starts anew."""
        headers = error.headers or {}
        if _asked_to_wait(error):
            return timedelta(seconds=int(headers["retry-after"]))
        reset = headers.get("x-ratelimit-reset", "")
        if headers.get("x-ratelimit-remaining") != "0" or not reset.isdigit():
            return None
        left = datetime.fromtimestamp(int(reset), UTC) - self._clock.now()
        return max(left, timedelta()) + timedelta(seconds=1)


def _reads_only() -> Retry:
    """Repeat reads once or twice; who is asked to wait is told so instead of waiting here.

    PyGithub's own default would send one dispatch up to eleven times under 502.
    """
    return Retry(
        total=2,
        read=1,
        backoff_factor=0.3,
        status_forcelist=(500, 502, 503, 504),
        allowed_methods=("GET", "HEAD"),
        respect_retry_after_header=False,
        raise_on_status=False,
    )


def _asked_to_wait(error: GithubException) -> bool:
    return str((error.headers or {}).get("retry-after", "")).isdigit()


def _is_throttled(error: GithubException) -> bool:
    """Tell a rate limit from a refusal (docs.github.com: rate-limits-for-the-rest-api)."""
    is_spent = (error.headers or {}).get("x-ratelimit-remaining") == "0"
    return error.status in (403, 429) and (is_spent or _asked_to_wait(error))


def _said(error: GithubException) -> str:
    data = error.data if isinstance(error.data, dict) else {}
    details = [
        str(detail.get("message") or detail.get("code"))
        for detail in data.get("errors") or ()
        if isinstance(detail, dict)
    ]
    return "; ".join([str(data.get("message", error.status)), *details])
