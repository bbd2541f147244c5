"""Branches, tags, commits, comparisons and file contents."""

import base64
import difflib
from itertools import islice
from typing import cast

from playground.github import payloads, payloads_repo, rules
from playground.github.calls import Answer, Call, Operation, Refusal, not_found
from playground.github.objects import Commit, TreeEntry
from playground.github.world import Json

LARGEST_INLINE = 1_000_000
MOST_COMMITS = 10_000


def _url(call: Call) -> str:
    return payloads_repo.api_url(call.root, call.world, call.repo)


def _commit(call: Call, name: str) -> str:
    sha = call.git.resolve(name)
    if sha is None:
        raise Refusal(404, f"No commit found for the ref {name}")
    return sha


def _protected(call: Call, branch: str) -> bool:
    return any(rules.matching(call.repo, f"refs/heads/{branch}"))


async def branches(call: Call) -> Answer:
    """List the branches."""
    shown = []
    for ref, sha in call.git.refs("refs/heads/").items():
        name = ref.removeprefix("refs/heads/")
        commit = {"sha": sha, "url": f"{_url(call)}/commits/{sha}"}
        shown.append({"name": name, "commit": commit, "protected": _protected(call, name)})
    return call.page(shown)


async def branch(call: Call) -> Answer:
    """Return one branch."""
    return Answer(200, _branch(call, call.params["branch"]))


def _branch(call: Call, name: str) -> Json:
    sha = call.git.ref(f"refs/heads/{name}")
    if sha is None:
        raise Refusal(404, "Branch not found")
    url, protected = f"{_url(call)}/branches/{name}", _protected(call, name)
    page = payloads_repo.html_url(call.root, call.world, call.repo)
    return {
        "name": name,
        "commit": payloads_repo.commit(call.root, call.world, call.repo, sha),
        "_links": {"self": url, "html": f"{page}/tree/{name}"},
        "protected": protected,
        "protection": {
            "enabled": protected,
            "required_status_checks": {"enforcement_level": "off", "contexts": [], "checks": []},
        },
        "protection_url": f"{url}/protection",
    }


async def rename(call: Call) -> Answer:
    """Rename a branch; the default branch stays the default under its new name."""
    old, new = call.params["branch"], call.text("new_name")
    sha = call.git.ref(f"refs/heads/{old}")
    if sha is None:
        raise Refusal(404, "Branch not found")
    if call.git.ref(f"refs/heads/{new}") is not None or call.git.conflicts(f"refs/heads/{new}"):
        raise Refusal(422, f"Validation Failed: branch {new} already exists")
    call.git.set_ref(f"refs/heads/{new}", sha)
    call.git.delete_ref(f"refs/heads/{old}")
    if call.repo.default_branch == old:
        call.repo.default_branch = new
        call.git.set_head(new)
    return Answer(201, _branch(call, new))


async def tags(call: Call) -> Answer:
    """List the tags."""
    url, shown = _url(call), []
    for ref in call.git.refs("refs/tags/"):
        name = ref.removeprefix("refs/tags/")
        sha = _commit(call, ref)
        shown.append(
            {
                "name": name,
                "commit": {"sha": sha, "url": f"{url}/commits/{sha}"},
                "zipball_url": f"{url}/zipball/{ref}",
                "tarball_url": f"{url}/tarball/{ref}",
                "node_id": payloads.node_id("Ref", ref),
            }
        )
    return call.page(shown)


def _files(call: Call, commit: str | None) -> dict[str, tuple[str, str]]:
    return call.git.files(call.git.commit(commit).tree) if commit else {}


async def commits(call: Call) -> Answer:
    """List commits from a branch or SHA-1, optionally those that changed one path."""
    if not call.git.refs():
        raise Refusal(409, "Git Repository is empty.")
    start = _commit(call, call.query.get("sha", call.repo.default_branch))
    found = islice(call.git.history(start), MOST_COMMITS)
    path = call.query.get("path")
    shown = [c.sha for c in found if path is None or _changed(call, c, path)]
    page = call.page(shown)
    page.body = [
        payloads_repo.commit(call.root, call.world, call.repo, sha)
        for sha in cast("list[str]", page.body)
    ]
    return page


def _changed(call: Call, commit: Commit, path: str) -> bool:
    def below(sha: str | None) -> dict[str, tuple[str, str]]:
        inside = f"{path.rstrip('/')}/"
        files = _files(call, sha).items()
        return {name: file for name, file in files if name == path or name.startswith(inside)}

    return below(commit.sha) != below(commit.parents[0] if commit.parents else None)


async def commit(call: Call) -> Answer:
    """Return one commit with what it changed."""
    sha = call.git.resolve(call.params["ref"])
    if sha is None:
        raise Refusal(422, f"No commit found for SHA: {call.params['ref']}")
    parents = call.git.commit(sha).parents
    changed = difference(call, parents[0] if parents else None, sha)
    added = sum(cast("int", file["additions"]) for file in changed)
    removed = sum(cast("int", file["deletions"]) for file in changed)
    stats = {"additions": added, "deletions": removed, "total": added + removed}
    body = payloads_repo.commit(call.root, call.world, call.repo, sha)
    return Answer(200, body | {"stats": stats, "files": changed})


def difference(call: Call, old: str | None, new: str) -> list[Json]:
    """Return what two commits' files differ in, as `diff-entry`; without an old one, all."""
    before, after = _files(call, old), _files(call, new)
    changed = sorted(p for p in before.keys() | after.keys() if before.get(p) != after.get(p))
    return [_file_change(call, path, before.get(path), after.get(path), new) for path in changed]


def _file_change(
    call: Call, path: str, old: tuple[str, str] | None, new: tuple[str, str] | None, ref: str
) -> Json:
    page = payloads_repo.html_url(call.root, call.world, call.repo)
    lines = _diff(_text(call, old), _text(call, new))
    added = sum(line.startswith("+") for line in lines)
    removed = sum(line.startswith("-") for line in lines)
    status = "modified" if old and new else "added" if new else "removed"
    return {
        "sha": (new or old or ("", ""))[1],
        "filename": path,
        "status": status,
        "additions": added,
        "deletions": removed,
        "changes": added + removed,
        "blob_url": f"{page}/blob/{ref}/{path}",
        "raw_url": f"{page}/raw/{ref}/{path}",
        "contents_url": f"{_url(call)}/contents/{path}?ref={ref}",
        "patch": "\n".join(lines),
    }


def _text(call: Call, file: tuple[str, str] | None) -> list[str]:
    return call.git.read(file[1])[1].decode("utf-8", "replace").splitlines() if file else []


def _diff(old: list[str], new: list[str]) -> list[str]:
    """Return the hunks of a unified difference, without its file names."""
    return list(difflib.unified_diff(old, new, lineterm=""))[2:]


async def compare(call: Call) -> Answer:
    """Compare `base...head` from their merge base."""
    names = call.params["basehead"].split("...")
    if len(names) != 2:
        raise not_found()
    base, head = (call.git.resolve(name) for name in names)
    if base is None or head is None:
        raise not_found()
    of_base = {c.sha for c in call.git.history(base)}
    of_head = [c.sha for c in call.git.history(head)]
    merge_base = next((sha for sha in of_head if sha in of_base), None)
    if merge_base is None:
        raise Refusal(404, "No common ancestor between the two commits.")
    ahead = [sha for sha in reversed(of_head) if sha not in of_base]
    behind = len(of_base - set(of_head))
    return Answer(200, _comparison(call, names, (base, merge_base, head), ahead, behind))


def _comparison(
    call: Call, names: list[str], ends: tuple[str, str, str], ahead: list[str], behind: int
) -> Json:
    def shown(sha: str) -> Json:
        return payloads_repo.commit(call.root, call.world, call.repo, sha)

    base, merge_base, head = ends
    page = payloads_repo.html_url(call.root, call.world, call.repo)
    page += "/compare/" + "...".join(names)
    states = {(True, True): "diverged", (True, False): "ahead", (False, True): "behind"}
    return {
        "url": call.url,
        "html_url": page,
        "permalink_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "base_commit": shown(base),
        "merge_base_commit": shown(merge_base),
        "status": states.get((bool(ahead), behind > 0), "identical"),
        "ahead_by": len(ahead),
        "behind_by": behind,
        "total_commits": len(ahead),
        "commits": [shown(sha) for sha in ahead],
        "files": difference(call, merge_base, head),
    }


async def contents(call: Call) -> Answer:
    """Return a file, or the list of a folder."""
    ref = call.query.get("ref", call.repo.default_branch)
    path = call.params["path"].strip("/")
    if not call.git.refs():
        raise Refusal(404, "This repository is empty.")
    tree = call.git.commit(_commit(call, ref)).tree
    if not path:
        return Answer(200, _folder(call, tree, "", ref))
    entry = dict(call.git.walk(tree)).get(path)
    if entry is None or entry.kind == "commit":
        raise not_found()
    if entry.kind == "tree":
        return Answer(200, _folder(call, entry.sha, f"{path}/", ref))
    return Answer(200, _content(call, path, entry, ref) | _inline(call, entry))


def _folder(call: Call, tree: str, prefix: str, ref: str) -> list[Json]:
    return [
        _content(call, prefix + entry.name, entry, ref)
        for entry in call.git.tree(tree)
        if entry.kind != "commit"
    ]


def _content(call: Call, path: str, entry: TreeEntry, ref: str) -> Json:
    page = payloads_repo.html_url(call.root, call.world, call.repo)
    folder = entry.kind == "tree"
    url = f"{_url(call)}/contents/{path}?ref={ref}"
    git_url = f"{_url(call)}/git/{entry.kind}s/{entry.sha}"
    html = f"{page}/{entry.kind}/{ref}/{path}"
    return {
        "type": "dir" if folder else "symlink" if entry.mode == "120000" else "file",
        "size": 0 if folder else len(call.git.read(entry.sha)[1]),
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": entry.sha,
        "url": url,
        "git_url": git_url,
        "html_url": html,
        "download_url": None if folder else f"{page}/raw/{ref}/{path}",
        "_links": {"self": url, "git": git_url, "html": html},
    }


def _inline(call: Call, entry: TreeEntry) -> Json:
    content = call.git.read(entry.sha)[1]
    if entry.mode == "120000":
        return {"target": content.decode("utf-8", "replace")}
    if len(content) > LARGEST_INLINE:
        return {"content": "", "encoding": "none"}
    return {"content": base64.encodebytes(content).decode(), "encoding": "base64"}


_REPO = "/repos/{owner}/{repo}"
OPERATIONS = (
    Operation("GET", f"{_REPO}/branches", branches, "contents:read"),
    Operation("GET", f"{_REPO}/branches/{{branch}}", branch, "contents:read"),
    Operation(
        "POST",
        f"{_REPO}/branches/{{branch}}/rename",
        rename,
        "contents:write,administration:write",
    ),
    Operation("GET", f"{_REPO}/tags", tags, "contents:read"),
    Operation("GET", f"{_REPO}/commits", commits, "contents:read"),
    Operation("GET", f"{_REPO}/commits/{{ref}}", commit, "contents:read"),
    Operation("GET", f"{_REPO}/compare/{{basehead}}", compare, "contents:read"),
    Operation("GET", f"{_REPO}/contents/{{path}}", contents, "contents:read"),
)
