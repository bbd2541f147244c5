"""Reads and writes git objects and references in a bare repository, without a process per call.

Every object here is loose and every reference a file, because the repositories are configured never
to pack (`create` below, and pushes are unpacked by `git unpack-objects`). So one object is one
zlib-compressed file, and plain git still works on the same directory.
"""

import hashlib
import re
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

Kind = Literal["blob", "tree", "commit", "tag"]
DIRECTORY_MODE = "40000"
NO_OBJECT = "0" * 40
SHA = re.compile(r"[0-9a-f]{40}")
_BAD_REFERENCE = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/$|\.$|\.lock(/|$)|/\.|^\.")

CONFIG = """[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
[gc]
\tauto = 0
[uploadpack]
\tallowAnySHA1InWant = true
\tallowFilter = true
"""


class MissingObjectError(LookupError):
    """There is no such object, or it is of another kind."""


@dataclass(frozen=True)
class TreeEntry:
    """One line of a tree; `mode` is git's own spelling ("40000" for a directory)."""

    mode: str
    name: str
    sha: str

    @property
    def kind(self) -> Literal["blob", "tree", "commit"]:
        """What the entry points to."""
        if self.mode == DIRECTORY_MODE:
            return "tree"
        return "commit" if self.mode == "160000" else "blob"


@dataclass(frozen=True)
class Commit:
    """A commit; `author` and `committer` are git's raw lines: name <email> seconds zone."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: str
    committer: str
    message: str


def valid_reference(name: str) -> bool:
    """Say whether git would take this full reference name."""
    return name.startswith("refs/") and name.count("/") > 1 and not _BAD_REFERENCE.search(name)


@dataclass(frozen=True)
class GitStore:
    """One bare repository on disk; no two ever have the same path."""

    path: Path

    def create(self, default_branch: str) -> None:
        """Lay out an empty bare repository."""
        for folder in ("objects/info", "objects/pack", "refs/heads", "refs/tags"):
            (self.path / folder).mkdir(parents=True)
        (self.path / "config").write_text(CONFIG)
        self.set_head(default_branch)

    def set_head(self, branch: str) -> None:
        """Make a branch the one that a clone checks out."""
        (self.path / "HEAD").write_text(f"ref: refs/heads/{branch}\n")

    # Objects

    def write(self, kind: Kind, content: bytes) -> str:
        """Store an object (once) and return its SHA-1."""
        whole = f"{kind} {len(content)}\0".encode() + content
        sha = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
        target = self._object_path(sha)
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            temporary = target.with_name(f"{target.name}.{threading.get_ident()}.tmp")
            temporary.write_bytes(zlib.compress(whole, 1))
            temporary.replace(target)
        return sha

    def read(self, sha: str, kind: Kind | None = None) -> tuple[Kind, bytes]:
        """Return an object's kind and content; raise MissingObjectError."""
        if not SHA.fullmatch(sha) or not self._object_path(sha).exists():
            raise MissingObjectError(sha)
        whole = zlib.decompress(self._object_path(sha).read_bytes())
        header, _, content = whole.partition(b"\0")
        found = header.split(b" ")[0].decode()
        if found not in ("blob", "tree", "commit", "tag") or (kind and found != kind):
            raise MissingObjectError(sha)
        return found, content  # type: ignore[return-value]  # narrowed by the line above

    def holds(self, sha: str, kind: Kind | None = None) -> bool:
        """Say whether the object exists and is of that kind."""
        try:
            self.read(sha, kind)
        except MissingObjectError:
            return False
        return True

    def tree(self, sha: str) -> tuple[TreeEntry, ...]:
        """Return a tree's entries in git's order."""
        return _tree(self, sha)

    def write_tree(self, entries: list[TreeEntry]) -> str:
        """Store a tree and return its SHA-1."""
        ordered = sorted(entries, key=lambda e: e.name + ("/" if e.kind == "tree" else ""))
        lines = [
            f"{e.mode} {e.name}\0".encode("utf-8", "surrogateescape") + bytes.fromhex(e.sha)
            for e in ordered
        ]
        return self.write("tree", b"".join(lines))

    def walk(self, sha: str, prefix: str = "") -> Iterator[tuple[str, TreeEntry]]:
        """Yield (path, entry) of a tree and all below it, directories before their content."""
        for entry in self.tree(sha):
            yield prefix + entry.name, entry
            if entry.kind == "tree":
                yield from self.walk(entry.sha, f"{prefix}{entry.name}/")

    def files(self, tree: str) -> dict[str, tuple[str, str]]:
        """Return every file of a tree: path to (mode, SHA-1)."""
        return {path: (e.mode, e.sha) for path, e in self.walk(tree) if e.kind != "tree"}

    def commit(self, sha: str) -> Commit:
        """Return a commit, parsed."""
        return _commit(self, sha)

    def write_commit(
        self, tree: str, parents: list[str], author: str, committer: str, message: str
    ) -> str:
        """Store a commit and return its SHA-1."""
        lines = [f"tree {tree}", *(f"parent {p}" for p in parents)]
        lines += [f"author {author}", f"committer {committer}", "", message]
        return self.write("commit", "\n".join(lines).encode())

    def history(self, sha: str) -> Iterator[Commit]:
        """Yield a commit and all its ancestors, newest first by commit date."""
        seen = {sha}
        waiting = [self.commit(sha)]
        while waiting:
            newest = max(waiting, key=committed_at)
            waiting.remove(newest)
            yield newest
            for parent in newest.parents:
                if parent not in seen:
                    seen.add(parent)
                    waiting.append(self.commit(parent))

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Say whether moving a reference from `older` to `newer` is a fast-forward."""
        return any(commit.sha == older for commit in self.history(newer))

    # References

    def refs(self, prefix: str = "refs/") -> dict[str, str]:
        """Return every reference below a prefix, sorted by name."""
        root = self.path / "refs"
        found = {}
        for file in root.rglob("*"):
            name = file.relative_to(self.path).as_posix()
            if file.is_file() and name.startswith(prefix):
                found[name] = file.read_text().strip()
        return dict(sorted(found.items()))

    def ref(self, name: str) -> str | None:
        """Return what a full reference name points to, or None."""
        path = self.path / name
        if not valid_reference(name) or not path.is_file():
            return None
        return path.read_text().strip()

    def set_ref(self, name: str, sha: str) -> None:
        """Point a reference at an object."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path / f"new-ref-{threading.get_ident()}"
        temporary.write_text(f"{sha}\n")
        temporary.replace(path)

    def delete_ref(self, name: str) -> None:
        """Remove a reference."""
        (self.path / name).unlink()

    def conflicts(self, name: str) -> bool:
        """Say whether a file/directory clash with another reference forbids this name."""
        path = self.path / name
        parents = [p for p in path.parents if p.is_relative_to(self.path / "refs")]
        return (path.is_dir() and any(path.rglob("*"))) or any(p.is_file() for p in parents)

    def resolve(self, name: str) -> str | None:
        """Return the commit that a branch, tag, full reference or SHA-1 names, or None."""
        for candidate in (f"refs/heads/{name}", f"refs/tags/{name}", name, f"refs/{name}"):
            sha = self.ref(candidate)
            if sha is not None:
                return self._peel(sha)
        return name if self.holds(name, "commit") else None

    def _peel(self, sha: str) -> str:
        kind, content = self.read(sha)
        return content.split(b"\n")[0].split(b" ")[1].decode() if kind == "tag" else sha

    def _object_path(self, sha: str) -> Path:
        return self.path / "objects" / sha[:2] / sha[2:]


def committed_at(commit: Commit) -> int:
    """Return a commit's committer date in seconds since 1970."""
    return int(commit.committer.rsplit(" ", 2)[1])


# An object never changes, so what was parsed once stays right.


@lru_cache(maxsize=20_000)
def _tree(git: GitStore, sha: str) -> tuple[TreeEntry, ...]:
    _, content = git.read(sha, "tree")
    entries = []
    while content:
        header, _, rest = content.partition(b"\0")
        mode, _, name = header.decode("utf-8", "surrogateescape").partition(" ")
        entries.append(TreeEntry(mode, name, rest[:20].hex()))
        content = rest[20:]
    return tuple(entries)


@lru_cache(maxsize=20_000)
def _commit(git: GitStore, sha: str) -> Commit:
    _, content = git.read(sha, "commit")
    head, _, message = content.decode("utf-8", "replace").partition("\n\n")
    fields: dict[str, list[str]] = {}
    for line in head.split("\n"):
        name, _, value = line.partition(" ")
        fields.setdefault(name, []).append(value)
    parents = tuple(fields.get("parent", ()))
    author, committer = fields["author"][0], fields["committer"][0]
    return Commit(sha, fields["tree"][0], parents, author, committer, message)
