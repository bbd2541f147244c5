"""What Terraform's JSON lines mean, and what a plan's digest covers."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.adapters.local_terraform import plans
from provisioning.adapters.local_terraform.events import Story, readable
from provisioning.errors import PermanentError
from provisioning.runs import Action, Change, Counts


def line(kind: str, **content: Any) -> bytes:
    return json.dumps({"@level": "info", "type": kind, **content}).encode() + b"\n"


def resource(address: str) -> dict[str, Any]:
    return {"addr": address, "resource_type": address.split(".")[0]}


def planned(address: str, action: str) -> bytes:
    return line("planned_change", change={"resource": resource(address), "action": action})


def begun(address: str, action: str = "create") -> bytes:
    return line("apply_start", hook={"resource": resource(address), "action": action})


def completed(address: str, action: str = "create") -> bytes:
    return line("apply_complete", hook={"resource": resource(address), "action": action})


def errored(address: str) -> bytes:
    return line("apply_errored", hook={"resource": resource(address), "action": "create"})


def told(summary: str, detail: str = "", address: str = "") -> bytes:
    diagnostic = {"severity": "error", "summary": summary, "detail": detail, "address": address}
    return line("diagnostic", diagnostic=diagnostic)


def summary(add: int, change: int = 0, remove: int = 0, adopt: int = 0) -> bytes:
    figures = {"add": add, "change": change, "remove": remove, "import": adopt}
    return line("change_summary", changes=figures | {"operation": "apply"})


def story(*lines: bytes) -> Story:
    read = Story()
    read.read(b"".join(lines))
    return read


def test_a_log_is_read_line_by_line_and_errors_are_explained_in_full() -> None:
    stamp = {"@timestamp": "2026-11-25T13:04:05.648615Z"}
    error = {
        "severity": "error",
        "summary": "No such catalog",
        "detail": "It is gone.\nMake it.",
        "address": "databricks_schema.a",
        "range": {"filename": "m.tf", "start": {"line": 7}},
        "snippet": {
            "context": 'resource "databricks_schema" "a"',
            "code": "  catalog_name = var.catalog",
            "values": [{"traversal": "var.catalog", "statement": 'is "dev"'}],
        },
    }
    lines = (
        line("version", **stamp, **{"@message": "Terraform 1.15.5"}),
        line("diagnostic", **stamp, **{"@message": "Error: No such catalog"}, diagnostic=error),
        b"panic: out of memory\n",
        b'{"no": "event"}\n',
    )
    assert readable(b"".join(lines).decode()).splitlines() == [
        "2026-11-25T13:04:05Z  Terraform 1.15.5",
        "2026-11-25T13:04:05Z  Error: No such catalog",
        "    with databricks_schema.a,",
        '    on m.tf line 7, in resource "databricks_schema" "a":',
        "      catalog_name = var.catalog",
        '    var.catalog is "dev"',
        "    It is gone.",
        "    Make it.",
        "panic: out of memory",
        '{"no": "event"}',
    ]


def test_terraforms_own_summary_is_what_counts() -> None:
    assert story(completed("t.a"), summary(83, 1, 2, 3)).counts() == Counts(
        add=83, change=1, remove=2, adopt=3
    )


def test_without_a_summary_the_completed_operations_count() -> None:
    interrupted = story(completed("t.a"), completed("t.b", "update"), completed("t.c", "delete"))
    assert interrupted.counts() == Counts(add=1, change=1, remove=1)


def test_progress_counts_finished_resources_and_names_the_one_begun_last() -> None:
    read = story(planned("t.a", "create"), planned("t.b", "create"), planned("t.c", "update"))
    assert (read.progress(0).done, read.progress(0).total) == (0, 3)
    read.read(begun("t.a") + begun("t.b") + completed("t.a"))
    progress = read.progress(7.5)
    assert (progress.done, progress.total, progress.current) == (1, 3, "t.b")
    assert progress.seconds == 7.5
    read.read(completed("t.b"))
    assert read.progress(0).current == ""


def plans_to(action: Action, address: str) -> Change:
    return Change(address=address, resource_type=address.split(".")[0], action=action)


def test_an_apply_knows_from_its_plan_how_much_there_is_to_do_before_terraform_says_so() -> None:
    changes = [plans_to("create", "t.a"), plans_to("update", "t.b"), plans_to("import", "t.c")]
    read = Story(changes)
    assert (read.progress(0).done, read.progress(0).total) == (0, 2)
    read.read(begun("t.a") + completed("t.a"))
    read.read(planned("t.a", "create") + planned("t.b", "update"))
    assert (read.progress(0).done, read.progress(0).total) == (1, 2)


def test_a_replacement_is_finished_when_both_its_halves_are() -> None:
    read = story(planned("t.a", "replace"), begun("t.a", "delete"), completed("t.a", "delete"))
    assert read.progress(0).done == 0
    read.read(begun("t.a") + completed("t.a"))
    assert (read.progress(0).done, read.progress(0).total) == (1, 1)


def test_what_leaves_no_completion_is_not_waited_for() -> None:
    read = story(planned("t.a", "import"), planned("data.t.b", "read"), planned("t.c", "noop"))
    assert read.progress(0).total == 0


def test_a_failed_resource_is_no_longer_worked_on() -> None:
    read = story(planned("t.a", "create"), begun("t.a"), errored("t.a"))
    assert read.progress(0).current == ""
    assert read.progress(0).done == 0


def test_many_equal_diagnostics_become_one_that_says_how_many() -> None:
    halted = story(told("bad name", "t", "t.a"), *[told("execution halted")] * 48)
    first, second = halted.diagnostics()
    assert (first.summary, first.detail, first.address) == ("bad name", "t", "t.a")
    assert (second.summary, second.detail) == ("execution halted", "(48 times)")


def test_an_unfinished_last_line_waits_for_its_rest() -> None:
    whole = summary(5)
    read = story(begun("t.a"), whole[:10])
    assert read.counts() == Counts()
    assert read.offset == len(begun("t.a"))
    read.read(whole[10:])
    assert read.counts() == Counts(add=5)
    assert read.offset == len(begun("t.a") + whole)


@given(st.lists(st.integers(1, 400), max_size=20))
def test_however_the_bytes_arrive_the_story_is_the_same(cuts: list[int]) -> None:
    text = b"".join([planned("t.é", "create"), begun("t.é"), completed("t.é"), summary(1)])
    read, position = Story(), 0
    for size in cuts:
        read.read(text[position : position + size])
        position += size
    read.read(text[position:])
    assert read.counts() == Counts(add=1)
    assert read.begun() == {"t.é"}
    assert read.offset == len(text)


def test_unknown_events_and_unreadable_lines_do_no_harm() -> None:
    read = story(
        line("action_start", hook={}), b"panic: oh no\n", b"\xff\xfe\n", b"[1]\n", summary(1)
    )
    assert read.counts() == Counts(add=1)
    assert "panic: oh no" in read.last_words()


def test_what_a_run_may_have_made_is_what_it_has_begun_to_create() -> None:
    read = story(
        begun("t.a"),
        completed("t.a"),
        begun("t.b"),
        begun("t.c", "update"),
        begun("t.d", "delete"),
    )
    assert read.begun() == {"t.a", "t.b"}


def change(address: str = "t.a", **parts: Any) -> dict[str, Any]:
    base = {"actions": ["create"], "before": None, "after": {"name": "ada"}, "after_unknown": {}}
    return {"address": address, "type": "t", "change": base | parts}


def digest(*changes: dict[str, Any], **rest: Any) -> str:
    return plans.digest({"resource_changes": list(changes), **rest})


def test_the_digest_ignores_order_time_prior_values_and_what_stays() -> None:
    one, two = change("t.a"), change("t.b")
    kept = change("t.kept", actions=["no-op"])
    assert digest(one, two) == digest(two, kept, one, timestamp="2026-11-23T16:00:00Z")
    assert digest(change(before={"x": 1})) == digest(change(before={"x": 2}))


@pytest.mark.parametrize(
    "other",
    [
        change("t.b"),
        change(actions=["update"]),
        change(after={"name": "grace"}),
        change(after={"name": "ada", "more": 1}),
        change(after_unknown={"id": True}),
        change(importing={"id": "1"}),
    ],
)
def test_the_digest_changes_with_everything_that_would_be_done(other: dict[str, Any]) -> None:
    assert digest(change()) != digest(other)


def test_the_digest_covers_sensitive_values_without_holding_them() -> None:
    def secret(value: str) -> dict[str, Any]:
        after = {"list": [{"key": value}, 1]}
        return change(after=after, after_sensitive={"list": [{"key": True}]})

    assert digest(secret("one")) != digest(secret("two"))
    assert digest(secret("one")) == digest(secret("one"))


def test_a_plan_lists_what_it_does_and_leaves_out_what_it_leaves_alone() -> None:
    found = plans.changes(
        {
            "resource_changes": [
                change("t.new"),
                change("t.same", actions=["no-op"]),
                change("t.adopted", actions=["no-op"], importing={"id": "1"}),
                change("t.other", actions=["delete", "create"]),
                change("t.first", actions=["create", "delete"]),
                change("data.t.read", actions=["read"]),
            ]
        }
    )
    assert {each.address: each.action for each in found} == {
        "t.new": "create",
        "t.adopted": "import",
        "t.other": "replace",
        "t.first": "replace",
        "data.t.read": "read",
    }


def test_an_action_that_is_unknown_stops_everything() -> None:
    with pytest.raises(PermanentError, match=r"forget t\.a"):
        plans.changes({"resource_changes": [change(actions=["forget"])]})


def test_inputs_change_with_configuration_modules_and_versions_but_not_with_imports() -> None:
    root = {"main.tf.json": '{"module":{"a":{}}}', "terraform.tfvars.json": '{"who":"ada"}'}

    def inputs(files: dict[str, str], version: str = "1", lock: str = "", mods: str = "m") -> str:
        return plans.inputs_digest(files, version, lock, mods)

    adopting = root | {"main.tf.json": '{"import":[{"to":"t.a","id":"1"}],"module":{"a":{}}}'}
    assert inputs(root) == inputs(adopting)
    others = [
        inputs(root | {"main.tf.json": '{"module":{"b":{}}}'}),
        inputs(root | {"terraform.tfvars.json": '{"who":"grace"}'}),
        inputs(root, version="2"),
        inputs(root, lock="h1:"),
        inputs(root, mods="n"),
    ]
    assert len({inputs(root), *others}) == 6


@pytest.mark.parametrize(
    "address",
    [
        "github_repository.r",
        "module.project.github_repository.r",
        'module.e["a.data.b"].github_team.t["data.x.y"]',
        "module.data.github_team.t",
    ],
)
def test_a_resources_address_is_known_as_one(address: str) -> None:
    assert plans.is_managed(address)


@pytest.mark.parametrize(
    "address",
    [
        "data.github_team.t",
        "module.project.data.github_team.t",
        'module.e["x"].data.github_team.t[0]',
        "",
    ],
)
def test_data_sources_are_no_resources(address: str) -> None:
    assert not plans.is_managed(address)
