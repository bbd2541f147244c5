"""A repository's pull requests and environments, as they are undone before it is archived.

Sources: docs.github.com/rest/pulls, /rest/deployments/environments (`PUT` replaces all settings:
what is not sent is reset), /rest/deployments/protection-rules.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from provisioning.adapters.github.connection import Connection
from provisioning.adapters.github.protection_rule import repository_path, rules_path

Json = Any

GOT_IN = frozenset({"in_progress", "success"})
"""What GitHub notes of a deployment once its job is past the gate."""


class GitHubDismantling:
    """Implements the port `Dismantling`; safe for several threads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open_pull_requests(self, project: str) -> tuple[str, ...]:
        """Return the titles of the open pull requests: `#7 Add a job`."""
        with self._connection.doing(f"list the pull requests of {project}"):
            return tuple(f"#{one['number']} {one['title']}" for one in self._open(project))

    def close_pull_requests(self, project: str) -> int:
        """Close every open pull request; return how many there were."""
        pulls = f"{repository_path(self._connection, project)}/pulls"
        with self._connection.doing(f"close the pull requests of {project}"):
            numbers = [one["number"] for one in self._open(project)]
            for number in numbers:
                self._connection.write("PATCH", f"{pulls}/{number}", {"state": "closed"})
        return len(numbers)

    def _open(self, project: str) -> Iterator[Json]:
        """Go through the open ones, which is what GitHub lists unless asked otherwise."""
        return self._connection.pages(f"{repository_path(self._connection, project)}/pulls")

    def was_used(self, project: str, environment: str) -> bool:
        """Tell whether a job of some workflow run has ever got into an environment.

        Any number of deployments that nobody let in may have come since.
        """
        path = f"{repository_path(self._connection, project)}/deployments"
        with self._connection.doing(f"look for deployments to {environment}"):
            for one in self._connection.pages(path, environment=environment):
                statuses = self._connection.get(f"{path}/{one['id']}/statuses?per_page=30") or []
                if GOT_IN & {status["state"] for status in statuses}:
                    return True
        return False

    def lift_gate(self, project: str, environment: str) -> None:
        """Take reviewers, waiting time and our App's rule off an environment."""
        path = self._environment(project, environment)
        with self._connection.doing(f"take the gate off {environment} of {project}"):
            found = self._connection.get(path)
            if found is None:
                return
            held = {rule["type"] for rule in found["protection_rules"]} - {"branch_policy"}
            if held:
                kept = {"deployment_branch_policy": found["deployment_branch_policy"]}
                self._connection.write("PUT", path, {"reviewers": None, "wait_timer": 0, **kept})
            self._disable_rule(rules_path(self._connection, project, environment))

    def _disable_rule(self, path: str) -> None:
        rules = (self._connection.get(path) or {}).get("custom_deployment_protection_rules") or ()
        for rule in rules:
            if rule["app"]["id"] == self._connection.app.app_id:
                self._connection.remove(f"{path}/{rule['id']}")

    def environments(self, project: str) -> tuple[str, ...]:
        """Return the names of the environments that the repository has."""
        path = f"{repository_path(self._connection, project)}/environments?per_page=100"
        with self._connection.doing(f"list the environments of {project}"):
            found = (self._connection.get(path) or {}).get("environments", ())
        return tuple(one["name"] for one in found)

    def _environment(self, project: str, environment: str) -> str:
        where = repository_path(self._connection, project)
        return f"{where}/environments/{quote(environment, safe='')}"
