"""Starter code: one commit through the git-data API, on two branches, whatever was lost before."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from github.GithubException import GithubException

from provisioning.adapters.github.connection import Connection
from provisioning.errors import PermanentError, TemporaryError

TEMPLATE_BRANCH = "sciclops/template"
"""Holds rendered template output only, so that upgrades are merges of a new commit there."""
TITLE = "Start from the template"

Json = Any


class StarterCode:
    """The starter code of one repository, e.g. `/repos/acme/ada-7`.

    Trees and commits that nothing points to are invisible, so only the two branches matter: `main`
    moves forward from GitHub's own first commit, or not at all.
    """

    def __init__(self, connection: Connection, path: str) -> None:
        self._connection = connection
        self._path = path

    def push(self, files: Mapping[str, bytes], marker: str) -> str:
        """Make both branches hold the files; a repeated call makes up for what is missing."""
        history = list(self._connection.pages(f"{self._path}/commits"))
        commit = _marked(history, marker)
        if not commit:
            message = f"{TITLE}\n\n{marker}"
            commit = self.commit(files, message, parent=self._untouched(history))
            self.move("heads/main", commit)
        self._point_template_branch(commit)
        return commit

    def _untouched(self, history: list[Json]) -> str:
        """Return GitHub's first commit, which is all that may be there."""
        if len(history) == 1:
            return str(history[0]["sha"])
        raise PermanentError(
            f"{self._path.removeprefix('/repos/')} has {len(history)} commits on main that are not "
            "SciCLOps', so the starter code was not pushed over them. Move them to another branch "
            "and leave GitHub's first commit on main, then retry; or clean up."
        )

    def commit(self, files: Mapping[str, bytes], message: str, *, parent: str) -> str:
        """Write a commit that holds exactly these files; nothing points to it yet."""
        entries = [self._entry(path, content) for path, content in sorted(files.items())]
        tree = self._write("POST", "trees", {"tree": entries})
        wanted = {"message": message, "tree": tree["sha"], "parents": [parent]}
        return str(self._write("POST", "commits", wanted)["sha"])

    def _entry(self, path: str, content: bytes) -> Json:
        entry = {"path": path, "mode": "100644", "type": "blob"}
        if (text := _text(content)) is not None:
            return {**entry, "content": text}
        encoded = base64.b64encode(content).decode()
        blob = self._write("POST", "blobs", {"content": encoded, "encoding": "base64"})
        return {**entry, "sha": blob["sha"]}

    def move(self, ref: str, commit: str) -> None:
        """Move a branch forward to a commit; raises `TemporaryError` if others were faster."""
        try:
            self._write("PATCH", f"refs/{ref}", {"sha": commit, "force": False})
        except GithubException as error:
            if error.status == 422 and "fast forward" in str(error.data):
                raise TemporaryError(
                    f"{ref.partition('/')[2]} moved while we pushed to it; nothing was changed"
                ) from error
            raise

    def _point_template_branch(self, commit: str) -> None:
        """Make the branch unless it is there: later it holds upgrades, which stay."""
        ref = f"heads/{TEMPLATE_BRANCH}"
        try:
            self._write("POST", "refs", {"ref": f"refs/{ref}", "sha": commit})
        except GithubException as error:
            is_there = error.status == 422 and self._connection.get(f"{self._path}/git/ref/{ref}")
            if not is_there:
                raise

    def _write(self, method: str, path: str, body: Json) -> Json:
        return self._connection.write(method, f"{self._path}/git/{path}", body)


def _marked(history: Sequence[Json], marker: str) -> str:
    """Return the first commit that ends with our marker: later ones may quote it."""
    for commit in reversed(history):
        if commit["commit"]["message"].rstrip().endswith(marker):
            return str(commit["sha"])
    return ""


def _text(content: bytes) -> str | None:
    """Return what may travel as text, None for anything binary."""
    if b"\0" in content:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
