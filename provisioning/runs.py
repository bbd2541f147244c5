"""A Terraform run as everybody else sees it: counts, changes, diagnostics. No Terraform here."""

from typing import Literal

from provisioning.text import Frozen

Action = Literal["create", "update", "replace", "delete", "read", "no-op", "import"]


class Counts(Frozen):
    """What a plan or an apply adds, changes, removes and imports, as Terraform counted it."""

    add: int = 0
    change: int = 0
    remove: int = 0
    adopt: int = 0

    def __str__(self) -> str:
        """Return the figures as run pages show them: `+83 ~0 -0`."""
        return f"+{self.add} ~{self.change} -{self.remove}"


class Change(Frozen):
    """What a plan does to one resource."""

    address: str
    resource_type: str
    action: Action


class Diagnostic(Frozen):
    """An error or a warning of Terraform's, scrubbed of secrets."""

    severity: Literal["error", "warning"]
    summary: str
    detail: str = ""
    address: str = ""


class Plan(Frozen):
    """A saved plan: it can be confirmed by its `digest` and is applied as it is.

    `digest` is a SHA-256 over every change with its planned values; `inputs` over the generated
    configuration, the modules and the provider versions. `priced` resources are those whose cost
    somebody could estimate; there is no price list for Databricks and GitHub objects, so it is 0.
    `drifted` are the addresses of what somebody has changed outside Terraform and it would undo.
    """

    digest: str
    inputs: str
    counts: Counts
    changes: tuple[Change, ...]
    seconds: float
    terraform: str
    priced: int = 0
    drifted: tuple[str, ...] = ()

    def covers(self, later: "Plan") -> bool:
        """Tell whether who confirmed this plan has thereby confirmed `later`.

        A plan made after an interrupted apply only finishes what was confirmed: the same inputs,
        and nothing done to an address that goes further than what was confirmed for it.
        """
        agreed = {change.address: FINISHES.get(change.action, ()) for change in self.changes}
        finishing = all(
            change.action in agreed.get(change.address, ())
            for change in later.changes
            if change.action not in ("no-op", "read")
        )
        return later.digest == self.digest or (later.inputs == self.inputs and finishing)


FINISHES: dict[Action, tuple[Action, ...]] = {
    "create": ("create", "import", "update"),
    "update": ("update",),
    "replace": ("replace", "create", "import", "update", "delete"),
    "delete": ("delete",),
}
"""What may be left to do to a resource after an interrupted apply, by what was planned for it."""


class Progress(Frozen):
    """Where an apply stands: resources finished, resources it will touch, what it works on.

    A `total` of 0 means that it is not known yet.
    """

    done: int
    total: int
    current: str = ""
    seconds: float = 0


class Outcome(Frozen):
    """How a Terraform command ended.

    `ending` "killed" means that its process vanished without an exit code: a plan is made again,
    an apply is finished from what exists. `stale` means that the saved plan no longer fits what
    exists, or is gone: nothing was changed, plan again.
    """

    ending: Literal["succeeded", "failed", "cancelled", "killed"]
    counts: Counts = Counts()
    diagnostics: tuple[Diagnostic, ...] = ()
    seconds: float = 0
    stale: bool = False
