"""Teams: who is in them and what they may do in repositories, by slug and by numeric id."""

from playground.github import payloads, payloads_repo
from playground.github.calls import Answer, Call, Operation, invalid, not_found
from playground.github.orgs import known_user
from playground.github.world import ROLES, Repository, Role, Team

REPOSITORY_MEDIA_TYPE = "application/vnd.github.v3.repository+json"


def _team(call: Call) -> Team:
    if "team_id" in call.params:
        team = call.world.team_by_id(int(call.params["team_id"]))
    else:
        team = call.world.teams.get(call.params["team_slug"].lower())
    if team is None:
        raise not_found()
    return team


async def every(call: Call) -> Answer:
    """List all teams."""
    teams = sorted(call.world.teams.values(), key=lambda team: team.slug)
    return call.page([payloads.team_short(call.root, team, call.org) for team in teams])


async def one(call: Call) -> Answer:
    """Return one team."""
    return Answer(200, payloads.team_full(call.root, call.world, _team(call)))


async def members(call: Call) -> Answer:
    """List a team's members."""
    team = _team(call)
    users = [user for user in call.world.users.values() if user.login in team.members]
    return call.page([payloads.simple_user(call.root, user) for user in users])


async def membership(call: Call) -> Answer:
    """Return somebody's membership of a team."""
    team, user = _team(call), known_user(call)
    if user.login not in team.members:
        raise not_found()
    url = f"{payloads.api(call.root)}/teams/{team.id}/memberships/{user.login}"
    role = "maintainer" if user.login in call.org.owners else "member"
    return Answer(200, {"url": url, "role": role, "state": "active"})


def _granted(call: Call, repo: Repository, role: Role) -> object:
    body = payloads_repo.full_repository(call.root, call.world, repo, role)
    return body | {"role_name": _role_name(role)}


def _role_name(role: Role) -> str:
    return {"pull": "read", "push": "write"}.get(role, role)


async def repositories(call: Call) -> Answer:
    """List what a team has access to."""
    granted = _team(call).repositories
    repos = [repo for repo in call.world.repos.values() if repo.id in granted]
    return call.page([_granted(call, repo, granted[repo.id]) for repo in repos])


async def repository(call: Call) -> Answer:
    """Say by 204 or 404 whether a team has access; with the media type, return what access."""
    role = _team(call).repositories.get(call.repo.id)
    if role is None:
        raise not_found()
    if call.query.get("accept") == REPOSITORY_MEDIA_TYPE:
        return Answer(200, _granted(call, call.repo, role))
    return Answer(204)


async def grant(call: Call) -> Answer:
    """Give a team a role in a repository, or change it."""
    team, role = _team(call), call.text("permission", "pull")
    if role not in ROLES:
        raise invalid("TeamMember", "permission", "invalid")
    team.repositories[call.repo.id] = role
    return Answer(204)


async def revoke(call: Call) -> Answer:
    """Take a team's role in a repository away."""
    _team(call).repositories.pop(call.repo.id, None)
    return Answer(204)


async def of_repository(call: Call) -> Answer:
    """List the teams that have access to a repository."""
    teams = [team for team in call.world.teams.values() if call.repo.id in team.repositories]
    shown = []
    for team in sorted(teams, key=lambda team: team.slug):
        role = team.repositories[call.repo.id]
        access = {"permission": role, "permissions": payloads.permissions(role)}
        shown.append(payloads.team_short(call.root, team, call.org) | access)
    return call.page(shown)


def _both(path: str) -> tuple[str, str]:
    """GitHub has every team endpoint twice; PyGithub follows the older, numeric one."""
    return "/orgs/{org}/teams/{team_slug}" + path, "/teams/{team_id}" + path


OPERATIONS = (
    Operation("GET", "/orgs/{org}/teams", every, "members:read"),
    *(Operation("GET", p, one, "members:read") for p in _both("")),
    *(Operation("GET", p, members, "members:read") for p in _both("/members")),
    *(Operation("GET", p, membership, "members:read") for p in _both("/memberships/{username}")),
    *(Operation("GET", p, repositories, "members:read") for p in _both("/repos")),
    *(
        Operation("GET", p, repository, "members:read,metadata:read")
        for p in _both("/repos/{owner}/{repo}")
    ),
    *(
        Operation("PUT", p, grant, "members:read,administration:write")
        for p in _both("/repos/{owner}/{repo}")
    ),
    *(
        Operation("DELETE", p, revoke, "members:read,administration:write", when_archived=True)
        for p in _both("/repos/{owner}/{repo}")
    ),
    Operation("GET", "/repos/{owner}/{repo}/teams", of_repository, "administration:read"),
)
