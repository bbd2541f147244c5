"""Which versions a project is made of, and how it stands with newer ones: pure values."""

from typing import Literal

from provisioning.text import Frozen

Standing = Literal["current", "waiting", "conflicts", "failed", "behind"]
STANDINGS: dict[Standing, str] = {
    "current": "Current",
    "waiting": "Pull request open",
    "conflicts": "Conflicts to resolve",
    "failed": "Failed",
    "behind": "Behind",
}
"""How projects stand with the present version of their template, in the order of being told."""


class TemplateVersion(Frozen):
    """A version of a template; `digest` tells it from others, `name` is for people."""

    name: str
    digest: str


class Upgrade(Frozen):
    """What an upgrade is about, and what came of it.

    `before` is the name of the version that the project has. `fleet` is the upgrade of all
    projects that it belongs to: such a one has the template alone as its matter. `modules` are
    those that are applied, if the project's are others. `commit` is the version's on the
    template's branch, `base` the one that `main` holds. `needless` says that `main` has it all.
    """

    before: str = ""
    version: TemplateVersion | None = None
    fleet: str = ""
    modules: str = ""
    commit: str = ""
    base: str = ""
    needless: bool = False
    pull: int = 0
    url: str = ""
    contested: tuple[str, ...] = ()
    is_conflict: bool = False
