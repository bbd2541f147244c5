"""From a provider block to an API: GitHub as an App, Databricks as a service principal.

The resident process cannot see the environment that Terraform was started with, so what the real
providers take from environment variables comes from the credentials it was given at its start.
"""

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit

import jwt

from playground.terraform.values import Attributes
from playground.terraform.vendor import Api, Json, Login, Pace, Retry, VendorError, send

Now = Callable[[], datetime]
GITHUB_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


@dataclass(frozen=True)
class Credentials:
    """What a real provider would find in its environment."""

    github_app: tuple[str, str, str] = ("", "", "")
    databricks_client: tuple[str, str] = ("", "")

    def __repr__(self) -> str:
        return "Credentials(…)"


def github(config: Attributes, credentials: Credentials, now: Now) -> Api:
    """Return the API of a `provider "github"` block; refuse what the real provider refuses."""
    root = rest_root(str(config.get("base_url") or "https://api.github.com/"))
    owner = config.get("organization") or config.get("owner")
    delay = _number(config, "write_delay_ms", 1000)
    if delay <= 0:
        raise VendorError("write_delay_ms must be greater than 0ms")
    retry = Retry(
        times=int(_number(config, "max_retries", 3)),
        seconds=_number(config, "retry_delay_ms", 1000) / 1000,
    )
    pace = Pace(delay / 1000, bool(config.get("parallel_requests")))
    login = Login(_github_login(root, config, credentials, now))
    context = {"owner": str(owner or "")}
    api = Api(root, login, github_error, context, GITHUB_HEADERS, retry, pace)
    if owner:
        login.token()  # the real provider logs in while it is configured
    return api


def rest_root(base_url: str) -> str:
    """Return where the REST API is: below `/api/v3` of a server that isn't github.com.

    Like the real provider, this joins `api/v3` even where it is there already.
    """
    url = urlsplit(base_url)
    if not url.scheme or not url.hostname:
        raise VendorError("base_url must be absolute")
    plain = base_url.rstrip("/")
    hosted = url.hostname == "api.github.com" or url.hostname.endswith(".ghe.com")
    return plain if hosted else f"{plain}/api/v3"


def _github_login(
    root: str, config: Attributes, credentials: Credentials, now: Now
) -> Callable[[], str]:
    if config.get("token"):
        return lambda: str(config["token"])
    app = _app(config, credentials)
    return lambda: installation_token(root, *app, now())


def _app(config: Attributes, credentials: Credentials) -> tuple[str, str, str]:
    blocks = config.get("app_auth")
    if not isinstance(blocks, list) or not blocks:
        raise VendorError(
            "neither a token nor an app_auth block is given; anonymous mode writes nothing"
        )
    block = blocks[0] if isinstance(blocks[0], dict) else {}
    names = ("id", "installation_id", "pem_file")
    own = dict(zip(names, credentials.github_app, strict=True))
    found = [str(block.get(name) or own[name]) for name in names]
    for name, value in zip(names, found, strict=True):
        if not value:
            raise VendorError(f"app_auth.{name} must be set and contain a non-empty value")
    return found[0], found[1], found[2].replace("\\n", "\n")


def installation_token(
    root: str, app_id: str, installation: str, pem: str, moment: datetime
) -> str:
    """Return an installation token of the App, as GitHub's `moment` sees it."""
    claims = {
        "iss": app_id,
        "iat": int((moment - timedelta(seconds=30)).timestamp()),
        "exp": int((moment + timedelta(minutes=9)).timestamp()),
    }
    signed = jwt.encode(claims, pem, algorithm="RS256")
    url = f"{root}/app/installations/{installation}/access_tokens"
    headers = {**GITHUB_HEADERS, "Authorization": f"Bearer {signed}"}
    answer = send("POST", url, b"", headers)
    if answer.status != 201:
        raise github_error("POST", url, answer.status, _parsed(answer.data))
    return str(_parsed(answer.data)["token"])


def github_error(method: str, url: str, status: int, answer: Json) -> VendorError:
    """Return the error as go-github prints it."""
    if not isinstance(answer, dict):
        return VendorError(f"{method} {url}: {status} []", status)
    return VendorError(
        f"{method} {url}: {status} {answer.get('message', '')} {answer.get('errors', [])}", status
    )


def databricks(config: Attributes, credentials: Credentials, now: Now) -> Api:
    """Return the API of a `provider "databricks"` block, logged in as a service principal."""
    del now  # only GitHub's logins are signed with the time
    host = str(config.get("host") or "").rstrip("/")
    if not host:
        raise VendorError("cannot configure default credentials: host is not set")
    root = host if "://" in host else f"https://{host}"
    account = str(config.get("account_id") or "")
    client = (
        str(config.get("client_id") or credentials.databricks_client[0]),
        str(config.get("client_secret") or credentials.databricks_client[1]),
    )
    if not all(client):
        raise VendorError("default auth: cannot configure default credentials")
    api = Api(root, Login(lambda: ""), databricks_error, {"account_id": account})
    api.login = Login(lambda: client_token(root, account, *client))
    api.retry = Retry(statuses=frozenset({504}), times=5)
    return api


def client_token(root: str, account: str, client: str, secret: str) -> str:
    """Return an OAuth token by client credentials, of the account or of a workspace."""
    url = f"{root}/oidc/accounts/{account}/v1/token" if account else f"{root}/oidc/v1/token"
    basic = b64encode(f"{client}:{secret}".encode()).decode()
    form = urlencode({"grant_type": "client_credentials", "scope": "all-apis"}).encode()
    headers = {
        "Authorization": f"Basic {basic}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    answer = send("POST", url, form, headers)
    parsed = _parsed(answer.data)
    if answer.status != 200:
        raise VendorError(
            f"oauth-m2m: {parsed.get('error', '')}: {parsed.get('error_description', '')}",
            answer.status,
        )
    return str(parsed["access_token"])


def databricks_error(_method: str, _url: str, status: int, answer: Json) -> VendorError:
    """Return the error as the Databricks SDK prints it; SCIM has a format of its own."""
    if not isinstance(answer, dict):
        return VendorError(f"unexpected error handling request: {status} {answer}", status)
    text = answer.get("message") or answer.get("detail") or answer.get("error_description") or ""
    return VendorError(str(text), status, str(answer.get("error_code", "")))


def _number(config: Attributes, name: str, default: float) -> float:
    value = config.get(name)
    return float(value) if isinstance(value, int | float) else default


def _parsed(data: bytes) -> Json:
    try:
        return json.loads(data)
    except ValueError:
        return {}
