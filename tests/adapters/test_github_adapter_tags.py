"""Which version of the deploy workflow projects call, asked of the stand-in."""

import pytest
from made_project import VendorWorld

from playground.faults import Fault
from playground.github.objects import GitStore
from playground.github.repos import commit_files
from playground.github.seed import PLATFORM_REPOSITORY, REUSABLE_WORKFLOW
from provisioning.adapters.github.workflow_tags import WorkflowTags
from provisioning.errors import TemporaryError
from provisioning.store.news import Version


@pytest.fixture
def git(served: VendorWorld) -> GitStore:
    return GitStore(served.github.world.repos[PLATFORM_REPOSITORY].path)


def test_a_moving_tag_is_named_by_the_fixed_one_beside_it(
    served: VendorWorld, git: GitStore
) -> None:
    tags = WorkflowTags(served.another_connection(), PLATFORM_REPOSITORY)
    first = git.ref("refs/tags/v1") or ""
    assert tags.versions() == {"v1": Version(id=first, name=f"v1 ({first[:8]})")}
    for name in ("v1.9.0", "v1.10.0", "v2.0.0", "v1-early", "release"):
        git.set_ref(f"refs/tags/{name}", first)
    assert tags.versions() == {"v1": Version(id=first, name="v1.10.0")}
    world = served.github.world
    repo = world.repos[PLATFORM_REPOSITORY]
    second = commit_files(world, repo, {REUSABLE_WORKFLOW: b"on: workflow_call\n"}, "feat: more")
    git.set_ref("refs/tags/v1.11.0", second)
    assert tags.versions()["v1"].name == "v1.10.0", "published, but not yet for everybody"
    git.set_ref("refs/tags/v1", second)
    assert tags.versions() == {"v1": Version(id=second, name="v1.11.0")}


def test_an_installation_without_the_repository_has_no_version(served: VendorWorld) -> None:
    assert WorkflowTags(served.another_connection(), "nowhere").versions() == {}


def test_a_github_that_fails_is_told_apart_from_one_without_versions(served: VendorWorld) -> None:
    served.faults.add(Fault("github", "status", "/tags", times=100))
    with pytest.raises(TemporaryError, match="list the versions of the deploy workflow"):
        WorkflowTags(served.another_connection(), PLATFORM_REPOSITORY).versions()
