"""The Web API's front door: wire formats, tokens, scopes, rate limits, and the log of calls."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web

from playground.slack.entities import Channel, Json, Refused
from playground.slack.methods import FACTS
from playground.slack.rate_limits import RATE_LIMITED, RateLimits
from playground.slack.workspace import Workspace

TRUE = {"1", "true", "True", "t"}


class Arguments:
    """What a caller passed, whether as query, form or JSON (where all values are text or not)."""

    def __init__(self, given: Json) -> None:
        self.given = {name: value for name, value in given.items() if value is not None}

    def __contains__(self, name: str) -> bool:
        return name in self.given

    def text(self, name: str) -> str:
        """Return an argument as text, or an empty string."""
        value = self.given.get(name, "")
        return value if isinstance(value, str) else str(value)

    def need(self, name: str) -> str:
        """Return an argument as text, or refuse its absence."""
        if not self.text(name):
            message = f"[ERROR] missing required field: {name}"
            raise Refused("invalid_arguments", response_metadata={"messages": [message]})
        return self.text(name)

    def flag(self, name: str) -> bool:
        """Return an argument as true or false."""
        return self.text(name) in TRUE

    def number(self, name: str, otherwise: int) -> int:
        """Return an argument as a whole number, or refuse it."""
        try:
            return int(self.text(name) or otherwise)
        except ValueError:
            raise Refused(f"invalid_{name}") from None

    def data(self, name: str, error: str = "invalid_json") -> Any:
        """Return an argument that is JSON, perhaps as text within a form; None if it is absent."""
        value = self.given.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise Refused(error) from None


@dataclass(frozen=True)
class Call:
    """One call of the Web API; `error` is empty when it went well."""

    method: str
    at: datetime
    caller: str
    error: str = ""


@dataclass
class Tokens:
    """The tokens that Slack would have issued when the app was installed."""

    bot: str
    app: str


@dataclass
class Api:
    """What the methods work on."""

    workspace: Workspace
    limits: RateLimits
    tokens: Tokens
    scopes: set[str]
    open_socket: Callable[[], str] | None = None
    """Makes a Socket Mode URL; None when the app uses HTTP."""
    calls: list[Call] = field(default_factory=list)

    def writable(self, channel_id: str) -> Channel:
        """Return a channel in which the app may post, or refuse."""
        place = self.visible(channel_id)
        if place.archived:
            raise Refused("is_archived")
        public = place.kind == "public" and "chat:write.public" in self.scopes
        if not self.workspace.bot_is_in(place) and not public:
            raise Refused("not_in_channel")
        return place

    def visible(self, channel_id: str) -> Channel:
        """Return a channel of which the app may know (by id or #name), or refuse."""
        workspace = self.workspace
        named = {f"#{one.name}": one.id for one in workspace.channels.values() if one.name}
        place = workspace.channel(named.get(channel_id, channel_id))
        if place.kind == "private" and not workspace.bot_is_in(place):
            raise Refused("channel_not_found")
        return place

    def need_scope(self, *any_of: str) -> None:
        """Refuse unless the app has one of these scopes."""
        if any_of and not self.scopes.intersection(any_of):
            provided = ",".join(sorted(self.scopes))
            raise Refused("missing_scope", needed=any_of[0], provided=provided)


Handler = Callable[[Api, Arguments], Json]


class RateLimited(Exception):  # noqa: N818 - not a defect
    """The caller must wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class WebApi:
    """Answers `/api/<method>`."""

    def __init__(self, api: Api, handlers: dict[str, Handler]) -> None:
        self.api = api
        self._handlers = handlers

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one call as Slack does: 200 with `ok`, or 429."""
        method = request.match_info["method"]
        headers = {"x-oauth-scopes": ",".join(sorted(self.api.scopes))}
        status, error, caller = 200, "", "nobody"
        try:
            arguments = Arguments(await _arguments(request))
            caller = self._caller(request, arguments)
            body = {"ok": True, **self._call(method, caller, arguments)}
        except Refused as refusal:
            error = refusal.code
            body = {"ok": False, "error": error, **refusal.details}
        except RateLimited as limited:
            status, body = 429, {**RATE_LIMITED}
            error = "ratelimited"
            headers["Retry-After"] = str(limited.seconds)
        if caller != "bot":
            del headers["x-oauth-scopes"]
        self.api.calls.append(Call(method, self.api.workspace.clock.now(), caller, error))
        return web.json_response(body, status=status, headers=headers)

    def _call(self, method: str, caller: str, arguments: Arguments) -> Json:
        facts = FACTS.get(method)
        if facts is None:
            raise Refused("unknown_method", req_method=method)
        if caller != ("app" if facts.app_token else "bot"):
            raise Refused("not_allowed_token_type")
        if seconds := self.api.limits.wait(method, arguments.text("channel")):
            raise RateLimited(seconds)
        self.api.need_scope(*facts.scopes)
        return self._handlers[method](self.api, arguments)

    def _caller(self, request: web.Request, arguments: Arguments) -> str:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        token = given if scheme == "Bearer" else arguments.text("token")
        if not token:
            raise Refused("not_authed")
        callers = {self.api.tokens.bot: "bot", self.api.tokens.app: "app"}
        if token not in callers:
            raise Refused("invalid_auth")
        return callers[token]


async def _arguments(request: web.Request) -> Json:
    given: Json = dict(request.query)
    if request.method == "GET":
        return given
    if request.content_type == "application/json":
        text = await request.text()
        try:
            body = json.loads(text) if text.strip() else {}
        except ValueError:
            raise Refused("invalid_json") from None
        if not isinstance(body, dict):
            raise Refused("json_not_object")
        return given | body
    form = await request.post()
    return given | {name: value for name, value in form.items() if isinstance(value, str)}
