"""Runs of jobs and updates of pipelines: in order, on fixtures, without network or secrets."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from databricks.sdk.errors import InvalidParameterValue, PermissionDenied
from databricks_deployed import DEPLOYMENT, METADATA, ROOT, upload
from databricks_standin import Standin, running

CODE = {
    "fine": "print('fine')",
    "breaks": "print('first'); raise SystemExit('the data is odd')",
    "outside": "import socket; socket.create_connection(('203.0.113.7', 80), 2)",
    "starts": "import subprocess; subprocess.run(['true'])",
    "environment": "import os; print(sorted(os.environ))",
    "me": "from databricks.sdk import WorkspaceClient as W; print(W().current_user.me().user_name)",
    "argv": "import sys; print(sys.argv[1:])",
}


@pytest.fixture(scope="module")
def standin() -> Iterator[Standin]:
    for standin in running():
        here = standin.workspace()
        for folder in (f"{ROOT}/src/pack", f"{ROOT}/fixtures"):
            here.workspace.mkdirs(folder)
        for name, code in CODE.items():
            upload(here.api_client, f"{ROOT}/src/pack/{name}.py", code.encode())
        upload(here.api_client, f"{ROOT}/src/pack/__init__.py", b"")
        upload(here.api_client, f"{ROOT}/fixtures/rows.csv", b"a\n1\n")
        yield standin


def task(name: str, *after: str, key: str = "", **more: Any) -> dict[str, Any]:
    wheel = {"package_name": "pack", "entry_point": name} | more
    depends = [{"task_key": each} for each in after]
    return {"task_key": key or name, "depends_on": depends, "python_wheel_task": wheel}


def make(standin: Standin, *tasks: dict[str, Any], **settings: Any) -> int:
    body = {"name": "j", "tasks": list(tasks), "deployment": DEPLOYMENT.as_dict()} | settings
    return int(ask(standin, "POST", "/create", body)["job_id"])


def ask(standin: Standin, method: str, path: str, body: Any = None) -> Any:
    answer = standin.ask(method, f"/api/2.2/jobs{path}", body, stage="development")
    assert answer.ok, answer.text
    return answer.json()


def start(standin: Standin, job_id: int, **parameters: str) -> int:
    body = {"job_id": job_id, "job_parameters": parameters}
    return int(ask(standin, "POST", "/run-now", body)["run_id"])


def ended(standin: Standin, run_id: int) -> Any:
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        run = ask(standin, "GET", f"/runs/get?run_id={run_id}")
        if run["state"]["life_cycle_state"] in ("TERMINATED", "SKIPPED"):
            return run
    raise AssertionError("the run goes on and on")


def run(standin: Standin, *tasks: dict[str, Any], **settings: Any) -> Any:
    return ended(standin, start(standin, make(standin, *tasks, **settings)))


def printed(standin: Standin, run: Any, number: int = 0) -> str:
    path = f"/runs/get-output?run_id={run['tasks'][number]['run_id']}"
    return str(ask(standin, "GET", path)["logs"])


def results(run: Any) -> dict[str, str]:
    return {each["task_key"]: each["state"]["result_state"] for each in run["tasks"]}


def test_tasks_run_after_those_they_depend_on(standin: Standin) -> None:
    done = run(standin, task("argv", "fine"), task("fine"))
    assert list(results(done).items()) == [("fine", "SUCCESS"), ("argv", "SUCCESS")]
    assert done["state"]["result_state"] == "SUCCESS"


def test_parameters_arrive_as_the_vendor_passes_them(standin: Standin) -> None:
    given: Any = {"named_parameters": {"day": "{{job.parameters.day}}", "job": "{{job.name}}"}}
    parameters = [{"name": "day", "default": "today"}]
    job_id = make(standin, task("argv", **given), parameters=parameters)
    for told, expected in (({}, "today"), ({"day": "$(id)"}, "$(id)")):
        words = printed(standin, ended(standin, start(standin, job_id, **told)))
        assert f"['--day={expected}', '--job=j', '--fixture=" in words
        assert words.strip().endswith("rows.csv']")
    with pytest.raises(InvalidParameterValue, match="not defined"):
        standin.workspace().api_client.do(
            "POST", "/api/2.2/jobs/run-now", body={"job_id": job_id, "job_parameters": {"x": "1"}}
        )


def test_a_failing_task_fails_the_run_with_its_last_line(standin: Standin) -> None:
    done = run(standin, task("breaks"), task("fine", "breaks"))
    assert results(done) == {"breaks": "FAILED", "fine": "UPSTREAM_FAILED"}
    assert done["state"]["result_state"] == "FAILED"
    assert "the data is odd (exit code 1)" in done["state"]["state_message"]
    assert printed(standin, done).splitlines() == ["first", "the data is odd"]


@pytest.mark.parametrize(
    ("name", "complaint"), [("outside", "loopback only"), ("starts", "starts no other process")]
)
def test_a_task_gets_nowhere(standin: Standin, name: str, complaint: str) -> None:
    done = run(standin, task(name))
    assert results(done) == {name: "FAILED"}
    assert complaint in printed(standin, done)


def test_a_task_sees_no_secret_of_the_machine(
    standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY_TOKEN", "canary-value")
    names = printed(standin, run(standin, task("environment")))
    assert "DATABRICKS_HOST" in names
    assert "CANARY" not in names


def test_a_task_is_logged_in_as_the_owner_of_its_job(standin: Standin) -> None:
    assert standin.databricks.bot_client_id in printed(standin, run(standin, task("me")))


def test_a_second_run_waits_or_is_skipped_as_the_job_says(standin: Standin) -> None:
    queued = make(standin, task("fine"), queue={"enabled": True})
    skipped = make(standin, task("fine"))
    first, second = start(standin, queued), start(standin, queued)
    third, fourth = start(standin, skipped), start(standin, skipped)
    assert ended(standin, fourth)["state"]["result_state"] == "MAXIMUM_CONCURRENT_RUNS_REACHED"
    for one in (first, second, third):
        assert ended(standin, one)["state"]["result_state"] == "SUCCESS"


def test_a_cancelled_run_ends_and_lets_the_next_one_in(standin: Standin) -> None:
    job_id = make(standin, task("me"), queue={"enabled": True})
    first, second = start(standin, job_id), start(standin, job_id)
    ask(standin, "POST", "/runs/cancel", {"run_id": first})
    assert ended(standin, first)["state"]["result_state"] == "CANCELED"
    assert ended(standin, second)["state"]["result_state"] == "SUCCESS"


@pytest.mark.parametrize(
    ("tasks", "complaint"),
    [
        ([{"task_key": "a", "notebook_task": {"notebook_path": "/x"}}], "notebook_task cannot"),
        ([task("fine", package_name="nowhere")], "No module named 'nowhere'"),
        ([task("fine") | {"libraries": [{"whl": f"{ROOT}/no.whl"}]}], "does not exist"),
        ([{"task_key": "a", "python_wheel_task": {"x": 1}}], "bad settings"),
    ],
)
def test_a_task_that_cannot_run_fails(
    standin: Standin, tasks: list[dict[str, Any]], complaint: str
) -> None:
    done = run(standin, *tasks)
    assert done["state"]["result_state"] == "FAILED"
    assert complaint in printed(standin, done)


@pytest.mark.parametrize(
    "tasks",
    [
        [task("fine", "nobody")],
        [task("fine", "argv"), task("argv", "fine")],
        [task("fine"), task("fine")],
        [task("fine") | {"environment_key": "none"}],
        [task("fine") | {"job_cluster_key": "none"}],
    ],
)
def test_a_job_that_could_never_run_is_refused(standin: Standin, tasks: Any) -> None:
    answer = standin.ask("POST", "/api/2.2/jobs/create", {"tasks": tasks}, stage="development")
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_nobody_runs_a_job_as_somebody_else(standin: Standin) -> None:
    _, application_id, secret = standin.project_principal()
    mine = standin.workspace("development", application_id, secret)
    run_as = {"service_principal_name": standin.databricks.bot_client_id}
    with pytest.raises(PermissionDenied, match="not allowed to run jobs as"):
        mine.api_client.do("POST", "/api/2.2/jobs/create", body={"name": "x", "run_as": run_as})


def test_what_no_bundle_deployed_has_nothing_to_run_on(standin: Standin) -> None:
    done = run(standin, task("fine"), deployment={})
    assert "only what a bundle deployed runs here" in printed(standin, done)


def test_a_pipeline_without_a_script_fails_and_says_why(standin: Standin) -> None:
    body = {
        "name": "p",
        "libraries": [{"glob": {"include": "x"}}],
        "deployment": {"kind": "BUNDLE", "metadata_file_path": METADATA},
    }
    base = "/api/2.0/pipelines"
    made = standin.ask("POST", base, body, stage="development").json()["pipeline_id"]
    again = standin.ask("POST", base, body, stage="development")
    assert (again.status_code, again.json()["error_code"]) == (409, "RESOURCE_CONFLICT")
    done = run(standin, {"task_key": "a", "pipeline_task": {"pipeline_id": made}})
    assert "no console script main" in done["state"]["state_message"]
