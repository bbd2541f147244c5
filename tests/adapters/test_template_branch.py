"""The template's branch follows a changed specification once, and only from what we pushed."""

from collections.abc import Iterator

import pytest
from made_project import MARKER, VendorWorld

from playground.github.objects import GitStore
from playground.github.repos import commit_files, make_repo, write_files

BRANCH = "sciclops/template"
BEFORE = {"README.md": b"# ada-7\n", "CODEOWNERS": b"* @acme/data-science\n", "old.txt": b"1\n"}
AFTER = {"README.md": b"# ada-7\n", "CODEOWNERS": b"* @acme/crm\n", "new/file.txt": b"2\n"}


@pytest.fixture
def vendors(served: VendorWorld) -> Iterator[VendorWorld]:
    """Return vendors with a repository that holds the starter code."""
    repo = make_repo(served.github.world, "ada-7", "private")
    commit_files(served.github.world, repo, {"README.md": b"# ada-7\n"}, "Initial commit")
    served.repositories.push_starter("ada-7", BEFORE, MARKER)
    yield served
    assert served.github.violations == []
    assert served.github.unknown_calls == []


def follow(vendors: VendorWorld) -> str:
    """Let the branch follow; return where it is then."""
    return vendors.repositories.follow("ada-7", BEFORE, AFTER, "Follow")


def head_of(vendors: VendorWorld) -> str | None:
    """Return the commit that the branch is at."""
    return GitStore(vendors.github.repos["ada-7"].path).ref(f"refs/heads/{BRANCH}")


def messages(vendors: VendorWorld) -> list[str]:
    """Return the subjects of the branch's commits, newest first."""
    return [one.message.splitlines()[0] for one in vendors.github.commits("ada-7", BRANCH)]


def test_the_branch_follows_in_one_commit_and_main_stays_with_people(vendors: VendorWorld) -> None:
    for _ in range(2):
        commit = follow(vendors)
        assert commit == head_of(vendors)
    assert vendors.github.files("ada-7", BRANCH) == AFTER
    assert vendors.github.files("ada-7", "main") == BEFORE
    assert messages(vendors) == ["Follow", "Start from the template", "Initial commit"]


def test_without_a_difference_nothing_is_pushed(vendors: VendorWorld) -> None:
    commit = vendors.repositories.follow("ada-7", BEFORE, BEFORE, "Follow")
    assert commit == head_of(vendors)
    assert messages(vendors)[0] == "Start from the template"


def test_what_another_version_of_the_template_made_is_left_alone(vendors: VendorWorld) -> None:
    git = GitStore(vendors.github.repos["ada-7"].path)
    tree = write_files(git, {**BEFORE, "newer.txt": b"3\n"})
    who = "Bot <bot@acme.example> 1790000000 +0000"
    head = git.ref(f"refs/heads/{BRANCH}") or ""
    upgraded = git.write_commit(tree, [head], who, who, "Upgrade")
    git.set_ref(f"refs/heads/{BRANCH}", upgraded)
    assert not follow(vendors)
    assert git.ref(f"refs/heads/{BRANCH}") == upgraded
    git.delete_ref(f"refs/heads/{BRANCH}")
    assert not follow(vendors)
