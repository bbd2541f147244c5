"""Commits as GitHub lists them, in our words."""

import re
from typing import Any

from provisioning.release import Commit, Comparison

Json = Any


def comparison(base: str, total: int, commits: list[Json], url: str) -> Comparison:
    """Return the commits since a base, newest last."""
    return Comparison(
        base=base, total=total, commits=tuple(_commit(one) for one in commits if one), url=url
    )


def _commit(found: Json) -> Commit:
    author = (found.get("author") or {}).get("login") or found["commit"]["author"]["name"]
    title = _title(found["commit"]["message"])
    return Commit(
        sha=found["sha"],
        title=title[:120],
        author=author,
        url=found["html_url"],
        parents=tuple(parent["sha"] for parent in found["parents"]),
    )


def _title(message: str) -> str:
    """Return what a commit is about: of a merged pull request its title, which GitHub puts last."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    merged = re.match(r"Merge pull request (#\d+) ", lines[0]) if lines else None
    if merged and len(lines) > 1:
        return f"{lines[1]} ({merged[1]})"
    return lines[0] if lines else ""
