"""Calls to the vendors' REST APIs, with the retries, pacing and logins of the real providers."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from threading import Event, Lock
from time import monotonic
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import urllib3
from urllib3.exceptions import HTTPError

Json = Any
Response = urllib3.BaseHTTPResponse
POOL = urllib3.PoolManager(num_pools=64, maxsize=64, block=False, retries=False)
TIMEOUT = urllib3.Timeout(connect=10, read=60)
WRITES = ("POST", "PUT", "PATCH", "DELETE")


class VendorError(Exception):
    """A vendor said no, or nothing; `str` is what the real provider would print."""

    def __init__(self, text: str, status: int = 0, code: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.code = code


@dataclass
class Retry:
    """When a request is repeated: which answers, how often, and after how many seconds."""

    statuses: frozenset[int] = frozenset({500, 502, 503, 504})
    times: int = 3
    seconds: float = 1


@dataclass
class Pace:
    """How fast a provider may write: one request at a time, or a pause after each write."""

    after_write: float = 0
    parallel: bool = True
    _serial: Lock = field(default_factory=Lock)
    _writes: Lock = field(default_factory=Lock)
    _not_before: float = 0

    @contextmanager
    def turn(self, method: str) -> Iterator[None]:
        """Wait for one's turn to send a request, and hold it while the request runs."""
        with nullcontext() if self.parallel else self._serial:
            if method in WRITES and self.after_write:
                self._space_writes()
            yield

    def _space_writes(self) -> None:
        with self._writes:
            pause = self._not_before - monotonic()
            if pause > 0:
                Event().wait(pause)
            self._not_before = monotonic() + self.after_write


@dataclass
class Login:
    """A bearer token that is fetched when needed and fetched again when it was refused."""

    fetch: Callable[[], str]
    _token: str = ""
    _lock: Lock = field(default_factory=Lock)

    def token(self, refused: str = "") -> str:
        """Return a token other than `refused`."""
        with self._lock:
            if not self._token or self._token == refused:
                self._token = self.fetch()
            return self._token


@dataclass
class Api:
    """One vendor API as one provider configuration sees it.

    `context` holds what paths may name besides a resource's attributes, e.g. `{owner}`.
    """

    root: str
    login: Login
    describe: Callable[[str, str, int, Json], VendorError]
    context: dict[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    retry: Retry = field(default_factory=Retry)
    pace: Pace = field(default_factory=Pace)
    cache: dict[str, tuple[str, str]] = field(default_factory=dict)

    def call(
        self,
        method: str,
        path: str,
        body: Json = None,
        *,
        query: Mapping[str, str] | None = None,
        accept: str = "",
    ) -> Json:
        """Return the answer's JSON (None when empty), or raise `VendorError`."""
        url = self.root + path + (f"?{urlencode(query)}" if query else "")
        answer = self._answer(method, url, body, accept)
        text = answer.data.decode(errors="replace")
        parsed = _json(text)
        if answer.status >= 400:
            raise self.describe(method, url, answer.status, parsed or text)
        return parsed

    def find(self, path: str, *, query: Mapping[str, str] | None = None, accept: str = "") -> Json:
        """Return the answer to a GET, or None where there is nothing."""
        try:
            return self.call("GET", path, query=query, accept=accept)
        except VendorError as error:
            if error.status == 404:
                return None
            raise

    def path(self, template: str, attributes: Mapping[str, object]) -> str:
        """Fill a path template, each value quoted so that it stays one segment."""
        values = {**self.context, **attributes}
        return template.format_map({key: quote(str(each), safe="") for key, each in values.items()})

    def _answer(self, method: str, url: str, body: Json, accept: str) -> Response:
        token = self.login.token()
        request = Request(
            method, url, body, {**self.headers} | ({"Accept": accept} if accept else {})
        )
        answer = self._tried(request, token)
        if answer.status == 401:
            answer = self._tried(request, self.login.token(refused=token))
        return answer

    def _tried(self, request: "Request", token: str) -> Response:
        tries = 0
        while True:
            with self.pace.turn(request.method):
                answer = request.send(token)
            pause = self._pause(answer)
            if pause is None or tries >= self.retry.times:
                return answer
            tries += 1
            Event().wait(pause)

    def _pause(self, answer: Response) -> float | None:
        asked = answer.headers.get("Retry-After", "")
        if answer.status in (403, 429, 503) and asked.isdecimal():
            return float(asked)
        return self.retry.seconds if answer.status in self.retry.statuses else None


@dataclass(frozen=True)
class Request:
    """One request, to be sent as often as it takes."""

    method: str
    url: str
    body: Json
    headers: Mapping[str, str]

    def send(self, token: str) -> Response:
        """Send it with a bearer token."""
        headers = {**self.headers, "Authorization": f"Bearer {token}"}
        data = None if self.body is None else json.dumps(self.body).encode()
        if data is not None:
            headers["Content-Type"] = "application/json"
        return send(self.method, self.url, data, headers)


def send(method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Response:
    """Send one request; a broken connection is a `VendorError` that says so."""
    try:
        return POOL.request(
            method, url, body=body, headers=dict(headers), timeout=TIMEOUT, redirect=False
        )
    except HTTPError as error:
        address = urlsplit(url)
        asked = f"{address.scheme}://{address.netloc}{address.path}"
        raise VendorError(f'{method.title()} "{asked}": {type(error).__name__}') from error


def _json(text: str) -> Json:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None
