"""One API call as an endpoint sees it, what it answers, and how an endpoint is declared."""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from playground.github.objects import GitStore
from playground.github.world import Json, Organisation, Repository, Role, World

if TYPE_CHECKING:
    from playground.github.auth import Actor, Tokens
    from playground.github.hub import Hub
    from playground.github.limits import RateLimits
    from playground.github.vault import Vault

DOCUMENTATION = "https://docs.github.com/rest"


class Refusal(Exception):  # noqa: N818 - the answer of a vendor that says no is not our error
    """GitHub's refusal: a status and its error body."""

    def __init__(
        self,
        status: int,
        message: str,
        errors: Sequence[Mapping[str, object] | str] = (),
        headers: Mapping[str, str] | None = None,
        documentation: str = DOCUMENTATION,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body: Json = {"message": message, "documentation_url": documentation}
        self.body["status"] = str(status)
        if errors:
            self.body["errors"] = list(errors)


def not_found() -> Refusal:
    """What GitHub says of what isn't there, and of what the token may not see."""
    return Refusal(404, "Not Found")


def invalid(resource: str, field_name: str, code: str, message: str | None = None) -> Refusal:
    """A 422 that names the field: `code` is custom, invalid, already_exists or missing_field."""
    error = {"resource": resource, "field": field_name, "code": code}
    if message:
        error["message"] = message
    return Refusal(422, "Validation Failed", [error])


@dataclass
class Answer:
    """What an endpoint gives back; `body` None means no content."""

    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)


Endpoint = Callable[["Call"], Awaitable[Answer]]


@dataclass(frozen=True)
class Operation:
    """An endpoint: its OpenAPI method and path, and what one must hold to use it.

    `needs` is "permission:level" of GitHub Apps (several: joined by a comma); "" means any token,
    "app" the App's own JSON web token, "user" a person's token. `when_archived` lets a write
    through on an archived repository.
    """

    method: str
    path: str
    endpoint: Endpoint
    needs: str
    when_archived: bool = False


@dataclass
class Call:
    """An authorised call: the world, who asks, and what the request says."""

    world: World
    vault: "Vault"
    tokens: "Tokens"
    limits: "RateLimits"
    hub: "Hub"
    actor: "Actor"
    params: Mapping[str, str]
    query: Mapping[str, str]
    body: Json
    url: str
    """The request's own address without its query."""
    root: str
    """The server's address; the API is below it at /api/v3."""
    found_repo: Repository | None = None

    @property
    def org(self) -> Organisation:
        """The organisation of the path (there is one)."""
        return self.world.organisation

    @property
    def repo(self) -> Repository:
        """The repository of the path, which the actor may see."""
        if self.found_repo is None:
            raise not_found()
        return self.found_repo

    @property
    def git(self) -> GitStore:
        """The git objects of the path's repository."""
        return GitStore(self.repo.path)

    def text(self, name: str, default: str = "") -> str:
        """Return a text of the body; the OpenAPI check has proved its type."""
        return cast("str", self.body.get(name, default))

    def flag(self, name: str, default: bool = False) -> bool:  # noqa: FBT001, FBT002 - dict.get
        """Return a truth value of the body; the OpenAPI check has proved its type."""
        return cast("bool", self.body.get(name, default))

    def role(self) -> Role | None:
        """Return what the caller may do in the repository, as a role."""
        if self.actor.kind not in ("installation", "job"):
            return self.world.role_of(self.actor.login, self.repo)
        held = self.world.installation_permissions
        if self.actor.kind == "job":
            held = self.actor.permissions
        if held.get("administration") == "write":
            return "admin"
        return "push" if held.get("contents") == "write" else "pull"

    def page(self, items: Sequence[object], key: str | None = None) -> Answer:
        """Return the asked page of a list with its Link header, bare or under `key`."""
        size = min(max(_whole(self.query.get("per_page"), 30), 1), 100)
        number = max(_whole(self.query.get("page"), 1), 1)
        last = max(math.ceil(len(items) / size), 1)
        shown = list(items[(number - 1) * size : number * size])
        body: object = {"total_count": len(items), key: shown} if key else shown
        link = self._links(number, last)
        return Answer(200, body, {"Link": link} if link else {})

    def _links(self, number: int, last: int) -> str:
        pages: dict[str, int] = {}
        if number > 1:
            pages |= {"prev": number - 1, "first": 1}
        if number < last:
            pages |= {"next": number + 1, "last": last}
        kept = "".join(f"{k}={v}&" for k, v in self.query.items() if k != "page")
        return ", ".join(f'<{self.url}?{kept}page={n}>; rel="{rel}"' for rel, n in pages.items())


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() else default
