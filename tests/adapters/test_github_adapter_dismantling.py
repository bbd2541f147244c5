"""What is undone of a repository before it is archived: pull requests, gates, environments."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from scripted_runner import Script, Works, working
from waiting import wait_until

from provisioning.adapters.github import Connection
from provisioning.adapters.github.dismantling import GitHubDismantling
from provisioning.adapters.github.protection_rule import GitHubProtectionRule

BRANCHES = {"protected_branches": False, "custom_branch_policies": True}


@pytest.fixture
def works(tmp_path: Path) -> Iterator[Works]:
    with working(tmp_path, [Script("bundle / Deploy Production", "Production")]) as works:
        yield works


@pytest.fixture
def connection(works: Works) -> Connection:
    return Connection(works.our_app(), works.standin.clock)


@pytest.fixture
def dismantling(connection: Connection) -> GitHubDismantling:
    return GitHubDismantling(connection)


def test_every_open_pull_request_is_closed_and_those_that_were_are_left(
    works: Works, dismantling: GitHubDismantling
) -> None:
    for name in ("one", "two", "three"):
        works.github.push("pat", "ada-7", {f"{name}.py": "1\n"}, "Work", name)
        works.github.open_pull_request("pat", "ada-7", name, f"Title of {name}")
    pulls = works.github.repos["ada-7"].pulls
    wait_until(lambda: all(r.status == "completed" for r in works.github.runs("ada-7")))
    assert dismantling.open_pull_requests("ada-7") == (
        "#3 Title of three",
        "#2 Title of two",
        "#1 Title of one",
    )
    assert dismantling.close_pull_requests("ada-7") == 3
    assert {pull.state for pull in pulls.values()} == {"closed"}
    assert dismantling.close_pull_requests("ada-7") == 0
    assert dismantling.open_pull_requests("ada-7") == ()


def test_a_lifted_gate_asks_nobody_and_admits_the_same_branches(
    works: Works, connection: Connection, dismantling: GitHubDismantling
) -> None:
    works.github.repos["ada-7"].collaborators["grace"] = "push"
    works.gated("grace", prevent_self_review=True, deployment_branch_policy=BRANCHES)
    works.call("POST", "/environments/Production/deployment-branch-policies", {"name": "main"})
    GitHubProtectionRule(connection).enable("ada-7", "Production")
    for _ in range(2):
        dismantling.lift_gate("ada-7", "Production")
    production = works.github.repos["ada-7"].environments["Production"]
    assert production.reviewers == []
    assert production.custom_rule is None
    assert [one.name for one in production.patterns.values()] == ["main"]
    run = works.dispatch()
    works.wait(run, "completed")
    assert run.conclusion == "success"


def test_an_environment_that_is_not_there_has_no_gate(dismantling: GitHubDismantling) -> None:
    dismantling.lift_gate("ada-7", "Production")
    assert dismantling.environments("ada-7") == ()


def test_an_environment_was_used_once_a_job_got_in(
    works: Works, dismantling: GitHubDismantling
) -> None:
    works.github.repos["ada-7"].collaborators["grace"] = "push"
    works.gated("grace")
    assert dismantling.environments("ada-7") == ("Production",)
    run = works.wait(works.dispatch("pat"), "waiting")
    assert not dismantling.was_used("ada-7", "Production")
    assert works.decide(run, "grace").status_code == 200
    works.wait(run, "completed")
    works.let_nobody_in(101)
    assert dismantling.was_used("ada-7", "Production")
    assert not dismantling.was_used("ada-7", "Staging")
