"""What a target's mode and presets do to resources, and what they refuse."""

import re
from typing import Any

from playground.databricks_cli.failures import CliError
from playground.databricks_cli.trees import Tree

MODES = ("development", "production")
SCHEDULES = ("schedule", "trigger", "continuous")
NAMES = {"jobs": "name", "pipelines": "name", "dashboards": "display_name", "models": "name"}
"""Kinds whose names get the prefix as it is."""
NORMALISED = {"registered_models": "name", "schemas": "name", "model_serving_endpoints": "name"}
"""Kinds whose names get the prefix in letters, digits and underscores."""
EXPLANATION = (
    "target with 'mode: production' must set 'workspace.root_path' to make sure only one copy is "
    "deployed. A common practice is to use a username or principal name in this path, i.e. use\n\n"
    "  root_path: /Workspace/Users/{me}/.bundle/${{bundle.name}}/${{bundle.target}}"
)


def short_name(me: Tree) -> str:
    """Return the name that copies bear: of a service principal its display name's."""
    name = str(me["userName"])
    is_principal = re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", name)
    source = str(me.get("displayName", name)) if is_principal else name.partition("@")[0]
    return re.sub(r"[^\w]+", "_", source.lower()).strip("_")


def with_presets(tree: Tree) -> Tree:
    """Return presets, those of development mode filled in; only called with a resolved tree."""
    presets: Tree = dict(tree.get("presets") or {})
    if tree["bundle"].get("mode") != "development":
        return presets
    short = tree["workspace"]["current_user"]["short_name"]
    defaults: Tree = {
        "name_prefix": f"[dev {short}] ",
        "pipelines_development": True,
        "trigger_pause_status": "PAUSED",
        "jobs_max_concurrent_runs": 4,
    }
    presets = defaults | {key: each for key, each in presets.items() if each is not None}
    return presets | {"tags": {"dev": short} | (presets.get("tags") or {})}


def check(tree: Tree, presets: Tree, branch: str, *, force: bool) -> None:
    """Refuse what the target's mode does not allow; only called with a resolved tree."""
    mode = tree["bundle"].get("mode")
    if mode not in (None, *MODES):
        raise CliError(
            f"unsupported value '{mode}' specified for 'mode': must be either "
            "'development' or 'production'"
        )
    if mode == "development":
        _check_development(tree, presets)
    if mode == "production":
        _check_production(tree)
    wanted = (tree["bundle"].get("git") or {}).get("branch")
    if wanted and branch and wanted != branch and not force:
        raise CliError(
            f"not on the right Git branch:\n  expected according to configuration: "
            f"{wanted}\n  actual: {branch}\nuse --force to override"
        )


def _check_development(tree: Tree, presets: Tree) -> None:
    me, short = (tree["workspace"]["current_user"][name] for name in ("userName", "short_name"))
    if presets["trigger_pause_status"] == "UNPAUSED":
        raise CliError(
            "target with 'mode: development' cannot set trigger pause status to UNPAUSED by default"
        )
    if short not in str(presets["name_prefix"]):
        raise CliError(
            "target with 'mode: development' should have a name_prefix that contains "
            f"the current username or ${{workspace.current_user.short_name}} ({short})"
        )
    root = tree["workspace"]["root_path"]
    if me not in root and short not in root:
        raise CliError(
            "target with 'mode: development' must use a root_path that contains the "
            f"current username or ${{workspace.current_user.short_name}}: {root}"
        )


def _check_production(tree: Tree) -> None:
    for key, pipeline in (tree.get("resources") or {}).get("pipelines", {}).items():
        if pipeline.get("development"):
            raise CliError(
                "target with 'mode: production' cannot include a pipeline with "
                f"'development: true': {key}"
            )
    if not tree["workspace"].get("is_own_root") and not tree.get("run_as"):
        raise CliError(EXPLANATION.format(me=tree["workspace"]["current_user"]["userName"]))


def applied(kind: str, resource: Tree, presets: Tree) -> Tree:
    """Return a resource with the presets applied."""
    resource = _named(kind, dict(resource), str(presets.get("name_prefix") or ""))
    if kind in ("jobs", "pipelines") and presets.get("tags"):
        resource["tags"] = {**presets["tags"], **(resource.get("tags") or {})}
    if kind == "jobs":
        _quieted(resource, presets)
    if kind == "pipelines" and presets.get("pipelines_development"):
        resource["development"] = True
    return resource


def _quieted(job: Tree, presets: Tree) -> None:
    """Pause what would start by itself, and let copies run at once, unless the job says otherwise.

    An explicit `pause_status` or `max_concurrent_runs` stays: so the vendor documents it.
    """
    status: Any = presets.get("trigger_pause_status")
    for name in SCHEDULES:
        if status and isinstance(job.get(name), dict):
            job[name] = {"pause_status": status} | job[name]
    if presets.get("jobs_max_concurrent_runs"):
        job.setdefault("max_concurrent_runs", presets["jobs_max_concurrent_runs"])


def _named(kind: str, resource: Tree, prefix: str) -> Tree:
    if not prefix:
        return resource
    if kind in NAMES:
        resource[NAMES[kind]] = prefix + str(resource.get(NAMES[kind], ""))
    elif kind in NORMALISED:
        plain = re.sub(r"\W+", "_", prefix).strip("_")
        resource[NORMALISED[kind]] = f"{plain}_{resource.get(NORMALISED[kind], '')}"
    elif kind == "experiments":
        folder, _, name = str(resource["name"]).rpartition("/")
        resource["name"] = f"{folder}/{prefix}{name}"
    return resource
