"""Matrices, permissions and masks: what is decided before and hidden after a job runs."""

import base64

import pytest

from playground.actions.expressions import Scope
from playground.actions.masking import Masks
from playground.actions.matrix import job_name, legs
from playground.actions.permissions import DEFAULT, granted, of_token
from playground.actions.workflow import WorkflowError


def test_a_matrix_crosses_its_axes_without_what_is_excluded() -> None:
    matrix = {"a": [1, 2], "b": ["x", "y"], "exclude": [{"a": 1, "b": "y"}]}
    assert legs(matrix) == [{"a": 1, "b": "x"}, {"a": 2, "b": "x"}, {"a": 2, "b": "y"}]


def test_an_include_adds_to_legs_it_fits_or_stands_alone() -> None:
    matrix = {"a": [1, 2], "include": [{"a": 1, "more": "m"}, {"a": 3}, {"all": True}]}
    assert legs(matrix) == [{"a": 1, "more": "m", "all": True}, {"a": 2, "all": True}, {"a": 3}]


def test_a_matrix_of_includes_only_is_its_includes() -> None:
    assert legs({"include": [{"a": 1}, {"a": 2}]}) == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize("matrix", ["text", {"a": []}, {"a": "x"}, {"include": ["x"]}, {}])
def test_a_matrix_without_jobs_is_refused(matrix: object) -> None:
    with pytest.raises(WorkflowError):
        legs(matrix)


@pytest.mark.parametrize(
    ("name", "leg", "shown"),
    [
        (None, None, "deploy"),
        (None, {"a": 1, "b": ["x", {"c": True}]}, "deploy (1, x, true)"),
        ("Deploy", {"a": 1}, "Deploy (1)"),
        ("Deploy ${{ matrix.a }}", {"a": "Production"}, "Deploy Production"),
        ("Deploy ${{ github.actor }}", None, "Deploy ada"),
    ],
)
def test_a_job_is_named_as_github_names_it(
    name: object, leg: dict[str, object] | None, shown: str
) -> None:
    scope = Scope({"matrix": leg, "github": {"actor": "ada"}})
    assert job_name("deploy", name, leg, scope) == shown


def test_a_token_gets_what_the_job_or_else_the_workflow_names() -> None:
    assert granted("a", None, None, None) == DEFAULT
    assert granted("a", {}, None, None) == {}
    assert granted("a", {}, {"contents": "write", "checks": "none"}, None) == {"contents": "write"}
    assert granted("a", None, None, {"contents": "write"}) == {"contents": "write"}
    assert of_token({"id-token": "write", "pull-requests": "read"}) == {"pull_requests": "read"}


@pytest.mark.parametrize("asked", [{"contents": "write"}, "read-all", {"id-token": "write"}])
def test_a_called_workflow_gets_no_more_than_its_caller(asked: object) -> None:
    with pytest.raises(WorkflowError, match="The nested job 'a' is requesting"):
        granted("a", None, asked, {"contents": "read"})


@pytest.mark.parametrize("asked", [{"content": "read"}, {"contents": "all"}])
def test_a_permission_that_does_not_exist_is_refused(asked: object) -> None:
    with pytest.raises(WorkflowError, match="Unexpected value"):
        granted("a", None, asked, None)


@pytest.mark.parametrize(
    "printed",
    [
        "two lines\nof it",
        "of it",
        base64.b64encode(b"two lines\nof it").decode().rstrip("="),
        "two lines\\nof it",
        "two%20lines%0Aof%20it",
    ],
)
def test_a_secret_is_hidden_however_it_is_printed(printed: str) -> None:
    shown = Masks(["two lines\nof it", ""]).apply(f"<{printed}>")
    assert shown in ("<***>", "<***\n***>")


def test_what_a_step_masks_is_hidden_from_then_on() -> None:
    masks = Masks()
    assert masks.apply("abc") == "abc"
    masks.add("abc")
    assert masks.apply("abc") == "***"
