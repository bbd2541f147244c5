"""Our App's own deployment protection rule: enabled on environments, and answered by us.

Sources: docs.github.com/rest/deployments/protection-rules, /rest/actions/workflow-runs (review
custom deployment protection rules). An environment has at most six rules, ours once.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from github import GithubException

from provisioning.adapters.github.connection import Connection
from provisioning.deployment_ports import TooLateError, Verdict
from provisioning.errors import PermanentError

Json = Any

LONGEST_COMMENT = 1024
"""Characters of a rule's answer; GitHub refuses longer ones."""
NOT_OFFERED = (
    "GitHub does not offer the App's deployment protection rule for {where}. The App must "
    "subscribe to the event deployment_protection_rule, and private repositories need GitHub "
    "Enterprise; `sciclops doctor` tells more."
)
REFUSED = 422


class GitHubProtectionRule:
    """Implements the port `RuleGate`; safe for several threads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def enable(self, project: str, environment: str) -> None:
        """Let the rule hold an environment; one that it holds already stays as it is."""
        path = rules_path(self._connection, project, environment)
        with self._connection.doing(f"enable the release rule of {environment} in {project}"):
            if is_enabled(self._connection, path):
                return
            if self._connection.app.app_id not in self._offered(path):
                raise PermanentError(NOT_OFFERED.format(where=f"{environment} in {project}"))
            self._connection.write("POST", path, {"integration_id": self._connection.app.app_id})

    def _offered(self, path: str) -> set[int]:
        """Return the ids of the Apps whose rules could be enabled."""
        key = "available_custom_deployment_protection_rule_integrations"
        return {one["id"] for one in _listed(self._connection, f"{path}/apps", key)}

    def answer(self, project: str, run: int, environment: str, verdict: Verdict) -> None:
        """Tell GitHub, as our App."""
        repository = repository_path(self._connection, project)
        path = f"{repository}/actions/runs/{run}/deployment_protection_rule"
        body = {
            "environment_name": environment,
            "state": "approved" if verdict.approved else "rejected",
            "comment": _cut(verdict.comment),
        }
        with self._connection.doing(f"answer for {environment} in {project}"):
            try:
                self._connection.write("POST", path, body)
            except GithubException as error:
                if error.status not in (404, REFUSED):
                    raise
                raise TooLateError("Nothing waits for this decision any more.") from error


def is_enabled(connection: Connection, path: str) -> bool:
    """Tell whether our App's rule holds an environment; `path` is that of its rules."""
    rules = _listed(connection, path, "custom_deployment_protection_rules")
    return any(rule["enabled"] and rule["app"]["id"] == connection.app.app_id for rule in rules)


def repository_path(connection: Connection, project: str) -> str:
    """Return the path of a project's repository."""
    return f"/repos/{connection.app.organisation}/{quote(project, safe='')}"


def rules_path(connection: Connection, project: str, environment: str) -> str:
    """Return the path of an environment's custom rules."""
    where = f"{repository_path(connection, project)}/environments/{quote(environment, safe='')}"
    return f"{where}/deployment_protection_rules"


def _listed(connection: Connection, path: str, key: str) -> Iterator[Json]:
    yield from (connection.get(path) or {}).get(key) or ()


def _cut(comment: str) -> str:
    is_long = len(comment) > LONGEST_COMMENT
    return f"{comment[: LONGEST_COMMENT - 1]}…" if is_long else comment
