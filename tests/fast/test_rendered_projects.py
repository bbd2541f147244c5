"""Every template, rendered with each of its answers/*.json, checked as the project that it becomes.

Its `defaults.json` is rendered once more as an installation with two workspace groups, a second
gated stage and secrets has it, under a name as long as settings allow by default.
"""

import json
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from bundle_rules import objections, read

from provisioning.adapters.bundle_templates import BundleTemplates
from provisioning.project import STAGES
from provisioning.questions import Answer

FOLDER = Path(__file__).parents[2] / "bundle_templates"
BIN = Path(sys.executable).parent
GROUPS = ("gbx2", "gbx1")
ELSEWHERE: dict[str, Answer] = {
    "project_name": "the-longest-name-that-a-project-may-have",
    "targets": ",".join(f"{group}-{stage}={group}_{stage}" for stage in STAGES for group in GROUPS),
    "gated_targets": ",".join(f"{group}-{s}" for s in STAGES[2:] for group in GROUPS),
    "groups": ",".join(GROUPS),
    "gated_stages": ",".join(STAGES[2:]),
    "authentication": "secret",
}
CASES = [
    *((path, False) for path in sorted(FOLDER.glob("*/answers/*.json"))),
    *((path, True) for path in sorted(FOLDER.glob("*/answers/defaults.json"))),
]


ASK_FOR_HELP = """
import contextlib, importlib, sys
sys.path.insert(0, "src")
for target in sys.argv[1:]:
    print("----", flush=True)
    module, _, function = target.partition(":")
    with contextlib.suppress(SystemExit):
        getattr(importlib.import_module(module), function)(["--help"])
"""


@dataclass(frozen=True)
class Project:
    """A repository as the bot pushes it, and what the template was asked for."""

    root: Path
    answers: dict[str, Answer]

    def text(self, path: str) -> str:
        """Return the content of a file."""
        return (self.root / path).read_text("utf-8")

    def bundle(self) -> dict[str, Any]:
        """Return databricks.yml with its included files."""
        return read(self.root)[0]

    def run(self, *command: str) -> str:
        """Run one of our tools inside; return what it says."""
        result = subprocess.run(
            [str(BIN / command[0]), *command[1:]],
            cwd=self.root, capture_output=True, text=True, timeout=55, check=False,
        )  # fmt: skip
        output = result.stdout + result.stderr
        assert result.returncode == 0, f"{' '.join(command)} says:\n{output}"
        return output


def name_of(case: tuple[Path, bool]) -> str:
    path, elsewhere = case
    return f"{path.parts[-3]}-{path.stem}{'-elsewhere' * elsewhere}"


def rendered(case: tuple[Path, bool], root: Path) -> Project:
    path, elsewhere = case
    given = json.loads(path.read_text("utf-8")) | (ELSEWHERE if elsewhere else {})
    for name, data in BundleTemplates(FOLDER).render(path.parts[-3], given).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return Project(root, given)


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Project]:
    """Return every project, by the name of its case."""
    folder = tmp_path_factory.mktemp("projects")
    return {name_of(case): rendered(case, folder / name_of(case)) for case in CASES}


@pytest.fixture(params=CASES, ids=name_of)
def project(request: pytest.FixtureRequest, projects: dict[str, Project]) -> Project:
    return projects[name_of(request.param)]


def test_texts_end_with_one_line_feed_and_hold_no_leftovers(project: Project) -> None:
    typed = any("{{" in str(answer) for answer in project.answers.values())
    for file in sorted(path for path in project.root.rglob("*") if path.is_file()):
        text = file.read_text("utf-8")
        assert text.endswith("\n"), file
        assert not text.endswith("\n\n"), file
        assert "<no value>" not in text, file
        assert typed or not re.search(r"\{\{-? ?(\.|\$|template|if|end|range)", text), file
        assert "\r" not in text, file
        assert all(line == line.rstrip(" ") for line in text.split("\n")), file


def test_the_repository_has_what_every_project_needs(project: Project) -> None:
    for name in (
        "databricks.yml", "README.md", "pyproject.toml", "CODEOWNERS", ".gitignore",
        ".github/dependabot.yml", ".github/pull_request_template.md",
        ".github/workflows/deploy.yml",
    ):  # fmt: skip
        assert (project.root / name).is_file(), name
    assert any((project.root / "tests").glob("test_*.py"))
    assert any((project.root / "fixtures").iterdir())
    assert project.text("README.md").startswith(f"# {project.answers['project_name']}\n")


def test_names_that_the_bot_keeps_for_itself_are_free(project: Project) -> None:
    assert not (project.root / "sciclops.yml").exists()


def test_owners_cover_everything_and_the_platform_owns_the_way_to_production(
    project: Project,
) -> None:
    rules = [
        line.split() for line in project.text("CODEOWNERS").splitlines()
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


def test_the_bundle_breaks_no_rule(project: Project) -> None:
    assert objections(project.root) == []


def test_the_bundle_is_named_like_the_project(project: Project) -> None:
    whole = project.bundle()
    assert whole["bundle"]["name"] == project.answers["project_name"]
    assert whole["variables"]["schema"]["default"] == whole["bundle"]["name"].replace("-", "_")


def test_each_environment_is_a_target_with_its_own_catalog(project: Project) -> None:
    targets = project.bundle()["targets"]
    catalogs = {name: about["variables"]["catalog"] for name, about in targets.items()}
    wanted = str(project.answers.get("targets") or "") or (
        "development=gbx1_dev,testing=gbx1_test,staging=gbx1_stage,production=gbx1_prod"
    )
    assert [f"{name}={catalog}" for name, catalog in catalogs.items()] == wanted.split(",")


def test_copies_in_development_are_apart_from_each_other(project: Project) -> None:
    targets = project.bundle()["targets"]
    copies = {name for name in targets if name.endswith("development")}
    assert {name for name, about in targets.items() if about["mode"] == "development"} == copies
    for name in copies:
        prefix = targets[name]["presets"]["name_prefix"]
        assert prefix == "[dev ${workspace.current_user.short_name}${var.copy}] "
        assert targets[name]["workspace"]["root_path"].endswith("${bundle.target}${var.copy}")
    assert next(iter(targets.values()))["default"] is True


def test_whoever_plans_a_gated_stage_finds_what_was_deployed(project: Project) -> None:
    gated = str(project.answers.get("gated_targets", "production")).split(",")
    for name, about in project.bundle()["targets"].items():
        root = about["workspace"]["root_path"].removeprefix("/Workspace/Users/")
        if name not in gated:
            assert root.startswith("${workspace.current_user.userName}/.bundle/"), name
            assert "permissions" not in about
            continue
        assert root.startswith("${var.deployer}/.bundle/"), name
        assert about["permissions"] == [
            {"service_principal_name": "${var.deployer}", "level": "CAN_MANAGE"},
            {"service_principal_name": "${var.planner}", "level": "CAN_VIEW"},
        ]


def workflow_of(project: Project) -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load(project.text(".github/workflows/deploy.yml"))
    return loaded


def test_the_workflow_only_calls_the_reusable_one(project: Project) -> None:
    workflow = workflow_of(project)
    below = project.text(".github/workflows/deploy.yml").partition("\njobs:\n")[2]
    assert len(below.splitlines()) <= 14
    assert workflow["permissions"] == {}
    (job,) = workflow["jobs"].values()
    assert re.fullmatch(r"[\w-]+/[\w.-]+/\.github/workflows/deploy-bundle\.yml@v1", job["uses"])
    assert job["permissions"] == {"contents": "write", "id-token": "write"}


def test_the_workflow_starts_when_it_should_and_can_be_found_again(project: Project) -> None:
    workflow = workflow_of(project)
    triggers = workflow[True]  # YAML 1.1 reads `on` as a truth value
    assert triggers["push"] == {"branches": ["main"]}
    kinds = ["opened", "synchronize", "reopened", "closed"]
    assert triggers["pull_request"] == {"types": kinds}
    inputs = triggers["workflow_dispatch"]["inputs"]
    assert inputs["stage"]["options"] == list(STAGES)
    assert inputs["action"]["options"] == ["deploy", "destroy"]
    defaults = {name: about["default"] for name, about in inputs.items()}
    assert defaults == {"stage": "production", "action": "deploy", "correlation": ""}
    assert "inputs.correlation" in workflow["run-name"]


def test_the_workflow_is_told_what_differs_from_the_ordinary(project: Project) -> None:
    (job,) = workflow_of(project)["jobs"].values()
    told = job["with"]
    assert set(told) <= {"groups", "gated", "auth", "run_jobs", "model"}
    whole = project.bundle()["resources"]
    assert set(json.loads(told["run_jobs"])) <= whole["jobs"].keys()
    assert told.get("model") in {None, *whole.get("registered_models", {})}
    groups, gated = (listed(project.answers.get(name, "")) for name in ("groups", "gated_stages"))
    assert json.loads(told.get("groups", "[]")) == groups
    if "gated_stages" in project.answers:
        assert json.loads(told.get("gated", '["production"]')) == gated
    if project.answers.get("authentication") == "secret":
        assert (told["auth"], job["secrets"]) == ("secret", "inherit")
    else:
        assert "auth" not in told
        assert "secrets" not in job


def listed(answer: Answer) -> list[str]:
    return [name for name in str(answer).split(",") if name]


def test_an_ordinary_project_tells_the_workflow_what_to_run_and_nothing_else() -> None:
    files = BundleTemplates(FOLDER).render("job", {"project_name": "ada-7"})
    (job,) = yaml.safe_load(files[".github/workflows/deploy.yml"])["jobs"].values()
    assert job["with"] == {"run_jobs": '["ada_7_job"]'}
    assert "secrets" not in job


def test_the_code_is_well_formed(project: Project) -> None:
    project.run("ruff", "check", "--no-cache", ".")
    project.run("ruff", "format", "--check", "--no-cache", ".")
    for file in sorted(project.root.rglob("*.py")):
        compile(file.read_bytes(), str(file), "exec")


def test_its_tests_pass_without_spark_or_a_workspace(project: Project) -> None:
    # Without our plug-ins, which take longer to import than its tests to run.
    quiet = ("-p", "no:cacheprovider", "--disable-plugin-autoload", "-q")
    assert " passed" in project.run("python", "-B", "-m", "pytest", *quiet)


def test_every_entry_point_takes_a_fixture(project: Project) -> None:
    scripts = tomllib.loads(project.text("pyproject.toml"))["project"]["scripts"]
    assert scripts
    said = project.run("python", "-B", "-c", ASK_FOR_HELP, *scripts.values())
    helps = dict(zip(scripts, said.split("----\n")[1:], strict=True))
    assert [name for name, text in helps.items() if "--fixture" not in text] == []


def test_the_wheel_is_defined_completely(project: Project) -> None:
    settings = tomllib.loads(project.text("pyproject.toml"))
    for folder in settings["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        assert (project.root / folder / "__init__.py").is_file()


def test_every_workflow_is_valid_and_safe(projects: dict[str, Project]) -> None:
    roots = [each.root for each in projects.values()]
    run = projects["job-defaults"].run  # once with each tool, which takes them all
    schema = ("check-jsonschema", "--builtin-schema")
    workflows = [str(path) for root in roots for path in root.glob(".github/workflows/*.yml")]
    assert len(workflows) >= len(CASES)
    run(*schema, "vendor.github-workflows", *workflows)
    updates = [str(root / ".github/dependabot.yml") for root in roots]
    run(*schema, "vendor.dependabot", *updates)
    run("zizmor", "--offline", "--no-progress", "--quiet", *map(str, roots))
