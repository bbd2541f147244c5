"""What removing a project needs to know of the vendors and to ask of them, in our own words."""

from collections.abc import Collection
from typing import Protocol

from provisioning.project import ProjectSpec
from provisioning.text import Frozen


class Held(Frozen):
    """Something that people or their bundles have put into a project's place: `table a.b.c`.

    `inside` means that it lies in one of the project's schemas, and goes with it.
    """

    kind: str
    name: str
    environment: str
    inside: bool = False


class Holdings(Protocol):
    """What is in a project's schemas, and what its service principals have made."""

    def held(self, spec: ProjectSpec, client_ids: Collection[str]) -> tuple[Held, ...]:
        """Return tables, volumes and models of the schemas, and the principals' jobs and pipelines.

        `client_ids` are what the principals log in as. A schema that is gone holds nothing.
        """


class Dismantling(Protocol):
    """A project's repository, in what has to be looked at and undone before it is archived."""

    def open_pull_requests(self, project: str) -> tuple[str, ...]:
        """Return the titles of the open pull requests: `#7 Add a job`."""

    def close_pull_requests(self, project: str) -> int:
        """Close every open pull request: their copies are destroyed; return how many there were."""

    def was_used(self, project: str, environment: str) -> bool:
        """Tell whether a job of some workflow run has ever got into an environment."""

    def lift_gate(self, project: str, environment: str) -> None:
        """Let jobs into an environment without asking anybody, and leave its branches as they are.

        What waits before it already goes on waiting.
        """

    def environments(self, project: str) -> tuple[str, ...]:
        """Return the names of the environments that the repository has."""
