"""Pull requests and reviews in GitHub's own JSON."""

from playground.github import payloads_repo
from playground.github.merging import changed_paths, line_counts
from playground.github.objects import GitStore
from playground.github.payloads import node_id, stamp
from playground.github.payloads_repo import api_url, html_url
from playground.github.payloads_runs import who
from playground.github.pulls import PullRequest, PullReview
from playground.github.world import Json, Repository, World

_NONES = ("milestone", "active_lock_reason", "assignee", "auto_merge")


def _end(world: World, repo: Repository, name: str, sha: str) -> Json:
    org = world.organisation
    owner = payloads_repo.repository(world.root, world, repo, None)
    return {
        "label": f"{org.login}:{name}",
        "ref": name,
        "sha": sha,
        "repo": owner,
        "user": owner["owner"],
    }


def association(world: World, login: str) -> str:
    """Return how somebody belongs to the organisation."""
    return "MEMBER" if login in world.organisation.members else "NONE"


def simple(world: World, repo: Repository, pull: PullRequest) -> Json:
    """Return `pull-request-simple`."""
    shown = {
        "id": pull.id,
        "node_id": node_id("PullRequest", pull.id),
        "number": pull.number,
        "state": pull.state,
        "locked": False,
        "title": pull.title,
        "user": who(world, pull.author),
        "body": pull.body or None,
        "labels": [],
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "created_at": stamp(pull.created_at),
        "updated_at": stamp(pull.updated_at),
        "closed_at": stamp(pull.closed_at) if pull.closed_at else None,
        "merged_at": stamp(pull.merged_at) if pull.merged_at else None,
        "merge_commit_sha": pull.merge_sha,
        "head": _end(world, repo, pull.head, pull.head_sha),
        "base": _end(world, repo, pull.base, pull.base_sha),
        "author_association": association(world, pull.author),
        "draft": pull.draft,
    }
    return shown | dict.fromkeys(_NONES) | _links(world, repo, pull)


def _links(world: World, repo: Repository, pull: PullRequest) -> Json:
    url = f"{api_url(world.root, world, repo)}/pulls/{pull.number}"
    page = f"{html_url(world.root, world, repo)}/pull/{pull.number}"
    issue = url.replace("/pulls/", "/issues/")
    statuses = f"{api_url(world.root, world, repo)}/statuses/{pull.head_sha}"
    addresses = {
        "url": url,
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "issue_url": issue,
        "commits_url": f"{url}/commits",
        "review_comments_url": f"{url}/comments",
        "review_comment_url": url.rpartition("/")[0] + "/comments{/number}",
        "comments_url": f"{issue}/comments",
        "statuses_url": statuses,
    }
    named = {name.removesuffix("_url"): {"href": to} for name, to in addresses.items() if to}
    kept = ("comments", "commits", "statuses", "html", "issue", "review_comments", "review_comment")
    inner = {name: named[name] for name in kept} | {"self": {"href": url}}
    return addresses | {"_links": inner}


def pull_request(world: World, repo: Repository, pull: PullRequest) -> Json:
    """Return `pull-request`, as one alone is shown."""
    git = GitStore(repo.path)
    ends = (pull.fork_point or None, pull.head_sha)
    changed, (added, removed) = changed_paths(git, *ends), line_counts(git, *ends)
    commits = list(proposed(git, pull))
    mergeable = pull.merge_sha is not None if pull.state == "open" else None
    states = {True: "clean", False: "dirty", None: "unknown"}
    return simple(world, repo, pull) | {
        "merged": pull.merged_at is not None,
        "mergeable": mergeable,
        "rebaseable": mergeable,
        "mergeable_state": "draft" if pull.draft else states[mergeable],
        "merged_by": who(world, pull.merged_by) if pull.merged_by else None,
        "comments": 0,
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": len(commits),
        "additions": added,
        "deletions": removed,
        "changed_files": len(changed),
    }


def proposed(git: GitStore, pull: PullRequest) -> list[str]:
    """Return the commits that a pull request brings, oldest first."""
    known = {commit.sha for commit in git.history(pull.fork_point)} if pull.fork_point else set()
    return [commit.sha for commit in git.history(pull.head_sha) if commit.sha not in known][::-1]


def review(world: World, repo: Repository, pull: PullRequest, it: PullReview) -> Json:
    """Return `pull-request-review`."""
    url = f"{api_url(world.root, world, repo)}/pulls/{pull.number}"
    page = f"{html_url(world.root, world, repo)}/pull/{pull.number}#pullrequestreview-{it.id}"
    return {
        "id": it.id,
        "node_id": node_id("PullRequestReview", it.id),
        "user": who(world, it.login),
        "body": it.body,
        "state": it.state,
        "html_url": page,
        "pull_request_url": url,
        "_links": {"html": {"href": page}, "pull_request": {"href": url}},
        "submitted_at": stamp(it.at),
        "commit_id": it.sha,
        "author_association": association(world, it.login),
    }
