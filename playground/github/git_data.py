"""The git data API: references, commits, trees and blobs as git itself has them."""

import asyncio
import base64
import binascii
import re
from datetime import datetime
from typing import cast

from playground.github import payloads, payloads_repo, rules
from playground.github.auth import check
from playground.github.calls import Answer, Call, Operation, Refusal, not_found
from playground.github.objects import (
    Kind,
    MissingObjectError,
    TreeEntry,
    valid_reference,
)
from playground.github.world import APP_SLUG, Json

_BAD_COMPONENTS = ("", ".", "..")


def _url(call: Call) -> str:
    return payloads_repo.api_url(call.root, call.world, call.repo)


def _refuse_empty(call: Call) -> None:
    if not call.git.refs():
        raise Refusal(409, "Git Repository is empty.")


# References


def _reference(call: Call, name: str, sha: str) -> Json:
    return payloads_repo.reference(_url(call), name, sha, call.git.read(sha)[0])


async def ref(call: Call) -> Answer:
    """Return one reference, named without `refs/`."""
    _refuse_empty(call)
    name = f"refs/{call.params['ref']}"
    sha = call.git.ref(name)
    if sha is None:
        raise not_found()
    return Answer(200, _reference(call, name, sha))


async def matching_refs(call: Call) -> Answer:
    """List the references that begin so."""
    _refuse_empty(call)
    found = call.git.refs(f"refs/{call.params['ref']}")
    return call.page([_reference(call, name, sha) for name, sha in found.items()])


async def create_ref(call: Call) -> Answer:
    """Create a reference."""
    _refuse_empty(call)
    name, sha = call.text("ref"), call.text("sha")
    if not valid_reference(name):
        raise Refusal(422, f"{name} is not a valid ref name.")
    _refuse_hidden(name)
    if call.git.ref(name) is not None or call.git.conflicts(name):
        raise Refusal(422, "Reference already exists")
    _refuse_target(call, name, sha)
    change = rules.RefChange(name, None, sha)
    rules.refuse_violations(call.world, call.repo, call.actor, change)
    call.git.set_ref(name, sha)
    call.hub.pushed(call.repo, change, call.actor)
    return Answer(201, _reference(call, name, sha))


def _refuse_target(call: Call, name: str, sha: str) -> None:
    kind: Kind | None = "commit" if name.startswith("refs/heads/") else None
    if not call.git.holds(sha, kind):
        raise Refusal(422, "Object does not exist")


def _refuse_hidden(name: str) -> None:
    """Pull requests' references are GitHub's own."""
    if name.startswith(rules.HIDDEN):
        raise Refusal(422, "Reference update failed")


def _existing(call: Call) -> tuple[str, str]:
    name = f"refs/{call.params['ref']}"
    sha = call.git.ref(name)
    if sha is None:
        raise Refusal(422, "Reference does not exist")
    _refuse_hidden(name)
    return name, sha


async def update_ref(call: Call) -> Answer:
    """Move a reference, backwards or sideways only with `force`."""
    name, old = _existing(call)
    new = call.text("sha")
    _refuse_target(call, name, new)
    change = rules.RefChange(name, old, new)
    rules.refuse_violations(call.world, call.repo, call.actor, change)
    if not call.flag("force") and not call.git.is_ancestor(old, new):
        raise Refusal(422, "Update is not a fast forward")
    call.git.set_ref(name, new)
    call.hub.pushed(call.repo, change, call.actor)
    return Answer(200, _reference(call, name, new))


async def delete_ref(call: Call) -> Answer:
    """Delete a reference, not the default branch."""
    name, old = _existing(call)
    if name == f"refs/heads/{call.repo.default_branch}":
        raise Refusal(422, "Cannot delete the default branch")
    change = rules.RefChange(name, old, None)
    rules.refuse_violations(call.world, call.repo, call.actor, change)
    call.git.delete_ref(name)
    call.hub.pushed(call.repo, change, call.actor)
    return Answer(204)


# Commits


async def read_commit(call: Call) -> Answer:
    """Return one commit."""
    _refuse_empty(call)
    try:
        commit = call.git.commit(call.params["commit_sha"])
    except MissingObjectError:
        raise not_found() from None
    page = payloads_repo.html_url(call.root, call.world, call.repo)
    return Answer(200, payloads_repo.git_commit(_url(call), page, commit))


async def create_commit(call: Call) -> Answer:
    """Store a commit, of the caller unless the body names an author."""
    _refuse_empty(call)
    tree = call.text("tree")
    if not call.git.holds(tree, "tree"):
        raise Refusal(422, "Tree SHA does not exist")
    parents = cast("list[str]", call.body.get("parents", []))
    if not all(call.git.holds(parent, "commit") for parent in parents):
        raise Refusal(422, "Parent SHA does not exist or is not a commit object")
    author = _signature(call, call.body.get("author"))
    wanted = call.body.get("committer", call.body.get("author"))
    sha = call.git.write_commit(
        tree, parents, author, _signature(call, wanted), call.text("message")
    )
    page = payloads_repo.html_url(call.root, call.world, call.repo)
    return Answer(201, payloads_repo.git_commit(_url(call), page, call.git.commit(sha)))


def _signature(call: Call, wanted: object) -> str:
    given = cast("dict[str, str]", wanted or {})
    user = call.world.find_user(call.actor.login)
    if given.keys() >= {"name", "email"}:
        name, email = given["name"], given["email"]
    elif user:
        name, email = user.name, payloads_repo.noreply(user.id, user.login)
    else:
        name = f"{APP_SLUG}[bot]"
        email = payloads_repo.noreply(call.world.organisation.id + 1, name)
    moment = datetime.fromisoformat(given["date"]) if "date" in given else call.world.now()
    name, email = (re.sub(r"[<>\n\0]", "", text).strip() for text in (name, email))
    return f"{name} <{email}> {int(moment.timestamp())} +0000"


# Trees


async def read_tree(call: Call) -> Answer:
    """Return a tree (by its own, a commit's or a reference's name), `recursive` for all below."""
    _refuse_empty(call)
    sha = _tree_sha(call, call.params["tree_sha"])
    if sha is None:
        raise not_found()
    deep = "recursive" in call.query
    found = (
        list(call.git.walk(sha)) if deep else [(entry.name, entry) for entry in call.git.tree(sha)]
    )
    return Answer(200, _tree(call, sha, found))


def _tree_sha(call: Call, name: str) -> str | None:
    if call.git.holds(name, "tree"):
        return name
    commit = call.git.resolve(name)
    return call.git.commit(commit).tree if commit else None


def _tree(call: Call, sha: str, found: list[tuple[str, TreeEntry]]) -> Json:
    items = []
    for path, entry in found:
        mode = entry.mode.zfill(6)
        item: Json = {"path": path, "mode": mode, "type": entry.kind, "sha": entry.sha}
        if entry.kind == "blob":
            item["size"] = len(call.git.read(entry.sha)[1])
        items.append(item | {"url": f"{_url(call)}/git/{entry.kind}s/{entry.sha}"})
    url = f"{_url(call)}/git/trees/{sha}"
    return {"sha": sha, "url": url, "tree": items, "truncated": False}


async def create_tree(call: Call) -> Answer:
    """Store a tree: the base's files with the given ones put in, or taken out by `sha: null`."""
    return await asyncio.to_thread(_create_tree, call)


def _create_tree(call: Call) -> Answer:
    """Write many small files, which takes too long for the loop that serves everybody."""
    _refuse_empty(call)
    files: dict[str, tuple[str, str]] = {}
    if "base_tree" in call.body:
        base = _tree_sha(call, call.text("base_tree"))
        if base is None:
            raise Refusal(422, "base_tree is not a valid tree oid")
        files = call.git.files(base)
    for item in cast("list[Json]", call.body["tree"]):
        _put(call, files, item)
    if not files:
        raise Refusal(422, "Invalid tree info")
    sha = _write_nested(call, files)
    return Answer(201, _tree(call, sha, [(e.name, e) for e in call.git.tree(sha)]))


def _put(call: Call, files: dict[str, tuple[str, str]], item: Json) -> None:
    path = cast("str", item.get("path", ""))
    parts = path.split("/")
    if any(part in _BAD_COMPONENTS or part.lower() == ".git" or "\0" in part for part in parts):
        raise Refusal(422, "tree.path contains a malformed path component")
    if path.startswith(rules.WORKFLOWS):
        check(call.world, call.actor, "workflows:write", call.repo)
    if "sha" in item and item["sha"] is None:
        _take_out(files, path)
        return
    for taken in [p for p in files if p.startswith(f"{path}/") or path.startswith(f"{p}/")]:
        del files[taken]
    files |= _put_in(call, path, item)


def _take_out(files: dict[str, tuple[str, str]], path: str) -> None:
    taken = [p for p in files if p == path or p.startswith(f"{path}/")]
    if not taken:
        raise Refusal(422, "GitRPC::BadObjectState")
    for gone in taken:
        del files[gone]


def _put_in(call: Call, path: str, item: Json) -> dict[str, tuple[str, str]]:
    mode = cast("str", item.get("mode", "100644"))
    if ("sha" in item) == ("content" in item):
        raise Refusal(422, "Must supply either tree.sha or tree.content")
    if "content" in item:
        return {path: (mode, call.git.write("blob", cast("str", item["content"]).encode()))}
    sha = cast("str", item["sha"])
    if mode == "160000":
        return {path: (mode, sha)}
    kind: Kind = "tree" if mode == "040000" else "blob"
    if not call.git.holds(sha, kind):
        raise Refusal(422, f"tree.sha {sha} is not a valid {kind}")
    if kind == "blob":
        return {path: (mode, sha)}
    return {f"{path}/{inner}": file for inner, file in call.git.files(sha).items()}


def _write_nested(call: Call, files: dict[str, tuple[str, str]]) -> str:
    folders: dict[str, dict[str, tuple[str, str]]] = {}
    entries = []
    for path, (mode, sha) in files.items():
        folder, slash, rest = path.partition("/")
        if slash:
            folders.setdefault(folder, {})[rest] = (mode, sha)
        else:
            entries.append(TreeEntry(mode, path, sha))
    entries += [TreeEntry("40000", n, _write_nested(call, inner)) for n, inner in folders.items()]
    return call.git.write_tree(entries)


# Blobs


async def read_blob(call: Call) -> Answer:
    """Return a blob's content in base64."""
    try:
        _, content = call.git.read(call.params["file_sha"], "blob")
    except MissingObjectError:
        raise not_found() from None
    sha = call.params["file_sha"]
    body = {"content": base64.encodebytes(content).decode(), "encoding": "base64"}
    names = {"sha": sha, "node_id": payloads.node_id("Blob", sha)}
    return Answer(
        200, body | names | {"size": len(content), "url": f"{_url(call)}/git/blobs/{sha}"}
    )


async def create_blob(call: Call) -> Answer:
    """Store a blob given as text or in base64."""
    _refuse_empty(call)
    content = call.text("content").encode()
    if call.text("encoding", "utf-8") == "base64":
        try:
            content = base64.b64decode(b"".join(content.split()), validate=True)
        except binascii.Error:
            raise Refusal(422, "Content is not valid Base64") from None
    sha = call.git.write("blob", content)
    return Answer(201, {"sha": sha, "url": f"{_url(call)}/git/blobs/{sha}"})


_GIT = "/repos/{owner}/{repo}/git"
OPERATIONS = (
    Operation("GET", f"{_GIT}/ref/{{ref}}", ref, "contents:read"),
    Operation("GET", f"{_GIT}/matching-refs/{{ref}}", matching_refs, "contents:read"),
    Operation("POST", f"{_GIT}/refs", create_ref, "contents:write"),
    Operation("PATCH", f"{_GIT}/refs/{{ref}}", update_ref, "contents:write"),
    Operation("DELETE", f"{_GIT}/refs/{{ref}}", delete_ref, "contents:write"),
    Operation("GET", f"{_GIT}/commits/{{commit_sha}}", read_commit, "contents:read"),
    Operation("POST", f"{_GIT}/commits", create_commit, "contents:write"),
    Operation("GET", f"{_GIT}/trees/{{tree_sha}}", read_tree, "contents:read"),
    Operation("POST", f"{_GIT}/trees", create_tree, "contents:write"),
    Operation("GET", f"{_GIT}/blobs/{{file_sha}}", read_blob, "contents:read"),
    Operation("POST", f"{_GIT}/blobs", create_blob, "contents:write"),
)
