"""What a change of a project's specification changes, and what it must not: pure values."""

import hashlib
import json
from collections.abc import Mapping
from typing import TypeVar

from provisioning.delivery import Delivery
from provisioning.project import DataAccess, Environment, ProjectSpec
from provisioning.text import Frozen

T = TypeVar("T")

CHANGEABLE = (
    "owners",
    "managed_group",
    "github_team",
    "reviewers",
    "workspace_groups",
    "data_access",
)
"""What a change is about. Everything else of a project stays, or is another operation's matter."""

CHANGED_MEANWHILE = (
    "{project} was changed since you opened this form. Nothing was changed now: close it, type "
    "/sciclops change {project} again, and look at how it is."
)

Catalogs = Mapping[str, Mapping[str, str]]
"""The catalogs of each workspace group's stages."""


class Difference(Frozen):
    """What one part of a specification gains and loses, in the words of `entries`."""

    part: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def entries(spec: ProjectSpec) -> dict[str, tuple[str, ...]]:
    """Return what a specification says, part by part."""
    return {
        "owners": spec.owners,
        "managed_group": (spec.managed_group,),
        "github_team": (spec.github_team,),
        "reviewers": tuple(f"{one.kind} {one.name}" for one in spec.reviewers),
        "workspace_groups": spec.workspace_groups,
        "data_access": tuple(f"{one.level} {one.securable}" for one in spec.data_access),
    }


def differences(before: ProjectSpec, after: ProjectSpec) -> tuple[Difference, ...]:
    """Return what differs, in the order of the form; another order of the same is no difference."""
    old, new = entries(before), entries(after)
    found = (
        Difference(
            part=part,
            added=tuple(one for one in new[part] if one not in old[part]),
            removed=tuple(one for one in old[part] if one not in new[part]),
        )
        for part in CHANGEABLE
    )
    return tuple(one for one in found if one.added or one.removed)


def fingerprint(spec: ProjectSpec) -> str:
    """Return what tells one specification from another, as far as changes are about it."""
    said = {part: sorted(words) for part, words in entries(spec).items()}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:12]


def with_changes(present: ProjectSpec, wanted: ProjectSpec) -> ProjectSpec:
    """Return the present specification with what a change may change.

    What stays keeps its place in its list: another order would look like a change to Terraform.
    """
    return present.model_copy(
        update={
            "owners": _in_order(present.owners, wanted.owners),
            "managed_group": wanted.managed_group,
            "github_team": wanted.github_team,
            "reviewers": _in_order(present.reviewers, wanted.reviewers),
            "workspace_groups": _in_order(present.workspace_groups, wanted.workspace_groups),
            "data_access": _in_order(present.data_access, wanted.data_access),
        }
    )


def _in_order(before: tuple[T, ...], after: tuple[T, ...]) -> tuple[T, ...]:
    wanted = tuple(dict.fromkeys(after))
    kept = tuple(one for one in before if one in wanted)
    return (*kept, *(one for one in wanted if one not in kept))


def groups_objection(before: ProjectSpec, after: ProjectSpec) -> str:
    """Return why workspace groups cannot change like this, or an empty string.

    The environments of a project in one group have no group in their names, so a second group
    would rename them: that destroys and makes anew, data included.
    """
    if lost := [one for one in before.workspace_groups if one not in after.workspace_groups]:
        return (
            f"{', '.join(lost)} cannot be removed: its environments would be destroyed, with the "
            "data in their schemas and with jobs still deployed there."
        )
    if len(before.workspace_groups) == 1 and len(after.workspace_groups) > 1:
        return (
            "A project in one workspace group stays in that one: a second one would rename its "
            "environments, which destroys their schemas and all data in them. "
            "Ask for a new project in both."
        )
    return ""


def new_environments(
    before: ProjectSpec, after: ProjectSpec, delivery: Delivery
) -> tuple[Environment, ...]:
    """Return the environments with a service principal which there are not yet."""
    known = {each.name for each in delivery.identities(before)}
    return tuple(each for each in delivery.identities(after) if each.name not in known)


def data_to_ask_for(
    before: ProjectSpec, after: ProjectSpec, catalogs: Catalogs
) -> tuple[DataAccess, ...]:
    """Return the access whose owners have not consented yet.

    They have if every environment that gets it has it, or may write what it may read from now on.
    """
    had = _granted(before, catalogs)
    return tuple(
        access
        for access in after.data_access
        if not _reached(after, access, catalogs) <= had or access not in _covered(before)
    )


def _covered(spec: ProjectSpec) -> set[DataAccess]:
    """Return all access that was asked for; write includes read."""
    less = {one.model_copy(update={"level": "read"}) for one in spec.data_access}
    return {*spec.data_access, *less}


def _granted(spec: ProjectSpec, catalogs: Catalogs) -> set[tuple[str, str, str]]:
    reached = (_reached(spec, access, catalogs) for access in _covered(spec))
    return {one for each in reached for one in each}


def _reached(
    spec: ProjectSpec, access: DataAccess, catalogs: Catalogs
) -> set[tuple[str, str, str]]:
    """Return what an access means: which environment gets which level of what."""
    catalog = access.securable.split(".")[0]
    return {
        (each.name, access.securable, access.level)
        for each in spec.environments()
        if catalogs.get(each.group, {}).get(each.stage) == catalog
    }
