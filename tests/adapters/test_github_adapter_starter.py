"""The starter code: one commit on two branches, whichever answer is lost on the way."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from made_project import MARKER, VendorWorld
from waiting import wait_until

from playground.faults import Fault
from playground.github.limits import UNLIMITED, Limits
from playground.github.objects import GitStore
from playground.github.repos import commit_files, make_repo, write_files
from provisioning.adapters.github import GitHubRepositories
from provisioning.errors import PermanentError, TemporaryError

FILES = {
    "README.md": b"# ada-7\n",
    "src/main.py": "print('dünn')\n".encode(),
    "logo.png": b"\x89PNG\r\n\x1a\n\x00\xff",
    "nul.txt": b"a\0b\n",
    "empty": b"",
    ".github/workflows/deploy.yml": b"on: push\n",
}
REQUESTS = (
    "GET .*/commits$",
    "POST .*/git/blobs",
    "POST .*/git/trees",
    "POST .*/git/commits",
    "PATCH .*/git/refs/heads/main",
    "POST .*/git/refs$",
)


@dataclass
class Starter:
    """An empty repository, as Terraform leaves it, and who pushes to it."""

    vendors: VendorWorld

    def push(self, files: dict[str, bytes] | None = None) -> str:
        return self.vendors.repositories.push_starter("ada-7", files or FILES, MARKER)

    def messages(self, branch: str = "main") -> list[str]:
        commits = self.vendors.github.commits("ada-7", branch)
        return [commit.message.splitlines()[0] for commit in commits]

    def commit_as_somebody(self, message: str = "Later") -> str:
        repo = self.vendors.github.repos["ada-7"]
        git = GitStore(repo.path)
        head = git.ref("refs/heads/main") or ""
        tree = write_files(git, {**FILES, "later.py": b"1\n"})
        who = "Ada <ada@acme.example> 1790000000 +0000"
        sha = git.write_commit(tree, [head], who, who, message)
        git.set_ref("refs/heads/main", sha)
        return sha

    def is_whole(self) -> bool:
        github = self.vendors.github
        branches = ("main", "sciclops/template")
        return all(github.files("ada-7", branch) == FILES for branch in branches)


@pytest.fixture
def starter(served: VendorWorld) -> Iterator[Starter]:
    world = served.github.world
    repo = make_repo(world, "ada-7", "private")
    commit_files(world, repo, {"README.md": b"# ada-7\n"}, "Initial commit")
    yield Starter(served)
    assert served.github.violations == []
    assert served.github.unknown_calls == []


def test_both_branches_hold_exactly_the_files_in_one_commit(starter: Starter) -> None:
    commit = starter.push()
    assert starter.is_whole()
    assert starter.messages() == ["Start from the template", "Initial commit"]
    newest = starter.vendors.github.commits("ada-7")[0]
    assert (newest.sha, newest.message.splitlines()[-1]) == (commit, MARKER)
    assert starter.vendors.github.commits("ada-7", "sciclops/template")[0].sha == commit


def test_a_second_call_changes_nothing(starter: Starter) -> None:
    first = starter.push()
    assert starter.push() == first
    assert len(starter.messages()) == 2


@pytest.mark.parametrize("lost", ["answer", "request"])
@pytest.mark.parametrize("request_lost", REQUESTS)
def test_whatever_is_lost_the_next_call_makes_up_for(
    starter: Starter, request_lost: str, lost: str
) -> None:
    fault = Fault("github", "drop", request_lost, times=5, after_effect=lost == "answer")
    starter.vendors.faults.add(fault)
    with pytest.raises(TemporaryError, match="could not push the starter code to ada-7"):
        starter.push()
    tries = 5 - fault.times
    assert tries == (1 if request_lost.startswith(("POST", "PATCH")) else 2)
    starter.vendors.faults.clear()
    starter.push()
    assert starter.is_whole()
    assert starter.messages() == ["Start from the template", "Initial commit"]


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_write_that_failed_at_github_is_never_repeated_here(
    starter: Starter, status: int
) -> None:
    fault = starter.vendors.faults.add(
        Fault("github", "status", "POST .*/git/trees", times=5, status=status)
    )
    with pytest.raises(TemporaryError, match=str(status)):
        starter.push()
    assert fault.times == 4


def test_a_read_that_failed_once_is_repeated(starter: Starter) -> None:
    starter.vendors.faults.add(Fault("github", "status", "GET .*/commits$", times=2, status=502))
    starter.push()
    assert starter.is_whole()


def test_later_commits_stay_whoever_quotes_our_marker(starter: Starter) -> None:
    first = starter.push()
    later = starter.commit_as_somebody(f"Revert\n\n{MARKER}")
    assert starter.push() == first
    assert starter.vendors.github.commits("ada-7")[0].sha == later


def test_more_than_a_page_of_later_commits_hides_nothing(starter: Starter) -> None:
    first = starter.push()
    for _ in range(101):
        starter.commit_as_somebody()
    assert starter.push() == first


def test_a_template_branch_that_moved_on_is_left_where_it_is(starter: Starter) -> None:
    starter.push()
    upgrade = starter.commit_as_somebody("Upgrade")
    git = GitStore(starter.vendors.github.repos["ada-7"].path)
    git.set_ref("refs/heads/sciclops/template", upgrade)
    starter.push()
    assert git.ref("refs/heads/sciclops/template") == upgrade


def test_commits_that_are_not_ours_are_not_pushed_over(starter: Starter) -> None:
    strange = starter.commit_as_somebody()
    with pytest.raises(PermanentError, match="2 commits on main that are not SciCLOps'"):
        starter.push()
    assert starter.vendors.github.commits("ada-7")[0].sha == strange
    assert starter.messages("sciclops/template") == []


def test_main_that_moves_while_we_push_is_not_overwritten(starter: Starter) -> None:
    starter.vendors.faults.add(Fault("github", "delay", "PATCH .*/heads/main", seconds=0.4))
    failed: list[Exception] = []

    def push() -> None:
        try:
            starter.push()
        except TemporaryError as error:
            failed.append(error)

    pushing = threading.Thread(target=push)
    pushing.start()
    wait_until(lambda: starter.vendors.faults.struck)
    theirs = starter.commit_as_somebody()
    pushing.join()
    assert "main moved" in str(failed[0])
    assert starter.vendors.github.commits("ada-7")[0].sha == theirs


def test_an_empty_repository_is_waited_for(served: VendorWorld) -> None:
    make_repo(served.github.world, "ada-7", "private")
    with pytest.raises(TemporaryError, match="409"):
        served.repositories.push_starter("ada-7", FILES, MARKER)


def test_many_files_travel_in_three_writes_and_one_for_the_second_branch(starter: Starter) -> None:
    files = {f"src/part_{number:03}/file.py": f"{number}\n".encode() for number in range(250)}
    writes = Fault("github", "delay", "(POST|PATCH|PUT) .*/repos/", times=99, seconds=0)
    starter.vendors.faults.add(writes)
    starter.push(files)
    creating = 99 - writes.times
    assert starter.vendors.github.files("ada-7") == files
    assert len(starter.messages()) == 2
    assert creating == 4


def test_writes_keep_their_pace_beyond_one_push(starter: Starter) -> None:
    pause = 0.1
    connection = starter.vendors.another_connection(seconds_between_writes=pause)
    repositories = GitHubRepositories(connection, starter.vendors.clock)
    began = time.monotonic()
    repositories.push_starter("ada-7", {"a": b"a"}, MARKER)
    assert time.monotonic() - began < 3 * pause
    for _ in range(3):
        connection.write("POST", "/repos/acme/ada-7/git/blobs", {"content": "x"})
    assert time.monotonic() - began > 2 * 3 * pause


def test_githubs_own_limits_are_passed_on_as_a_wish(starter: Starter) -> None:
    limits = starter.vendors.github._limits
    limits.limits = Limits(10**9, 2, 500, 900)
    with pytest.raises(TemporaryError, match="secondary rate limit") as stopped:
        starter.push()
    assert stopped.value.after is not None
    assert 0 < stopped.value.after.total_seconds() <= 61
    starter.vendors.clock.advance(stopped.value.after)
    limits.limits = UNLIMITED
    starter.push()
    assert starter.messages() == ["Start from the template", "Initial commit"]
