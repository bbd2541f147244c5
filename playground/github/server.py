"""The stand-in GitHub: REST below /api/v3, git below /<owner>/<repository>.git, an OIDC issuer.

It binds to loopback and lives in one event loop. Every request and answer is checked against
GitHub's OpenAPI description, so the stand-in can't drift from the vendor unseen.
"""

import hashlib
import json
import re
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

from aiohttp import web

from playground.faults import Faults
from playground.github import oidc, payloads, world_view
from playground.github.auth import Actor, Tokens, check, may_see
from playground.github.calls import Answer, Call, Operation, Refusal, not_found
from playground.github.device_flow import DeviceFlow
from playground.github.endpoints import OPERATIONS
from playground.github.git_http import LARGEST_PUSH, GitHttp
from playground.github.hub import Hub
from playground.github.limits import Limits, RateLimits, secondary
from playground.github.objects import GitStore
from playground.github.openapi import Description, description
from playground.github.people import People
from playground.github.rules import RefChange
from playground.github.seed import seeded_world
from playground.github.vault import Vault
from playground.github.world import APP_ID, INSTALLATION_ID, Json, Repository
from provisioning.clock import Clock

API = "/api/v3"
_BY_NAME, _BY_ID = "/repos/{owner}/{repo}", "/repositories/{repository_id}"
"""GitHub serves a repository's endpoints by its id too, though it doesn't describe them."""
_SPANNING = ("ref", "basehead", "branch", "tree_sha")
"""Path parameters that may contain slashes."""


class GitHub(People):
    """A GitHub with one organisation, for one process.

    `on_change` is called after every change; `violations` lists bodies that break GitHub's OpenAPI
    description (ours and the clients'), `unknown_calls` what no endpoint serves.
    """

    def __init__(
        self,
        clock: Clock,
        faults: Faults,
        directory: Path,
        *,
        limits: Limits | None = None,
        vault: Vault | None = None,
    ) -> None:
        self.world = seeded_world(clock, directory)
        self.app_id, self.installation_id = APP_ID, INSTALLATION_ID
        self.violations: list[str] = []
        self.unknown_calls: list[str] = []
        self.on_change: Callable[[], None] | None = None
        self.description: Description = description()
        self._faults = faults
        self._vault = vault or Vault()
        self._tokens = Tokens(self.world, self._vault)
        self._limits = RateLimits(clock, limits or Limits())
        self.hub = Hub(
            self.world, self.description.webhook_problem, self.violations.append, self._changed
        )
        self._server: web.AppRunner | None = None
        self.device_flow = DeviceFlow(self.world, self._tokens, self._changed, lambda: self.root)

    # Life

    async def start(self) -> str:
        """Serve on a free port of loopback; return the root address."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._remember_loop()
        self.world.root = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._server = web.AppRunner(self._application(), access_log=None, shutdown_timeout=1)
        await self._server.setup()
        await web.SockSite(self._server, listener).start()
        return self.root

    async def stop(self) -> None:
        """Stop serving and whatever runs; the repositories stay on disk."""
        await self.hub.stop()
        if self._server is not None:
            await self._server.cleanup()

    def _application(self) -> web.Application:
        faulty = self._faults.middleware("github", secondary(429, 0).body)
        app = web.Application(middlewares=[faulty], client_max_size=LARGEST_PUSH)
        for operation in OPERATIONS:
            for path in {operation.path, operation.path.replace(_BY_NAME, _BY_ID, 1)}:
                app.router.add_route(
                    operation.method, API + _pattern(path), self._serving(operation)
                )
        app.router.add_routes(self.device_flow.routes(API))
        app.router.add_get("/.well-known/openid-configuration", self._oidc_configuration)
        app.router.add_get("/.well-known/jwks", self._oidc_keys)
        app.router.add_route("*", f"{API}/{{rest:.*}}", self._unknown)
        app.router.add_get("/_downloads/{token}", self._download)
        app.router.add_routes(GitHttp(self.world, self._tokens, self._pushed).routes())
        return app

    # What tests and the page use

    @property
    def root(self) -> str:
        """The address of the server."""
        return self.world.root

    @property
    def base_url(self) -> str:
        """The address to give to an API client."""
        return self.root + API

    @property
    def oidc_issuer(self) -> str:
        """The issuer in OIDC tokens; its discovery document is at the usual place below."""
        return self.root

    @property
    def app_private_key_pem(self) -> str:
        """The App's private key."""
        return self._vault.app_private_key_pem

    @property
    def repos(self) -> dict[str, Repository]:
        """Every repository by its name."""
        return self.world.repos

    def installation_token(self) -> str:
        """Return an installation token with all that is granted, as the App would get one."""
        granted = dict(self.world.installation_permissions)
        return self._tokens.for_installation(granted, None)[0]

    def user_token(self, login: str) -> str:
        """Return a token the App holds for a person who linked their account."""
        return self._tokens.for_user(login)

    def personal_token(self, login: str) -> str:
        """Return a person's own token, which the App's permissions don't limit."""
        return self._tokens.for_user(login, "personal")

    def clone_url(self, repo: str, login: str) -> str:
        """Return an address with which a person clones and pushes."""
        name = repo.rpartition("/")[2]
        host = self.root.removeprefix("http://")
        token = self.personal_token(login)
        return f"http://{login}:{token}@{host}/{self.world.organisation.login}/{name}.git"

    def mint_oidc_token(
        self, repo: str, environment: str | None, audience: str, claims: Json | None = None
    ) -> str:
        """Return the token that a job of a repository in an environment gets; `claims` are its."""
        wanted = (repo, environment, audience)
        return oidc.mint(self.world, self._vault, self.oidc_issuer, wanted, claims)

    def secret_value(self, repo: str, environment: str, name: str) -> str:
        """Return a secret, opened."""
        found = self.repos[repo].environment(environment)
        if found is None:
            raise LookupError(f"{repo} has no environment {environment}")
        return found.secrets[name.upper()].value.decode()

    def commits(self, repo: str, branch: str = "main") -> list[world_view.CommitView]:
        """Return a branch's commits, newest first; none if it doesn't exist."""
        return world_view.commits(GitStore(self.repos[repo].path), branch)

    def files(self, repo: str, ref: str = "main") -> dict[str, bytes]:
        """Return every file at a branch, tag or commit; none if it doesn't exist."""
        return world_view.files(GitStore(self.repos[repo].path), ref)

    def snapshot(self) -> dict[str, object]:
        """Return the world as plain JSON, without any secret's value."""
        return world_view.snapshot(self.world, self.root)

    # Serving

    def _serving(self, operation: Operation) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def serve(request: web.Request) -> web.Response:
            caller = ""
            try:
                actor = self._tokens.actor(_token(request))
                caller = self._admit(actor, operation)
                answer = await self._answer(operation, request, actor)
            except Refusal as refusal:
                answer = Answer(refusal.status, refusal.body, refusal.headers)
            except UnicodeEncodeError:  # half of a surrogate pair, which no text can hold
                answer = Answer(400, Refusal(400, "Problems parsing JSON").body)
            return self._response(operation, request, answer, caller)

        return serve

    def _admit(self, actor: Actor, operation: Operation) -> str:
        """Count the call against its caller's limits; the App's own and `/rate_limit` are free."""
        if actor.kind == "app" or operation.path == "/rate_limit":
            return ""
        self._limits.admit(actor.budget, operation.method)
        return actor.budget

    async def _answer(self, operation: Operation, request: web.Request, actor: Actor) -> Answer:
        body = await self._body(operation, request)
        call = self._call(operation, request, actor, body)
        check(self.world, actor, operation.needs, call.found_repo)
        self._refuse_archived(operation, call)
        problem = self._request_problem(operation, body)
        if problem:
            raise Refusal(422, f"Invalid request.\n\n{problem}")
        answer = await operation.endpoint(call)
        if operation.method != "GET":
            self._changed()
        return answer

    async def _body(self, operation: Operation, request: web.Request) -> object:
        raw = await request.read()
        if not raw or operation.method == "GET":
            return None
        try:
            return cast("object", json.loads(raw))
        except ValueError:
            raise Refusal(400, "Problems parsing JSON") from None

    def _request_problem(self, operation: Operation, body: object) -> str | None:
        if body is None and operation.method not in ("POST", "PATCH"):
            return None
        given = {} if body is None else body
        problem = self.description.request_problem(operation.method, operation.path, given)
        if problem:
            self.violations.append(f"request {operation.method} {operation.path} {problem}")
        return problem

    def _call(self, operation: Operation, request: web.Request, actor: Actor, body: object) -> Call:
        params = dict(request.match_info)
        self._refuse_other_owner(params, actor)
        query = dict(request.query)
        if "repository+json" in request.headers.get("Accept", ""):
            query["accept"] = request.headers["Accept"]
        call = Call(
            self.world,
            self._vault,
            self._tokens,
            self._limits,
            self.hub,
            actor,
            params,
            query,
            cast("Json", body) if isinstance(body, dict) else {},
            f"{self.root}{request.path}",
            self.root,
        )
        if "repository_id" in params:
            names = {str(repo.id): repo.name for repo in self.repos.values()}
            params["repo"] = names.get(params["repository_id"], "")
        if "repo" in params:
            call.found_repo = self._visible(operation, params["repo"], actor)
        return call

    def _refuse_other_owner(self, params: dict[str, str], actor: Actor) -> None:
        for name in ("org", "owner"):
            if params.get(name, "").lower() not in ("", self.world.organisation.login.lower()):
                raise not_found()
        if "org" in params and actor.kind == "anonymous":
            raise Refusal(401, "Requires authentication")

    def _visible(self, operation: Operation, name: str, actor: Actor) -> Repository:
        repo = self.world.find_repo(name)
        if repo is None or not may_see(self.world, actor, repo):
            raise not_found()
        if name.lower() != repo.name.lower() and operation.method == "GET":
            url = f"{payloads.api(self.root)}/repositories/{repo.id}"
            raise Refusal(301, "Moved Permanently", headers={"Location": url})
        return repo

    def _refuse_archived(self, operation: Operation, call: Call) -> None:
        writes = operation.method != "GET" and not operation.when_archived
        if writes and call.found_repo is not None and call.found_repo.archived:
            raise Refusal(403, "Repository was archived so is read-only.")

    def _response(
        self, operation: Operation, request: web.Request, answer: Answer, caller: str
    ) -> web.Response:
        problem = self.description.answer_problem(
            operation.method, operation.path, answer.status, answer.body
        )
        if problem:
            where = f"answer {operation.method} {operation.path} {answer.status} {problem}"
            self.violations.append(where)
            answer = Answer(500, {"message": f"AssertionError: {where}"})
        headers = dict(answer.headers)
        content = b"" if answer.body is None else json.dumps(answer.body).encode()
        if operation.method == "GET" and answer.status == 200:
            headers["ETag"] = f'W/"{hashlib.sha256(content).hexdigest()}"'
            if request.headers.get("If-None-Match") == headers["ETag"]:
                self._limits.give_back(caller)
                answer, content = Answer(304), b""
        if caller:
            headers |= self._limits.headers(caller)
        kind = "application/json" if content else None
        return web.Response(
            body=content, status=answer.status, headers=headers, content_type=kind or "text/plain"
        )

    def _changed(self) -> None:
        if self.on_change is not None:
            self.on_change()

    def _pushed(self, repo: Repository, actor: Actor, changes: list[RefChange]) -> None:
        for change in changes:
            self.hub.pushed(repo, change, actor)
        self._changed()

    async def _download(self, request: web.Request) -> web.Response:
        found = self.hub.download(request.match_info["token"])
        if found is None:
            return web.Response(status=403, text="The address has expired.")
        return web.Response(body=found.content, content_type=found.kind)

    async def _unknown(self, request: web.Request) -> web.Response:
        self.unknown_calls.append(f"{request.method} {request.path}")
        return web.json_response(not_found().body, status=404)

    async def _oidc_configuration(self, _: web.Request) -> web.Response:
        return web.json_response(oidc.configuration(self.oidc_issuer))

    async def _oidc_keys(self, _: web.Request) -> web.Response:
        return web.json_response(oidc.keys(self._vault))


def _token(request: web.Request) -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() in ("bearer", "token") else ""


def _pattern(path: str) -> str:
    """Translate an OpenAPI path into aiohttp's, where some parameters span slashes."""
    path = path.replace("/{path}", "{path:(?:/.*)?}")
    return re.sub(r"\{(\w+)\}", lambda m: _parameter(m[1]), path)


def _parameter(name: str) -> str:
    if name in _SPANNING:
        return f"{{{name}:.+}}"
    numeric = name.endswith(("_id", "_number")) and name != "workflow_id"
    return f"{{{name}:\\d+}}" if numeric else f"{{{name}}}"
