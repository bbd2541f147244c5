"""Three-way merges in a bare repository, by git itself and without a work tree."""

import difflib
import subprocess
from datetime import datetime

from playground.github.git_http import ENVIRONMENT
from playground.github.objects import GitStore
from playground.github.payloads_repo import noreply
from playground.github.world import Repository, World

COMMITTER = "GitHub <noreply@github.com>"


def _git(git: GitStore, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = ENVIRONMENT | {"GIT_DIR": str(git.path)}
    command = ["git", *arguments]
    return subprocess.run(
        command, cwd=git.path, env=environment, capture_output=True, text=True, check=False
    )


def merge_base(git: GitStore, one: str, other: str) -> str | None:
    """Return the best common ancestor of two commits, or None."""
    return _git(git, "merge-base", one, other).stdout.strip() or None


def merged_tree(git: GitStore, ours: str, theirs: str) -> str | None:
    """Return the tree of both commits merged, or None if they conflict."""
    done = _git(git, "merge-tree", "--write-tree", ours, theirs)
    return done.stdout.split("\n", 1)[0] if done.returncode == 0 else None


def signature(world: World, login: str, moment: datetime) -> str:
    """Return git's line for what somebody does on GitHub's own pages."""
    user = world.find_user(login)
    name = user.name if user else login
    number = user.id if user else world.organisation.id + 1
    return f"{name} <{noreply(number, login)}> {int(moment.timestamp())} +0000"


def commit(
    world: World, repo: Repository, tree: str, parents: list[str], by: tuple[str, str]
) -> str:
    """Store a commit that GitHub makes for somebody; `by` is (login, message)."""
    login, message = by
    now = world.now()
    committer = f"{COMMITTER} {int(now.timestamp())} +0000"
    author = signature(world, login, now)
    return GitStore(repo.path).write_commit(tree, parents, author, committer, message)


def line_counts(git: GitStore, old: str | None, new: str) -> tuple[int, int]:
    """Return how many lines were added and removed between two commits."""
    before = git.files(git.commit(old).tree) if old else {}
    after = git.files(git.commit(new).tree)
    added = removed = 0
    for path in changed_paths(git, old, new):
        old_lines, new_lines = (_lines(git, side.get(path)) for side in (before, after))
        lines = list(difflib.unified_diff(old_lines, new_lines, n=0, lineterm=""))[2:]
        added += sum(line.startswith("+") for line in lines)
        removed += sum(line.startswith("-") for line in lines)
    return added, removed


def _lines(git: GitStore, file: tuple[str, str] | None) -> list[str]:
    return git.read(file[1])[1].decode("utf-8", "replace").splitlines() if file else []


def changed_paths(git: GitStore, old: str | None, new: str) -> list[str]:
    """Return the paths that differ between two commits; without an old one, all."""
    before = git.files(git.commit(old).tree) if old else {}
    after = git.files(git.commit(new).tree)
    return sorted(p for p in before.keys() | after.keys() if before.get(p) != after.get(p))
