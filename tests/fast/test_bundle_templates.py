"""What every folder of bundle_templates/ must hold to: a new template is a new folder, no new test.

Each template is rendered with each of its answers/*.json; what comes out is checked as a project.
"""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
import yaml
from databricks.bundles.jobs import Job
from databricks.bundles.pipelines import Pipeline
from databricks.bundles.schemas import Schema
from databricks.bundles.volumes import Volume

from provisioning.adapters.bundle_templates import BundleContext, BundleTemplates, render_bundle
from provisioning.adapters.bundle_templates.__main__ import accept, manifest
from provisioning.adapters.bundle_templates.schema import SCHEMA_FILE
from provisioning.project import STAGES

FOLDER = Path(__file__).parents[2] / "bundle_templates"
ANSWERS = sorted(FOLDER.glob("*/answers/*.json"))
TEMPLATES = sorted(path.parent for path in FOLDER.glob(f"*/{SCHEMA_FILE}"))
BIN = Path(sys.executable).parent


class Model(Protocol):
    """A resource of the `databricks-bundles` package, which refuses unknown fields and types."""

    @classmethod
    def from_dict(cls, value: Any) -> Any:
        """Read a resource."""


MODELS: dict[str, type[Model]] = {
    "jobs": Job,
    "pipelines": Pipeline,
    "schemas": Schema,
    "volumes": Volume,
}
TOP_KEYS = {
    "artifacts", "bundle", "environments", "experimental", "include", "permissions", "presets",
    "python", "resources", "run_as", "sync", "targets", "variables", "workspace",
}  # fmt: skip
REFERENCE = re.compile(r"\$\{([^}]*)\}")


@pytest.fixture(scope="module", params=ANSWERS, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def answers(request: pytest.FixtureRequest) -> Path:
    path = request.param
    assert isinstance(path, Path)
    return path


@pytest.fixture(scope="module")
def project(answers: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the repository as the bot pushes it."""
    given = json.loads(answers.read_text("utf-8"))
    root = tmp_path_factory.mktemp(given["project_name"])
    files = BundleTemplates(FOLDER).render(answers.parts[-3], given)
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root


def run(project: Path, *command: str) -> str:
    result = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=project, capture_output=True, text=True, timeout=55, check=False,
    )  # fmt: skip
    output = result.stdout + result.stderr
    assert result.returncode == 0, f"{' '.join(command)} says:\n{output}"
    return output


def bundle(project: Path) -> dict[str, Any]:
    """Return databricks.yml with its included files merged in, as the CLI does."""
    whole: dict[str, Any] = yaml.safe_load((project / "databricks.yml").read_text("utf-8"))
    whole.setdefault("resources", {})
    for pattern in whole.get("include", []):
        found = sorted(project.glob(pattern))
        assert found, f"include {pattern} matches nothing"
        for file in found:
            for kind, named in yaml.safe_load(file.read_text("utf-8"))["resources"].items():
                known = whole["resources"].setdefault(kind, {})
                assert not known.keys() & named.keys(), f"{file.name} repeats a {kind} key"
                known.update(named)
    return whole


def leaves(value: object) -> Iterator[tuple[str, object]]:
    """Yield key and value of everything that is no container."""
    pairs = (
        value.items() if isinstance(value, dict) else enumerate(value)
        if isinstance(value, list) else ()
    )  # fmt: skip
    for key, inner in pairs:
        if isinstance(inner, dict | list):
            yield from leaves(inner)
        else:
            yield str(key), inner


def test_there_is_a_template_and_each_has_answers_with_accepted_renderings() -> None:
    assert TEMPLATES
    for template in TEMPLATES:
        given = {path.stem for path in (template / "answers").glob("*.json")}
        assert len(given) >= 3, template.name
        assert given == {path.stem for path in (template / "expected").glob("*.sha256")}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_answers_try_every_option_of_every_question(template: Path) -> None:
    schema = json.loads((template / SCHEMA_FILE).read_text("utf-8"))["properties"]
    tried = [json.loads(path.read_text("utf-8")) for path in (template / "answers").glob("*.json")]
    for name, about in schema.items():
        options = set(about.get("enum", ()))
        if about["type"] == "string":
            used = {answers.get(name, about.get("default")) for answers in tried}
            assert options <= used, f"{template.name}: no answers try {name} = {options - used}"


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_form_can_ask_the_questions(template: Path) -> None:
    questions = BundleTemplates(FOLDER).questions(template.name)
    assert len(questions) <= 20
    for question in questions:
        assert question.title
        assert len(question.title) <= 150
        assert len(question.hint) <= 150
        assert len(question.options) <= 100


def test_the_rendering_is_the_accepted_one(answers: Path) -> None:
    template = answers.parents[1]
    given = json.loads(answers.read_text("utf-8"))
    rendered = manifest(render_bundle(template, given, BundleContext()))
    expected = (template / "expected" / f"{answers.stem}.sha256").read_text("utf-8")
    assert rendered == expected, (
        "if the change is meant: python -m provisioning.adapters.bundle_templates accept "
        f"bundle_templates/{template.name}"
    )


def test_accepting_records_what_is_rendered_now(tmp_path: Path) -> None:
    copy = tmp_path / "job"
    shutil.copytree(FOLDER / "job", copy)
    (copy / "template/{{.project_name}}/NEW.md").write_text("new")
    accept(copy)
    old = (FOLDER / "job/expected/defaults.sha256").read_text()
    new = (copy / "expected/defaults.sha256").read_text()
    assert set(old.splitlines()) < set(new.splitlines())


def test_texts_end_with_one_line_feed_and_hold_no_leftovers(project: Path) -> None:
    for file in sorted(path for path in project.rglob("*") if path.is_file()):
        text = file.read_text("utf-8")
        assert text.endswith("\n"), file
        assert not text.endswith("\n\n"), file
        assert "<no value>" not in text, file
        assert "\r" not in text, file
        assert all(line == line.rstrip(" ") for line in text.split("\n")), file


def test_the_repository_has_what_every_project_needs(project: Path, answers: Path) -> None:
    given = json.loads(answers.read_text("utf-8"))
    for name in (
        "databricks.yml", "README.md", "pyproject.toml", "CODEOWNERS", ".gitignore",
        ".github/dependabot.yml", ".github/pull_request_template.md",
        ".github/workflows/deploy.yml",
    ):  # fmt: skip
        assert (project / name).is_file(), name
    assert any((project / "tests").glob("test_*.py"))
    assert any((project / "fixtures").iterdir())
    assert (project / "README.md").read_text().startswith(f"# {given['project_name']}\n")


def test_names_that_the_bot_keeps_for_itself_are_free(project: Path) -> None:
    assert not (project / "sciclops.yml").exists()


def test_owners_cover_everything_and_the_platform_owns_the_way_to_production(
    project: Path,
) -> None:
    rules = [
        line.split() for line in (project / "CODEOWNERS").read_text().splitlines()
        if line and not line.startswith("#")
    ]  # fmt: skip
    assert rules[0][0] == "*"
    owners = {pattern: names for pattern, *names in rules}
    platform = owners["/.github/"]
    assert platform != owners["*"] or len(rules) == 1
    assert owners["/CODEOWNERS"] == owners["/databricks.yml"] == platform
    assert all(
        re.fullmatch(r"@[\w-]+/[\w.-]+", name) for names in owners.values() for name in names
    )


def test_the_workflow_only_calls_the_reusable_one(project: Path) -> None:
    text = (project / ".github/workflows/deploy.yml").read_text()
    workflow = yaml.safe_load(text)
    assert len([line for line in text.splitlines() if line]) <= 20
    assert workflow["permissions"] == {}
    (job,) = workflow["jobs"].values()
    assert re.fullmatch(r"[\w-]+/[\w.-]+/\.github/workflows/deploy-bundle\.yml@v1", job["uses"])
    assert job["permissions"] == {"contents": "read", "id-token": "write"}


def test_stages_are_targets_and_only_development_is_a_playing_field(project: Path) -> None:
    whole = bundle(project)
    assert set(whole) <= TOP_KEYS
    assert tuple(whole["targets"]) == STAGES
    modes = {stage: target["mode"] for stage, target in whole["targets"].items()}
    assert modes == dict.fromkeys(STAGES, "production") | {"development": "development"}
    assert whole["targets"]["development"]["default"] is True
    for stage in STAGES[1:]:
        assert "${bundle.target}" in whole["targets"][stage]["workspace"]["root_path"]
    assert not [key for key, _ in leaves(whole) if key == "host"]


def test_every_resource_is_accepted_by_its_model(project: Path) -> None:
    resources = bundle(project)["resources"]
    assert resources
    for kind, named in resources.items():
        for resource in named.values():
            MODELS[kind].from_dict(resource)


def test_every_reference_resolves(project: Path) -> None:
    whole = bundle(project)
    for _, value in leaves(whole):
        for reference in REFERENCE.findall(str(value)):
            head, *path = reference.split(".")
            if head == "var":
                assert path[0] in whole["variables"], reference
            elif head == "resources":
                assert path[1] in whole["resources"][path[0]], reference
            else:
                assert reference in (
                    "bundle.name", "bundle.target", "workspace.current_user.userName",
                    "workspace.current_user.short_name", "workspace.file_path",
                    "workspace.root_path",
                ), reference  # fmt: skip


def test_every_variable_is_used_and_explained(project: Path) -> None:
    whole = bundle(project)
    used = {
        reference.split(".")[1]
        for _, value in leaves(whole)
        for reference in REFERENCE.findall(str(value))
        if reference.startswith("var.")
    }
    assert used == set(whole["variables"])
    assert all(about["description"] for about in whole["variables"].values())


def test_tasks_find_their_compute_code_and_predecessors(project: Path) -> None:
    package = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    for job in bundle(project)["resources"].get("jobs", {}).values():
        keys = {task["task_key"] for task in job["tasks"]}
        clusters = {each["job_cluster_key"] for each in job.get("job_clusters", ())}
        environments = {each["environment_key"] for each in job.get("environments", ())}
        for task in job["tasks"]:
            assert {each["task_key"] for each in task.get("depends_on", ())} <= keys
            assert task.get("job_cluster_key") in clusters | {None}
            assert task.get("environment_key") in environments | {None}
            wheel = task.get("python_wheel_task")
            if wheel:
                assert wheel["package_name"] == package["name"]
                module, _, function = package["scripts"][wheel["entry_point"]].partition(":")
                source = (project / "src" / f"{module.replace('.', '/')}.py").read_text()
                assert f"def {function}(" in source


def test_relative_paths_lead_to_files(project: Path) -> None:
    for folder, values in (
        (file.parent, leaves(yaml.safe_load(file.read_text("utf-8"))))
        for file in project.glob("resources/*.yml")
    ):
        for _, value in values:
            if isinstance(value, str) and value.startswith(("./", "../")):
                is_built = value == "../dist/*.whl"
                assert is_built or any(folder.glob(value.removeprefix("./"))), value


def test_the_code_is_well_formed(project: Path) -> None:
    run(project, "ruff", "check", "--no-cache", ".")
    run(project, "ruff", "format", "--check", "--no-cache", ".")


def test_its_tests_pass_without_spark_or_a_workspace(project: Path) -> None:
    quiet = ("-p", "no:cacheprovider", "-p", "no:asyncio", "-q")
    assert " passed" in run(project, "python", "-B", "-m", "pytest", *quiet)


def test_the_wheel_is_defined_completely(project: Path) -> None:
    settings = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))
    for folder in settings["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        assert (project / folder / "__init__.py").is_file()
    for target in settings["project"]["scripts"].values():
        module = target.partition(":")[0]
        assert (project / "src" / f"{module.replace('.', '/')}.py").is_file()


def test_the_workflow_is_valid_and_safe(project: Path) -> None:
    workflows = sorted(str(path) for path in project.glob(".github/workflows/*.yml"))
    run(project, "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)
    run(
        project, "check-jsonschema", "--builtin-schema", "vendor.dependabot",
        ".github/dependabot.yml",
    )  # fmt: skip
    run(project, "zizmor", "--offline", "--no-progress", "--quiet", ".")
