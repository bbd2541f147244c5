"""What an installation allows, decided purely and with the reason."""

import re
from datetime import date, timedelta
from typing import Literal

from pydantic import Field

from provisioning.delivery import Delivery
from provisioning.operation import CHANGES, CREATE, DESTROY, UPGRADE
from provisioning.project import AccessLevel, DataAccess, ProjectSpec
from provisioning.text import OURSELVES, Frozen
from provisioning.verdicts import Allowed, Refused

Rotating = Literal["ask", "automatic"]
"""What happens to keys that are due: owners are asked to rotate them, or we begin it."""

Confirmer = Literal["nobody", "requester", "platform", "second_person"]

MAX_REVIEWERS = 6
"""GitHub: an environment has at most six required reviewers (users or teams)."""


class Naming(Frozen):
    """What a project may be called."""

    pattern: str
    explanation: str
    reserved: tuple[str, ...] = ()
    reserved_prefixes: tuple[str, ...] = ()

    def objection(self, name: str) -> str:
        """Return why a name cannot be taken, or an empty string."""
        if not re.fullmatch(self.pattern, name):
            return f"A name has {self.explanation}."
        if name in self.reserved:
            return f"“{name}” is reserved. Please choose another name."
        for prefix in self.reserved_prefixes:
            if name.startswith(prefix):
                return f"Names that start with “{prefix}” are reserved. Please choose another name."
        return ""


class RequestableData(Frozen):
    """A securable that may be asked for, and who must consent (chat users or user groups)."""

    securable: str
    levels: tuple[AccessLevel, ...]
    owners: tuple[str, ...] = ()


class Policy(Delivery):
    """The rules of this installation.

    `catalogs` are those of each workspace group's stages, groups in the order of deployments.
    `webhooks` says that GitHub tells us of workflow runs; without them we ask. `release_group` and
    `break_glass_group` are chat user groups for the gate "app_rule". `logins` are the GitHub logins
    of chat users that whoever keeps the settings vouches for. `confirm_change` is like
    `confirm_create` where it is None. Keys are due after `rotate_after`; the old ones are kept for
    `longest_overlap` at most. After so many `sandbox_extensions` only the platform team extends a
    sandbox. An upgrade of all projects begins with the `canaries`, has so many `upgrades_at_once`
    under way, and halts after more than `upgrade_failures`.
    """

    naming: Naming
    workspace_groups: dict[str, str]
    catalogs: dict[str, dict[str, str]]
    data: tuple[RequestableData, ...]
    confirm_create: Confirmer
    confirm_change: Confirmer | None = None
    confirm_destroy: Confirmer = "second_person"
    confirm_destroy_sandbox: Confirmer = "nobody"
    confirmation_expires: timedelta
    platform_group: str
    users_group: str
    channel: str
    announcements: str
    sandbox_default: timedelta
    sandbox_maximum: timedelta
    sandbox_extensions: int = 3
    github_writing_applies: int = 1
    github_writes_per_hour: int = 450
    release_expires: timedelta = timedelta(days=3)
    drift_every: timedelta = timedelta(days=1)
    webhooks: bool = False
    release_group: str = ""
    break_glass_group: str = ""
    logins: dict[str, str] = Field(default_factory=dict)
    rotation: Rotating = "ask"
    rotate_after: timedelta = timedelta(days=90)
    longest_overlap: timedelta = timedelta(hours=24)
    canaries: tuple[str, ...] = ()
    upgrades_at_once: int = 3
    upgrade_failures: int = 3

    def requestable(self, access: DataAccess) -> RequestableData | None:
        """Return the entry that allows asking for this access, or None."""
        for entry in self.data:
            if entry.securable == access.securable and access.level in entry.levels:
                return entry
        return None

    def confirmer(self, kind: str, spec: ProjectSpec) -> Confirmer:
        """Return who confirms the plan of such an operation on this project."""
        if kind in (*CHANGES, UPGRADE):
            return self.confirm_change or self.confirm_create
        if kind != DESTROY:
            return self.confirm_create
        return self.confirm_destroy_sandbox if spec.sandbox_until else self.confirm_destroy

    def confirmers(
        self, spec: ProjectSpec, requested_by: str, kind: str = CREATE
    ) -> tuple[str, ...]:
        """Return the users and groups who may confirm a plan, to be named; see `may_confirm`."""
        others = tuple(owner for owner in spec.owners if owner != requested_by)
        asking = () if requested_by == OURSELVES else (requested_by,)
        platform = (self.platform_group,) if self.platform_group else ()
        return {
            "nobody": (),
            "platform": platform,
            "second_person": (*others, *platform),
            "requester": (*asking, *others, *platform),
        }[self.confirmer(kind, spec)]

    def objections(self, spec: ProjectSpec, today: date) -> dict[str, str]:
        """Return what is wrong with a request by its own lights: form field to sentence."""
        found = {
            "name": self.naming.objection(spec.name),
            "owners": "" if spec.owners else "A project needs at least one owner.",
            "reviewers": self._reviewers_objection(spec),
            "workspace_groups": self._groups_objection(spec),
            "data_access": self._data_objection(spec),
            "sandbox_until": self._sandbox_objection(spec, today),
        }
        return {field: sentence for field, sentence in found.items() if sentence}

    def _reviewers_objection(self, spec: ProjectSpec) -> str:
        if not spec.reviewers and self.gated_stages and not self.release_group:
            stages = " and ".join(stage.capitalize() for stage in self.gated_stages)
            return f"{stages} need{'s' * (len(self.gated_stages) == 1)} at least one reviewer."
        if len(spec.reviewers) > MAX_REVIEWERS and self.gate == "reviewer":
            return (
                f"GitHub allows {MAX_REVIEWERS} reviewers (people or teams); these are "
                f"{len(spec.reviewers)}. A team counts as one."
            )
        return ""

    def _groups_objection(self, spec: ProjectSpec) -> str:
        if not spec.workspace_groups:
            return "Choose at least one workspace group."
        unknown = [group for group in spec.workspace_groups if group not in self.workspace_groups]
        return f"There is no workspace group {', '.join(unknown)}." if unknown else ""

    def _data_objection(self, spec: ProjectSpec) -> str:
        groups = [self.catalogs.get(group, {}) for group in spec.workspace_groups]
        within = {catalog for stages in groups for catalog in stages.values()}
        seen: set[str] = set()
        for access in spec.data_access:
            if self.requestable(access) is None:
                return f"{access.securable} ({access.level}) cannot be requested here."
            if access.securable.split(".")[0] not in within:
                return f"{access.securable} is in none of the workspace groups you chose."
            if access.securable in seen:
                return f"Ask for {access.securable} once: write includes read."
            seen.add(access.securable)
        return ""

    def _sandbox_objection(self, spec: ProjectSpec, today: date) -> str:
        if spec.sandbox_until is None:
            return ""
        if spec.sandbox_until <= today:
            return "The end date must be in the future."
        latest = today + self.sandbox_maximum
        if spec.sandbox_until > latest:
            return f"A sandbox lives at most {self.sandbox_maximum.days} days: until {latest}."
        return ""


def needs_another(kind: str, spec: ProjectSpec) -> bool:
    """Tell whether nobody confirms their own request, whatever the settings say."""
    return kind == DESTROY and spec.sandbox_until is None


def may_confirm(
    confirmer: Confirmer,
    *,
    who: str,
    requested_by: str,
    owners: tuple[str, ...],
    platform: bool,
    needs_another: bool = False,
) -> Allowed | Refused:
    """Decide who may confirm, discard or cancel a plan that somebody requested."""
    if needs_another and who == requested_by:
        return Refused(why="nobody confirms their own destruction of a project without an end date")
    if confirmer == "platform":
        return Allowed() if platform else Refused(why="only the platform team confirms this plan")
    if confirmer == "second_person":
        if who == requested_by:
            return Refused(why="somebody else than the requester confirms this plan")
        return Allowed() if platform or who in owners else _only("an owner of the project")
    if who == requested_by or who in owners or platform:
        return Allowed()
    return _only("the requester, an owner of the project")


def nobody_confirms(
    confirmer: Confirmer, *, able: tuple[str, ...], requested_by: str, needs_another: bool = False
) -> str:
    """Return why nobody could confirm a plan and what to do, or an empty string.

    `able` are the active people behind `Policy.confirmers`, or at least two of them.
    """
    if needs_another:
        able = tuple(person for person in able if person != requested_by)
    if confirmer == "platform" and not able:
        return (
            "Only the platform team may confirm this, and nobody active is in it. Ask whoever runs "
            "SciCLOps to add people to its user group, or to name another one in roles.platform."
        )
    if confirmer == "second_person" and not set(able) - {requested_by}:
        return (
            "Somebody else than you must confirm this, and nobody else could: no other owner, and "
            "nobody active in the platform team. Add another owner."
        )
    return ""


def may_stop(
    *, who: str, requested_by: str, owners: tuple[str, ...], platform: bool
) -> Allowed | Refused:
    """Decide who may cancel, discard, retry or clean up a run."""
    if who == requested_by or who in owners or platform:
        return Allowed()
    return _only("the requester, an owner of the project")


def _only(whom: str) -> Refused:
    return Refused(why=f"only {whom} or the platform team can do that")
