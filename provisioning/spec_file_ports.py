"""What specifications in repositories need of GitHub: merges, proposals, a check on them."""

from collections.abc import Sequence
from typing import Protocol

from provisioning.spec_file import Problem
from provisioning.text import Frozen


class Merge(Frozen):
    """A commit of `main` that changed the file, and what the file says after its merge.

    `login` is who merged it by the pull request `number`, which is of `author`; nobody where there
    was none: who made a commit can be forged. `content` is None where the file was removed.
    """

    commit: str
    merged: str
    content: bytes | None
    login: str = ""
    author: str = ""
    number: int = 0
    url: str = ""


class Proposed(Frozen):
    """An open pull request; `head` is the last commit on its branch."""

    number: int
    head: str
    author: str


class SpecFiles(Protocol):
    """The file `sciclops.yml` in projects' repositories."""

    def newest(self, project: str) -> str:
        """Return the newest commit of `main` that changed the file; empty if none ever did."""

    def next_merge(self, project: str, after: str) -> Merge | None:
        """Return the first change of the file that came after a commit, or after nothing."""

    def open_pulls(self, project: str) -> tuple[Proposed, ...]:
        """Return the open pull requests to `main`; asked again, unchanged ones cost nothing."""

    def proposal(self, project: str, pull: Proposed) -> tuple[bytes | None, bytes | None] | None:
        """Return what the file says where a pull request branched off, and what it would say.

        None where it does not touch the file.
        """

    def report(self, project: str, head: str, summary: str, problems: Sequence[Problem]) -> None:
        """Show a check on a commit: failed where there are problems, each beside its line."""
