"""What verification says about protections is what happens: real pushes by people are refused."""

import subprocess
from pathlib import Path

import pytest
from github_standin import GIT_ENVIRONMENT
from living_facts import Facts

from provisioning.adapters.github.verification import blob_sha


def git(where: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *words], cwd=where, env=GIT_ENVIRONMENT, capture_output=True, text=True, check=False
    )


@pytest.fixture
def clone(facts: Facts, tmp_path: Path) -> Path:
    """Return Ada's clone, with a commit of hers; she is in the project's team."""
    done = git(tmp_path, "clone", "-q", facts.github.clone_url("ada-7", "ada"), "clone")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "clone"
    (folder / "hers.py").write_text("print()\n")
    assert git(folder, "add", "-A").returncode == 0
    assert git(folder, "commit", "-qm", "Hers").returncode == 0
    return folder


@pytest.mark.parametrize(
    ("push", "said"),
    [
        (("HEAD:main",), "Changes must be made through a pull request."),
        (("--force", "HEAD~2:main"), "Cannot force-push"),
        ((":main",), "refusing to delete the current branch"),
        (("HEAD:sciclops/template",), "Cannot update this protected ref."),
        ((":sciclops/template",), "Cannot delete this branch"),
    ],
)
def test_a_member_of_the_team_cannot_push_there(
    facts: Facts, clone: Path, push: tuple[str, ...], said: str
) -> None:
    before = facts.github.commits("ada-7"), facts.github.commits("ada-7", "sciclops/template")
    done = git(clone, "push", "origin", *push)
    assert done.returncode != 0
    assert said in done.stderr
    after = facts.github.commits("ada-7"), facts.github.commits("ada-7", "sciclops/template")
    assert before == after


def test_a_member_of_the_team_pushes_branches_and_releases_versions_for_good(
    facts: Facts, clone: Path
) -> None:
    assert git(clone, "push", "origin", "HEAD:hers").returncode == 0
    assert git(clone, "push", "origin", "HEAD:refs/tags/v1.0.0").returncode == 0
    moved = git(clone, "push", "--force", "origin", "HEAD~1:refs/tags/v1.0.0")
    removed = git(clone, "push", "origin", ":refs/tags/v1.0.0")
    assert (moved.returncode != 0, removed.returncode != 0) == (True, True)
    assert facts.github_failures() == []


def test_nobody_recreates_the_template_branch_but_the_app(facts: Facts, clone: Path) -> None:
    facts.delete_branch("sciclops/template")
    done = git(clone, "push", "origin", "HEAD:sciclops/template")
    assert done.returncode != 0
    assert "creations being restricted" in done.stderr
    commit = facts.project.push()
    assert facts.github.commits("ada-7", "sciclops/template")[0].sha == commit


def test_the_clone_is_the_rendered_bundle_byte_by_byte(facts: Facts, clone: Path) -> None:
    git(clone, "checkout", "-q", "HEAD~1")
    listed = git(clone, "ls-files").stdout.split()
    assert sorted(listed) == sorted(facts.project.files)
    for path, content in facts.project.files.items():
        assert (clone / path).read_bytes() == content


def test_files_are_numbered_as_git_numbers_them(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\0\xff binary\n")
    done = git(tmp_path, "hash-object", "--no-filters", "file")
    assert done.stdout.strip() == blob_sha(b"\0\xff binary\n")
