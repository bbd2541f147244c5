"""What every workflow of ours keeps: pinned, few rights, nothing executed that was given."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from house import ROOT
from ruamel.yaml import YAML

from playground.github import seed

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
DEPLOY = FOLDER / "deploy-bundle.yml"
ALLOWED = {
    "actions/checkout",
    "actions/download-artifact",
    "actions/upload-artifact",
    "astral-sh/setup-uv",
    "databricks/setup-cli",
}
NAMES = [
    "Dump Context",
    "Set Jobs to Run",
    "Validate, Test and Build",
    "Version",
    "Deploy ${{ matrix.environment }}",
    "Plan ${{ matrix.environment }}",
    "Run ${{ matrix.job }} in ${{ matrix.environment }}",
    "Tag Model in ${{ matrix.environment }}",
    "Destroy ${{ matrix.environment }}",
    "Deploy Pull Request Copy",
    "Destroy Pull Request Copy",
]


def read(path: Path) -> dict[str, Any]:
    """Return a workflow with its aliases resolved."""
    loaded: dict[str, Any] = json.loads(json.dumps(YAML(typ="safe").load(path.read_text())))
    return loaded


JOBS: dict[str, dict[str, Any]] = read(DEPLOY)["jobs"]
INPUTS: dict[str, Any] = read(DEPLOY)["on"]["workflow_call"]["inputs"]


def steps(path: Path) -> list[dict[str, Any]]:
    """Return every step of a workflow."""
    return [step for job in read(path)["jobs"].values() for step in job["steps"]]


def tool(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run one of the tools beside the interpreter."""
    command = [Path(sys.executable).with_name(name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_are_valid(path: Path) -> None:
    checked = tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", path)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_zizmor_finds_nothing_with_and_without_aliases(path: Path, tmp_path: Path) -> None:
    plain = tmp_path / ".github" / "workflows" / path.name
    plain.parent.mkdir(parents=True)
    dumper = YAML()
    dumper.representer.ignore_aliases = lambda _: True
    with plain.open("w") as file:
        dumper.dump(read(path), file)
    for checked in (path, plain):
        found = tool("zizmor", "--offline", "--no-progress", checked)
        assert found.returncode == 0, found.stdout
    assert "*" + "deploy" not in plain.read_text()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit_and_say_their_release(path: Path) -> None:
    used = re.findall(r"uses: (\S+)(.*)", path.read_text())
    assert used
    for action, comment in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action)
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment)


def test_the_deploy_workflow_uses_five_actions_and_each_has_its_stand_in() -> None:
    used = {step["uses"].partition("@")[0] for step in steps(DEPLOY) if "uses" in step}
    assert used == ALLOWED
    local = ROOT / "playground" / "actions" / "local"
    assert {path.parent.relative_to(local).as_posix() for path in local.rglob("action.yml")} == used


def test_stand_ins_know_every_input_that_is_given() -> None:
    for step in steps(DEPLOY):
        if "uses" in step:
            name = step["uses"].partition("@")[0]
            stand_in = read(ROOT / "playground" / "actions" / "local" / name / "action.yml")
            assert set(step.get("with", {})) <= set(stand_in["inputs"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_expression_is_part_of_a_script(path: Path) -> None:
    scripts = [step["run"] for step in steps(path) if "run" in step]
    assert scripts
    assert [script for script in scripts if "${{" in script] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_nothing_is_allowed_by_default_and_no_login_is_left_behind(path: Path) -> None:
    assert read(path)["permissions"] == {}
    for step in steps(path):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_only_the_release_may_write_and_only_who_deploys_gets_an_identity() -> None:
    for name, job in JOBS.items():
        rights = {"contents": "read", "id-token": "write"} if "environment" in job else None
        expected = {"version": {"contents": "write"}, "build": {"contents": "read"}}
        assert job["permissions"] == (rights or expected.get(name, {})), name


def test_who_deploys_is_alone_in_an_environment_and_is_never_cut_off() -> None:
    for name, job in JOBS.items():
        if "environment" in job:
            group = str(job["concurrency"]["group"])
            assert group.startswith("bundle-${{ github.repository_id }}-${{ ")
            assert "environment" in group
            assert job["concurrency"]["cancel-in-progress"] is False, name
    assert len({job["concurrency"]["group"] for job in JOBS.values() if "strategy" in job}) == 4


def test_secrets_are_seen_only_by_steps_of_our_own() -> None:
    for job in JOBS.values():
        assert "secrets." not in json.dumps({**job, "steps": []})
        for step in job["steps"]:
            assert "uses" not in step or "secrets." not in json.dumps(step)


def test_later_stages_need_all_earlier_ones_to_have_ended_well() -> None:
    order = ["plan_testing", "deploy_testing", "plan_staging", "deploy_staging"]
    order += ["plan_production", "deploy_production"]
    before = ["jobs", "build", "version", "deploy_development", "run"]
    for position, name in enumerate(order):
        assert JOBS[name]["needs"] == [*before, *order[:position]]
        assert "!contains(needs.*.result, 'failure')" in JOBS[name]["if"]
        assert "!contains(needs.*.result, 'cancelled')" in JOBS[name]["if"]


def test_jobs_have_the_names_that_are_read() -> None:
    assert {job["name"] for job in JOBS.values()} == set(NAMES)


def test_the_documentation_names_every_input_and_job() -> None:
    text = (ROOT / "docs" / "deploy-workflow.md").read_text()
    assert [name for name in INPUTS if f"`{name}`" not in text] == []
    named = [re.sub(r"\$\{\{ matrix\.(\w+) }}", r"<\1>", name) for name in NAMES]
    assert [name for name in named if f"`{name}`" not in text] == []


def test_the_platforms_repository_holds_this_workflow() -> None:
    assert seed.WORKFLOW.read_bytes() == DEPLOY.read_bytes()
    assert seed.WORKFLOW.is_symlink()
