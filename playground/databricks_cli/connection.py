"""The workspace, over the SDK: logged in from the environment, plain JSON in and out."""

import os
from typing import Any
from urllib.parse import quote

from databricks.sdk.core import ApiClient, Config
from databricks.sdk.errors import NotFound
from databricks.sdk.errors.base import DatabricksError

from playground.databricks_cli.failures import CliError
from playground.databricks_cli.trees import Tree

LOOKUPS = {
    "cluster_policy": ("/api/2.0/policies/clusters/list", "policies", "name", "policy_id"),
    "job": ("/api/2.2/jobs/list", "jobs", "settings.name", "job_id"),
    "pipeline": ("/api/2.0/pipelines", "statuses", "name", "pipeline_id"),
    "warehouse": ("/api/2.0/sql/warehouses", "warehouses", "name", "id"),
    "service_principal": (
        "/api/2.0/preview/scim/v2/ServicePrincipals",
        "Resources",
        "displayName",
        "applicationId",
    ),
    "dashboard": ("/api/2.0/lakeview/dashboards", "dashboards", "display_name", "dashboard_id"),
}
FAILURES = (DatabricksError, ValueError, OSError, TimeoutError)


class Connection:
    """One login at one workspace; refusals of the workspace become `CliError`."""

    def __init__(self, host: str = "") -> None:
        try:
            config = Config(
                host=host or os.getenv("DATABRICKS_HOST"),
                product="databricks-cli",
                product_version="0.0.0",
                retry_timeout_seconds=60,
            )
            self._api, self.host = ApiClient(config), str(config.host)
        except FAILURES as error:
            raise CliError(f"cannot resolve bundle auth configuration: {error}") from error

    def ask(self, method: str, path: str, body: Tree | None = None, /, **query: Any) -> Tree:
        """Send one request and return the JSON object that is answered; {} if none is."""
        try:
            found = self._api.do(method, path, query=query or None, body=body)
        except NotFound as error:
            raise MissingError(str(error)) from error
        except FAILURES as error:
            raise CliError(str(error)) from error
        return found if isinstance(found, dict) else {}

    def upload(self, path: str, content: bytes, *, overwrite: bool = True) -> None:
        """Write a file into the workspace."""
        try:
            self._api.do(
                "POST",
                f"/api/2.0/workspace-files/import-file/{quote(path.lstrip('/'))}",
                query={"overwrite": "true" if overwrite else "false"},
                headers={"Content-Type": "application/octet-stream"},
                data=content,
            )
        except FAILURES as error:
            raise CliError(str(error)) from error

    def download(self, path: str) -> bytes | None:
        """Return a file's content; None if it does not exist."""
        try:
            found = self._api.do(
                "GET", f"/api/2.0/workspace-files/{quote(path.lstrip('/'))}", raw=True
            )
        except NotFound:
            return None
        except FAILURES as error:
            raise CliError(str(error)) from error
        content: bytes = found["contents"].read() if isinstance(found, dict) else b""
        return content

    def me(self) -> Tree:
        """Return who is logged in."""
        return self.ask("GET", "/api/2.0/preview/scim/v2/Me")

    def look_up(self, kind: str, name: str) -> str:
        """Return the id of an object by its name; there must be exactly one."""
        if kind not in LOOKUPS:
            raise CliError(f"lookup of {kind} is not supported here")
        path, list_name, name_field, id_field = LOOKUPS[kind]
        found = [
            str(each[id_field])
            for each in self.ask("GET", path).get(list_name) or []
            if _field(each, name_field) == name
        ]
        if len(found) != 1:
            many = "more than one" if found else "none"
            raise CliError(
                f"{kind} named '{name}' does not exist"
                if not found
                else f"there are {many} {kind}s named '{name}'"
            )
        return found[0]


class MissingError(CliError):
    """What was asked for does not exist in the workspace."""


def _field(tree: Tree, path: str) -> Any:
    for part in path.split("."):
        tree = tree[part]
    return tree
