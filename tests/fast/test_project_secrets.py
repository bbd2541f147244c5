"""What a project's secrets may be called, where they lie, and what may be stored of a command."""

import pytest
from rows import NOON, a_spec

from provisioning.project import STAGES, ProjectSecret, ProjectSpec
from provisioning.project_secrets import (
    LONGEST_NAME,
    MOST_SECRETS,
    SecretWork,
    environments_of,
    is_planned_from,
    objection,
    objection_in,
    scope_of,
    with_secret,
    without_values,
    written_at,
)
from provisioning.secret_message import listed


@pytest.mark.parametrize("name", ["DABS_ROCKS", "_X", "A1", "X" * LONGEST_NAME])
def test_these_names_will_do(name: str) -> None:
    assert objection(name) == ""


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "begins with no digit"),
        ("1X", "begins with no digit"),
        ("dabs_rocks", "capital letters"),
        ("DABS-ROCKS", "capital letters"),
        ("DÄBS", "capital letters"),
        ("X" * (LONGEST_NAME + 1), "at most 40 characters"),
        ("GITHUB_X", "GitHub keeps names"),
        ("DATABRICKS_TOKEN", "the deploy workflow logs in"),
        ("MGMT_CLIENT_ID", "the deploy workflow logs in"),
        ("ACTIONS_STEP_DEBUG", "GitHub Actions has settings"),
    ],
)
def test_these_names_are_refused_with_the_reason(name: str, why: str) -> None:
    assert why in objection(name)


def test_a_project_has_so_many_secrets_and_no_more() -> None:
    spec = a_spec()
    for number in range(MOST_SECRETS):
        assert objection_in(spec, f"S{number}") == ""
        spec = with_secret(spec, f"S{number}", STAGES)
    assert f"has {MOST_SECRETS} secrets, as many as it may" in objection_in(spec, "ONE_MORE")
    assert objection_in(spec, "S0") == ""  # more stages for one that it has


def test_a_name_that_makes_a_scope_too_long_is_refused() -> None:
    assert "128 characters" in objection_in(a_spec("x" * 80), "Y" * 40)


def test_scopes_of_different_projects_never_meet() -> None:
    assert scope_of("ada", "Development", "X") == "ada-development.X"
    scopes = {scope_of(p, "Testing", n) for p in ("ada", "ada-testing") for n in ("X", "TESTING")}
    assert len(scopes) == 4


def test_a_secret_comes_and_goes_and_nothing_else_changes() -> None:
    spec = a_spec()
    has = with_secret(with_secret(spec, "B", ["testing"]), "A", STAGES)
    assert [each.name for each in has.secrets] == ["A", "B"]
    assert with_secret(with_secret(has, "A", ()), "B", ()) == spec
    assert [each.name for each in environments_of(spec, ["testing"])] == ["Testing"]


def test_what_was_planned_from_another_project_is_noticed() -> None:
    spec = a_spec()
    wanted = with_secret(spec, "A", ["testing"])
    assert is_planned_from(spec, wanted, "A")
    assert not is_planned_from(with_secret(spec, "B", STAGES), wanted, "A")
    assert is_planned_from(wanted, spec, "A")
    assert not is_planned_from(spec.model_copy(update={"owners": ("U-eve",)}), wanted, "A")


def test_projects_that_were_stored_before_have_no_secrets() -> None:
    stored = a_spec().model_dump(mode="json")
    del stored["secrets"]
    assert ProjectSpec.model_validate(stored) == a_spec()
    kept = ProjectSecret(name="A", stages=("testing",))
    assert with_secret(a_spec(), "A", ["testing"]).secrets == (kept,)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("secret add ada-7 DABS_ROCKS", None),
        ("secret add ada-7", None),
        ("secret list ada-7", None),
        ("secret add ada-7 DABS_ROCKS hunter2", ("secret", "add", "ada-7", "DABS_ROCKS", "")),
        ("secret add ada-7 hunter2", ("secret", "add", "ada-7", "")),
        ("secret add ada-7 KEY=hunter2", ("secret", "add", "ada-7", "")),
        ("secret set ada-7 hunter2 KEY", ("secret", "set", "ada-7", "")),
        ("secret", None),
        ("Secret ADD ada-7", None),
        ("secret hunter2", ("secret", "")),
        ("secret set hunter2!", ("secret", "set", "")),
        ("secret set KEY hunter2", ("secret", "set", "")),
    ],
)
def test_no_word_that_may_be_a_value_is_kept(typed: str, kept: tuple[str, ...] | None) -> None:
    words = tuple(typed.split())
    assert without_values(words) == (words if kept is None else kept)


def test_a_value_is_written_once_every_vendor_shows_it() -> None:
    assert written_at({"Databricks": NOON, "GitHub": None}) is None
    assert written_at({"Databricks": NOON, "GitHub": NOON}) == NOON
    work = SecretWork(name="A", stages=("testing",), wanted=("A", "B"), written={"A": NOON})
    assert work.lacking == ("B",)


def test_names_are_listed_as_people_do() -> None:
    assert listed(["A"]) == "A"
    assert listed(["A", "B", "C"]) == "A, B and C"
