"""What an upgrade needs of GitHub: the template's branch, one to merge from, a pull request."""

from collections.abc import Mapping
from typing import Literal, Protocol

from provisioning.text import Frozen

Merging = Literal["merged", "there already", "conflict"]
"""How it went to bring a version into the branch of an upgrade."""
PullState = Literal["open", "merged", "closed"]


class Proposal(Frozen):
    """A pull request that offers a version of the template."""

    number: int
    url: str
    is_draft: bool = False


class PullFacts(Frozen):
    """How a pull request stands; `head` is the last commit on its branch."""

    state: PullState
    head: str


class TemplateUpgrades(Protocol):
    """A project's repository as far as new versions of its template are concerned.

    Each call may be repeated: what is there already is not made again.
    """

    def write(self, project: str, files: Mapping[str, bytes], message: str) -> str:
        """Make `sciclops/template` hold exactly `files`; return the commit that does."""

    def merged(self, project: str, recorded: str) -> str:
        """Return the newest commit of `sciclops/template` that `main` holds, squashed or merged.

        `recorded` is the last one that we know of.
        """

    def prepare(self, project: str, base: str) -> None:
        """Make the branch of an upgrade ready: at `main`, with `base` noted as merged into it.

        Where a pull request is open its branch stays as it is, but gets what `main` has new.
        """

    def bring_in(self, project: str, commit: str, message: str) -> Merging:
        """Merge a commit of `sciclops/template` into the branch of an upgrade, as git does."""

    def contested(self, project: str, base: str, commit: str) -> tuple[str, ...]:
        """Return the files that both `main` and the template have changed since `base`."""

    def propose(self, project: str, title: str, body: str, *, is_draft: bool | None) -> Proposal:
        """Have one open pull request say this, as a draft or not; None leaves that as it is."""

    def look(self, project: str, number: int) -> PullFacts | None:
        """Return how a pull request stands; None where there is none."""

    def holds(self, project: str, head: str, commit: str) -> bool:
        """Tell whether a commit has another one among its ancestors, or is it."""
