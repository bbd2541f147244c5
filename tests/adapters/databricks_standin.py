"""What the tests of the stand-in Databricks share: a running one, its clients, an issuer."""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

import jwt
import requests
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from databricks.sdk import AccountClient, WorkspaceClient

from playground import cast
from playground.databricks import Databricks
from playground.faults import Faults
from provisioning.clock import MovableClock

ACCOUNT = cast.DATABRICKS_ACCOUNT_ID
IN_ACCOUNT = f"/api/2.0/accounts/{ACCOUNT}"
SUBJECT = "repo:acme@845100/ada-7@9001:environment:Development"


@cache
def first_key() -> rsa.RSAPrivateKey:
    """Return the key that every issuer starts with: making one takes a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Issuer:
    """An OpenID issuer as GitHub Actions is one, with keys of its own."""

    def __init__(self) -> None:
        self.url = ""
        self.fetches = 0
        self.kid = "key-1"
        self.key = first_key()
        self.extra: dict[str, Any] = {}
        self.forging: rsa.RSAPrivateKey | None = None

    def token(self, key: rsa.RSAPrivateKey | None = None, /, **claims: Any) -> str:
        """Return a signed token that is right in all that `claims` does not change."""
        now = int(time.time())
        right = {"iss": self.url, "sub": SUBJECT, "aud": ACCOUNT, "iat": now, "exp": now + 300}
        return jwt.encode(
            right | claims, key or self.key, algorithm="RS256", headers={"kid": self.kid}
        )

    async def start(self) -> web.AppRunner:
        """Listen."""
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._configuration)
        app.router.add_get("/jwks", self._jwks)
        app.router.add_get("/actions-token", self._actions_token)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    async def _configuration(self, _: web.Request) -> web.Response:
        return web.json_response({"issuer": self.url, "jwks_uri": f"{self.url}/jwks"})

    async def _jwks(self, _: web.Request) -> web.Response:
        self.fetches += 1
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return web.json_response({"keys": [{**public, "kid": self.kid, "use": "sig"}]})

    async def _actions_token(self, request: web.Request) -> web.Response:
        claims = {"aud": request.query["audience"]} | self.extra
        return web.json_response({"value": self.token(self.forging, **claims)})


@dataclass
class Standin:
    """A running stand-in, seen from another thread as its clients see it."""

    databricks: Databricks
    clock: MovableClock
    faults: Faults
    issuer: Issuer
    loop: asyncio.AbstractEventLoop
    http: requests.Session

    def server_seconds(self) -> float:
        """Return the processor time that the serving thread has used."""

        async def used() -> float:
            return time.thread_time()

        return asyncio.run_coroutine_threadsafe(used(), self.loop).result(5)

    def account(self, client_id: str = "", client_secret: str = "") -> AccountClient:
        """Return an account client, of the bot unless told otherwise."""
        return AccountClient(
            host=self.databricks.account_host,
            account_id=ACCOUNT,
            auth_type="oauth-m2m",
            client_id=client_id or self.databricks.bot_client_id,
            client_secret=client_secret or self.databricks.bot_client_secret,
        )

    def workspace(
        self, stage: str = "development", client_id: str = "", client_secret: str = ""
    ) -> WorkspaceClient:
        """Return a client of a workspace of gbx1, of the bot unless told otherwise."""
        return WorkspaceClient(
            host=self.databricks.hosts[("gbx1", stage)],
            auth_type="oauth-m2m",
            client_id=client_id or self.databricks.bot_client_id,
            client_secret=client_secret or self.databricks.bot_client_secret,
        )

    def person(self, email: str, stage: str = "development") -> WorkspaceClient:
        """Return a client of a person, with a personal access token."""
        token = self.databricks.personal_token(email, "gbx1", stage)
        host = self.databricks.hosts[("gbx1", stage)]
        return WorkspaceClient(host=host, auth_type="pat", token=token)

    def project_principal(self, stage: str = "development") -> tuple[int, str, str]:
        """Return (id, application id, secret) of a new principal assigned to one workspace."""
        account = self.account()
        made = account.service_principals_v2.create(display_name="ada-7")
        secret = account.service_principal_secrets.create(str(made.id))
        where = self.databricks.workspace("gbx1", stage)
        where.assignments[int(str(made.id))] = "USER"
        return int(str(made.id)), str(made.application_id), str(secret.secret)

    def ask(
        self, method: str, path: str, body: Any = None, *, stage: str = "", token: str = ""
    ) -> requests.Response:
        """Send one raw request with the bot's (or another) token; no stage means the account."""
        at = self.databricks.hosts[("gbx1", stage)] if stage else self.databricks.account_host
        headers = {"Authorization": f"Bearer {token or self.bot_token(stage)}"}
        return self.http.request(method, at + path, json=body, headers=headers, timeout=10)

    def bot_token(self, stage: str = "") -> str:
        """Return a fresh access token of the bot."""
        client = (self.databricks.bot_client_id, self.databricks.bot_client_secret)
        form = {"grant_type": "client_credentials", "scope": "all-apis"}
        return str(self.login(form, stage, client).json()["access_token"])

    def login(
        self, form: dict[str, str], stage: str = "", client: tuple[str, str] | None = None
    ) -> requests.Response:
        """Send one raw token request."""
        base = self.databricks.hosts[("gbx1", stage)] if stage else self.databricks.account_host
        path = "/oidc/v1/token" if stage else f"/oidc/accounts/{ACCOUNT}/v1/token"
        return requests.post(base + path, data=form, auth=client, timeout=10)

    def advance(self, **by: float) -> None:
        """Move the clock."""
        self.clock.advance(timedelta(**by))


def running() -> Iterator[Standin]:
    """Serve a stand-in from a loop in its own thread until the generator is closed."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    clock, faults, issuer = MovableClock(), Faults(), Issuer()
    databricks = Databricks(clock, faults)

    async def start() -> web.AppRunner:
        await databricks.start()
        return await issuer.start()

    async def stop(runner: web.AppRunner) -> None:
        await databricks.stop()
        await runner.cleanup()

    started: Future[web.AppRunner] = asyncio.run_coroutine_threadsafe(start(), loop)
    runner = started.result(10)
    try:
        with requests.Session() as http:
            yield Standin(databricks, clock, faults, issuer, loop, http)
    finally:
        asyncio.run_coroutine_threadsafe(stop(runner), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
