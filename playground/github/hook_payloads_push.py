"""The payload of a push, for webhooks and for the runs that it starts."""

from itertools import islice
from typing import cast

from playground.github import payloads_repo
from playground.github.merging import changed_paths
from playground.github.objects import NO_OBJECT, Commit, GitStore
from playground.github.rules import RefChange
from playground.github.world import Json, Repository, World

MOST_COMMITS = 20


def of_push(world: World, repo: Repository, change: RefChange, login: str) -> Json:
    """Return what `push` tells of a branch or tag that moved."""
    git = GitStore(repo.path)
    page = payloads_repo.html_url(world.root, world, repo)
    old, new = change.old or NO_OBJECT, change.new or NO_OBJECT
    commits = _brought(git, repo, change)
    shown = [_commit(world, repo, commit) for commit in commits[-MOST_COMMITS:]]
    tip = git.resolve(change.new) if change.new else None
    user = world.find_user(login)
    return {
        "ref": change.name,
        "before": old,
        "after": new,
        "base_ref": None,
        "created": change.old is None,
        "deleted": change.new is None,
        "forced": _forced(git, change),
        "compare": f"{page}/compare/{old[:12]}...{new[:12]}",
        "commits": shown,
        "head_commit": _commit(world, repo, git.commit(tip)) if tip else None,
        "pusher": {"name": login, "email": user.email if user else None},
    }


def _forced(git: GitStore, change: RefChange) -> bool:
    if change.old is None or change.new is None or not change.name.startswith("refs/heads/"):
        return False
    return not git.is_ancestor(change.old, change.new)


def _brought(git: GitStore, repo: Repository, change: RefChange) -> list[Commit]:
    """Return the commits that a push brought, oldest first."""
    if change.new is None or not change.name.startswith("refs/heads/"):
        return []
    base = change.old or git.ref(f"refs/heads/{repo.default_branch}")
    whole = base is None or base == change.new
    known = set() if whole else {c.sha for c in git.history(cast("str", base))}
    fresh = (commit for commit in git.history(change.new) if commit.sha not in known)
    return list(islice(fresh, 2048))[::-1]


def _commit(world: World, repo: Repository, commit: Commit) -> Json:
    git = GitStore(repo.path)
    parent = commit.parents[0] if commit.parents else None
    before = git.files(git.commit(parent).tree) if parent else {}
    after = git.files(git.commit(commit.sha).tree)
    committer = cast("dict[str, str]", payloads_repo.person(commit.committer))
    page = payloads_repo.html_url(world.root, world, repo)
    return {
        "id": commit.sha,
        "tree_id": commit.tree,
        "distinct": True,
        "message": commit.message,
        "timestamp": committer["date"],
        "url": f"{page}/commit/{commit.sha}",
        "author": _person(commit.author),
        "committer": _person(commit.committer),
        "added": sorted(after.keys() - before.keys()),
        "removed": sorted(before.keys() - after.keys()),
        "modified": [
            p for p in changed_paths(git, parent, commit.sha) if p in before and p in after
        ],
    }


def _person(line: str) -> Json:
    who = payloads_repo.person(line)
    return {"name": who["name"], "email": who["email"], "date": who["date"]}
