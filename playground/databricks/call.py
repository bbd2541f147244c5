"""One request as an endpoint sees it, and the table entry that leads there."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from playground.databricks.errors import invalid
from playground.databricks.state import Principal, Workspace, World

Json = dict[str, Any]


@dataclass
class Call:
    """An authenticated request; `workspace` is None at the account's host."""

    world: World
    caller: Principal
    now: datetime
    at: Workspace | None = None
    path: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    body: Json = field(default_factory=dict)
    content: bytes = b""

    @property
    def workspace(self) -> Workspace:
        """Return the workspace whose host was called; only for workspace endpoints."""
        if self.at is None:
            raise LookupError("this endpoint is served by workspaces only")
        return self.at

    @property
    def is_account_admin(self) -> bool:
        """Tell whether the caller administers the account."""
        return self.world.is_account_admin(self.caller)

    @property
    def is_workspace_admin(self) -> bool:
        """Tell whether the caller administers the workspace that was called."""
        return self.at is not None and self.world.level_in(self.at, self.caller) == "ADMIN"

    def text(self, name: str) -> str:
        """Return a required, non-empty string of the body."""
        value = self.body.get(name)
        if value is None or value == "":
            raise invalid(f"Missing required field: {name}")
        return self.optional_text(name)

    def optional_text(self, name: str) -> str:
        """Return a string of the body, empty if it is absent."""
        value = self.body.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise invalid(f"Invalid value for {name}: expected a string")
        return value

    def objects(self, name: str) -> list[Json]:
        """Return a list of objects of the body, empty if it is absent."""
        return objects(self.body, name)

    def flag(self, name: str) -> bool:
        """Tell whether a query parameter or a field of the body says true."""
        value: object = self.query.get(name, self.body.get(name))
        return str(value).lower() == "true"

    def asked(self, name: str) -> str:
        """Return a required query parameter."""
        if not self.query.get(name):
            raise invalid(f"Missing required field: {name}")
        return self.query[name]

    def page(self, size_name: str, default: int) -> tuple[int, int]:
        """Return (offset, size) of the page asked for; our page tokens are offsets."""
        token, size = self.query.get("page_token") or "0", self.query.get(size_name) or "0"
        if not token.isdecimal() or not size.isdecimal():
            raise invalid(f"Invalid page_token or {size_name}")
        return int(token), min(int(size) or default, default)

    def paged(self, key: str, items: list[Json], size_name: str, default: int) -> Json:
        """Return one page of `items` under `key`, with the token of the next."""
        offset, size = self.page(size_name, default)
        end = offset + size
        return {key: items[offset:end]} | (
            {"next_page_token": str(end)} if end < len(items) else {}
        )


@dataclass(frozen=True)
class Route:
    """One endpoint: where it is served, who may call it and in which format it refuses.

    `who` "anyone" leaves the decision to `act`; a workspace lets in only its own people anyway.
    A `raw` body is no JSON: it arrives as the call's `content`.
    """

    method: str
    path: str
    act: Callable[[Call], Json | bytes | None]
    who: Literal["account admin", "workspace admin", "anyone"]
    host: Literal["account", "workspace"]
    style: Literal["api", "scim"] = "api"
    status: int = 200
    raw: bool = False


def objects(body: Json, name: str) -> list[Json]:
    """Return the list of objects under `name`, empty if it is absent; refuse anything else."""
    found = body.get(name) or []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise invalid(f"Invalid value for {name}: expected a list of objects")
    return found


def strings(body: Json, name: str) -> list[str]:
    """Return the list of strings under `name`, empty if it is absent; refuse anything else."""
    found = body.get(name) or []
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise invalid(f"Invalid value for {name}: expected a list of strings")
    return found


def millis(moment: datetime) -> int:
    """Return a moment as milliseconds since 1970, as the API writes most times."""
    return int(moment.timestamp() * 1000)


def stamp(moment: datetime) -> str:
    """Return a moment in RFC 3339, as the newer APIs write it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
