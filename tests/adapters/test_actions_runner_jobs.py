"""What a job may do and reach: artifacts, tags, packages; hostile names; nothing of the host."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from actions_workshop import Workshop, ends, log_of, workshop

from playground.github.objects import GitStore

HEAD = "name: deploy\non: [push]\npermissions: {}\njobs:\n"
ARTIFACTS = f"""{HEAD}\
  one:
    runs-on: ubuntu-latest
    steps:
      - run: mkdir out && echo the-plan > out/plan.json
      - uses: actions/upload-artifact@v4
        with: {{name: plan-Production, path: out/plan.json}}
      - id: again
        continue-on-error: true
        uses: actions/upload-artifact@v4
        with: {{name: plan-Production, path: out/plan.json}}
      - run: 'echo "a second upload: ${{{{ steps.again.outcome }}}}"'
  two:
    needs: one
    runs-on: ubuntu-latest
    steps:
      - run: ls -A | wc -l
      - uses: actions/download-artifact@v4
        with: {{name: plan-Production, path: got}}
      - run: cat got/plan.json
"""
TAG = f"""{HEAD}\
  bold:
    runs-on: ubuntu-latest
    permissions: {{contents: write}}
    steps: &steps
      - uses: actions/checkout@v4
      - run: |
          git tag "$GITHUB_JOB"
          git push origin "refs/tags/$GITHUB_JOB"
  shy:
    runs-on: ubuntu-latest
    permissions: {{contents: read}}
    steps: *steps
"""
HOSTILE = f"""{HEAD}\
  say:
    runs-on: ubuntu-latest
    steps:
      - env:
          MESSAGE: ${{{{ github.event.head_commit.message }}}}
          REF: ${{{{ github.ref }}}}
        run: |
          printf '%s\\n' "$MESSAGE" "$REF" "$GITHUB_REF" "$GITHUB_REF_NAME"
          env
"""
PYTHON = f"""{HEAD}\
  build:
    runs-on: ubuntu-latest
    permissions: {{contents: read}}
    steps:
      - uses: actions/checkout@v4
      - run: uv sync
      - run: uv run ruff check
      - run: uv run pytest -q
      - run: uv build --wheel && ls dist
"""
PROJECT = """\
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "ada_7"
version = "0.1.0"
requires-python = ">=3.10"
dependencies = []

[dependency-groups]
dev = ["pytest>=8", "ruff>=0.12"]
"""
TEST = """\
from ada_7 import ANSWER


def test_it():
    assert ANSWER == 42
"""


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Workshop]:
    async with workshop(tmp_path) as opened:
        yield opened


async def test_artifacts_travel_from_job_to_job_and_a_name_is_used_once(shop: Workshop) -> None:
    run = await shop.ended(ARTIFACTS)
    assert ends(run) == {"one": "success", "two": "success"}, log_of(run, "one")
    assert [artifact.name for artifact in run.artifacts] == ["plan-Production"]
    assert "a second upload: failure" in log_of(run, "one")
    assert "the-plan" in log_of(run, "two")
    assert "\n0\n" in log_of(run, "two"), "each job has a workspace of its own"


async def test_a_tag_is_pushed_with_the_permission_and_refused_without(shop: Workshop) -> None:
    run = await shop.ended(TAG)
    assert ends(run) == {"bold": "success", "shy": "failure"}, log_of(run, "bold")
    git = GitStore(shop.github.repos["ada-7"].path)
    assert git.ref("refs/tags/bold") == run.sha
    assert git.ref("refs/tags/shy") is None
    assert "denied to" in log_of(run, "shy")
    shy = next(job for job in run.present_jobs if job.name == "shy")
    assert [(s.name, s.conclusion) for s in shy.steps] == [
        ("Set up job", "success"),
        ("Run actions/checkout@v4", "success"),
        ('Run git tag "$GITHUB_JOB"', "failure"),
        ("Complete job", "success"),
    ]


async def test_hostile_names_and_messages_execute_nothing(shop: Workshop, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    evil = f"\"; touch {mark}; $(touch {mark}) `touch {mark}` ' ${{{{ github.token }}}}\n::error::x"
    branch = f"refs/heads/a$(touch${{IFS}}{mark});b"
    run = await shop.ended(HOSTILE, message=evil, ref=branch)
    said = log_of(run, "say")
    assert run.conclusion == "success", said
    assert not mark.exists()
    assert said.count(branch) >= 3
    assert "`touch" in said
    assert "${{ github.token }}" in said


async def test_a_branch_that_looks_like_an_expression_reveals_nothing(shop: Workshop) -> None:
    branch = "refs/heads/a${{github.token}}b"
    run = await shop.ended(HOSTILE, ref=branch)
    said = log_of(run, "say")
    assert f"GITHUB_REF={branch}" in said
    assert "GITHUB_REF_NAME=a${{github.token}}b" in said
    assert "a***b" not in said


async def test_a_job_sees_nothing_of_the_host(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCICLOPS__SLACK__BOT_TOKEN", "xoxb-canary")
    run = await shop.ended(HOSTILE)
    said = log_of(run, "say")
    assert "xoxb-canary" not in said
    assert "SCICLOPS__" not in said
    names = {line.partition("=")[0] for line in said.splitlines() if "=" in line}
    assert "HOME" in names


async def test_an_action_that_is_not_allowed_is_not_found(shop: Workshop) -> None:
    step = "      - uses: someone/else@v1\n"
    run = await shop.ended(f"{HEAD}  a:\n    runs-on: ubuntu-latest\n    steps:\n{step}")
    assert ends(run) == {"a": "failure"}
    assert "Unable to resolve action `someone/else@v1`, not found" in log_of(run, "a")


async def test_uv_syncs_checks_tests_and_builds_without_a_network(shop: Workshop) -> None:
    files = {
        "pyproject.toml": PROJECT,
        "src/ada_7/__init__.py": "ANSWER = 42\n",
        "tests/test_it.py": TEST,
    }
    run = await shop.ended(PYTHON, files=files)
    said = log_of(run, "build")
    assert run.conclusion == "success", said
    assert "1 passed" in said
    assert "All checks passed!" in said
    assert "ada_7-0.1.0-py3-none-any.whl" in said
