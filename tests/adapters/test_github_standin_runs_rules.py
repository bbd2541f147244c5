"""Smaller rules of the stand-in's Actions side: filters, tokens of jobs, what the page sees."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from github_standin import PULL_REQUEST, add_ruleset
from scripted_runner import Script, Works, working
from waiting import wait_until

from playground.faults import Fault
from playground.github.limits import Limits
from playground.github.workflow_files import matches
from playground.github.world import Secret


@pytest.fixture
def works(tmp_path: Path) -> Iterator[Works]:
    with working(tmp_path) as held:
        yield held


@pytest.mark.parametrize(
    ("patterns", "yes", "no"),
    [
        (["main"], ["main"], ["main2", "a/main"]),
        (["release/*"], ["release/1"], ["release/1/2", "release"]),
        (["release/**"], ["release/1/2"], ["release"]),
        (["**/docs/*.md"], ["docs/a.md", "x/docs/a.md"], ["docs/x/a.md"]),
        (["v[12].[0-9]+"], ["v1.10", "v2.0"], ["v3.0", "v1."]),
        (["*.jsx?"], ["a.js", "a.jsx"], ["a.jsxx"]),
        (["**", "!secret/**", "secret/open"], ["a", "secret/open"], ["secret/a"]),
        (["a\\*b"], ["a*b"], ["axb"]),
        (["a.b"], ["a.b"], ["axb"]),
    ],
)
def test_filter_patterns_are_githubs(patterns: list[str], yes: list[str], no: list[str]) -> None:
    assert [one for one in yes if not matches(patterns, one)] == []
    assert [one for one in no if matches(patterns, one)] == []


# A job's own token


def test_what_a_jobs_token_pushes_starts_nothing(works: Works) -> None:
    token = works.github.job_token("ada-7", {"contents": "write"})
    sha = works.github.commits("ada-7")[0].sha
    tree = {
        "base_tree": sha,
        "tree": [{"path": "x", "mode": "100644", "type": "blob", "content": "1"}],
    }
    made = works.call("POST", "/git/trees", tree, token=token).json()["sha"]
    commit = {"message": "By a job", "tree": made, "parents": [sha]}
    new = works.call("POST", "/git/commits", commit, token=token).json()["sha"]
    body = {"sha": new}
    assert works.call("PATCH", "/git/refs/heads/main", body, token=token).status_code == 200
    assert works.github.runs("ada-7") == []
    works.github.push("pat", "ada-7", {"y": "1"}, "By a person")
    assert len(works.github.runs("ada-7")) == 1


def test_a_jobs_token_is_good_for_what_its_workflow_asked_and_one_repository(works: Works) -> None:
    works.standin.new_repo("other")
    token = works.github.job_token("ada-7", {"contents": "read"})
    assert works.call("GET", "/contents/README.md", token=token).status_code == 200
    blob = {"content": "x"}
    assert works.call("POST", "/git/blobs", blob, token=token).status_code == 403
    assert works.call("GET", "/actions/runs", token=token).status_code == 403
    assert works.standin.call("GET", "/repos/acme/other", token=token).status_code == 404


def test_rulesets_hold_a_jobs_token_back(works: Works) -> None:
    add_ruleset(works.standin, [PULL_REQUEST])
    token = works.github.job_token("ada-7", {"contents": "write"})
    sha = works.github.commits("ada-7")[0].sha
    works.call("POST", "/git/refs", {"ref": "refs/heads/x", "sha": sha}, token=token)
    other = works.github.push("pat", "ada-7", {"z": "1"}, "Work", "work")
    refused = works.call("PATCH", "/git/refs/heads/main", {"sha": other}, token=token)
    assert refused.status_code == 422
    assert "through a pull request" in refused.json()["message"]


# The page, limits and faults


def test_the_snapshot_shows_runs_and_pull_requests_without_secrets(works: Works) -> None:
    works.runner.scripts = [Script("Build"), Script("Deploy", "Production", ("Build",))]
    works.gated("rosa")
    env = works.github.repos["ada-7"].environments["Production"]
    now = works.github.world.now()
    env.secrets["DATABRICKS_TOKEN"] = Secret(b"canary-6021", now, now)
    works.github.push("pat", "ada-7", {"a.py": "1\n"}, "Work [skip ci]", "work")
    works.github.open_pull_request("pat", "ada-7", "work", "Work")
    works.github.review_pull_request("rosa", "ada-7", 1)
    run = works.wait(works.dispatch(), "waiting")
    works.github.review_deployment("rosa", run.id, "Production", approved=True, comment="Go.")
    works.wait(run, "completed")
    snapshot = works.github.snapshot()
    (repo,) = [r for r in snapshot["repositories"] if r["name"] == "ada-7"]
    (shown,) = repo["runs"]
    assert [(j["name"], j["needs"], j["conclusion"]) for j in shown["jobs"]] == [
        ("Build", [], "success"),
        ("Deploy", ["Build"], "success"),
    ]
    assert shown["reviews"][0]["login"] == "rosa"
    (pull,) = repo["pull_requests"]
    assert (pull["state"], pull["reviews"]) == ("open", {"rosa": "APPROVED"})
    assert "canary-6021" not in json.dumps(snapshot)
    assert "hello from" not in json.dumps(snapshot)


def test_changes_of_runs_are_told_to_the_page(works: Works) -> None:
    before = len(works.standin.changes)
    works.wait(works.dispatch(), "completed")
    assert len(works.standin.changes) > before + 3


def test_limits_count_these_operations_too(tmp_path: Path) -> None:
    with working(tmp_path, limits=Limits(creating_per_minute=3)) as works:
        path = "/actions/workflows/deploy.yml/dispatches"
        statuses = [works.call("POST", path, {"ref": "main"}).status_code for _ in range(3)]
        assert statuses[-1] == 403
        wait_until(lambda: all(r.status == "completed" for r in works.github.runs("ada-7")))


def test_a_dispatch_whose_answer_is_lost_has_happened(works: Works) -> None:
    pattern = "^POST .*/dispatches$"
    works.standin.faults.add(Fault("github", "status", pattern, status=502, after_effect=True))
    path = "/actions/workflows/deploy.yml/dispatches"
    assert works.call("POST", path, {"ref": "main"}).status_code == 502
    (run,) = works.github.runs("ada-7")
    works.wait(run, "completed")


def test_a_stand_in_stops_while_runs_wait(tmp_path: Path) -> None:
    scripts = [Script("Deploy", "Production")]
    with working(tmp_path, scripts) as works:
        works.gated("rosa")
        works.wait(works.dispatch(), "waiting")
