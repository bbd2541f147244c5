"""Repositories, commits, branches and references in GitHub's own JSON."""

from datetime import UTC, datetime
from typing import cast

from playground.github import payloads
from playground.github.objects import Commit, GitStore
from playground.github.world import Json, Repository, Role, World

SETTINGS: Json = {
    "is_template": False,
    "has_issues": True,
    "has_projects": True,
    "has_wiki": True,
    "has_downloads": True,
    "has_discussions": False,
    "allow_rebase_merge": True,
    "allow_squash_merge": True,
    "allow_merge_commit": True,
    "allow_auto_merge": False,
    "allow_update_branch": False,
    "allow_forking": False,
    "delete_branch_on_merge": False,
    "web_commit_signoff_required": False,
    "squash_merge_commit_title": "COMMIT_OR_PR_TITLE",
    "squash_merge_commit_message": "COMMIT_MESSAGES",
    "merge_commit_title": "MERGE_MESSAGE",
    "merge_commit_message": "PR_TITLE",
}
"""What a repository is created with and a PATCH may change."""

_LINKS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}
_ZEROS = ("forks_count", "stargazers_count", "watchers_count", "open_issues_count", "forks")
_NONES = ("language", "license", "mirror_url")


def api_url(root: str, world: World, repo: Repository) -> str:
    """Return the repository's address in the REST API."""
    return f"{payloads.api(root)}/repos/{world.organisation.login}/{repo.name}"


def html_url(root: str, world: World, repo: Repository) -> str:
    """Return the address of the repository's page (and, plus `.git`, of its clone)."""
    return f"{root}/{world.organisation.login}/{repo.name}"


def repository(root: str, world: World, repo: Repository, role: Role | None) -> Json:
    """Return a repository as lists show it; `role` is the caller's own."""
    url, page = api_url(root, world, repo), html_url(root, world, repo)
    owner = payloads.organisation_account(root, world.organisation)
    body: Json = {
        "id": repo.id,
        "node_id": payloads.node_id("Repository", repo.id),
        "name": repo.name,
        "full_name": f"{world.organisation.login}/{repo.name}",
        "owner": owner,
        "private": repo.visibility != "public",
        "visibility": repo.visibility,
        "description": repo.description,
        "homepage": repo.homepage,
        "fork": False,
        "url": url,
        "html_url": page,
        "clone_url": f"{page}.git",
        "git_url": f"{page.replace('http', 'git', 1)}.git",
        "svn_url": page,
        "ssh_url": f"git@127.0.0.1:{world.organisation.login}/{repo.name}.git",
        "archived": repo.archived,
        "disabled": False,
        "default_branch": repo.default_branch,
        "topics": list(repo.topics),
        "has_pages": False,
        "size": 1,
        "open_issues": 0,
        "watchers": 0,
        "custom_properties": dict(repo.properties),
        "permissions": payloads.permissions(role),
        "pushed_at": payloads.stamp(repo.pushed_at),
        "created_at": payloads.stamp(repo.created_at),
        "updated_at": payloads.stamp(repo.updated_at),
    }
    body |= {name: url + suffix for name, suffix in _LINKS.items()}
    return body | dict.fromkeys(_ZEROS, 0) | dict.fromkeys(_NONES) | repo.settings


def full_repository(root: str, world: World, repo: Repository, role: Role | None) -> Json:
    """Return `full-repository`, as one repository alone is shown."""
    body = repository(root, world, repo, role)
    owner = payloads.organisation_account(root, world.organisation)
    return body | {"subscribers_count": 0, "network_count": 0, "organization": owner}


def person(line: str) -> Json:
    """Return name, e-mail and date of git's `name <email> seconds zone`."""
    who, seconds, _ = line.rsplit(" ", 2)
    name, _, email = who.partition(" <")
    date = payloads.stamp(datetime.fromtimestamp(int(seconds), UTC))
    return {"name": name, "email": email.rstrip(">"), "date": date}


def git_commit(url: str, page: str, commit: Commit) -> Json:
    """Return `git-commit`: a commit of the git data API (`url`, `page` are the repository's)."""
    return {
        "sha": commit.sha,
        "node_id": payloads.node_id("Commit", commit.sha),
        "url": f"{url}/git/commits/{commit.sha}",
        "html_url": f"{page}/commit/{commit.sha}",
        "author": person(commit.author),
        "committer": person(commit.committer),
        "message": commit.message,
        "tree": {"sha": commit.tree, "url": f"{url}/git/trees/{commit.tree}"},
        "parents": [
            {
                "sha": parent,
                "url": f"{url}/git/commits/{parent}",
                "html_url": f"{page}/commit/{parent}",
            }
            for parent in commit.parents
        ],
        "verification": {
            "verified": False,
            "reason": "unsigned",
            "signature": None,
            "payload": None,
            "verified_at": None,
        },
    }


def commit(root: str, world: World, repo: Repository, sha: str) -> Json:
    """Return `commit`: a commit of the repository API, with the accounts behind its e-mails."""
    url, page = api_url(root, world, repo), html_url(root, world, repo)
    inner = git_commit(url, page, GitStore(repo.path).commit(sha))
    parents = inner.pop("parents")
    outer = {key: inner.pop(key) for key in ("sha", "node_id", "html_url")}
    author, committer = cast("Json", inner["author"]), cast("Json", inner["committer"])
    return outer | {
        "url": f"{url}/commits/{sha}",
        "comments_url": f"{url}/commits/{sha}/comments",
        "commit": inner | {"comment_count": 0},
        "author": _account(root, world, author["email"]),
        "committer": _account(root, world, committer["email"]),
        "parents": parents,
    }


def _account(root: str, world: World, email: object) -> Json:
    for user in world.users.values():
        if email in (user.email, noreply(user.id, user.login)):
            return payloads.simple_user(root, user)
    return {}


def noreply(number: int, login: str) -> str:
    """Return the address GitHub signs an account's commits with."""
    return f"{number}+{login}@users.noreply.github.com"


def reference(url: str, name: str, sha: str, kind: str) -> Json:
    """Return `git-ref`; `url` is the repository's."""
    return {
        "ref": name,
        "node_id": payloads.node_id("Ref", name),
        "url": f"{url}/git/{name}",
        "object": {"type": kind, "sha": sha, "url": f"{url}/git/{kind}s/{sha}"},
    }
