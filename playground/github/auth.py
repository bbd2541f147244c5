"""Who calls and what they may do: the App's JSON web token, installation and personal tokens.

Time: an App's JSON web token is stamped by the client's own clock (PyGithub takes the machine's),
so it may be valid by either the machine's clock or the stand-in's, which tests move. Installation
tokens expire by the stand-in's clock alone.
"""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, cast

import jwt
from jwt.types import Options

from playground.github.calls import Refusal, not_found
from playground.github.vault import Vault
from playground.github.world import (
    APP_CLIENT_ID,
    APP_ID,
    INSTALLATION_ID,
    ROLES,
    Repository,
    Role,
    World,
)
from provisioning.clock import SystemClock

TOKEN_LIFETIME = timedelta(hours=1)
JOB_TOKEN_LIFETIME = timedelta(hours=24)
LONGEST_JWT = timedelta(minutes=10)
LEVELS = ("read", "write", "admin")
ROLE_NEEDED: dict[str, tuple[Role, Role]] = {
    "administration": ("admin", "admin"),
    "contents": ("pull", "push"),
    "metadata": ("pull", "pull"),
    "actions": ("pull", "push"),
    "checks": ("pull", "push"),
    "deployments": ("pull", "pull"),
    "environments": ("push", "push"),
    "pull_requests": ("pull", "pull"),
    "secrets": ("push", "push"),
    "workflows": ("push", "push"),
    "repository_custom_properties": ("pull", "admin"),
    "vulnerability_alerts": ("push", "admin"),
}
"""App permission to the role a person needs to (read, write) the same."""

MEMBERS_READ = ("members", "organization_custom_properties")
"""App permissions of which every member of the organisation has the reading side."""

Kind = Literal["anonymous", "app", "installation", "job", "user", "personal"]


@dataclass
class Actor:
    """Whoever holds the token: the App itself, its installation, a workflow's job, or a person.

    "user" is a token the App got for a linked person (limited by the App's own permissions too),
    "personal" is that person's own, for git.
    """

    kind: Kind
    login: str = ""
    permissions: dict[str, str] = field(default_factory=dict)
    repository_ids: frozenset[int] | None = None
    expires_at: datetime | None = None

    @property
    def budget(self) -> str:
        """Whose rate limit the call counts against."""
        if self.kind == "installation":
            return f"installation ID {INSTALLATION_ID}"
        return f"user {self.login}" if self.login else self.kind


class Tokens:
    """The tokens that were given out, and what each is good for."""

    def __init__(self, world: World, vault: Vault) -> None:
        self._world = world
        self._vault = vault
        self._given: dict[str, Actor] = {}

    def for_user(
        self,
        login: str,
        kind: Literal["user", "personal"] = "user",
        lasts: timedelta | None = None,
    ) -> str:
        """Give out a person's token, for good or for a while."""
        user = self._world.find_user(login)
        if user is None:
            raise LookupError(f"nobody is called {login}")
        expires = self._world.now() + lasts if lasts else None
        actor = Actor(kind, user.login, expires_at=expires)
        return self._give({"user": "ghu_", "personal": "ghp_"}[kind], actor)

    def for_installation(
        self, permissions: dict[str, str], repository_ids: frozenset[int] | None
    ) -> tuple[str, datetime]:
        """Give out an installation token and say when it expires."""
        expires = self._world.now() + TOKEN_LIFETIME
        actor = Actor("installation", "", permissions, repository_ids, expires)
        return self._give("ghs_", actor), expires

    def for_job(self, repo: Repository, permissions: dict[str, str]) -> str:
        """Give out a job's own token: for one repository, with what its workflow asks for."""
        held = {"metadata": "read"} | permissions
        expires = self._world.now() + JOB_TOKEN_LIFETIME
        return self._give("ghs_", Actor("job", "", held, frozenset({repo.id}), expires))

    def revoke(self, actor: Actor) -> None:
        """Make an actor's tokens worthless."""
        self._given = {token: held for token, held in self._given.items() if held is not actor}

    def of_login(self, login: str) -> list[str]:
        """Return a person's tokens that were given out."""
        return [token for token, actor in self._given.items() if actor.login == login]

    def drop(self, token: str) -> None:
        """Make a token worthless, if it is one."""
        self._given.pop(token, None)

    def actor(self, token: str) -> Actor:
        """Return who a token stands for; refuse bad and expired ones."""
        if not token:
            return Actor("anonymous")
        if token.count(".") == 2:
            return self._app(token)
        actor = self._given.get(token)
        if actor is None or (actor.expires_at and actor.expires_at <= self._world.clock.now()):
            raise Refusal(401, "Bad credentials")
        return actor

    def _give(self, prefix: str, actor: Actor) -> str:
        token = prefix + secrets.token_urlsafe(27).replace("-", "A").replace("_", "B")
        self._given[token] = actor
        return token

    def _app(self, token: str) -> Actor:
        unread: Options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
        key = self._vault.app_key.public_key()
        try:
            claims = jwt.decode(token, key, algorithms=["RS256"], options=unread)
        except jwt.InvalidTokenError:
            raise Refusal(401, "A JSON web token could not be decoded") from None
        if str(claims.get("iss")) not in (str(APP_ID), APP_CLIENT_ID):
            raise Refusal(401, "Integration not found", documentation="")
        self._check_times(int(claims.get("iat", 0)), int(claims.get("exp", 0)))
        return Actor("app")

    def _check_times(self, issued: int, expires: int) -> None:
        start, end = (datetime.fromtimestamp(moment, UTC) for moment in (issued, expires))
        if end - start > LONGEST_JWT + timedelta(minutes=2):
            raise Refusal(401, "'Expiration time' claim ('exp') is too far in the future")
        clocks = (self._world.clock.now(), SystemClock().now())
        if all(end <= now for now in clocks):
            raise Refusal(
                401,
                "'Expiration time' claim ('exp') must be a numeric value representing the "
                "future time at which the assertion expires",
            )
        if all(start > now + timedelta(minutes=1) for now in clocks):
            raise Refusal(
                401,
                "'Issued at' claim ('iat') must be an Integer representing the time that the "
                "assertion was issued",
            )


def installation_level(world: World, actor: Actor, permission: str) -> str | None:
    """Return "read", "write", "admin" or None: the token's share of what is granted now."""
    granted = world.installation_permissions.get(permission)
    asked = actor.permissions.get(permission)
    if granted is None or asked is None:
        return None
    return min(granted, asked, key=LEVELS.index)


def may_see(world: World, actor: Actor, repo: Repository) -> bool:
    """Say whether the repository exists as far as this token is concerned."""
    if actor.kind in ("installation", "job"):
        return actor.repository_ids is None or repo.id in actor.repository_ids
    if actor.login:
        return world.role_of(actor.login, repo) is not None
    return actor.kind == "app" or repo.visibility == "public"


def check(world: World, actor: Actor, needs: str, repo: Repository | None) -> None:
    """Refuse a call whose token lacks what the operation needs."""
    if needs == "app":
        if actor.kind != "app":
            raise Refusal(401, "A JSON web token could not be decoded")
        return
    if actor.kind == "app":
        raise Refusal(401, "Bad credentials")
    if needs == "user" and not actor.login:
        raise Refusal(403, "Resource not accessible by integration")
    for need in needs.split(","):
        if ":" in need:
            permission, _, level = need.partition(":")
            _check_one(world, actor, permission, level, repo)


def _check_one(
    world: World, actor: Actor, permission: str, level: str, repo: Repository | None
) -> None:
    if actor.kind in ("installation", "job") and not _installation_has(
        world, actor, permission, level
    ):
        raise Refusal(403, "Resource not accessible by integration")
    if actor.kind == "user" and not _at_least(
        world.installation_permissions.get(permission), level
    ):
        raise Refusal(403, "Resource not accessible by integration")
    if actor.kind == "anonymous" and level != "read":
        raise Refusal(401, "Requires authentication")
    if actor.login:
        _check_person(world, actor.login, permission, level, repo)


def _installation_has(world: World, actor: Actor, permission: str, level: str) -> bool:
    if actor.kind == "job":
        return _at_least(actor.permissions.get(permission), level)
    return _at_least(installation_level(world, actor, permission), level)


def _at_least(held: str | None, level: str) -> bool:
    return held is not None and LEVELS.index(held) >= LEVELS.index(level)


def _check_person(
    world: World, login: str, permission: str, level: str, repo: Repository | None
) -> None:
    if permission not in ROLE_NEEDED or repo is None:
        _check_in_organisation(world, login, permission, level)
        return
    needed = ROLE_NEEDED[permission][level != "read"]
    role = cast("Role", world.role_of(login, repo))
    if ROLES.index(role) >= ROLES.index(needed):
        return
    if needed == "admin":
        raise Refusal(403, "Must have admin rights to Repository.")
    raise Refusal(403, "Resource not accessible by integration")


def _check_in_organisation(world: World, login: str, permission: str, level: str) -> None:
    organisation = world.organisation
    if permission == "metadata" or login in organisation.owners:
        return
    if login not in organisation.members:
        raise not_found()
    if level != "read" or permission not in MEMBERS_READ:
        raise Refusal(403, "You must be an organization owner to do that.")
