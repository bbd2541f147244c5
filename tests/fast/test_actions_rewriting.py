"""What the playground changes in a workflow before act runs a job of it: this, and nothing else."""

from pathlib import Path
from typing import Any

import pytest

from playground.actions.rewriting import REPORTER, Result, cut, literal, stub, with_reporter
from playground.actions.workflow import plain, read, write

ROOT = Path(__file__).parents[2]
REUSABLE = ROOT / ".github" / "workflows" / "deploy-bundle.yml"
LEG: dict[str, object] = {"environment": "Production"}


def parsed(text: str) -> Any:
    """Return a workflow as plain values."""
    return plain(read(text, "a test"))


def workflow() -> Any:
    return read(REUSABLE.read_text(), "deploy-bundle.yml")


JOBS = sorted(workflow()["jobs"])


@pytest.mark.parametrize("name", JOBS)
def test_a_job_keeps_everything_but_its_condition_and_its_matrix(name: str) -> None:
    whole = workflow()
    before, job = parsed(REUSABLE.read_text()), plain(whole["jobs"][name])
    assert isinstance(job, dict)
    needs = job.get("needs") or []
    ended = {n: Result("success") for n in ([needs] if isinstance(needs, str) else needs)}
    after = parsed(write(with_reporter(cut(whole, name, LEG, ended), name, "deploy")))

    kept = dict(after["jobs"][name])
    assert kept.pop("if") == "always()"
    assert kept.pop("strategy") == {"matrix": {"include": [LEG]}}
    expected = {key: value for key, value in job.items() if key not in ("if", "strategy")}
    assert kept == expected
    assert list(after["jobs"]) == [*ended, name, REPORTER]
    around = {key: value for key, value in after.items() if key not in ("jobs", "name")}
    assert around == {key: value for key, value in before.items() if key not in ("jobs", "name")}
    assert parsed(REUSABLE.read_text()) == plain(whole), "the original is left alone"


def test_the_stub_of_a_job_ends_as_the_job_did() -> None:
    made = stub(Result("success", {"version": "1.2.3"}))
    assert made["outputs"] == {"version": "1.2.3"}
    assert made["steps"] == [{"shell": "sh", "run": "exit 0"}]
    assert stub(Result("failure"))["steps"] == [{"shell": "sh", "run": "exit 1"}]
    assert stub(Result("skipped"))["if"] is False


def test_what_only_looks_like_an_expression_stays_a_text() -> None:
    given = {"a": ["${{ secrets.X }}", "it's ${{ 1 }}"], "b": 3, "c": "plain"}
    assert literal(given) == {
        "a": ["${{ '${{ secrets.X }}' }}", "${{ 'it''s ${{ 1 }}' }}"],
        "b": 3,
        "c": "plain",
    }


def test_a_truth_value_and_a_comment_survive_being_written() -> None:
    text = "on: push\njobs:\n  a:\n    steps: []  # none\n    continue-on-error: yes\n"
    assert "on: push" in write(read(text, "a test"))
    assert "continue-on-error: yes" in write(read(text, "a test"))
