"""The step that asks GitHub and Databricks whether a project is as its specification says."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from provisioning.errors import PermanentError
from provisioning.operation import Operation
from provisioning.ports import Repositories, Templates, Workspaces
from provisioning.project import ProjectSpec
from provisioning.run_steps import RunSteps
from provisioning.spec_file import FILE, written
from provisioning.starter import starter_answers

A = TypeVar("A")
B = TypeVar("B")


def side_by_side(one: Callable[[], A], other: Callable[[], B]) -> tuple[A, B]:
    """Ask two vendors at once, and return both answers."""
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="vendor") as pool:
        first, second = pool.submit(one), pool.submit(other)
        return first.result(), second.result()


@dataclass(frozen=True)
class VerifyingParts:
    """What is verified is the specification of a run."""

    run_steps: RunSteps
    repositories: Repositories
    workspaces: Workspaces
    templates: Templates

    def render(self, spec: ProjectSpec) -> dict[str, bytes]:
        """Return the repository's files as the template makes them now, and the specification."""
        policy = self.run_steps.policy
        known = starter_answers(spec, policy.catalogs, policy)
        files = self.templates.render(spec.template, {**spec.answers, **known})
        return {**files, FILE: written(spec)}

    def verify(
        self, operation: Operation, files: Mapping[str, bytes], pushed: str = "", *, otherwise: str
    ) -> None:
        """Remember what every check found; raise `PermanentError` if one failed.

        Of `files` and `pushed` see `Repositories.verify`. `otherwise` says what holds all the same.
        """
        outputs = self.run_steps.terraform.outputs(operation.project)
        at_github, at_databricks = side_by_side(
            lambda: self.repositories.verify(operation.spec, files, outputs, pushed),
            lambda: self.workspaces.verify(operation.spec, outputs),
        )
        findings = (*at_github, *at_databricks)
        stored = [finding.model_dump(mode="json") for finding in findings]
        self.run_steps.remember(operation.id, findings=stored)
        failed = [finding for finding in findings if not finding.passed]
        if failed:
            first = failed[0]
            raise PermanentError(
                f"{len(failed)} of {len(findings)} checks failed. {first.check}: {first.detail} "
                f"{first.remedy} {otherwise}; press Retry once it is mended."
            )
        self.run_steps.finish(operation.id, "verifying")
