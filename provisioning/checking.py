"""Checks of projects that are ready, whenever somebody asks: nothing is changed by them.

They ask vendors for seconds, so that a small durable workflow does it and answers directly. A
vendor that cannot be asked is a result, too: nobody waits for it, and it never counts as passed.
"""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast
from uuid import uuid4

from provisioning.check_remedies import with_remedy
from provisioning.check_report import Report, as_json, notice
from provisioning.clock import Clock
from provisioning.deployment_ports import Deployments
from provisioning.engine import Engine, Steps, Workflow
from provisioning.errors import PermanentError, SciclopsError, UserError
from provisioning.key_age_checks import key_ages
from provisioning.last_deployments import last_deployments
from provisioning.living import ready
from provisioning.operation import operation_id
from provisioning.policy import Policy
from provisioning.ports import Finding, Redactor, Repositories, Templates, Terraform, Workspaces
from provisioning.project import ProjectSpec
from provisioning.starter import starter_answers
from provisioning.store import Attachment, Message, Store
from provisioning.tables import ProjectRow
from provisioning.text import Notice

log = logging.getLogger(__name__)

MOST_RUNS = 100
"""So many of a project's latest runs are looked through for its last deployments."""
UNASKED = "Nothing is known about that now. Check again once it answers; `sciclops doctor` helps."

Ask = Callable[[], tuple[Finding, ...]]


@dataclass(frozen=True)
class Checking:
    """Asks GitHub, Databricks and our own records about one project, side by side."""

    store: Store
    engine: Engine
    repositories: Repositories
    workspaces: Workspaces
    deployments: Deployments
    terraform: Terraform
    templates: Templates
    policy: Policy
    clock: Clock
    redact: Redactor

    def workflows(self) -> dict[str, Workflow]:
        """Return the durable part by the name it is registered under."""
        return {"check.ask": self._ask}

    def begin(self, project: str, *, by: str, key: str, as_file: bool) -> None:
        """Begin to check a project for somebody, who is answered directly; again is harmless."""
        ready(self.store, project)
        check = operation_id(key)
        self.store.memos.set(f"check:{check}", {"project": project, "by": by, "file": as_file})
        self.engine.start("check.ask", check, project=f"check:{project}", part="check")

    def examine(self, project: str) -> Report:
        """Ask everybody now, and return what they say; raises `UserError` unless it is ready."""
        row = ready(self.store, project)
        asked = self._asked(row)
        with ThreadPoolExecutor(len(asked), thread_name_prefix="check") as pool:
            answers = [pool.submit(self._answered, what, ask) for what, ask in asked.items()]
            findings = [finding for answer in answers for finding in answer.result()]
        failed = [each for each in findings if not each.passed]
        unasked = sum(not each.asked for each in failed)
        self.store.health.checked(project, failed=len(failed) - unasked, unasked=unasked)
        return Report(
            project=project,
            at=self.clock.now(),
            findings=tuple(self._redacted(with_remedy(each, project)) for each in findings),
            under_way=bool(self.store.operations.of_project(project, active=True)),
        )

    # ------------------------------------------------------------------ asking

    def _asked(self, row: ProjectRow) -> Mapping[str, Ask]:
        """Return who is asked what."""
        spec = ProjectSpec.model_validate(row.spec)
        outputs = self._outputs(row)
        asked: dict[str, Ask] = {
            "GitHub, about repository and environments": lambda: self._repository(
                spec, outputs, row.commit
            ),
            "Databricks, about principals and workspaces": lambda: self.workspaces.verify(
                spec, outputs
            ),
            "GitHub, about the last deployments": lambda: self._deployments(spec),
        }
        if self.policy.authentication == "secret":
            asked["Databricks, about the keys"] = lambda: self._keys(spec, outputs)
        return asked

    def _outputs(self, row: ProjectRow) -> Mapping[str, object]:
        """Return what Terraform says of what it made; from our own record where it cannot."""
        try:
            return self.terraform.outputs(row.name) or row.outputs
        except SciclopsError:
            log.warning("Terraform cannot tell the outputs of %s", row.name, exc_info=True)
            return row.outputs

    def _repository(
        self, spec: ProjectSpec, outputs: Mapping[str, object], pushed: str
    ) -> tuple[Finding, ...]:
        known = starter_answers(spec, self.policy.catalogs, self.policy)
        files = self.templates.render(spec.template, {**spec.answers, **known})
        return self.repositories.verify(spec, files, outputs, pushed)

    def _deployments(self, spec: ProjectSpec) -> tuple[Finding, ...]:
        return last_deployments(
            spec,
            self.store.workflow_runs.of_project(spec.name, MOST_RUNS),
            self.store.releases.of_project(spec.name),
            lambda environment: self.deployments.released(spec.name, environment),
            self.clock.now(),
        )

    def _keys(self, spec: ProjectSpec, outputs: Mapping[str, object]) -> tuple[Finding, ...]:
        return key_ages(
            self.policy.identities(spec),
            cast("Mapping[str, Mapping[str, Any]]", outputs.get("environments") or {}),
            self.workspaces.secrets,
            self.clock.now(),
            timedelta(days=self.policy.secret_days),
        )

    def _answered(self, what: str, ask: Ask) -> tuple[Finding, ...]:
        """Return the answers, or the one finding that there are none."""
        try:
            return ask()
        except SciclopsError as error:
            why = str(error)
        except Exception:
            reference = uuid4().hex[:8]
            log.exception("a check broke off, reference %s", reference)
            why = f"Something unexpected happened, reference {reference}."
        return (Finding(check=what, passed=False, asked=False, detail=why, remedy=UNASKED),)

    def _redacted(self, finding: Finding) -> Finding:
        return finding.model_copy(update={"detail": self.redact(finding.detail)})

    # ------------------------------------------------------------------ answering

    def _ask(self, steps: Steps, check: str) -> None:
        steps.do("check", self._check, check)
        steps.do("forget", self.store.memos.drop, f"check:{check}")

    def _check(self, check: str) -> None:
        """Check and tell the result, or why there is none."""
        asked = self.store.memos.get(f"check:{check}")
        if asked is None:
            raise PermanentError(f"There is no check {check}; nothing was asked.")
        try:
            report = self.examine(asked["project"])
        except UserError as error:
            content: Notice | Attachment = Notice(summary=str(error), body=(error.said,))
        else:
            name = f"check-{report.project}-{check.removeprefix('run-')}.json"
            content = (
                Attachment(name=name, text=as_json(report)) if asked["file"] else notice(report)
            )
        self.store.messages.show(
            Message(key=f"check:{check}", recipient=asked["by"], content=content, urgent=True)
        )
