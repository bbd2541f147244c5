"""The local actions do what the real ones do for a workflow, and refuse what those refuse."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from deploy_workflow import LOCAL, Artifacts, Workshop, artifacts
from ruamel.yaml import YAML


@pytest.fixture(scope="module")
def server() -> Iterator[Artifacts]:
    with artifacts() as serving:
        yield serving


@pytest.fixture
def shop(tmp_path: Path, server: Artifacts) -> Workshop:
    return Workshop(tmp_path / "shop", server.url)


def python(action: str, workspace: Path, **given: str) -> subprocess.CompletedProcess[str]:
    """Run the script of an action."""
    description = YAML(typ="safe").load((LOCAL / "actions" / action / "action.yml").read_text())
    run = {"GITHUB_RUN_ID": "5", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_WORKSPACE": str(workspace)}
    return subprocess.run(
        [sys.executable, "-c", description["runs"]["steps"][0]["run"]],
        cwd=workspace,
        env={"PATH": os.defpath, **run, **given},
        capture_output=True,
        text=True,
        check=False,
    )


def upload(folder: Path, server: Artifacts, name: str, **given: str) -> str:
    """Upload a file; return what is complained of."""
    (folder / "plan.json").write_text(name)
    asked = {"NAME": name, "PATTERNS": str(folder / "plan.json"), "MISSING": "error", **given}
    done = python("upload-artifact", folder, SCICLOPS_ARTIFACTS_URL=server.url, **asked)
    return done.stderr if done.returncode else ""


def download(folder: Path, server: Artifacts, name: str, attempt: str = "1") -> str:
    """Download an artifact; return what is complained of."""
    given = {"SCICLOPS_ARTIFACTS_URL": server.url, "NAME": name, "FOLDER": "got"}
    done = python("download-artifact", folder, GITHUB_RUN_ATTEMPT=attempt, **given)
    return done.stderr if done.returncode else ""


def test_what_is_uploaded_can_be_downloaded(tmp_path: Path, server: Artifacts) -> None:
    assert upload(tmp_path, server, "plan-gbx1-Production") == ""
    assert download(tmp_path, server, "plan-gbx1-Production") == ""
    assert (tmp_path / "got" / "plan.json").read_text() == "plan-gbx1-Production"


def test_a_later_attempt_finds_what_an_earlier_one_made(tmp_path: Path, server: Artifacts) -> None:
    upload(tmp_path, server, "earlier")
    assert download(tmp_path, server, "earlier", attempt="3") == ""


def test_a_name_is_used_once(tmp_path: Path, server: Artifacts) -> None:
    upload(tmp_path, server, "once")
    assert "409" in upload(tmp_path, server, "once")


@pytest.mark.parametrize("name", ["a/b", "a\nb", 'a"b', "a:b", ""])
def test_a_name_with_a_forbidden_character_is_refused(
    tmp_path: Path, server: Artifacts, name: str
) -> None:
    assert "not valid" in upload(tmp_path, server, name)


def test_missing_files_are_an_error_where_that_was_asked_for(
    tmp_path: Path, server: Artifacts
) -> None:
    missing = {"PATTERNS": str(tmp_path / "nothing-*")}
    assert "No artifacts" in upload(tmp_path, server, "missing", **missing)
    assert upload(tmp_path, server, "missing", MISSING="warn", **missing) == ""


def test_an_unknown_artifact_is_refused(tmp_path: Path, server: Artifacts) -> None:
    assert "Artifact not found" in download(tmp_path, server, "unknown")


def checkout(shop: Workshop, **given: str) -> tuple[Path, str]:
    """Check out; return the workspace and what is complained of."""
    workspace = shop.folder / "workspace"
    workspace.mkdir(exist_ok=True)
    asked = {"REPOSITORY": "acme/proj", "REF": "", "TOKEN": "t", "FOLDER": "", "DEPTH": "1"}
    run = {"GITHUB_REPOSITORY": "acme/proj", "GITHUB_SERVER_URL": "https://github.com"}
    run |= {"GITHUB_REF": "refs/heads/main", "GITHUB_WORKSPACE": str(workspace)}
    run |= {"GITHUB_SHA": shop.git("rev-parse", "HEAD"), "HOME": str(shop.home)}
    done = subprocess.run(
        ["bash", LOCAL / "actions" / "checkout" / "checkout.sh"],
        env={"PATH": os.defpath, "PERSIST": "false", **run, **asked, **given},
        capture_output=True,
        text=True,
        check=False,
    )
    return workspace, done.stdout + done.stderr if done.returncode else ""


def git(folder: Path, *arguments: str) -> str:
    """Return what git says in a folder."""
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()


def test_the_branch_is_the_runs_commit_though_it_has_moved_on(shop: Workshop) -> None:
    first = shop.commit("one", {})
    second = shop.commit("two", {})
    workspace, refused = checkout(shop, DEPTH="0", GITHUB_SHA=first)
    assert refused == ""
    for name in ("HEAD", "main", "origin/main"):
        assert git(workspace, "rev-parse", name) == first
    assert git(workspace, "cat-file", "-t", second) == "commit"


def test_a_shallow_checkout_has_one_commit_and_no_tags(shop: Workshop) -> None:
    shop.commit("one", {})
    shop.git("push", "--quiet", "origin", "HEAD:refs/tags/v1.0.0")
    workspace, refused = checkout(shop)
    assert refused == ""
    assert git(workspace, "rev-list", "--count", "HEAD") == "1"
    assert git(workspace, "tag") == ""


def test_a_pull_requests_merge_is_checked_out_detached(shop: Workshop) -> None:
    merge = shop.commit("merge", {}, push="refs/pull/7/merge")
    workspace, refused = checkout(shop, DEPTH="0", GITHUB_REF="refs/pull/7/merge")
    assert refused == ""
    assert git(workspace, "rev-parse", "HEAD", "refs/remotes/pull/7/merge").split() == [merge] * 2
    assert git(workspace, "branch", "--show-current") == ""


def test_the_login_stays_only_where_that_was_asked_for(shop: Workshop) -> None:
    workspace, _ = checkout(shop)
    assert "extraheader" not in (workspace / ".git" / "config").read_text()
    workspace, _ = checkout(shop, PERSIST="true")
    assert "extraheader" in (workspace / ".git" / "config").read_text()


def test_what_lay_in_the_workspace_is_gone(shop: Workshop) -> None:
    workspace, _ = checkout(shop)
    (workspace / "left.txt").write_text("left")
    checkout(shop)
    assert not (workspace / "left.txt").exists()


@pytest.mark.parametrize(
    "given",
    [
        {"REF": "no-such-branch"},
        {"GITHUB_SHA": "1" * 40},
        {"REPOSITORY": "acme/unknown"},
        {"FOLDER": "../elsewhere"},
    ],
)
def test_what_is_not_there_cannot_be_checked_out(shop: Workshop, given: dict[str, str]) -> None:
    assert checkout(shop, **given)[1]
