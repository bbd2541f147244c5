"""People, teams, the organisation and the App in GitHub's own JSON."""

import base64
from datetime import datetime

from playground.github.world import (
    APP_CLIENT_ID,
    APP_ID,
    APP_SLUG,
    INSTALLATION_ID,
    ROLES,
    Json,
    Organisation,
    Role,
    Team,
    User,
    World,
)

INSTALLED_EVENTS = [
    "deployment_protection_rule",
    "deployment_review",
    "deployment_status",
    "pull_request",
    "push",
    "workflow_job",
    "workflow_run",
]


def stamp(moment: datetime) -> str:
    """Write a moment as GitHub does."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def node_id(kind: str, number: int | str) -> str:
    """Return an opaque GraphQL id."""
    return base64.b64encode(f"{kind}:{number}".encode()).decode()


def api(root: str) -> str:
    """Return the address of the REST API."""
    return f"{root}/api/v3"


def account(root: str, login: str, number: int, kind: str = "User") -> Json:
    """Return `simple-user` of a person, an organisation or an App's bot."""
    url = f"{api(root)}/users/{login}"
    return {
        "login": login,
        "id": number,
        "node_id": node_id(kind, number),
        "avatar_url": f"{root}/avatars/u/{number}",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{root}/{login}",
        "followers_url": f"{url}/followers",
        "following_url": f"{url}/following{{/other_user}}",
        "gists_url": f"{url}/gists{{/gist_id}}",
        "starred_url": f"{url}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{url}/subscriptions",
        "organizations_url": f"{url}/orgs",
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events{{/privacy}}",
        "received_events_url": f"{url}/received_events",
        "type": kind,
        "site_admin": False,
    }


def simple_user(root: str, user: User) -> Json:
    """Return `simple-user` of a person."""
    return account(root, user.login, user.id)


def public_user(root: str, user: User, since: datetime) -> Json:
    """Return `public-user`: a person's profile."""
    profile = simple_user(root, user) | {"name": user.name, "email": user.email}
    nothing = dict.fromkeys(("company", "blog", "location", "hireable", "bio"))
    counts = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
    return profile | nothing | counts | {"created_at": stamp(since), "updated_at": stamp(since)}


def private_user(root: str, user: User, since: datetime) -> Json:
    """Return `private-user`: what only the person themselves may read."""
    counted = ("private_gists", "total_private_repos", "owned_private_repos", "disk_usage")
    counts = dict.fromkeys((*counted, "collaborators"), 0)
    return public_user(root, user, since) | counts | {"two_factor_authentication": True}


def organisation_account(root: str, org: Organisation) -> Json:
    """Return `simple-user` of the organisation."""
    return account(root, org.login, org.id, "Organization")


def organisation_simple(root: str, org: Organisation) -> Json:
    """Return `organization-simple`."""
    url = f"{api(root)}/orgs/{org.login}"
    return {
        "login": org.login,
        "id": org.id,
        "node_id": node_id("Organization", org.id),
        "url": url,
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events",
        "hooks_url": f"{url}/hooks",
        "issues_url": f"{url}/issues",
        "members_url": f"{url}/members{{/member}}",
        "public_members_url": f"{url}/public_members{{/member}}",
        "avatar_url": f"{root}/avatars/u/{org.id}",
        "description": None,
    }


def organisation_full(root: str, world: World, *, see_plan: bool) -> Json:
    """Return `organization-full`; the plan only for those who may see it."""
    org = world.organisation
    private = sum(repo.visibility != "public" for repo in world.repos.values())
    body = organisation_simple(root, org) | {
        "name": org.name,
        "html_url": f"{root}/{org.login}",
        "type": "Organization",
        "has_organization_projects": True,
        "has_repository_projects": True,
        "public_repos": len(world.repos) - private,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": stamp(org.created_at),
        "updated_at": stamp(org.created_at),
        "archived_at": None,
    }
    return body | _private_side(world, private) if see_plan else body


def _private_side(world: World, private: int) -> Json:
    org = world.organisation
    seats = {"filled_seats": len(org.members), "seats": 100}
    return {
        "total_private_repos": private,
        "owned_private_repos": private,
        "default_repository_permission": {"pull": "read"}.get(org.base_role or "", "none"),
        "members_can_create_repositories": False,
        "two_factor_requirement_enabled": True,
        "plan": {"name": org.plan, "space": 976562499, "private_repos": 999999} | seats,
    }


def permissions(role: Role | None) -> dict[str, bool]:
    """Return the five truth values that stand for a role."""
    rank = ROLES.index(role) if role else -1
    return {name: position <= rank for position, name in enumerate(ROLES)}


def team_short(root: str, team: Team, org: Organisation) -> Json:
    """Return `team`, as lists of teams show it."""
    url = f"{api(root)}/teams/{team.id}"
    return {
        "id": team.id,
        "node_id": node_id("Team", team.id),
        "name": team.name,
        "slug": team.slug,
        "description": None,
        "privacy": "closed",
        "notification_setting": "notifications_enabled",
        "permission": "pull",
        "url": url,
        "html_url": f"{root}/orgs/{org.login}/teams/{team.slug}",
        "members_url": f"{url}/members{{/member}}",
        "repositories_url": f"{url}/repos",
        "type": "organization",
        "organization_id": org.id,
        "parent": None,
    }


def team_full(root: str, world: World, team: Team) -> Json:
    """Return `team-full`, as one team alone is shown."""
    organisation = organisation_full(root, world, see_plan=False)
    return team_short(root, team, world.organisation) | {
        "members_count": len(team.members),
        "repos_count": len(team.repositories),
        "created_at": stamp(team.created_at),
        "updated_at": stamp(team.created_at),
        "organization": organisation,
    }


def app(root: str, world: World) -> Json:
    """Return `integration`: the App."""
    return {
        "id": APP_ID,
        "slug": APP_SLUG,
        "node_id": node_id("Integration", APP_ID),
        "client_id": APP_CLIENT_ID,
        "owner": organisation_account(root, world.organisation),
        "name": "SciCLOps bot",
        "description": None,
        "external_url": root,
        "html_url": f"{root}/apps/{APP_SLUG}",
        "created_at": stamp(world.organisation.created_at),
        "updated_at": stamp(world.organisation.created_at),
        "permissions": dict(world.installation_permissions),
        "events": INSTALLED_EVENTS,
        "installations_count": 1,
    }


def installation(root: str, world: World) -> Json:
    """Return `installation`: the App in the organisation."""
    org = world.organisation
    return {
        "id": INSTALLATION_ID,
        "client_id": APP_CLIENT_ID,
        "account": organisation_account(root, org),
        "repository_selection": "all",
        "access_tokens_url": f"{api(root)}/app/installations/{INSTALLATION_ID}/access_tokens",
        "repositories_url": f"{api(root)}/installation/repositories",
        "html_url": f"{root}/organizations/{org.login}/settings/installations/{INSTALLATION_ID}",
        "app_id": APP_ID,
        "app_slug": APP_SLUG,
        "target_id": org.id,
        "target_type": "Organization",
        "permissions": dict(world.installation_permissions),
        "events": INSTALLED_EVENTS,
        "created_at": stamp(org.created_at),
        "updated_at": stamp(org.created_at),
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": None,
        "suspended_at": None,
    }
