"""What a running job reaches on loopback beside GitHub itself: artifacts, OIDC tokens, packages.

Every job gets addresses and a request token of its own; they die with it.
"""

import secrets
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from aiohttp import web

from playground.actions.packages import PackageIndex
from playground.github.runs import Artifact, RunBook, WorkflowRun
from playground.github.world import Json, World

LARGEST_ARTIFACT = 256 * 1024 * 1024


class Office(Protocol):
    """What the runner needs of the stand-in GitHub."""

    @property
    def world(self) -> World:
        """What exists."""

    def job_token(self, repo: str, permissions: dict[str, str]) -> str:
        """Return a job's own token (`github.token`)."""

    def end_job_token(self, token: str) -> None:
        """Make a job's own token worthless."""

    def mint_oidc_token(
        self, repo: str, environment: str | None, audience: str, claims: Json | None = None
    ) -> str:
        """Return a signed token that says `claims` of a job."""


@dataclass
class Visitor:
    """A job while it runs; without `claims` it gets no OIDC tokens."""

    run: WorkflowRun
    environment: str
    claims: Json | None
    key: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    request_token: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)


class Doors:
    """One server for all jobs."""

    def __init__(self, office: Office, book: RunBook, directory: Path) -> None:
        self._office = office
        self._book = book
        self._packages = PackageIndex(directory)
        self._visitors: dict[str, Visitor] = {}
        self._server: web.AppRunner | None = None
        self.root = ""

    async def open(self) -> None:
        """Serve on a free port of loopback; a second call does nothing."""
        if self._server is not None:
            return
        app = web.Application(client_max_size=LARGEST_ARTIFACT)
        app.router.add_put("/{key}/artifacts/{run}/{attempt}/{name}", self._upload)
        app.router.add_get("/{key}/artifacts/{run}/{attempt}/{name}", self._download)
        app.router.add_get("/{key}/artifacts/{run}/{attempt}/", self._list)
        app.router.add_get("/{key}/token", self._token)
        app.router.add_routes(self._packages.routes())
        self._server = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.root = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            await self._server.setup()
            await web.SockSite(self._server, listener).start()
        except BaseException:  # who is stopped while it opens leaves nothing open
            listener.close()
            raise

    async def close(self) -> None:
        """Stop serving."""
        if self._server is not None:
            await self._server.cleanup()
            self._server = None

    def admit(self, visitor: Visitor) -> dict[str, str]:
        """Let a job in; return the variables with which its steps find the doors."""
        self._visitors[visitor.key] = visitor
        found = {
            "SCICLOPS_ARTIFACTS_URL": f"{self.root}/{visitor.key}/artifacts",
            "UV_DEFAULT_INDEX": f"{self.root}/simple/",
        }
        if visitor.claims is not None:
            found["ACTIONS_ID_TOKEN_REQUEST_URL"] = f"{self.root}/{visitor.key}/token?v=1"
            found["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = visitor.request_token
        return found

    def dismiss(self, visitor: Visitor) -> None:
        """Forget a job that is over."""
        self._visitors.pop(visitor.key, None)

    def _visitor(self, request: web.Request) -> Visitor:
        found = self._visitors.get(request.match_info["key"])
        if found is None:
            raise web.HTTPUnauthorized(text="The job is over.")
        run = request.match_info.get("run", str(found.run.id))
        if run != str(found.run.id):
            raise web.HTTPForbidden(text="A job reaches the artifacts of its own run only.")
        return found

    # Artifacts

    async def _upload(self, request: web.Request) -> web.Response:
        run, name = self._visitor(request).run, request.match_info["name"]
        if request.match_info["attempt"] != str(run.attempt):
            raise web.HTTPForbidden(text="A job adds artifacts to its own attempt only.")
        try:
            self._book.add_artifact(run, name, await request.read())
        except ValueError as problem:
            raise web.HTTPConflict(text=str(problem)) from problem
        return web.Response(status=201)

    async def _download(self, request: web.Request) -> web.Response:
        found = self._artifact(self._visitor(request).run, request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound(text="Artifact not found")
        return web.Response(body=found.content, content_type="application/zip")

    async def _list(self, request: web.Request) -> web.Response:
        names = {each.name for each in self._visitor(request).run.artifacts}
        return web.json_response(sorted(names))

    def _artifact(self, run: WorkflowRun, name: str) -> Artifact | None:
        """Return the newest of that name: a repeated job sees what earlier attempts made."""
        return next((each for each in reversed(run.artifacts) if each.name == name), None)

    # OIDC

    async def _token(self, request: web.Request) -> web.Response:
        visitor = self._visitor(request)
        if visitor.claims is None:
            raise web.HTTPForbidden(text="The job has no permission id-token: write.")
        given = request.headers.get("Authorization", "").partition(" ")
        right = given[2].encode(), visitor.request_token.encode()
        if given[0].lower() != "bearer" or not secrets.compare_digest(*right):
            raise web.HTTPUnauthorized(text="Bad request token")
        owner = self._office.world.organisation.login
        audience = request.query.get("audience") or f"https://github.com/{owner}"
        repo, environment = visitor.run.repo.name, visitor.environment or None
        value = self._office.mint_oidc_token(repo, environment, audience, visitor.claims)
        return web.json_response({"count": len(value), "value": value})
