"""In which order an upgrade of all projects goes, and when it goes no further: pure values."""

from collections.abc import Collection, Mapping
from typing import Literal

from provisioning.operation import Operation
from provisioning.project import ProjectSpec

FleetState = Literal["running", "paused", "halted", "done"]
MemberState = Literal["waiting", "begun", "offered", "conflicts", "current", "failed", "skipped"]
RINGS = ("canaries", "sandboxes", "the rest")
"""The rings, in their order."""
ENDED: tuple[MemberState, ...] = ("offered", "conflicts", "current", "failed", "skipped")
MEMBERS: dict[MemberState, str] = {
    "waiting": "waiting",
    "begun": "under way",
    "offered": "pull request open",
    "conflicts": "conflicts",
    "current": "current",
    "failed": "failed",
    "skipped": "skipped",
}


def ring_of(spec: ProjectSpec, canaries: Collection[str]) -> int:
    """Return the number of a project's ring."""
    if spec.name in canaries:
        return 0
    return 1 if spec.sandbox_until else 2


def next_ring(ring: int, left: Mapping[int, int]) -> int | None:
    """Return the ring to go on with, by how many each has left; None if there is none."""
    return next((number for number in range(ring, len(RINGS)) if left.get(number)), None)


def ending_of(operation: Operation) -> tuple[MemberState, str]:
    """Return how a member stands after its operation has ended, and why."""
    upgrade, trouble = operation.facts.upgrade, operation.facts.trouble
    if operation.phase != "done" or upgrade is None:
        return "failed", trouble.what if trouble else f"The run ended as {operation.phase}."
    if upgrade.needless:
        return "current", ""
    return ("conflicts", "") if upgrade.is_conflict else ("offered", "")
