"""Which version of the deploy workflow projects call: the tags of the platform repository.

`v1` moves, `v1.4.0` never does (docs/deploy-workflow.md). Source: docs.github.com/rest/repos/repos,
"List repository tags".
"""

import re
from collections.abc import Mapping
from urllib.parse import quote

from provisioning.adapters.github.connection import Connection
from provisioning.store.news import Version

MOVES = re.compile(r"v\d+")
STAYS = re.compile(r"(v\d+)\.\d+\.\d+")


class WorkflowTags:
    """Implements `Versions`: the moving tags by name; safe for several threads."""

    def __init__(self, connection: Connection, repository: str) -> None:
        self._connection = connection
        self._repository = f"/repos/{connection.app.organisation}/{quote(repository)}"

    def versions(self) -> Mapping[str, Version]:
        """Return what each moving tag is now: `v1` is `v1.4.0`, or a commit that has no name."""
        with self._connection.doing("list the versions of the deploy workflow"):
            listed = self._connection.pages(f"{self._repository}/tags")
            tags = {tag["name"]: str(tag["commit"]["sha"]) for tag in listed}
        return {
            name: Version(id=sha, name=_name(name, sha, tags))
            for name, sha in tags.items()
            if MOVES.fullmatch(name)
        }


def _name(moving: str, sha: str, tags: Mapping[str, str]) -> str:
    """Return the newest fixed tag that is on the same commit."""
    fixed = [
        name
        for name, at in tags.items()
        if at == sha and (found := STAYS.fullmatch(name)) and found[1] == moving
    ]
    return max(fixed, key=_numbers, default=f"{moving} ({sha[:8]})")


def _numbers(tag: str) -> tuple[int, ...]:
    return tuple(map(int, tag.removeprefix("v").split(".")))
