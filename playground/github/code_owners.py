"""CODEOWNERS: who owns the files that a pull request changes."""

import re
from collections.abc import Iterator

from playground.github.objects import GitStore
from playground.github.world import World

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")


def _lines(git: GitStore, commit: str) -> Iterator[list[str]]:
    files = git.files(git.commit(commit).tree)
    place = next((place for place in PLACES if place in files), None)
    if place is None:
        return
    text = git.read(files[place][1])[1].decode("utf-8", "replace")
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if words:
            yield words


def _owns(pattern: str, path: str) -> bool:
    """Match as .gitignore does: without a slash anywhere, with one from the root."""
    anchored = "/" in pattern.rstrip("/")
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", pattern.strip("/"))
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    body = "".join(known.get(piece, re.escape(piece)) for piece in pieces)
    start = "" if anchored else "(?:.*/)?"
    end = "/.*" if pattern.endswith("/") else "" if pattern.endswith("/*") else "(?:/.*)?"
    return re.fullmatch(start + body + end, path) is not None


def owners_of(git: GitStore, commit: str, paths: list[str]) -> list[tuple[str, ...]]:
    """Return the owners of each owned path, as written; the last line that fits counts."""
    lines = list(_lines(git, commit))
    found = []
    for path in paths:
        owners = next((words[1:] for words in reversed(lines) if _owns(words[0], path)), [])
        found.append(tuple(owners))
    return [owners for owners in dict.fromkeys(found) if owners]


def is_owner(world: World, login: str, owners: tuple[str, ...]) -> bool:
    """Say whether a person is among owners: `@login`, `@org/team` or an address."""
    user = world.find_user(login)
    for owner in owners:
        organisation, slash, slug = owner.removeprefix("@").partition("/")
        team = world.teams.get(slug) if slash else None
        ours = organisation.lower() == world.organisation.login.lower()
        if team is not None and ours and login in team.members:
            return True
        if owner == f"@{login}" or (user is not None and owner == user.email):
            return True
    return False
