"""People's own GitHub accounts: the App's device flow, and what is done with a person's token.

Source: docs.github.com, "Generating a user access token for a GitHub App" (device flow),
"Refreshing user access tokens", "REST API endpoints for revocation". Nothing of it needs the App's
client secret, so we have none. Each request is sent once: a lost answer is never asked for again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from pydantic import SecretStr

from provisioning.clock import Clock
from provisioning.errors import PermanentError, TemporaryError
from provisioning.identity import (
    Account,
    DeviceCode,
    Ended,
    Granted,
    LinkAnswer,
    Tokens,
    Unanswered,
)

TIMEOUT_SECONDS = 10
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
SLOWER = timedelta(seconds=5)
NO_TOKENS_THAT_EXPIRE = (
    "The App's user tokens never expire, so nobody is linked. The platform team opts in to "
    "“User-to-server token expiration” on the App's page > Optional features."
)
APP_PROBLEMS = {
    "device_flow_disabled": (
        "The GitHub App does not offer the device flow. The platform team ticks “Enable Device "
        "Flow” on the App's page; `sciclops doctor` tells when it works."
    ),
    "incorrect_client_credentials": (
        "GitHub knows no App with the client id in the settings. The platform team corrects "
        "github.client_id; `sciclops doctor` tells which one it is."
    ),
    "Not Found": (
        "GitHub knows no App with the client id in the settings. The platform team corrects "
        "github.client_id; `sciclops doctor` tells which one it is."
    ),
    "unverified_user_email": (
        "GitHub gives no token to an account whose e-mail address is not verified. Verify it at "
        "GitHub, then try again."
    ),
}
ENDINGS = {
    "access_denied": Ended(why="denied"),
    "expired_token": Ended(why="expired"),
    "token_expired": Ended(why="expired"),
    "incorrect_device_code": Ended(why="used"),
    "bad_verification_code": Ended(why="used"),
}
"""The documentation calls a code that has run out by two names."""
Json = Mapping[str, Any]


@dataclass(frozen=True)
class DeviceFlow:
    """Our App as people meet it; `client_id` is public."""

    client_id: str
    api_url: str

    @property
    def web_url(self) -> str:
        """Return where GitHub's own pages are: beside the API, not below it."""
        parts = urlsplit(self.api_url.rstrip("/"))
        host = parts.netloc.removeprefix("api.")
        return f"{parts.scheme}://{host}"


class GitHubIdentities:
    """Implements the `Identities` port; safe to use from several threads."""

    def __init__(self, app: DeviceFlow, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    def begin(self) -> DeviceCode:
        """Ask GitHub for a code that one person may enter."""
        said = self._ask("/login/device/code", {})
        if "device_code" not in said:
            raise _refusal(said, "give out a code for linking")
        return DeviceCode(
            secret=SecretStr(said["device_code"]),
            user_code=said["user_code"],
            address=said["verification_uri"],
            lasts=timedelta(seconds=said["expires_in"]),
            interval=timedelta(seconds=said["interval"]),
        )

    def poll(self, secret: SecretStr) -> LinkAnswer:
        """Fetch the answer to a code; a granted one is given out once."""
        wanted = {"grant_type": DEVICE_GRANT, "device_code": secret.get_secret_value()}
        said = self._ask("/login/oauth/access_token", wanted)
        if "access_token" in said:
            return Granted(tokens=self._tokens(said))
        error = str(said.get("error", ""))
        if error == "authorization_pending":
            return Unanswered()
        if error == "slow_down":
            interval = said.get("interval")
            return Unanswered(interval=timedelta(seconds=interval) if interval else SLOWER * 2)
        if error in ENDINGS:
            return ENDINGS[error]
        raise _refusal(said, "answer whether somebody has entered the code")

    def whoami(self, access: SecretStr) -> Account | None:
        """Return whose token it is; None if GitHub refuses it."""
        headers = {"Authorization": f"Bearer {access.get_secret_value()}"}
        answer = self._send("GET", f"{self._app.api_url.rstrip('/')}/user", headers=headers)
        if answer.status_code == 401:
            return None
        said = _json(answer)
        if answer.status_code != 200:
            raise _refusal(said, "say whose token it is")
        return Account(id=said["id"], login=said["login"])

    def refresh(self, refresh: SecretStr) -> Tokens | None:
        """Exchange a refresh token, which works once; None if GitHub refuses it for good."""
        wanted = {"grant_type": "refresh_token", "refresh_token": refresh.get_secret_value()}
        said = self._ask("/login/oauth/access_token", wanted)
        if "access_token" in said:
            return self._tokens(said)
        if said.get("error") == "bad_refresh_token":
            return None
        raise _refusal(said, "renew a person's token")

    def revoke(self, tokens: Sequence[SecretStr]) -> None:
        """Make tokens worthless, at most 1,000 at once; those that are so already don't matter.

        GitHub takes it from anybody who knows a token, without a login, and writes to its owner.
        """
        body = {"credentials": [token.get_secret_value() for token in tokens]}
        url = f"{self._app.api_url.rstrip('/')}/credentials/revoke"
        answer = self._send("POST", url, json=body)
        if answer.status_code != 202:
            raise _refusal(_json(answer), "revoke a person's token")

    def settings_page(self) -> str:
        """Return the address where people withdraw what they have let our App do."""
        return f"{self._app.web_url}/settings/apps/authorizations"

    def _tokens(self, said: Json) -> Tokens:
        now = self._clock.now()
        if "refresh_token" not in said:
            self.revoke([SecretStr(said["access_token"])])
            raise PermanentError(NO_TOKENS_THAT_EXPIRE)
        return Tokens(
            access=SecretStr(said["access_token"]),
            refresh=SecretStr(said["refresh_token"]),
            access_until=now + timedelta(seconds=said["expires_in"]),
            refresh_until=now + timedelta(seconds=said["refresh_token_expires_in"]),
        )

    def _ask(self, path: str, wanted: Mapping[str, str]) -> Json:
        """Ask on GitHub's own site; what is secret travels in the body, never in the address."""
        form = {"client_id": self._app.client_id, **wanted}
        return _json(self._send("POST", self._app.web_url + path, data=form))

    def _send(self, method: str, url: str, **more: Any) -> requests.Response:
        headers = {"Accept": "application/json", **more.pop("headers", {})}
        try:
            answer = requests.request(
                method,
                url,
                headers=headers,
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
                auth=_no_login,
                **more,
            )
        except (requests.exceptions.RequestException, OSError) as error:
            # The cause may hold what was sent, so its text goes no further.
            raise TemporaryError(f"GitHub did not answer ({type(error).__name__})") from None
        _require_health(answer)
        return answer


def _no_login(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep requests from adding a login that it finds on this machine (.netrc)."""
    return request


def _require_health(answer: requests.Response) -> None:
    """Raise TemporaryError when GitHub is ill or asks to wait."""
    wish = answer.headers.get("Retry-After", "")
    spent = answer.headers.get("x-ratelimit-remaining") == "0" and answer.status_code == 403
    if answer.status_code >= 500 or answer.status_code == 429 or wish.isdigit() or spent:
        after = timedelta(seconds=int(wish)) if wish.isdigit() else None
        raise TemporaryError(f"GitHub answered {answer.status_code}", after=after)


def _json(answer: requests.Response) -> Json:
    try:
        said = answer.json()
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise PermanentError(
            f"GitHub answered {answer.status_code} with something that is no JSON. Nothing was "
            "changed. The platform team checks github.api_url."
        )
    return said


def _refusal(said: Json, what: str) -> PermanentError:
    """Name GitHub's error; its other words may repeat what we sent."""
    error = str(said.get("error") or said.get("message") or "no reason")
    known = APP_PROBLEMS.get(error)
    return PermanentError(known or f"GitHub refused to {what}: {error[:80]}")
