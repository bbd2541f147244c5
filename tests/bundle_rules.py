"""What a project's bundle must hold to, each broken rule as a sentence.

The Databricks CLI checks a bundle only where it reaches a workspace; this is what can be known
without one: the models of `databricks-bundles` for every resource, and that every reference leads
somewhere in every target.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, cast

import yaml
from databricks.bundles.core._resource_type import _ResourceType


class Model(Protocol):
    """A resource of the `databricks-bundles` package."""

    @classmethod
    def from_dict(cls, value: Any) -> Any:
        """Read a resource; raises `ValueError` for unknown fields, types and values."""


MODELS = {each.plural_name: cast("type[Model]", each.resource_type) for each in _ResourceType.all()}
TOP_KEYS = {
    "artifacts", "bundle", "environments", "experimental", "include", "permissions", "presets",
    "python", "resources", "run_as", "scripts", "sync", "targets", "variables", "workspace",
}  # fmt: skip
TARGET_KEYS = {
    "artifacts", "bundle", "default", "mode", "permissions", "presets", "resources", "run_as",
    "sync", "variables", "workspace",
}  # fmt: skip
MODES = {"development", "production"}
FROM_WORKFLOW = {"job_cluster_policy_id"}
"""Variables that only the environment of the deploy workflow knows."""
ALWAYS_KNOWN = {
    "bundle.name", "bundle.target", "workspace.current_user.short_name",
    "workspace.current_user.userName", "workspace.file_path", "workspace.resource_path",
    "workspace.root_path",
}  # fmt: skip
REFERENCE = re.compile(r"\$\{([^{}]*)\}")
BUILT = "../dist/*.whl"

Bundle = dict[str, Any]


def objections(project: Path) -> list[str]:
    """Return every rule that the bundle in a directory breaks."""
    whole, found = read(project)
    rules = (models, targets, variables, references, tasks)
    return [*found, *(each for rule in rules for each in rule(whole)), *files(project, whole)]


def read(project: Path) -> tuple[Bundle, list[str]]:
    """Return databricks.yml with its included files merged in, as the CLI does, and objections."""
    whole: Bundle = yaml.safe_load((project / "databricks.yml").read_text("utf-8"))
    whole.setdefault("resources", {})
    found = [f"databricks.yml has an unknown key {key}" for key in whole.keys() - TOP_KEYS]
    for pattern in whole.get("include", []):
        included = sorted(project.glob(pattern))
        found += [] if included else [f"include {pattern} matches nothing"]
        for file in included:
            found += _merge(whole["resources"], file)
    return whole, found


def _merge(resources: dict[str, Any], file: Path) -> Iterator[str]:
    content = yaml.safe_load(file.read_text("utf-8"))
    for key in content.keys() - {"resources"}:
        yield f"{file.name} has an unknown key {key}"
    for kind, named in content.get("resources", {}).items():
        known = resources.setdefault(kind, {})
        for key in known.keys() & named.keys():
            yield f"{file.name} repeats {kind}.{key}"
        known.update(named)


def models(whole: Bundle) -> Iterator[str]:
    """Ask the models of `databricks-bundles`, which refuse unknown fields, types and values."""
    if not whole["resources"]:
        yield "there are no resources"
    for kind, named in whole["resources"].items():
        if kind not in MODELS:
            yield f"there is no kind of resource {kind}"
            continue
        for key, resource in named.items():
            try:
                MODELS[kind].from_dict(resource)
            except ValueError as refused:
                yield f"{kind}.{key}: {refused}"


def targets(whole: Bundle) -> Iterator[str]:
    """Check that each target can be deployed by itself, beside the others."""
    if [target.get("default") for target in whole["targets"].values()].count(True) != 1:
        yield "exactly one target is the default"
    for name, target in whole["targets"].items():
        for key in target.keys() - TARGET_KEYS:
            yield f"target {name} has an unknown key {key}"
        if target.get("mode") not in MODES:
            yield f"target {name} has the mode {target.get('mode')}"
        root = target.get("workspace", {}).get("root_path", "")
        if not {"bundle.name", "bundle.target"} <= set(REFERENCE.findall(root)):
            yield f"target {name}: what it deploys to is shared with other targets or bundles"
        prefix = target.get("presets", {}).get(
            "name_prefix", "${workspace.current_user.short_name}"
        )
        if target.get("mode") == "development" and "${workspace.current_user." not in prefix:
            yield f"target {name}: the name prefix must hold who deploys"
    yield from (f"a host is named: {value}" for key, value in leaves(whole) if key == "host")


def variables(whole: Bundle) -> Iterator[str]:
    """Check that variables are explained, used, and have a value in every target."""
    declared = whole.get("variables", {})
    used = {name.split(".")[1] for name in _references(whole) if name.startswith("var.")}
    for name, about in declared.items():
        if not about.get("description"):
            yield f"variable {name} has no description"
        if name not in used:
            yield f"variable {name} is never used"
    for target, about in whole["targets"].items():
        given = about.get("variables", {})
        yield from (f"target {target} sets {name}, no variable" for name in given.keys() - declared)
        for name in declared.keys() - given.keys() - FROM_WORKFLOW:
            if not {"default", "lookup"} & declared[name].keys():
                yield f"target {target} has no value for {name}"


def references(whole: Bundle) -> Iterator[str]:
    """Check that every `${…}` leads somewhere, in every target."""
    for target in whole["targets"]:
        known = _values(whole, target)
        for _, value in leaves(_in_target(whole, target)):
            for name in _unknown(str(value), known):
                yield f"target {target}: ${{{name}}} leads nowhere"


def _values(whole: Bundle, target: str) -> dict[str, str]:
    declared = whole.get("variables", {})
    given = whole["targets"][target].get("variables", {})
    found = dict.fromkeys(ALWAYS_KNOWN, "-")
    for name, about in declared.items():
        found[f"var.{name}"] = str(given.get(name, about.get("default", "-")))
    for kind, named in whole["resources"].items():
        for key, resource in named.items():
            fields = {"id", "name", "url", *resource}
            found |= {f"resources.{kind}.{key}.{field}": "-" for field in fields}
    return found


def _in_target(whole: Bundle, target: str) -> Bundle:
    return {**whole, "targets": {target: whole["targets"][target]}}


def _unknown(text: str, known: Mapping[str, str]) -> set[str]:
    """Return the references that cannot be followed to their end; circles are such, too."""
    for _ in range(5):
        names = set(REFERENCE.findall(text))
        if not names <= known.keys():
            return names - known.keys()
        text = REFERENCE.sub(lambda found: known[found[1]], text)
    return set(REFERENCE.findall(text))


def tasks(whole: Bundle) -> Iterator[str]:
    """Check that tasks find their compute and their predecessors."""
    for job, about in whole["resources"].get("jobs", {}).items():
        known = {
            "task_key": _keys(about, "tasks", "task_key"),
            "job_cluster_key": _keys(about, "job_clusters", "job_cluster_key"),
            "environment_key": _keys(about, "environments", "environment_key"),
        }
        if len(known["task_key"]) < len(about.get("tasks", [])):
            yield f"{job} has two tasks of one name"
        for task in about.get("tasks", []):
            wanted = [("task_key", each["task_key"]) for each in task.get("depends_on", [])]
            wanted += [(key, task[key]) for key in known if key in task]
            for key, name in wanted:
                if name not in known[key]:
                    yield f"{job}: there is no {key} {name}"


def _keys(job: Mapping[str, Any], part: str, key: str) -> set[str]:
    return {each[key] for each in job.get(part, [])}


def files(project: Path, whole: Bundle) -> Iterator[str]:
    """Check that what is deployed is there: relative paths, and what a wheel's tasks start."""
    builds = any(each.get("type") == "whl" for each in whole.get("artifacts", {}).values())
    for file in sorted(project.glob("resources/*.yml")):
        for _, value in leaves(yaml.safe_load(file.read_text("utf-8"))):
            if not isinstance(value, str) or not value.startswith(("./", "../")):
                continue
            if value == BUILT and not builds:
                yield f"{file.name}: nothing builds {value}"
            elif value != BUILT and not any(file.parent.glob(value.removeprefix("./"))):
                yield f"{file.name}: there is no {value}"
    for dashboard in sorted(project.rglob("*.lvdash.json")):
        yield from _dashboard(dashboard)
    yield from _entry_points(project, whole)


def _entry_points(project: Path, whole: Bundle) -> Iterator[str]:
    package = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
    for job, about in whole["resources"].get("jobs", {}).items():
        for task in about.get("tasks", []):
            wheel = task.get("python_wheel_task")
            if wheel and wheel["package_name"] != package["name"]:
                yield f"{job}: there is no package {wheel['package_name']}"
            if wheel and wheel["entry_point"] not in package.get("scripts", {}):
                yield f"{job}: there is no entry point {wheel['entry_point']}"
    for target in package.get("scripts", {}).values():
        module, _, function = target.partition(":")
        source = project / "src" / f"{module.replace('.', '/')}.py"
        if not source.is_file() or f"def {function}(" not in source.read_text("utf-8"):
            yield f"pyproject.toml: there is no {target}"


def _dashboard(file: Path) -> Iterator[str]:
    """Check that each widget's data set is there; the format is that of an AI/BI dashboard."""
    content = json.loads(file.read_text("utf-8"))
    datasets = {each["name"] for each in content["datasets"]}
    widgets = [each["widget"] for page in content["pages"] for each in page["layout"]]
    for widget in widgets:
        for query in widget.get("queries", []):
            if query["query"]["datasetName"] not in datasets:
                yield f"{file.name}: {widget['name']} shows a data set that isn't there"


def _references(whole: Bundle) -> set[str]:
    return {name for _, value in leaves(whole) for name in REFERENCE.findall(str(value))}


def leaves(value: object) -> Iterator[tuple[str, object]]:
    """Yield key and value of everything that is no container."""
    inside: Iterable[tuple[object, object]] = ()
    if isinstance(value, dict | list):
        inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in inside:
        if isinstance(inner, dict | list):
            yield from leaves(inner)
        else:
            yield str(key), inner
