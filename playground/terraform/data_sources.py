"""What is only looked up: teams, people, the organisation; groups, catalogs, the metastore."""

import re
from collections.abc import Callable

from playground.terraform.databricks_principals import find_group, scim
from playground.terraform.resource import given
from playground.terraform.values import Attributes
from playground.terraform.vendor import Api, Json, VendorError

DataSource = Callable[[Api, Attributes], Attributes]

_PEOPLE = (
    "avatar_url", "bio", "blog", "company", "created_at", "email", "followers", "following",
    "gravatar_id", "location", "login", "name", "node_id", "public_gists", "public_repos",
    "site_admin", "updated_at",
)  # fmt: skip
_ORGANISATION = (
    "default_repository_permission", "description", "login", "members_can_create_repositories",
    "members_can_create_private_repositories", "members_can_create_public_repositories",
    "name", "node_id", "two_factor_requirement_enabled", "web_commit_signoff_required",
)  # fmt: skip


def github_user(api: Api, config: Attributes) -> Attributes:
    """Return a person; their id is a number written as a string."""
    answer = api.call("GET", api.path("/users/{username}", config))
    return {**given(answer, _PEOPLE), "id": str(answer["id"])}


def github_team(api: Api, config: Attributes) -> Attributes:
    """Return a team; its members too, unless only the summary is asked for."""
    where = api.path("/orgs/{owner}/teams/{slug}", config)
    answer = api.call("GET", where)
    names = ("name", "description", "node_id", "permission", "privacy")
    facts: Attributes = {**given(answer, names), "id": str(answer["id"])}
    if not config.get("summary_only"):
        people = api.call("GET", f"{where}/members", query={"per_page": "100"})
        repositories = api.call("GET", f"{where}/repos", query={"per_page": "100"})
        facts["members"] = [each["login"] for each in people]
        facts["repositories"] = [each["name"] for each in repositories]
    return facts


def github_organization(api: Api, config: Attributes) -> Attributes:
    """Return the organisation; `login` is how it is written, `orgname` only echoes."""
    if not config.get("summary_only"):
        raise VendorError("set summary_only: else every member and repository would be listed")
    answer = api.call("GET", api.path("/orgs/{name}", config))
    facts: Attributes = {**given(answer, _ORGANISATION), "id": str(answer["id"])}
    return {**facts, "orgname": config["name"], "plan": (answer.get("plan") or {}).get("name", "")}


def github_repository(api: Api, config: Attributes) -> Attributes:
    """Return a repository of the owner, by name or by full name."""
    full = config.get("full_name")
    where = f"/repos/{full}" if full else api.path("/repos/{owner}/{name}", config)
    answer = api.call("GET", where)
    texts = ("name", "full_name", "description", "html_url", "node_id", "visibility")
    others = ("private", "default_branch", "archived")
    return {**given(answer, (*texts, *others)), "id": answer["name"], "repo_id": answer["id"]}


def databricks_group(api: Api, config: Attributes) -> Attributes:
    """Return a group with its members; lists of groups no longer tell members."""
    answer = api.call(
        "GET", scim(api, "Groups", find_group(api, str(config["display_name"]))["id"])
    )
    members = answer.get("members", [])
    return {
        "id": str(answer["id"]),
        "external_id": answer.get("externalId", ""),
        "acl_principal_id": f"groups/{config['display_name']}",
        "members": sorted(each["value"] for each in members),
        "users": _members(members, "Users/"),
        "child_groups": _members(members, "Groups/"),
        "service_principals": _members(members, "ServicePrincipals/"),
        "groups": sorted(each["value"] for each in answer.get("groups", [])),
        "instance_profiles": [],
        "recursive": True if config.get("recursive") is None else config["recursive"],
    }


def _members(members: list[Json], kind: str) -> list[str]:
    return sorted(each["value"] for each in members if str(each.get("$ref", "")).startswith(kind))


def databricks_user(api: Api, config: Attributes) -> Attributes:
    """Return a person of the account or workspace, by user name or id."""
    if config.get("user_id"):
        return _user(api.call("GET", scim(api, "Users", config["user_id"])))
    query = {"filter": f'userName eq "{config.get("user_name")}"'}
    found = api.call("GET", scim(api, "Users"), query=query).get("Resources", [])
    if not found:
        raise VendorError(f"cannot find user {config.get('user_name')}")
    return _user(found[0])


def _user(answer: Json) -> Attributes:
    name = answer["userName"]
    return {
        "id": str(answer["id"]),
        "user_name": name,
        "display_name": answer.get("displayName", ""),
        "acl_principal_id": f"users/{name}",
        "active": answer.get("active", True),
        "external_id": answer.get("externalId", ""),
        "home": f"/Users/{name}",
        "repos": f"/Repos/{name}",
    }


def databricks_current_user(api: Api, _config: Attributes) -> Attributes:
    """Return who is logged in at a workspace."""
    answer = api.call("GET", "/api/2.0/preview/scim/v2/Me")
    name = str(answer["userName"])
    kind = "users" if "@" in name else "servicePrincipals"
    return {
        "id": str(answer["id"]),
        "user_name": name,
        "external_id": answer.get("externalId", ""),
        "home": f"/Users/{name}",
        "repos": f"/Repos/{name}",
        "alphanumeric": re.sub(r"[^A-Za-z0-9]", "_", name.partition("@")[0]).lower(),
        "acl_principal_id": f"{kind}/{name}",
        "workspace_url": api.root,
    }


def databricks_service_principal(api: Api, config: Attributes) -> Attributes:
    """Return the only service principal of a name or application id."""
    chosen = "applicationId" if config.get("application_id") else "displayName"
    value = config.get("application_id") or config.get("display_name")
    query = {"filter": f'{chosen} eq "{value}"'}
    found = api.call("GET", scim(api, "ServicePrincipals"), query=query).get("Resources", [])
    if len(found) != 1:
        raise VendorError(f"there are {len(found)} service principals with {chosen} {value}")
    answer = found[0]
    return {
        "id": str(answer["id"]),
        "sp_id": str(answer["id"]),
        "application_id": answer["applicationId"],
        "display_name": answer.get("displayName"),
        "external_id": answer.get("externalId", ""),
        "acl_principal_id": f"servicePrincipals/{answer['applicationId']}",
        "active": answer.get("active", True),
    }


def databricks_catalog(api: Api, config: Attributes) -> Attributes:
    """Return a catalog that exists."""
    answer = api.call("GET", api.path("/api/2.1/unity-catalog/catalogs/{name}", config))
    return {"id": answer["name"], "catalog_info": [answer]}


def databricks_current_metastore(api: Api, _config: Attributes) -> Attributes:
    """Return the metastore of the workspace, or `no_metastore`."""
    try:
        answer = api.call("GET", "/api/2.1/unity-catalog/metastore_summary")
    except VendorError as error:
        if "No metastore assigned" in str(error):
            return {"id": "no_metastore"}
        raise
    return {"id": answer["metastore_id"], "metastore_info": [answer]}


DATA_SOURCES: dict[str, DataSource] = {
    "databricks_catalog": databricks_catalog,
    "databricks_current_metastore": databricks_current_metastore,
    "databricks_current_user": databricks_current_user,
    "databricks_group": databricks_group,
    "databricks_service_principal": databricks_service_principal,
    "databricks_user": databricks_user,
    "github_organization": github_organization,
    "github_repository": github_repository,
    "github_team": github_team,
    "github_user": github_user,
}
