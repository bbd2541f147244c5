"""The stand-in itself: one application behind one port for the account and one per workspace."""

import json
import socket
from collections.abc import Callable
from datetime import timedelta

from aiohttp import web
from aiohttp.typedefs import Middleware

from playground.databricks import (
    access_tokens,
    account_principals,
    account_settings,
    assignments,
    cluster_policies,
    credentials,
    dashboards,
    experiments,
    files,
    grants,
    job_runs,
    jobs,
    model_versions,
    models,
    permissions,
    pipelines,
    rule_sets,
    secret_scopes,
    serving,
    unity_catalog,
    workspace_principals,
)
from playground.databricks.access_tokens import issue_personal, recognised
from playground.databricks.call import Call, Json, Route
from playground.databricks.errors import RefusalError, api_error, denied, invalid, scim_error
from playground.databricks.federation import Federation
from playground.databricks.login import Login
from playground.databricks.performing import Performances
from playground.databricks.privileges import held
from playground.databricks.seed import seeded
from playground.databricks.state import (
    Securable,
    ServicePrincipal,
    Workspace,
)
from playground.databricks.throttle import LIMITED, Throttle
from playground.databricks.views import snapshot
from playground.faults import Faults, Handler
from provisioning.clock import Clock

ROUTES: tuple[Route, ...] = (
    *account_principals.ROUTES,
    *account_settings.ROUTES,
    *assignments.ROUTES,
    *credentials.ROUTES,
    *rule_sets.ROUTES,
    *workspace_principals.ROUTES,
    *cluster_policies.ROUTES,
    *secret_scopes.ROUTES,
    *unity_catalog.ROUTES,
    *grants.ROUTES,
    *jobs.ROUTES,
    *job_runs.ROUTES,
    *pipelines.ROUTES,
    *files.ROUTES,
    *permissions.ROUTES,
    *models.ROUTES,
    *model_versions.ROUTES,
    *experiments.ROUTES,
    *dashboards.ROUTES,
    *serving.ROUTES,
    *access_tokens.ROUTES,
)
DISCOVERY = "/.well-known/oauth-authorization-server"
ACCOUNT_OIDC = "/oidc/accounts/{account_id}"


class Databricks:
    """A Databricks account with 16 workspaces on loopback, all in one event loop.

    `hosts` maps (workspace group, stage) to a base URL, `account_host` is the account's. Every
    successful write calls `on_change`. Requests nobody serves are kept in `unknown_calls`.
    """

    def __init__(self, clock: Clock, faults: Faults) -> None:
        self._clock = clock
        self._faults = faults
        self.world, self._bot = seeded(clock.now())
        self.throttle = Throttle()
        self.on_change: Callable[[], None] = lambda: None
        self.unknown_calls: list[str] = []
        self.hosts: dict[tuple[str, str], str] = {}
        self.account_host = ""
        self._federation = Federation()
        self._login = Login(self.world, self._federation)
        self._performances = Performances(
            self.world, clock, self.hosts, changed=lambda: self.on_change()
        )
        self._at_port: dict[int, Workspace | None] = {}
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        """Listen; return the account's base URL."""
        await self._federation.start()
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        self.account_host = await self._listen(None)
        for workspace in self.world.workspaces.values():
            self.hosts[(workspace.group, workspace.stage)] = await self._listen(workspace)
        return self.account_host

    async def stop(self) -> None:
        """Stop listening."""
        await self._performances.stop()
        await self._federation.stop()
        if self._runner:
            await self._runner.cleanup()

    @property
    def bot_client_id(self) -> str:
        """Return the application id of the bot's service principal."""
        return self._bot.application_id

    @property
    def bot_client_secret(self) -> str:
        """Return the secret that the bot logs in with."""
        return next(iter(self._bot.secrets.values())).value

    @property
    def principals(self) -> list[ServicePrincipal]:
        """Return the service principals, oldest first."""
        return list(self.world.of_type(ServicePrincipal))

    @property
    def schemas(self) -> dict[str, Securable]:
        """Return schemas by full name."""
        found = self.world.securables.values()
        return {each.full_name: each for each in found if each.kind == "SCHEMA"}

    def workspace(self, group: str, stage: str) -> Workspace:
        """Return the state of one workspace."""
        found = self.world.workspaces.values()
        return next(each for each in found if (each.group, each.stage) == (group, stage))

    def snapshot(self) -> dict[str, object]:
        """Return the whole account as plain JSON, without any secret's value."""
        return snapshot(self.world)

    def effective_privileges(self, principal: str, securable: str) -> set[str]:
        """Return what a principal (as grants name it) may do to a catalog, schema or object.

        Memberships and inheritance count; ALL_PRIVILEGES is not expanded; ownership is not shown.
        """
        who = self.world.named(principal)
        if who is None:
            return set()
        return {
            privilege
            for each in self.world.securables.values()
            if each.full_name == securable
            for privilege, _ in held(self.world, who, each)
        }

    def personal_token(self, principal: str, group: str, stage: str) -> str:
        """Return a new personal access token of a principal (as grants name it)."""
        who = self.world.named(principal)
        if who is None:
            raise LookupError(principal)
        lifetime = timedelta(days=90)
        where = self.workspace(group, stage)
        return issue_personal(self.world, who, where, self._clock.now(), lifetime).value

    async def _listen(self, workspace: Workspace | None) -> str:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        self._at_port[port] = workspace
        if self._runner is None:
            raise RuntimeError("start() sets the runner up")
        await web.SockSite(self._runner, listener).start()
        return f"http://127.0.0.1:{port}"

    def _application(self) -> web.Application:
        faulty = self._faults.middleware("databricks", LIMITED)
        app = web.Application(middlewares=[faulty, self._envelope()], client_max_size=2**26)
        for route in ROUTES:
            app.router.add_route(route.method, route.path, self._endpoint(route))
        app.router.add_get("/.well-known/databricks-config", self._host_metadata)
        for base in ("/oidc", ACCOUNT_OIDC):
            app.router.add_get(f"{base}{DISCOVERY}", self._discovery)
            app.router.add_post(f"{base}/v1/token", self._token)
        return app

    def _at(self, request: web.Request) -> Workspace | None:
        # The Host header, as at the vendor: of a caller that is gone no connection could be asked.
        if request.url.port not in self._at_port:
            raise self._unknown(request)
        return self._at_port[request.url.port]

    def _envelope(self) -> Middleware:
        """Return the layer that turns refusals, and what nobody serves, into answers."""

        @web.middleware
        async def answered(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                return await handler(request)
            except RefusalError as refusal:
                return _refused(refusal)
            except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
                return _refused(self._unknown(request))

        return answered

    def _unknown(self, request: web.Request) -> RefusalError:
        self.unknown_calls.append(f"{request.method} {request.path}")
        return api_error(404, "ENDPOINT_NOT_FOUND", f"No API found for '{request.method} "
                         f"{request.path}'")  # fmt: skip

    def _endpoint(self, route: Route) -> Handler:
        async def serve(request: web.Request) -> web.StreamResponse:
            at = self._at(request)
            if (route.host == "account") != (at is None):
                raise self._unknown(request)
            call = await self._call(request, at, route)
            self._refuse_unentitled(route, call)
            answer = route.act(call)
            if request.method != "GET":
                self.on_change()
            if route.status == 204:
                return web.Response(status=204)
            if isinstance(answer, bytes):
                return web.Response(body=answer, content_type="application/octet-stream")
            return web.json_response(answer, status=route.status, headers=_headers(at))

        return serve

    async def _call(self, request: web.Request, at: Workspace | None, route: Route) -> Call:
        now = self._clock.now()
        caller = recognised(self.world, request.headers.get("Authorization", ""), at, now)
        self.throttle.count(caller.id, now)
        path = dict(request.match_info)
        account_id = path.pop("account_id", self.world.account_id)
        if account_id != self.world.account_id:
            raise denied(f"The token does not belong to account {account_id}.")
        content = await request.read()
        body = {} if route.raw else _parsed(content)
        return Call(self.world, caller, now, at, path, dict(request.query), body, content)

    def _refuse_unentitled(self, route: Route, call: Call) -> None:
        allowed = {
            "anyone": True,
            "account admin": call.is_account_admin,
            "workspace admin": call.is_workspace_admin,
        }[route.who]
        if not allowed:
            message = f"Only a {route.who} can call this API."
            raise scim_error(403, message) if route.style == "scim" else denied(message)

    async def _host_metadata(self, request: web.Request) -> web.Response:
        at = self._at(request)
        base = f"http://{request.host}"
        if at is None:
            oidc = f"{base}/oidc/accounts/{{account_id}}"
            return web.json_response({"oidc_endpoint": oidc, "cloud": "AWS"})
        answer = {"oidc_endpoint": f"{base}/oidc", "account_id": self.world.account_id}
        return web.json_response(answer | {"workspace_id": str(at.id), "cloud": "AWS"})

    def _oidc_base(self, request: web.Request) -> str:
        """Return the root of the login endpoints; each host serves its own kind only."""
        account_id, at = request.match_info.get("account_id"), self._at(request)
        expected = self.world.account_id if at is None else None
        if account_id != expected:
            raise self._unknown(request)
        return f"http://{request.host}/oidc" + (f"/accounts/{account_id}" if account_id else "")

    async def _discovery(self, request: web.Request) -> web.Response:
        base = self._oidc_base(request)
        return web.json_response(
            {
                "issuer": base,
                "authorization_endpoint": f"{base}/v1/authorize",
                "token_endpoint": f"{base}/v1/token",
                "grant_types_supported": ["client_credentials"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            }
        )

    async def _token(self, request: web.Request) -> web.Response:
        self._oidc_base(request)
        form = {key: str(value) for key, value in (await request.post()).items()}
        authorization = request.headers.get("Authorization", "")
        now = self._clock.now()
        answer = await self._login.token(form, authorization, self._at(request), now)
        return web.json_response(answer, headers={"Cache-Control": "no-store"})


def _refused(refusal: RefusalError) -> web.Response:
    return web.json_response(refusal.body, status=refusal.status, headers=refusal.headers)


def _headers(at: Workspace | None) -> dict[str, str]:
    return {"x-databricks-org-id": str(at.id)} if at else {}


def _parsed(content: bytes) -> Json:
    try:
        body = json.loads(content) if content else {}
    except ValueError as error:
        message = "Invalid JSON given in the body of the request - failed to parse given JSON"
        raise api_error(400, "MALFORMED_REQUEST", message) from error
    if not isinstance(body, dict):
        raise invalid("The body of the request must be a JSON object.")
    return body
