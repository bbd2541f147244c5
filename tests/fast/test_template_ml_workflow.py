"""The template for models: its questions, its names, and its way through a real REST interface."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from model_workspace import READY, Model, ModelWorkspace, RefusedError, served

from provisioning.adapters.bundle_templates import BundleTemplates
from provisioning.adapters.bundle_templates.schema import BOT_ANSWERS
from provisioning.errors import UserError
from provisioning.questions import Answer

TEMPLATES = BundleTemplates(Path(__file__).parents[2] / "bundle_templates")
LINE = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=120)
NAME = "gbx1_dev.ada_7.dev_ada_ada_7"
TAGS = {
    "business_unit",
    "project_name",
    "model_name",
    "original_developer_email",
    "current_owner_email",
    "model_type",
    "model_package",
    "platform",
    "dummy_model",
    "model_factory",
    "training_window_start",
    "training_window_end",
    "workflow_version",
}
Task = Callable[..., object]


def render(**answers: Answer) -> dict[str, str]:
    files = TEMPLATES.render("ml_workflow", {"project_name": "ada-7", **answers})
    return {path: data.decode() for path, data in files.items()}


def resource(files: Mapping[str, str], kind: str, key: str) -> Any:
    found: dict[str, Any] = {}
    for path, text in files.items():
        if path.startswith("resources/"):
            for each, named in yaml.safe_load(text)["resources"].items():
                found.setdefault(each, {}).update(named)
    return found[kind][key]


def tags(files: Mapping[str, str]) -> dict[str, Any]:
    (about,) = [text for path, text in files.items() if path.endswith("about.toml")]
    found: dict[str, Any] = tomllib.loads(about)["tags"]
    return found


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ada-7")
    for path, text in render(serving=True).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


@pytest.fixture
def world() -> ModelWorkspace:
    return ModelWorkspace({NAME: Model()})


@pytest.fixture
def host(world: ModelWorkspace) -> Iterator[str]:
    with served(world) as address:
        yield address


def words(project: Path, *more: str) -> list[str]:
    """Return what a job tells a task: every parameter as --key=value, and a fixture."""
    return [f"--model={NAME}", "--registry=workspace", f"--fixture={project / 'fixtures'}", *more]


@pytest.fixture
def task(project: Path, host: str, monkeypatch: pytest.MonkeyPatch) -> Task:
    """Run a task in this process; returns its exit code."""
    monkeypatch.syspath_prepend(str(project / "src"))
    monkeypatch.setenv("DATABRICKS_HOST", host)
    monkeypatch.setenv("DATABRICKS_TOKEN", "pat")

    def run(name: str, *more: str) -> object:
        try:
            import_module(f"ada_7_model.{name}").main(words(project, *more))
        except SystemExit as end:
            return end.code
        return 0

    return run


def test_the_form_asks_questions_of_its_own_and_each_has_a_default() -> None:
    questions = TEMPLATES.questions("ml_workflow")
    assert [question.name for question in questions] == [
        "model_description",
        "model_type",
        "business_unit",
        "original_developer_email",
        "current_owner_email",
        "training_window_days",
        "training_schedule",
        "schedule",
        "start_hour",
        "serving",
        "notification_email",
        "compute",
    ]
    assert all(question.optional for question in questions)
    assert not BOT_ANSWERS & {question.name for question in questions}


@settings(max_examples=30, deadline=None)
@given(LINE)
@example("Gesch\u00e4ftskunden / CRM: a+b@c=d_e.f-g")
@example("Platform Teams (Data and AI)")
@example("${var.catalog}")
def test_a_business_unit_arrives_as_a_tag_verbatim_or_is_refused(text: str) -> None:
    if not re.fullmatch(r"[^\W_](?:[^\W_]|[ ._:/=+@-]){0,99}", text):
        with pytest.raises(UserError, match="as tags of clusters allow") as refused:
            render(business_unit=text)
        assert refused.value.field == "business_unit"
        return
    files = render(business_unit=text)
    assert tags(files)["business_unit"] == text
    for key in ("train_and_register_model", "scoring_feature_monitoring"):
        assert resource(files, "jobs", key)["tags"]["business_unit"] == text


def test_the_owner_is_the_developer_until_somebody_else_is_named() -> None:
    developer = {"original_developer_email": "ada@example.com"}
    assert tags(render(**developer))["current_owner_email"] == "ada@example.com"
    owned = tags(render(**developer, current_owner_email="crm@example.com"))
    assert owned["original_developer_email"] == "ada@example.com"
    assert owned["current_owner_email"] == "crm@example.com"
    assert tags(render())["current_owner_email"] == "unknown"


def test_a_stage_without_gates_has_no_deployer_and_no_planner() -> None:
    files = render(gated_targets="", gated_stages="")
    assert "deployer" not in files["databricks.yml"]
    assert (
        yaml.safe_load(files[".github/workflows/deploy.yml"])["jobs"]["bundle"]["with"]["gated"]
        == "[]"
    )


def test_jobs_are_told_the_deployed_name_of_the_model() -> None:
    files = render(serving=True)
    assert resource(files, "registered_models", "model")["name"] == "ada_7"
    for key in ("train_and_register_model", "scoring_feature_monitoring"):
        job = resource(files, "jobs", key)
        assert job["name"] == f"ada_7_{key}"
        defaults = {each["name"]: each["default"] for each in job["parameters"]}
        assert defaults["model"] == "${resources.registered_models.model.id}"
        for each in job["tasks"]:
            parameters = each["python_wheel_task"]["named_parameters"]
            assert parameters["model"] == "{{job.parameters.model}}"


def test_an_endpoint_is_a_task_after_the_registration_and_never_a_resource() -> None:
    for answer, follows in ((True, [{"task_key": "train_and_register"}]), (False, None)):
        files = render(serving=answer)
        job = resource(files, "jobs", "train_and_register_model")
        after = {each["task_key"]: each.get("depends_on") for each in job["tasks"]}
        assert ("serve" in after) == answer
        assert after.get("serve") == follows
        assert "model_serving_endpoints" not in "".join(files.values())


@pytest.mark.parametrize(
    ("rhythm", "cron"),
    [("daily", "0 0 5 * * ?"), ("weekly", "0 0 5 ? * SUN"), ("monthly", "0 0 5 1 * ?")],
)
def test_training_has_a_rhythm_of_its_own(rhythm: str, cron: str) -> None:
    files = render(training_schedule=rhythm, schedule="weekdays", start_hour=5)
    training = resource(files, "jobs", "train_and_register_model")["schedule"]
    scoring = resource(files, "jobs", "scoring_feature_monitoring")["schedule"]
    assert training["quartz_cron_expression"] == cron
    assert scoring["quartz_cron_expression"] == "0 0 5 ? * MON-FRI"
    by_hand = render(training_schedule="only by hand")
    assert "schedule" not in resource(by_hand, "jobs", "train_and_register_model")


def test_the_deploy_workflow_runs_the_jobs_and_tags_the_model() -> None:
    caller = yaml.safe_load(render()[".github/workflows/deploy.yml"])
    assert caller["jobs"]["bundle"]["with"] == {
        "run_jobs": '["train_and_register_model", "scoring_feature_monitoring"]',
        "model": "model",
    }


def test_a_fixture_registers_a_champion_in_the_workspace(
    project: Path, world: ModelWorkspace, host: str
) -> None:
    scripts = tomllib.loads((project / "pyproject.toml").read_text())["project"]["scripts"]
    module = scripts["train_and_register"].removesuffix(":main")
    given = words(project, "--workflow-version=1.4.0", "--as-of=", "--experiment=7")
    done = subprocess.run(
        [sys.executable, "-B", "-m", module, *given],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
        env={
            "PYTHONPATH": str(project / "src"),
            "HOME": str(project),
            "DATABRICKS_HOST": host,
            "DATABRICKS_TOKEN": "pat",
        },
    )
    last = done.stdout.splitlines()[-1]
    assert last == f"{NAME} version 1 is the champion: the first version"
    model = world.models[NAME]
    (version,) = model.versions
    assert (version.status, model.aliases) == (READY, {"champion": 1})
    assert set(version.files) == {"model.pkl", "baseline.json"}
    assert version.tags.keys() == TAGS | {"hold_out_r2", "promotion"}
    assert version.tags["workflow_version"] == "1.4.0"
    assert version.tags["model_name"] == "dev_ada_ada_7"
    assert model.tags.items() <= version.tags.items()


def test_the_champion_in_the_workspace_is_challenged_scored_and_monitored(
    task: Task, project: Path, world: ModelWorkspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [task("train_and_register") for _ in range(2)] == [0, 0]
    assert world.models[NAME].aliases == {"champion": 2}
    capsys.readouterr()
    assert task("score") == 0
    assert len(capsys.readouterr().out.splitlines()) == 121
    assert task("monitor_features") == 0
    assert "no feature has drifted" in capsys.readouterr().out
    assert task("monitor_features", f"--fixture={project / 'fixtures/drifted.csv'}") == 1
    assert "drifted: visits, distance_km" in capsys.readouterr().out


def test_the_endpoint_is_created_and_then_updated_to_the_champion(
    task: Task, world: ModelWorkspace, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, done in enumerate(("created", "updated"), start=1):
        assert task("train_and_register") == 0
        assert task("serve") == 0
        assert f"dev-ada-ada-7 {done} to serve version {number}" in capsys.readouterr().out
        (entity,) = world.endpoints["dev-ada-ada-7"]
        assert (entity["entity_name"], entity["entity_version"]) == (NAME, str(number))


@pytest.mark.parametrize("name", ["score", "monitor_features", "serve"])
def test_before_the_first_training_jobs_succeed_and_do_nothing(
    name: str, task: Task, world: ModelWorkspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert task(name) == 0
    assert f"{NAME} has no champion yet" in capsys.readouterr().out
    assert world == ModelWorkspace({NAME: Model()})


def test_a_model_that_was_not_deployed_is_no_place_to_register_in(
    task: Task, world: ModelWorkspace
) -> None:
    world.models.clear()
    with pytest.raises(Exception, match=f"no model {NAME}"):
        task("train_and_register")
    assert world.models == {}


def test_a_version_is_complete_before_it_gets_an_alias_and_never_changes_after(
    task: Task, world: ModelWorkspace
) -> None:
    assert task("train_and_register") == 0
    file = f"/api/2.0/fs/files/Models/{NAME.replace('.', '/')}/1/model.pkl"
    with pytest.raises(RefusedError, match="complete"):
        world.answer("PUT", file, b"another")
