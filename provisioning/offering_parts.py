"""The steps that offer a project the present version of its template, by one pull request.

Each is one effect, which may happen twice; what people have done meanwhile is looked at anew.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from provisioning.engine import Steps
from provisioning.errors import PermanentError
from provisioning.operation import Operation
from provisioning.pull_request_text import body_of, message_of, title_of
from provisioning.run_steps import RunSteps
from provisioning.upgrade_ports import TemplateUpgrades
from provisioning.verifying_parts import VerifyingParts
from provisioning.versions import Upgrade


@dataclass(frozen=True)
class OfferingParts:
    """The steps; `look` notes what became of the pull request that was open last."""

    run_steps: RunSteps
    upgrades: TemplateUpgrades
    verifying: VerifyingParts
    look: Callable[[str], None]

    def check(self, operation: Operation) -> None:
        """Fail now if the version cannot be offered; note which one it is."""
        project = self.run_steps.store.projects.get(operation.project)
        if project is None or project.state != "ready":
            raise PermanentError(f"{operation.project} is not ready any more. Nothing was changed.")
        self.verifying.render(operation.spec)
        version = self.verifying.templates.version(operation.spec.template)
        self._note(operation.id, version=version.model_dump())

    def offer(self, steps: Steps, run: str) -> None:
        """Open a pull request, or bring the open one up to date; none if `main` has it all."""
        steps.do("look at the last pull request", self._look, run)
        steps.do("write the template's branch", self._write, run)
        if steps.do("find what main holds", self._is_needless, run):
            return
        steps.do("prepare the upgrade's branch", self._prepare, run)
        brought = steps.do("merge the template", self._bring_in, run)
        steps.do("open the pull request", self._propose, run, brought)

    # ------------------------------------------------------------------ steps

    def _look(self, run: str) -> None:
        operation = self.run_steps.enter(run, ["applying"], "starter", touched=True)
        self.look(operation.project)
        known = self.run_steps.store.versions.get(operation.project)
        self._note(run, before=known.version_name)

    def _write(self, run: str) -> None:
        operation = self.run_steps.load(run)
        message = message_of(operation)
        commit = self.upgrades.write(
            operation.project, self.verifying.render(operation.spec), message
        )
        self._note(run, commit=commit)
        store = self.run_steps.store
        if project := store.projects.get(operation.project):
            store.projects.become(project.name, project.state, {"commit": commit})

    def _is_needless(self, run: str) -> bool:
        operation = self.run_steps.load(run)
        upgrade, versions = upgrade_of(operation), self.run_steps.store.versions
        recorded = versions.get(operation.project).commit
        base = self.upgrades.merged(operation.project, recorded)
        needless = base == upgrade.commit
        upgrade = self._note(run, base=base, needless=needless)
        if needless:
            versions.has(operation.project, upgrade)
        return needless

    def _prepare(self, run: str) -> None:
        operation = self.run_steps.load(run)
        self.upgrades.prepare(operation.project, upgrade_of(operation).base)

    def _bring_in(self, run: str) -> str:
        operation = self.run_steps.load(run)
        upgrade, message = upgrade_of(operation), message_of(operation)
        brought = self.upgrades.bring_in(operation.project, upgrade.commit, message)
        if brought == "conflict":
            files = self.upgrades.contested(operation.project, upgrade.base, upgrade.commit)
            self._note(run, is_conflict=True, contested=files)
        else:
            self._note(run, is_conflict=False, contested=())
        return brought

    def _propose(self, run: str, brought: str) -> None:
        """Open it, as a draft where git could not merge; what people worked on stays as it is."""
        operation = self.run_steps.load(run)
        draft = None if brought == "there already" else brought == "conflict"
        words = title_of(operation), body_of(operation)
        made = self.upgrades.propose(operation.project, *words, is_draft=draft)
        upgrade = self._note(run, pull=made.number, url=made.url)
        self.run_steps.store.versions.offered(operation.project, upgrade)

    def _note(self, run: str, **changes: Any) -> Upgrade:
        known = upgrade_of(self.run_steps.load(run))
        changed = Upgrade.model_validate(known.model_dump() | changes)
        self.run_steps.remember(run, upgrade=changed.model_dump(mode="json"))
        return changed


def upgrade_of(operation: Operation) -> Upgrade:
    """Return what an operation knows of its upgrade."""
    if operation.facts.upgrade is None:
        raise PermanentError("This run does not say what to upgrade. Nothing was changed.")
    return operation.facts.upgrade
