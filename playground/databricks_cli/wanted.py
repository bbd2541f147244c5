"""What resources are to be in the workspace: bodies of the REST API from the bundle's own words."""

from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from playground.databricks_cli.configuration import Bundle
from playground.databricks_cli.failures import CliError
from playground.databricks_cli.trees import Tree, mapped

LOCAL_ONLY = ("permissions", "grants", "lifecycle", "file_path")
Wheels = dict[str, Path]
"""Built wheels by their place in the bundle: `dist/x.whl`."""


def bodies(bundle: Bundle, wheels: Wheels) -> dict[str, Tree]:
    """Return what is to be in the workspace, by `jobs.key` and `jobs.key.permissions`."""
    found: dict[str, Tree] = {}
    for (kind, key), resource in bundle.resources.items():
        if resource.get("grants"):
            raise CliError(f"resources.{kind}.{key}: grants are not supported by the stand-in")
        found[f"{kind}.{key}"] = _body(bundle, kind, resource, wheels)
        if listed := resource.get("permissions"):
            found[f"{kind}.{key}.permissions"] = {"access_control_list": listed}
    return found


def _body(bundle: Bundle, kind: str, resource: Tree, wheels: Wheels) -> Tree:
    body = {k: v for k, v in resource.items() if k not in LOCAL_ONLY and v is not None}
    if kind == "jobs":
        body = {"queue": {"enabled": True}, "format": "MULTI_TASK", **body}
        body |= {"edit_mode": "UI_LOCKED", "deployment": _deployment(bundle)}
    if kind == "pipelines":
        body |= {"deployment": _deployment(bundle)}
    if kind == "dashboards":
        body |= _dashboard(bundle, resource)
    placed: Tree = _with_wheels(bundle, body, wheels)
    return placed


def _deployment(bundle: Bundle) -> Tree:
    path = f"{bundle.workspace['state_path']}/metadata.json"
    return {"kind": "BUNDLE", "metadata_file_path": path}


def _dashboard(bundle: Bundle, resource: Tree) -> Tree:
    parent = resource.get("parent_path") or bundle.workspace["resource_path"]
    body: Tree = {"parent_path": parent}
    if path := resource.get("file_path"):
        file = bundle.root / str(path).removeprefix(f"{bundle.workspace['file_path']}/")
        if not file.is_file():
            raise CliError(f"failed to read serialized dashboard from file_path {file.name}")
        body["serialized_dashboard"] = file.read_text("utf-8")
    return body


def _with_wheels(bundle: Bundle, body: Tree, wheels: Wheels) -> Any:
    """Return a body in which places of wheels in the bundle are places in the workspace."""
    prefix = f"{bundle.workspace['file_path']}/"

    def change(value: Any, _: str) -> Any:
        if not isinstance(value, str) or not value.startswith(prefix):
            return value
        if not value.endswith(".whl"):
            return value
        inside = value.removeprefix(prefix)
        found = [each for each in wheels if fnmatch(each, inside)]
        if not found:
            raise CliError(f"no files match pattern: {inside}")
        return f"{internal(bundle)}/{wheels[found[0]].name}"

    return mapped(body, change)


def internal(bundle: Bundle) -> str:
    """Return the folder that wheels are uploaded to."""
    return f"{bundle.workspace['artifact_path']}/.internal"
