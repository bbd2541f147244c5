"""The device flow on GitHub's own site, tokens of people who went through it, and their end.

Source: docs.github.com, "Generating a user access token for a GitHub App", "Refreshing user access
tokens", "REST API endpoints for revocation". Below the root, not the API: what programs ask, and
the page where a person enters a code. Instead of signing in, one chooses who one is.
"""

import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

from aiohttp import web

from playground.github.auth import Tokens
from playground.github.calls import DOCUMENTATION
from playground.github.device_page import page, said
from playground.github.world import APP_CLIENT_ID, World

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
ACCESS_LASTS, REFRESH_LASTS = timedelta(hours=8), timedelta(seconds=15_897_600)
CODE_LASTS, INTERVAL, SLOWER = timedelta(minutes=15), timedelta(seconds=5), timedelta(seconds=5)
HOUR = timedelta(hours=1)
ENTRIES_PER_HOUR = 50
"""How many codes may be entered for an App."""
REVOCATIONS_PER_HOUR = 60
MOST_REVOKED = 1000
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
PROBLEMS = {
    "authorization_pending": "The authorization request is still pending.",
    "slow_down": "Too many requests have been made in the same timeframe.",
    "expired_token": "This 'device_code' has expired.",
    "access_denied": "The authorization request was denied.",
    "incorrect_device_code": "The device_code provided is not valid.",
    "incorrect_client_credentials": "The client_id and/or client_secret passed are incorrect.",
    "unsupported_grant_type": "This grant type is not supported.",
    "device_flow_disabled": "Device Flow must be explicitly enabled for this App",
    "bad_refresh_token": "The refresh token passed is incorrect or expired.",
}


@dataclass
class Question:
    """A code that was given out; `login` is who entered it, once somebody has."""

    user_code: str
    expires: datetime
    interval: timedelta = INTERVAL
    asked: datetime | None = None
    login: str = ""
    denied: bool = False


@dataclass
class _Pair:
    """A refresh token's owner, the access token beside it, and when it expires."""

    login: str
    access: str
    expires: datetime


@dataclass
class DeviceFlow:
    """The App's device flow. `enabled` and `tokens_expire` are boxes on the App's page.

    `renewals` counts how often a refresh token was exchanged.
    """

    world: World
    tokens: Tokens
    changed: Callable[[], None]
    root: Callable[[], str]
    enabled: bool = True
    tokens_expire: bool = True
    renewals: int = 0
    _questions: dict[str, Question] = field(default_factory=dict)
    _pairs: dict[str, _Pair] = field(default_factory=dict)
    _entries: deque[datetime] = field(default_factory=deque)
    _revocations: deque[datetime] = field(default_factory=deque)

    def routes(self, api: str) -> list[web.RouteDef]:
        """Return the routes; `api` is where the API begins."""
        return [
            web.post("/login/device/code", self._code),
            web.post("/login/oauth/access_token", self._token),
            web.get("/login/device", self._page),
            web.post("/login/device", self._entered),
            web.post(f"{api}/credentials/revoke", self._revoke),
        ]

    # What tests and the page's people do ------------------------------------------------------

    def enter(self, login: str, user_code: str, *, allow: bool = True) -> str:
        """Enter a code as a person and answer; return what GitHub's page says then."""
        if not _within(self._entries, ENTRIES_PER_HOUR, self._now()):
            return "Too many codes were entered for this App. Try again in an hour."
        code = user_code.strip().upper().replace(" ", "-")
        asked = next((q for q in self._questions.values() if q.user_code == code), None)
        person = self.world.find_user(login)
        answered = asked is not None and (asked.login or asked.denied)
        if person is None or asked is None or answered or asked.expires <= self._now():
            return "This code is not valid, has expired or was used."
        asked.login, asked.denied = (person.login, False) if allow else ("", True)
        self.changed()
        if not allow:
            return "You have denied access. The device was not connected."
        return "Congratulations, you're all set! Your device is now connected."

    def withdraw(self, login: str) -> None:
        """Withdraw a person's authorisation of the App, as they can in their settings."""
        for refresh, pair in list(self._pairs.items()):
            if pair.login == login:
                self.tokens.drop(pair.access)
                del self._pairs[refresh]

    def rename(self, login: str, to: str) -> None:
        """Let tokens follow an account that was renamed."""
        for pair in self._pairs.values():
            pair.login = to if pair.login == login else pair.login

    def forget(self, user_code: str) -> None:
        """Lose a code, as if its answer had been fetched already."""
        self._questions = {s: q for s, q in self._questions.items() if q.user_code != user_code}

    def secrets(self) -> list[str]:
        """Return everything secret that was given out and still works."""
        return [*self._questions, *self._pairs, *(pair.access for pair in self._pairs.values())]

    def living(self, login: str) -> int:
        """Return how many of a person's refresh tokens still work."""
        now = self._now()
        return sum(p.login == login and p.expires > now for p in self._pairs.values())

    # What programs ask ------------------------------------------------------------------------

    async def _code(self, request: web.Request) -> web.Response:
        wanted = await _parameters(request)
        if wanted.get("client_id") != APP_CLIENT_ID:
            return web.json_response({"error": "Not Found"}, status=404)
        if not self.enabled:
            return _problem("device_flow_disabled")
        secret = secrets.token_hex(20)
        letters = "".join(secrets.choice(LETTERS) for _ in range(8))
        asked = Question(f"{letters[:4]}-{letters[4:]}", self._now() + CODE_LASTS)
        self._questions[secret] = asked
        return web.json_response(
            {
                "device_code": secret,
                "user_code": asked.user_code,
                "verification_uri": f"{self.root()}/login/device",
                "expires_in": round(CODE_LASTS.total_seconds()),
                "interval": round(asked.interval.total_seconds()),
            }
        )

    async def _token(self, request: web.Request) -> web.Response:
        wanted = await _parameters(request)
        if wanted.get("client_id") != APP_CLIENT_ID:
            return _problem("incorrect_client_credentials")
        if wanted.get("grant_type") == DEVICE_GRANT:
            return self._answer(wanted.get("device_code", ""))
        if wanted.get("grant_type") == "refresh_token":
            return self._renew(wanted.get("refresh_token", ""))
        return _problem("unsupported_grant_type")

    def _answer(self, secret: str) -> web.Response:
        if not self.enabled:
            return _problem("device_flow_disabled")
        asked, now = self._questions.get(secret), self._now()
        if asked is None:
            return _problem("incorrect_device_code")
        early = asked.asked is not None and now < asked.asked + asked.interval
        asked.asked = now
        if early:
            asked.interval += SLOWER
            return _problem("slow_down", interval=round(asked.interval.total_seconds()))
        if asked.denied:
            return _problem("access_denied")
        if asked.expires <= now:
            return _problem("expired_token")
        if not asked.login:
            return _problem("authorization_pending")
        del self._questions[secret]
        return self._give(asked.login)

    def _renew(self, refresh: str) -> web.Response:
        pair = self._pairs.pop(refresh, None)
        if pair is None or pair.expires <= self._now():
            return _problem("bad_refresh_token")
        self.tokens.drop(pair.access)
        self.renewals += 1
        return self._give(pair.login)

    def _give(self, login: str) -> web.Response:
        given = {"token_type": "bearer", "scope": ""}
        if not self.tokens_expire:
            return web.json_response({"access_token": self.tokens.for_user(login), **given})
        access = self.tokens.for_user(login, lasts=ACCESS_LASTS)
        refresh = f"ghr_{secrets.token_hex(38)}"
        self._pairs[refresh] = _Pair(login, access, self._now() + REFRESH_LASTS)
        return web.json_response(
            {
                "access_token": access,
                "expires_in": round(ACCESS_LASTS.total_seconds()),
                "refresh_token": refresh,
                "refresh_token_expires_in": round(REFRESH_LASTS.total_seconds()),
                **given,
            }
        )

    async def _revoke(self, request: web.Request) -> web.Response:
        """Make any tokens worthless that somebody knows; who logs in for it is refused."""
        if request.headers.get("Authorization"):
            return _refused(403, "This endpoint takes no authenticated requests.")
        if not _within(self._revocations, REVOCATIONS_PER_HOUR, self._now()):
            return _refused(403, "API rate limit exceeded.", **{"x-ratelimit-remaining": "0"})
        try:
            listed = cast("object", (await request.json())["credentials"])
        except (ValueError, KeyError, TypeError):
            return _refused(422, "Validation Failed")
        if not _is_list_of_credentials(listed):
            return _refused(422, "Validation Failed")
        for token in cast("list[str]", listed):
            self.tokens.drop(token)
            self._pairs.pop(token, None)
        return web.json_response({}, status=202)

    # What people see --------------------------------------------------------------------------

    async def _page(self, request: web.Request) -> web.Response:
        del request
        return _html(page(self.world))

    async def _entered(self, request: web.Request) -> web.Response:
        if request.headers.get("Origin") not in (None, self.root()):
            return web.Response(status=403, text="Only the page itself may do that.\n")
        wanted = await _parameters(request)
        allow = wanted.get("answer") == "authorize"
        words = self.enter(wanted.get("login", ""), wanted.get("user_code", ""), allow=allow)
        return _html(said(words))

    def _now(self) -> datetime:
        return self.world.clock.now()


def _within(moments: deque[datetime], most: int, now: datetime) -> bool:
    """Count one more; tell whether there were no more than allowed within an hour."""
    while moments and moments[0] <= now - HOUR:
        moments.popleft()
    if len(moments) >= most:
        return False
    moments.append(now)
    return True


def _is_list_of_credentials(listed: object) -> bool:
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_REVOKED:
        return False
    return all(isinstance(one, str) for one in listed)


async def _parameters(request: web.Request) -> dict[str, str]:
    """Return what a request says, in its address or in its body."""
    body = await request.post()
    return dict(request.query) | {k: v for k, v in body.items() if isinstance(v, str)}


def _problem(error: str, **more: int) -> web.Response:
    """Say no as GitHub does here: with status 200."""
    description = {"error": error, "error_description": PROBLEMS[error]}
    return web.json_response(description | {"error_uri": DOCUMENTATION} | more)


def _refused(status: int, message: str, **headers: str) -> web.Response:
    body = {"message": message, "documentation_url": DOCUMENTATION, "status": str(status)}
    return web.json_response(body, status=status, headers=headers)


def _html(text: str) -> web.Response:
    policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'"
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
    return web.Response(text=text, content_type="text/html", headers=headers)
