"""How a bundle is read: merged, resolved, prefixed; small pieces, without a workspace."""

from pathlib import Path
from typing import Any

import pytest

from playground.databricks_cli import loading, modes
from playground.databricks_cli.permissions import for_kind
from playground.databricks_cli.references import resolve
from playground.databricks_cli.trees import differences, lookup, merged

ME = "0f0e0d0c-0b0a-4908-8706-050403020100"


@pytest.mark.parametrize(
    ("user", "display", "short"),
    [
        ("ada.lovelace@acme.example", "Ada", "ada_lovelace"),
        ("Ada-L@acme.example", "", "ada_l"),
        (ME, "ada-7-Development", "ada_7_development"),
        (ME, "sp foo (dev)", "sp_foo_dev"),
    ],
)
def test_copies_are_named_for_people_and_for_what_principals_are_called(
    user: str, display: str, short: str
) -> None:
    assert modes.short_name({"userName": user, "displayName": display}) == short


def in_mode(mode: str, **more: Any) -> Any:
    tree = {"bundle": {"mode": mode}, "workspace": {"current_user": {"short_name": "ada"}}}
    return modes.with_presets(tree | more)


@pytest.mark.parametrize(
    ("kind", "resource", "field", "expected"),
    [
        ("jobs", {"name": "n"}, "name", "[dev ada] n"),
        ("pipelines", {"name": "n"}, "name", "[dev ada] n"),
        ("dashboards", {"display_name": "n"}, "display_name", "[dev ada] n"),
        ("registered_models", {"name": "n"}, "name", "dev_ada_n"),
        ("experiments", {"name": "/a/b/n"}, "name", "/a/b/[dev ada] n"),
        ("volumes", {"name": "n"}, "name", "n"),
        ("pipelines", {"name": "n"}, "development", True),
        ("jobs", {"name": "n", "tags": {"a": "b"}}, "tags", {"dev": "ada", "a": "b"}),
        ("jobs", {"name": "n"}, "max_concurrent_runs", 4),
        ("jobs", {"name": "n", "max_concurrent_runs": 1}, "max_concurrent_runs", 1),
        ("jobs", {"name": "n", "schedule": {}}, "schedule", {"pause_status": "PAUSED"}),
        (
            "jobs",
            {"name": "n", "schedule": {"pause_status": "UNPAUSED"}},
            "schedule",
            {"pause_status": "UNPAUSED"},
        ),
    ],
)
def test_development_mode_changes_what_the_vendor_says_it_changes(
    kind: str, resource: Any, field: str, expected: Any
) -> None:
    assert modes.applied(kind, resource, in_mode("development"))[field] == expected


def test_a_prefix_of_ones_own_replaces_the_usual_one() -> None:
    presets = in_mode("development", presets={"name_prefix": "[dev ada_pr7] ", "tags": {"x": "y"}})
    job = modes.applied("jobs", {"name": "n"}, presets)
    assert (job["name"], job["tags"]) == ("[dev ada_pr7] n", {"dev": "ada", "x": "y"})
    model = modes.applied("registered_models", {"name": "n"}, presets)
    assert model["name"] == "dev_ada_pr7_n"


def test_production_changes_nothing() -> None:
    job = {"name": "n", "schedule": {}}
    assert modes.applied("jobs", job, in_mode("production")) == job


def test_targets_override_by_key_where_entries_have_one() -> None:
    base = {"tasks": [{"task_key": "a", "x": 1, "y": 1}], "libs": [1]}
    over = {"tasks": [{"task_key": "a", "x": 2}, {"task_key": "b"}], "libs": [2]}
    assert merged(base, over) == {
        "tasks": [{"task_key": "a", "x": 2, "y": 1}, {"task_key": "b"}],
        "libs": [1, 2],
    }


def test_a_reference_alone_keeps_its_type() -> None:
    values = {"list": [1, "${text}"], "text": "t", "yes": True}

    def find(path: str) -> Any:
        return values[path]

    assert resolve({"a": "${list}", "b": "x${text}-${yes}"}, find) == {
        "a": [1, "t"],
        "b": "xt-true",
    }
    assert resolve("${resources.jobs.x.id}", find) == "${resources.jobs.x.id}"


def test_paths_are_meant_from_the_file_that_holds_them(tmp_path: Path) -> None:
    (tmp_path / "resources").mkdir()
    (tmp_path / "databricks.yml").write_text("bundle: {name: x}\ninclude: [resources/*.yml]\n")
    (tmp_path / "resources/j.yml").write_text(
        "resources: {jobs: {j: {environments: [{environment_key: e, spec: {dependencies: "
        "[../dist/*.whl, pandas==2.2]}}], tasks: [{task_key: t, libraries: [{whl: ../d/x.whl}]}]}}}"
    )
    tree, warnings = loading.load(tmp_path)
    job = lookup(tree, "resources.jobs.j")
    local = "${workspace.file_path}/"
    assert lookup(job, "environments[0].spec.dependencies") == [local + "dist/*.whl", "pandas==2.2"]
    assert lookup(job, "tasks[0].libraries[0].whl") == local + "d/x.whl"
    assert warnings == []


def test_differences_are_told_by_path() -> None:
    assert differences({"a": {"b": 1, "c": [1]}}, {"a": {"b": 2, "c": [1]}, "d": 3}) == {
        "a.b": (1, 2),
        "d": (None, 3),
    }


@pytest.mark.parametrize(
    ("kind", "level", "expected"),
    [
        ("jobs", "CAN_VIEW", "CAN_VIEW"),
        ("jobs", "CAN_RUN", "CAN_MANAGE_RUN"),
        ("pipelines", "CAN_RUN", "CAN_RUN"),
        ("experiments", "CAN_VIEW", "CAN_READ"),
        ("dashboards", "CAN_VIEW", "CAN_READ"),
        ("directories", "CAN_MANAGE", "CAN_MANAGE"),
    ],
)
def test_a_level_is_called_as_each_kind_calls_it(kind: str, level: str, expected: str) -> None:
    listed = for_kind(kind, [], [{"level": level, "user_name": "ada"}])
    assert [each["permission_level"] for each in listed] == [expected]


def test_a_resources_own_entry_comes_before_the_bundles() -> None:
    own = [{"level": "CAN_MANAGE", "user_name": "ada"}]
    listed = for_kind("jobs", own, [{"level": "CAN_VIEW", "user_name": "ada"}])
    assert [each["permission_level"] for each in listed] == ["CAN_MANAGE"]
    assert for_kind("registered_models", own, []) == []
