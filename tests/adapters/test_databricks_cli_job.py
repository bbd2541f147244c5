"""A rendered job through validate, plan, deploy, run and destroy, by real processes over HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bundle_workshop import Workshop, workshop

JOB = "resources.jobs.ada_7_job"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    with workshop(tmp_path) as held:
        held.render(schedule="daily")
        yield held


def actions(shop: Workshop, stage: str = "development", **extra: str) -> dict[str, str]:
    return shop.bundle("plan", stage, "-o", "json", **extra).actions


def here(shop: Workshop, stage: str = "development") -> Any:
    return shop.standin.databricks.workspace("gbx1", stage)


def test_a_job_goes_the_whole_way_and_leaves_nothing(shop: Workshop) -> None:
    assert "Validation OK!" in shop.bundle("validate").out
    assert actions(shop) == {JOB: "create"}
    assert shop.jobs() == []
    assert shop.bundle("deploy").err.splitlines()[-1] == "Deployment complete!"
    assert shop.jobs() == ["[dev ada_7_development] ada-7"]
    assert actions(shop) == {JOB: "skip"}
    assert "2026-01-05,visit,2" in shop.bundle("run", "development", "ada_7_job").out
    assert "Destroy complete!" in shop.bundle("destroy", "development", "--auto-approve").err
    left = [path for path, node in here(shop).nodes.items() if node.kind != "DIRECTORY"]
    assert (shop.jobs(), left, dict(here(shop).access)) == ([], [], {})
    assert "No active deployment" in shop.bundle("destroy").err


def test_copies_and_stages_stand_side_by_side(shop: Workshop) -> None:
    shop.bundle("deploy")
    shop.bundle("deploy", BUNDLE_VAR_copy="_pr7")
    shop.bundle("deploy", "testing", BUNDLE_VAR_workflow_version="1.2.3")
    own, copy = "[dev ada_7_development] ada-7", "[dev ada_7_development_pr7] ada-7"
    assert sorted(shop.jobs()) == sorted([own, copy])
    (plain,) = here(shop, "testing").jobs.values()
    assert plain.settings["name"] == "ada-7"
    assert plain.settings["tags"]["version"] == "1.2.3"
    defaults = {each["name"]: each["default"] for each in plain.settings["parameters"]}
    assert (defaults["catalog"], defaults["schema"]) == ("gbx1_test", "ada_7")
    shop.bundle("destroy", "development", "--auto-approve", BUNDLE_VAR_copy="_pr7")
    assert shop.jobs() == [own]


def test_a_planner_sees_the_same_plan_and_cannot_deploy_it(shop: Workshop) -> None:
    deployer, planner, variables = shop.gate()

    def plan(login: Any) -> Any:
        said = shop.run("bundle", "plan", "-t", "production", "-o", "json", by=login, **variables)
        assert said.code == 0, said.err
        return said.json["plan"]

    first = plan(planner)
    assert {name: each["action"] for name, each in first.items()} == {
        JOB: "create",
        f"{JOB}.permissions": "create",
    }
    assert first == plan(deployer)
    refused = shop.run("bundle", "deploy", "-t", "production", by=planner, **variables)
    assert refused.code == 1
    assert "permissions" in refused.err
    assert shop.jobs("production") == []
    shop.bundle("deploy", "production", **variables)
    assert plan(planner) == plan(deployer)
    assert {each["action"] for each in plan(planner).values()} == {"skip"}
    (job,) = here(shop, "production").jobs
    assert here(shop, "production").access[f"/jobs/{job}"] == {
        deployer.application_id: "IS_OWNER",
        planner.application_id: "CAN_VIEW",
    }
    for verb, more in (("deploy", []), ("destroy", ["--auto-approve"]), ("run", ["ada_7_job"])):
        said = shop.run("bundle", verb, "-t", "production", *more, by=planner, **variables)
        assert (said.code, "does not have" in said.err) == (1, True), said.err
    assert shop.jobs("production") == ["ada-7"]


def test_whatever_changes_in_the_workspace_changes_the_plan(shop: Workshop) -> None:
    _, planner, variables = shop.gate()
    shop.bundle("deploy", "production", **variables)
    where = here(shop, "production")
    (job,) = where.jobs.values()
    job.settings["max_concurrent_runs"] = 7
    where.access[f"/jobs/{job.job_id}"][planner.application_id] = "CAN_MANAGE"
    planned = shop.bundle("plan", "production", "-o", "json", **variables)
    assert planned.actions == {JOB: "update", f"{JOB}.permissions": "update"}
    (change,) = planned.json["plan"][JOB]["changes"].items()
    assert change == (
        "max_concurrent_runs",
        {
            "action": "update",
            "old": 1,
            "new": 1,
            "remote": 7,
        },
    )
    shop.bundle("deploy", "production", **variables)
    assert set(actions(shop, "production", **variables).values()) == {"skip"}
    where.jobs.clear()
    assert actions(shop, "production", **variables)[JOB] == "create"


def test_exactly_the_plan_is_deployed_or_nothing(shop: Workshop) -> None:
    file = shop.folder / "plan.json"
    file.write_text(shop.bundle("plan", "development", "-o", "json").out)
    shop.bundle("deploy", "development", "--plan", str(file))
    assert shop.jobs() == ["[dev ada_7_development] ada-7"]
    stale = shop.run("bundle", "deploy", "-t", "development", "--plan", str(file))
    assert (stale.code, "make a new plan" in stale.err) == (1, True)
    resource = next((shop.project / "resources").glob("*.job.yml"))
    resource.write_text(
        resource.read_text().replace("timeout_seconds: 14400", "timeout_seconds: 9")
    )
    text = shop.bundle("plan").out
    assert text == (
        "update jobs.ada_7_job\n\nPlan: 0 to add, 1 to change, 0 to delete, 0 unchanged\n"
    )
    resource.unlink()
    assert actions(shop) == {JOB: "delete"}
    shop.bundle("deploy")
    assert shop.jobs() == []


def test_one_deployment_at_a_time_holds_the_lock(shop: Workshop) -> None:
    login = shop.admit("testing")
    shop.bundle("deploy", "testing")
    place = f"/Users/{login.application_id}/.bundle/ada-7/testing/state/deploy.lock"
    assert place not in here(shop, "testing").nodes
    mine = shop.standin.workspace("testing", login.application_id, login.secret)
    held = {"User": "ada@acme.example", "AcquisitionTime": "2026-01-05T08:00:00Z"}
    path = f"/api/2.0/workspace-files/import-file{place}"
    mine.api_client.do("POST", path, data=json.dumps(held).encode())
    for verb, more in (("deploy", []), ("destroy", ["--auto-approve"])):
        said = shop.run("bundle", verb, "-t", "testing", *more, by=login)
        assert said.code == 1
        assert "deploy lock acquired by ada@acme.example at 2026-01-05T08:00:00Z" in said.err
        assert "--force-lock" in said.err
    shop.bundle("deploy", "testing", "--force-lock")
    assert place not in here(shop, "testing").nodes


def test_a_failed_run_is_an_error_with_its_last_lines(shop: Workshop) -> None:
    source = next((shop.project / "src").glob("*/daily_counts.py"))
    source.write_text("raise SystemExit('the counts are off')\n")
    shop.bundle("deploy")
    said = shop.run("bundle", "run", "-t", "development", "ada_7_job")
    assert said.code == 1
    assert "the counts are off" in said.out
    assert said.err.splitlines()[-1].startswith("Error: run failed with state FAILED: Task main")


def test_files_that_left_the_bundle_leave_the_workspace(shop: Workshop) -> None:
    shop.write({"src/old.py": "", "dist/left.txt": "ignored"})
    shop.bundle("deploy")
    names = {path.rpartition("/")[2] for path in here(shop).nodes}
    assert {"old.py", "events.csv", "databricks.yml"} <= names
    assert "left.txt" not in names
    (shop.project / "src/old.py").unlink()
    shop.bundle("deploy")
    assert "old.py" not in {path.rpartition("/")[2] for path in here(shop).nodes}


def test_a_wheel_that_cannot_be_built_stops_everything(shop: Workshop) -> None:
    (shop.project / "pyproject.toml").write_text("[project]\n")
    said = shop.run("bundle", "deploy", "-t", "development")
    assert (said.code, "build failed wheel" in said.err) == (1, True)
    assert shop.jobs() == []


def test_a_summary_tells_where_things_are(shop: Workshop) -> None:
    before = shop.bundle("summary", "development", "-o", "json").json
    assert before["resources"]["jobs"]["ada_7_job"]["modified_status"] == "created"
    shop.bundle("deploy")
    (number,) = here(shop).jobs
    after = shop.bundle("summary", "development", "-o", "json").json
    assert after["resources"]["jobs"]["ada_7_job"]["id"] == str(number)
    assert f"/jobs/{number}" in shop.bundle("summary").out
