"""The rules for bundles find what is planted: a check that never objects would be no check."""

from collections.abc import Callable
from pathlib import Path

import pytest
from bundle_rules import objections

from provisioning.adapters.bundle_templates import BundleTemplates

TEMPLATES = BundleTemplates(Path(__file__).parents[2] / "bundle_templates")
JOB = "resources/ada_7_job.job.yml"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, data in TEMPLATES.render("job", {"project_name": "ada-7"}).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    return tmp_path


def edited(file: str, old: str, new: str) -> Callable[[Path], None]:
    def plant(project: Path) -> None:
        text = (project / file).read_text("utf-8")
        assert old in text
        (project / file).write_text(text.replace(old, new, 1), "utf-8")

    return plant


def written(file: str, text: str) -> Callable[[Path], None]:
    def plant(project: Path) -> None:
        (project / file).parent.mkdir(exist_ok=True)
        (project / file).write_text(text, "utf-8")

    return plant


PLANTED = {
    "databricks.yml has an unknown key artefacts": edited(
        "databricks.yml", "artifacts:", "artefacts: {}\nartifacts:"
    ),
    "include resources/*.yaml matches nothing": edited(
        "databricks.yml", "resources/*.yml", "resources/*.yaml"
    ),
    "second.yml repeats jobs.ada_7_job": written(
        "resources/second.yml", "resources: {jobs: {ada_7_job: {}}}\n"
    ),
    "second.yml has an unknown key resource": written("resources/second.yml", "resource: {}\n"),
    "there is no kind of resource dags": written(
        "resources/second.yml", "resources: {dags: {a: {}}}\n"
    ),
    "Unexpected field 'cron'": edited(JOB, "quartz_cron_expression", "cron"),
    "exactly one target is the default": edited("databricks.yml", "    default: true\n", ""),
    "target testing has an unknown key modus": edited(
        "databricks.yml", "mode: production", "modus: production"
    ),
    "target development has the mode develop": edited(
        "databricks.yml", "mode: development", "mode: develop"
    ),
    "target development: what it deploys to is shared": edited(
        "databricks.yml", "${bundle.target}${var.copy}", "all"
    ),
    "target development: the name prefix must hold who deploys": edited(
        "databricks.yml", "[dev ${workspace.current_user.short_name}", "[dev "
    ),
    "a host is named: https://x": edited(
        "databricks.yml", "    workspace:\n", "    workspace:\n      host: https://x\n"
    ),
    "variable catalog has no description": edited(
        "databricks.yml", "description: Catalog", "tags: Catalog"
    ),
    "variable more is never used": edited(
        "databricks.yml", "variables:\n", "variables:\n  more: {description: x, default: y}\n"
    ),
    "target testing sets other, no variable": edited(
        "databricks.yml", 'catalog: "gbx1_test"', 'catalog: "gbx1_test"\n      other: x'
    ),
    "target testing has no value for catalog": edited(
        "databricks.yml", 'catalog: "gbx1_test"', ""
    ),
    "target staging: ${var.catalogue} leads nowhere": edited(
        JOB, "${var.catalog}", "${var.catalogue}"
    ),
    "${resources.jobs.other.id} leads nowhere": edited(
        JOB, "${var.catalog}", "${resources.jobs.other.id}"
    ),
    "${bundle.nam} leads nowhere": edited(JOB, "${var.catalog}", "${bundle.nam}"),
    "${var.prefix} leads nowhere": edited(
        "databricks.yml", 'catalog: "gbx1_test"\n      prefix: ""',
        'catalog: "gbx1_test"\n      prefix: ${var.prefix}',
    ),
    "there is no environment_key defaults": edited(
        JOB, "environment_key: default", "environment_key: defaults"
    ),
    "there is no job_cluster_key big": edited(
        JOB, "environment_key: default", "job_cluster_key: big"
    ),
    "there is no task_key first": edited(
        JOB, "- task_key: main", "- depends_on: [{task_key: first}]\n          task_key: main"
    ),
    "ada_7_job has two tasks of one name": edited(
        JOB, "- task_key: main", "- task_key: main\n        - task_key: main"
    ),
    "there is no package ada": edited(JOB, "package_name: ada_7_job", "package_name: ada"),
    "there is no entry point start": edited(JOB, "entry_point: main", "entry_point: start"),
    "there is no ada_7_job.main:begin": edited("pyproject.toml", ".main:main", ".main:begin"),
    "there is no ../sql/x.sql": edited(JOB, "../dist/*.whl", "../sql/x.sql"),
    "nothing builds ../dist/*.whl": edited("databricks.yml", "type: whl", "type: jar"),
    "x.lvdash.json: w shows a data set that isn't there": written(
        "x.lvdash.json",
        '{"datasets": [], "pages": [{"layout": [{"widget": {"name": "w", "queries": '
        '[{"query": {"datasetName": "d"}}]}}]}]}',
    ),
}  # fmt: skip


def test_a_sound_bundle_breaks_no_rule(project: Path) -> None:
    assert objections(project) == []


@pytest.mark.parametrize("sentence", PLANTED)
def test_what_is_planted_is_found(project: Path, sentence: str) -> None:
    PLANTED[sentence](project)
    assert [each for each in objections(project) if sentence in each]
