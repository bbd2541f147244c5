"""Upgrades of projects that exist: what is to be done, who may ask, and what people made of it.

A version is a project's own once `main` holds it. Nobody waits for that: a sweep looks at the open
pull requests, and so does each upgrade before it begins.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from provisioning.clock import Clock
from provisioning.errors import SciclopsError, TemporaryError, UserError
from provisioning.living import ready
from provisioning.operation import UPGRADE
from provisioning.policy import Policy, may_stop
from provisioning.ports import People, Templates
from provisioning.project import ProjectSpec
from provisioning.store import Store
from provisioning.tables import ProjectRow
from provisioning.text import Frozen
from provisioning.upgrade_ports import TemplateUpgrades
from provisioning.upgrade_tables import VersionRow
from provisioning.verdicts import Refused
from provisioning.versions import Upgrade

log = logging.getLogger(__name__)

TEMPLATE, PROJECT = "upgrade_template", UPGRADE
"""The kinds of upgrades: of the template alone, and of the infrastructure, too."""
LOOK_EVERY = timedelta(seconds=30)
LOOKS_AT_ONCE = 40
"""So many pull requests are looked at each half minute; GitHub counts those that have changed."""


class Wanted(Frozen):
    """What an upgrade of a project would do: the operation to begin, unless `kind` is empty."""

    spec: ProjectSpec
    kind: str
    upgrade: Upgrade


@dataclass(frozen=True)
class Upgrading:
    """Decides what there is to upgrade, and follows what people do with it."""

    store: Store
    upgrades: TemplateUpgrades
    templates: Templates
    people: People
    policy: Policy
    clock: Clock
    modules: str
    """The digest of the modules that this process applies."""

    def present(self) -> Mapping[str, str]:
        """Return the digest of each template's present version."""
        return {name: self.templates.version(name).digest for name in self.templates.names()}

    def wanted(self, name: str, *, by: str) -> Wanted:
        """Return what an upgrade of a project would do; raises `UserError` for who may not ask."""
        project = ready(self.store, name)
        spec = ProjectSpec.model_validate(project.spec)
        self._require_right(project, spec, by)
        known = self.store.versions.get(name)
        if known.modules != self.modules:
            return Wanted(spec=spec, kind=PROJECT, upgrade=Upgrade(modules=self.modules))
        is_current = (
            known.version == self.templates.version(spec.template).digest
            and known.commit == project.commit  # a change may have pushed to the template's branch
        )
        return Wanted(spec=spec, kind="" if is_current else TEMPLATE, upgrade=Upgrade())

    def _require_right(self, project: ProjectRow, spec: ProjectSpec, by: str) -> None:
        verdict = may_stop(
            who=by,
            requested_by=project.requested_by,
            owners=spec.owners,
            platform=self.people.is_among(by, (self.policy.platform_group,)),
        )
        if isinstance(verdict, Refused):
            self.store.refused(spec.name, by, "upgrade", verdict.why)
            raise UserError(f"Not done: {verdict.why}.")

    # ------------------------------------------------------------------ what people made of it

    def sweep(self) -> None:
        """Look at the pull requests whose turn it is."""
        before = self.clock.now() - LOOK_EVERY
        for row in self.store.versions.to_look_at(before, LOOKS_AT_ONCE):
            try:
                self._look(row)
            except SciclopsError as error:
                log.info("could not look at the upgrade of %s: %s", row.project, error)
                if isinstance(error, TemporaryError) and error.after:
                    return  # GitHub wants to be left alone

    def look(self, project: str) -> None:
        """Note what became of a project's pull request, if one was open."""
        row = self.store.versions.get(project)
        if row.pull_state in ("open", "conflicts"):
            self._look(row)

    def _look(self, row: VersionRow) -> None:
        """Believe that `main` holds a version only if what was merged has it as an ancestor."""
        facts = self.upgrades.look(row.project, row.pull)
        if facts is None:
            self.store.versions.ended(row.project, row.pull, "closed", taken=False)
            return
        if facts.state == "closed":
            self.store.versions.ended(row.project, row.pull, "closed", taken=False)
            return
        is_merged = facts.state == "merged"
        if not is_merged and row.pull_state == "open":
            return
        holds = self.upgrades.holds(row.project, facts.head, row.offered_commit)
        if is_merged:
            self.store.versions.ended(row.project, row.pull, "merged", taken=holds)
        elif holds:
            self.store.versions.resolved(row.project, row.pull)
