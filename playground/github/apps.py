"""The App's own endpoints: who am I, where am I installed, give me a token; and the rate limit."""

from typing import cast

from playground.github import payloads, payloads_repo
from playground.github.auth import LEVELS
from playground.github.calls import Answer, Call, Operation, Refusal, not_found
from playground.github.world import INSTALLATION_ID, Json


async def app(call: Call) -> Answer:
    """Return the App."""
    return Answer(200, payloads.app(call.root, call.world))


async def installations(call: Call) -> Answer:
    """List where the App is installed."""
    return call.page([payloads.installation(call.root, call.world)])


async def installation(call: Call) -> Answer:
    """Return one installation, by its id or by what it is installed on."""
    _refuse_other(call)
    return Answer(200, payloads.installation(call.root, call.world))


def _refuse_other(call: Call) -> None:
    number = call.params.get("installation_id")
    if number is not None and int(number) != INSTALLATION_ID:
        raise not_found()


async def create_token(call: Call) -> Answer:
    """Give out a token for an hour, narrowed to permissions and repositories if asked."""
    _refuse_other(call)
    granted = call.world.installation_permissions
    asked = cast("dict[str, str] | None", call.body.get("permissions")) or dict(granted)
    if any(_exceeds(level, granted.get(name)) for name, level in asked.items()):
        raise Refusal(422, "The permissions requested are not granted to this installation.")
    permissions = {"metadata": "read"} | asked
    chosen = _chosen_repositories(call)
    token, expires = call.tokens.for_installation(permissions, chosen)
    body: Json = {
        "token": token,
        "expires_at": payloads.stamp(expires),
        "permissions": permissions,
        "repository_selection": "all" if chosen is None else "selected",
    }
    return Answer(201, body | _reached(call, chosen))


def _reached(call: Call, chosen: frozenset[int] | None) -> Json:
    if chosen is None:
        return {}
    repos = [repo for repo in call.world.repos.values() if repo.id in chosen]
    shown = [payloads_repo.repository(call.root, call.world, repo, None) for repo in repos]
    return {"repositories": shown}


async def revoke_token(call: Call) -> Answer:
    """Take the calling installation token back."""
    if call.actor.kind != "installation":
        raise Refusal(403, "Resource not accessible by personal access token")
    call.tokens.revoke(call.actor)
    return Answer(204)


async def rate_limit(call: Call) -> Answer:
    """Tell the caller's hourly limit; asking is free."""
    core = call.limits.core(call.actor.budget)
    search = {"limit": 30, "used": 0, "remaining": 30, "reset": core["reset"]}
    return Answer(200, {"resources": {"core": core, "search": search}, "rate": core})


def _exceeds(asked: str, granted: str | None) -> bool:
    return granted is None or LEVELS.index(asked) > LEVELS.index(granted)


def _chosen_repositories(call: Call) -> frozenset[int] | None:
    names = cast("list[str] | None", call.body.get("repositories"))
    numbers = cast("list[int] | None", call.body.get("repository_ids"))
    if names is None and numbers is None:
        return None
    known = {repo.id for repo in call.world.repos.values()}
    found = [call.world.find_repo(name) for name in names or ()]
    chosen = {repo.id if repo else 0 for repo in found} | set(numbers or ())
    if not chosen <= known:
        raise Refusal(
            422,
            "There is at least one repository that does not exist or is not accessible to the "
            "parent installation.",
        )
    return frozenset(chosen)


async def repositories(call: Call) -> Answer:
    """List the repositories that the calling installation token reaches."""
    if call.actor.kind != "installation":
        raise Refusal(403, "You must authenticate with an installation access token.")
    chosen = call.actor.repository_ids
    seen = [repo for repo in call.world.repos.values() if chosen is None or repo.id in chosen]
    shown = [payloads_repo.repository(call.root, call.world, repo, None) for repo in seen]
    return call.page(shown, "repositories")


OPERATIONS = (
    Operation("GET", "/app", app, "app"),
    Operation("GET", "/app/installations", installations, "app"),
    Operation("GET", "/app/installations/{installation_id}", installation, "app"),
    Operation("GET", "/orgs/{org}/installation", installation, "app"),
    Operation("GET", "/repos/{owner}/{repo}/installation", installation, "app"),
    Operation("POST", "/app/installations/{installation_id}/access_tokens", create_token, "app"),
    Operation("GET", "/installation/repositories", repositories, "metadata:read"),
    Operation("DELETE", "/installation/token", revoke_token, ""),
    Operation("GET", "/rate_limit", rate_limit, ""),
)
