"""A repository's files at its head, as one reads them in a browser."""

from collections.abc import Callable, Mapping
from typing import Any

from playground.page.address import Address
from playground.page.html import Html, join, tag

Source = Callable[[str], Mapping[str, bytes]]
"""Returns every file of a repository by path; raises `LookupError` for an unknown repository."""
MOST_SHOWN = 400_000
Clone = Callable[[str, str], str | None]
"""Gives the address from which a person may clone a repository by name, if they may."""


def no_clone(_viewer: str, _repository: str) -> str | None:
    """Know no address."""
    return None


def linked(snapshot: Mapping[str, Any], viewer: str, clone: Clone = no_clone) -> Mapping[str, Any]:
    """Return a snapshot in which the repositories' files and addresses lead to their content."""
    repositories = snapshot.get("repositories")
    if not isinstance(repositories, list):
        return snapshot
    return {**snapshot, "repositories": [_linked(one, viewer, clone) for one in repositories]}


def _linked(repository: Mapping[str, Any], viewer: str, clone: Clone) -> Mapping[str, Any]:
    files = repository.get("files")
    if not isinstance(files, list):
        return repository
    name = str(repository["name"])
    shown = dict(repository)
    shown["files"] = [
        tag("a", path, href=str(Address(viewer, "source", name, path=str(path)))) for path in files
    ]
    if "url" in shown:
        shown["url"] = tag("a", str(shown["url"]), href=str(Address(viewer, "source", name)))
    if address := clone(viewer, name):
        shown["clone_as_you"] = tag("code", f"git clone {address}", class_="command")
    return shown


def source_view(files: Mapping[str, bytes], at: Address) -> Html:
    """Return the tree, and the file that the address names."""
    entries = [
        tag(
            "a",
            path,
            href=str(Address(at.viewer, "source", at.name, path=path)),
            aria_current="page" if path == at.path else None,
        )
        for path in sorted(files)
    ]
    tree = tag("nav", entries, class_="file-tree", aria_label="Files")
    return tag("div", tree, _content(files, at.path), class_="source")


def _content(files: Mapping[str, bytes], path: str) -> Html:
    if path not in files:
        return tag("p", "Choose a file." if files else "This repository is empty.", class_="empty")
    raw = files[path]
    if b"\0" in raw:
        return tag("p", f"{len(raw)} bytes that are not text.", class_="empty")
    shown = raw.decode("utf-8", "replace")[:MOST_SHOWN]
    return tag("div", join([tag("h2", path), tag("pre", shown, tabindex="0")]), class_="file-body")
