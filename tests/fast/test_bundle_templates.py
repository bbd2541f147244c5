"""What every folder of bundle_templates/ must hold to: a new template is a new folder, no new test.

What comes out of each is checked as a project in `test_rendered_projects.py`.
"""

import json
import keyword
import shutil
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from provisioning.adapters.bundle_templates import BundleContext, BundleTemplates, render_bundle
from provisioning.adapters.bundle_templates.__main__ import accept, main, manifest
from provisioning.adapters.bundle_templates.schema import BOT_ANSWERS, SCHEMA_FILE
from provisioning.adapters.bundle_templates.sharing import SHARED, share, stale_copies

FOLDER = Path(__file__).parents[2] / "bundle_templates"
ANSWERS = sorted(FOLDER.glob("*/answers/*.json"))
TEMPLATES = sorted(path.parent for path in FOLDER.glob(f"*/{SCHEMA_FILE}"))
each_template = pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)


def test_there_are_templates_and_every_folder_is_one() -> None:
    assert TEMPLATES
    folders = {path for path in FOLDER.iterdir() if path.is_dir() and path.name[0] not in "_."}
    assert folders == set(TEMPLATES)


@each_template
def test_each_has_answers_with_accepted_renderings(template: Path) -> None:
    given = {path.stem for path in (template / "answers").glob("*.json")}
    assert len(given) >= 3
    assert "defaults" in given
    assert given == {path.stem for path in (template / "expected").glob("*.sha256")}


@each_template
def test_answers_try_every_option_of_every_question(template: Path) -> None:
    schema = json.loads((template / SCHEMA_FILE).read_text("utf-8"))["properties"]
    tried = [json.loads(path.read_text("utf-8")) for path in (template / "answers").glob("*.json")]
    for name, about in schema.items():
        options = set(about.get("enum", ()))
        if about["type"] == "string" and name not in BOT_ANSWERS:
            used = {answers.get(name, about.get("default")) for answers in tried}
            assert options <= used, f"{template.name}: no answers try {name} = {options - used}"


@each_template
def test_a_form_can_ask_the_questions(template: Path) -> None:
    questions = BundleTemplates(FOLDER).questions(template.name)
    assert len(questions) <= 20
    for question in questions:
        assert question.title
        assert len(question.title) <= 150
        assert len(question.hint) <= 150
        assert len(question.options) <= 100


@each_template
def test_nobody_has_to_answer(template: Path) -> None:
    assert all(question.optional for question in BundleTemplates(FOLDER).questions(template.name))
    assert BundleTemplates(FOLDER).render(template.name, {"project_name": "ada-7"})


@each_template
@pytest.mark.parametrize("name", ["class", "json", "pyspark", "job", "a-job", "tests", "true"])
def test_no_project_name_makes_a_package_that_python_or_spark_needs(
    template: Path, name: str
) -> None:
    files = BundleTemplates(FOLDER).render(template.name, {"project_name": name})
    (package,) = {path.split("/")[1] for path in files if path.startswith("src/")}
    assert tomllib.loads(files["pyproject.toml"].decode())["project"]["name"] == package
    assert package.isidentifier()
    assert package not in {*sys.stdlib_module_names, *keyword.kwlist, "pyspark", "tests"}
    assert yaml.safe_load(files["databricks.yml"])["bundle"]["name"] == name


@each_template
def test_what_all_templates_share_is_the_same_in_each(template: Path) -> None:
    assert stale_copies(template) == [], (
        f"python -m provisioning.adapters.bundle_templates share bundle_templates/{template.name}"
    )
    schema = json.loads((template / SCHEMA_FILE).read_text("utf-8"))["properties"]
    assert schema.keys() >= BOT_ANSWERS


def test_the_bot_answers_exactly_what_templates_share() -> None:
    shared = json.loads((FOLDER / SHARED / "bot_answers.json").read_text("utf-8"))
    assert shared.keys() == BOT_ANSWERS


@pytest.mark.parametrize("answers", ANSWERS, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_the_rendering_is_the_accepted_one(answers: Path) -> None:
    template = answers.parents[1]
    given = json.loads(answers.read_text("utf-8"))
    rendered = manifest(render_bundle(template, given, BundleContext()))
    expected = (template / "expected" / f"{answers.stem}.sha256").read_text("utf-8")
    assert rendered == expected, (
        "if the change is meant: python -m provisioning.adapters.bundle_templates accept "
        f"bundle_templates/{template.name}"
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the job template, beside a copy of what is shared."""
    for name in ("job", SHARED):
        shutil.copytree(FOLDER / name, tmp_path / name)
    return tmp_path / "job"


def test_accepting_records_what_is_rendered_now(copy: Path) -> None:
    (copy / "template/{{.project_name}}/NEW.md").write_text("new")
    accept(copy)
    old = (FOLDER / "job/expected/defaults.sha256").read_text()
    new = (copy / "expected/defaults.sha256").read_text()
    assert set(old.splitlines()) < set(new.splitlines())


def test_sharing_brings_a_template_up_to_date(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    owners = "template/{{.project_name}}/CODEOWNERS.tmpl"
    (copy / owners).unlink()
    (copy / "library/stages.tmpl").write_text("{{- /* mine */ -}}")
    assert main(["share", str(copy)]) == 0
    assert capsys.readouterr().out.split("\n") == ["library/stages.tmpl", owners, ""]
    assert share(copy) == []


def test_sharing_corrects_questions_but_for_what_a_template_may_choose(copy: Path) -> None:
    schema = json.loads((copy / SCHEMA_FILE).read_text())
    asked = schema["properties"]
    del asked["targets"]
    asked["schedule"] |= {"description": "When?", "default": "weekly", "order": 40}
    (copy / SCHEMA_FILE).write_text(json.dumps(schema))
    assert share(copy) == [SCHEMA_FILE]
    mended = json.loads((copy / SCHEMA_FILE).read_text())["properties"]
    assert mended["targets"]["default"].startswith("development=")
    assert mended["schedule"]["description"].startswith("When does it run?")
    assert (mended["schedule"]["default"], mended["schedule"]["order"]) == ("weekly", 40)


def test_a_template_need_not_ask_a_shared_question(copy: Path) -> None:
    schema = json.loads((copy / SCHEMA_FILE).read_text())
    del schema["properties"]["notification_email"]
    (copy / SCHEMA_FILE).write_text(json.dumps(schema))
    assert share(copy) == []
