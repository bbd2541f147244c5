"""The whole way from files to what is to be deployed: one target, everything resolved."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.databricks_cli import loading, modes, permissions, typed, variables
from playground.databricks_cli.connection import Connection
from playground.databricks_cli.failures import CliError
from playground.databricks_cli.references import resolve
from playground.databricks_cli.trees import Tree, lookup

PREFIX = "/Workspace"


@dataclass
class Bundle:
    """A bundle for one target and identity; `tree` still refers to `${resources.…}` only."""

    root: Path
    tree: Tree
    connection: Connection
    warnings: list[str]

    @property
    def workspace(self) -> Tree:
        """Return the workspace's section."""
        found: Tree = self.tree["workspace"]
        return found

    @property
    def me(self) -> str:
        """Return who deploys."""
        return str(self.workspace["current_user"]["userName"])

    @property
    def resources(self) -> dict[tuple[str, str], Tree]:
        """Return what is to be deployed, by kind and key."""
        kinds: Tree = self.tree.get("resources") or {}
        return {(kind, key): each for kind, some in kinds.items() for key, each in some.items()}

    @property
    def is_locked(self) -> bool:
        """Tell whether a deployment takes the lock: by default outside development."""
        lock = (self.tree["bundle"].get("deployment") or {}).get("lock") or {}
        return bool(lock.get("enabled", self.tree["bundle"].get("mode") != "development"))


def read(start: Path, options: Mapping[str, Any]) -> Bundle:
    """Read the bundle at or above a folder for the target and variables in `options`."""
    root = loading.root_above(start, str(options.get("bundle_root") or ""))
    whole, warnings = loading.load(root)
    tree = loading.for_target(whole, loading.target_name(whole, str(options.get("target") or "")))
    host = str((tree.get("workspace") or {}).get("host") or "")
    connection = Connection(host)
    tree["workspace"] = _workspace(tree, connection)
    tree["bundle"] |= {"git": _git(root) | (tree["bundle"].get("git") or {})}
    tree = _resolved(root, tree, options.get("variables") or {}, connection)
    return _checked(Bundle(root, tree, connection, warnings), force=bool(options.get("force")))


def _workspace(tree: Tree, connection: Connection) -> Tree:
    me = connection.me()
    user = {**me, "short_name": modes.short_name(me), "domain_friendly_name": modes.short_name(me)}
    given: Tree = tree.get("workspace") or {}
    root = given.get("root_path") or "~/.bundle/${bundle.name}/${bundle.target}"
    if str(root).startswith("~/"):
        root = f"{PREFIX}/Users/{me['userName']}/{root[2:]}"
    defaults = {
        "file_path": "${workspace.root_path}/files",
        "artifact_path": "${workspace.root_path}/artifacts",
        "state_path": "${workspace.root_path}/state",
        "resource_path": "${workspace.root_path}/resources",
    }
    own = {"root_path": root, "host": connection.host, "is_own_root": "root_path" in given}
    return defaults | given | own | {"current_user": user}


def _git(root: Path) -> Tree:
    """Return branch and commit, as far as the folder is under git."""
    asked = {"branch": ["--abbrev-ref", "HEAD"], "commit": ["HEAD"]}
    found = {name: _rev_parse(root, words) for name, words in asked.items()}
    return {name: each for name, each in found.items() if each}


def _rev_parse(root: Path, words: list[str]) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), "rev-parse", *words],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _resolved(root: Path, tree: Tree, flags: Mapping[str, str], connection: Connection) -> Tree:
    """Resolve every reference but those to resources; what refers to nothing is refused."""
    values = variables.values(root, tree, flags, connection.look_up)

    def find(path: str) -> Any:
        kind, _, rest = path.partition(".")
        if kind == "resources":
            if rest.split(".")[-1] in ("id", "url"):
                _refuse_unknown(tree, path)
                raise KeyError(path)
            return _at(tree, path)
        if kind == "var":
            return _at(values, rest, path)
        if kind in ("bundle", "workspace", "variables", "artifacts"):
            return values[rest.split(".")[0]] if kind == "variables" else _at(tree, path)
        raise CliError(f"reference does not exist: ${{{path}}}")

    resolved: Tree = resolve({k: v for k, v in tree.items() if k != "variables"}, find)
    shown = {
        name: {**told, "value": resolve(values[name], find)}
        for name, told in tree["variables"].items()
    }
    return resolved | {"variables": shown}


def _refuse_unknown(tree: Tree, path: str) -> None:
    kind, key = path.split(".")[1:3]
    if key not in ((tree.get("resources") or {}).get(kind) or {}):
        raise CliError(f"reference does not exist: ${{{path}}}")


def _at(tree: Tree, path: str, shown: str = "") -> Any:
    try:
        return lookup(tree, path)
    except LookupError as error:
        raise CliError(f"reference does not exist: ${{{shown or path}}}") from error


def _checked(bundle: Bundle, *, force: bool) -> Bundle:
    """Apply presets, check mode, permissions and types; warnings are collected."""
    tree = bundle.tree
    presets = modes.with_presets(tree)
    modes.check(tree, presets, str(_git(bundle.root).get("branch", "")), force=force)
    permissions.check_run_as(tree)
    general = permissions.checked(tree)
    resources: Tree = {}
    for (kind, key), each in bundle.resources.items():
        bundle.warnings += typed.check(kind, key, each)
        resource = modes.applied(kind, each, presets)
        own = [dict(entry) for entry in resource.pop("permissions", None) or []]
        if tree.get("run_as") and kind in ("jobs", "pipelines"):
            resource.setdefault("run_as", tree["run_as"])
        if listed := permissions.for_kind(kind, own, general):
            resource["permissions"] = listed
        resources.setdefault(kind, {})[key] = resource
    bundle.tree = tree | {"resources": resources, "presets": presets}
    return bundle
