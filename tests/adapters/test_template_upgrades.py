"""New versions of a template: however people merge, git has the right base for the next one."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from github_standin import PULL_REQUEST, Standin
from made_project import MARKER, VendorWorld

from playground.cast import ADA, GRACE
from playground.faults import Fault
from playground.github.calls import Refusal
from playground.github.repos import commit_files, make_repo
from playground.github.world import Ruleset
from provisioning.adapters.github.template_upgrades import GitHubTemplateUpgrades
from provisioning.errors import PermanentError, TemporaryError
from provisioning.upgrade_ports import Merging, Proposal

NAME = "ada-7"
LINES = [f"line {number}" for number in range(1, 21)]
Method = Literal["merge", "squash"]


def version(number: int, **changed: str) -> dict[str, bytes]:
    """Return what a version of the template renders: line 5 and a file of its own differ."""
    lines = [*LINES]
    lines[4] = f"line 5 in version {number}"
    files = {"main.py": "\n".join(lines) + "\n", f"new{number}.py": "1\n", "kept.py": "1\n"}
    return {path: text.encode() for path, text in (files | changed).items()}


@dataclass
class Upgrading:
    """A project's repository with its rulesets, upgraded as the workflow does it."""

    vendors: VendorWorld
    upgrades: GitHubTemplateUpgrades
    recorded: str = ""
    brought: list[Merging] = field(default_factory=list)

    def upgrade(self, number: int, **changed: str) -> Proposal:
        """Offer a version, as the workflow does."""
        commit = self.upgrades.write(NAME, version(number, **changed), f"Version {number}")
        base = self.upgrades.merged(NAME, self.recorded)
        self.upgrades.prepare(NAME, base)
        brought = self.upgrades.bring_in(NAME, commit, f"Bring in version {number}")
        self.brought.append(brought)
        is_draft = {"merged": False, "conflict": True}.get(brought)
        return self.upgrades.propose(NAME, f"Version {number}", "Please.", is_draft=is_draft)

    def merge(self, pull: int, method: Method = "merge") -> None:
        """Merge a pull request as people do; its rulesets want a review."""
        github = self.vendors.github
        github.review_pull_request(GRACE.github, NAME, pull)
        github.merge_pull_request(ADA.github, NAME, pull, method)

    def edit(self, method: Method = "merge", **files: str) -> None:
        """Change files on main by a pull request of Ada's."""
        github = self.vendors.github
        branch = f"edit-{len(github.repos[NAME].pulls)}"
        named = {path.replace("__", "."): text for path, text in files.items()}
        github.push(ADA.github, NAME, named, "Edit", branch)
        self.merge(github.open_pull_request(ADA.github, NAME, branch, "Edit").number, method)

    def text(self, path: str, ref: str = "main") -> str:
        """Return a file."""
        return self.vendors.github.files(NAME, ref)[path].decode()

    def pulls(self) -> list[str]:
        """Return how all pull requests of upgrades stand."""
        found = self.vendors.github.repos[NAME].pulls.values()
        return ["merged" if one.merged_at else one.state for one in found if "Ver" in one.title]


@pytest.fixture
def project(served: VendorWorld) -> Iterator[Upgrading]:
    world = served.github.world
    repo = make_repo(world, NAME, "private")
    commit_files(world, repo, {"README.md": b"# ada-7\n"}, "Initial commit")
    world.teams["data-science"].repositories[repo.id] = "push"
    served.repositories.push_starter(NAME, version(1), MARKER)
    rules: list[Any] = [
        PULL_REQUEST,
        {"type": "deletion"},
        {"type": "non_fast_forward"},
    ]
    now = world.now()
    repo.rulesets[1] = Ruleset(
        1, "main", "branch", "active", [], ["~DEFAULT_BRANCH"], [], rules, now, now
    )
    yield Upgrading(served, GitHubTemplateUpgrades(served.connection))
    assert served.github.violations == []
    assert served.github.unknown_calls == []


def test_edits_survive_however_upgrades_are_merged(project: Upgrading) -> None:
    edited = project.text("main.py").replace("line 15", "line 15 of Ada's").replace("line 20", "")
    project.edit("squash", main__py=edited, own__py="hers\n")
    for number, method in ((2, "squash"), (3, "merge"), (4, "squash"), (5, "squash")):
        pull = project.upgrade(number)
        assert not pull.is_draft
        assert project.text("main.py") != project.text("main.py", "sciclops/template")
        project.merge(pull.number, "squash" if method == "squash" else "merge")
        assert f"line 5 in version {number}\n" in project.text("main.py")
        assert "line 15 of Ada's\n" in project.text("main.py")
        files = project.vendors.github.files(NAME)
        assert {"own.py", "kept.py", f"new{number}.py"} <= files.keys()
        assert f"new{number - 1}.py" not in files
    assert project.vendors.github.files(NAME, "sciclops/template") == version(5)
    assert project.brought == ["merged"] * 4


def test_a_second_call_changes_nothing(project: Upgrading) -> None:
    first = project.upgrade(2)
    commits = [one.sha for one in project.vendors.github.commits(NAME, "sciclops/upgrade")]
    assert project.upgrade(2) == first
    assert project.brought == ["merged", "there already"]
    assert [one.sha for one in project.vendors.github.commits(NAME, "sciclops/upgrade")] == commits
    assert len(project.vendors.github.commits(NAME, "sciclops/template")) == 3


def test_an_open_pull_request_takes_in_what_comes_next(project: Upgrading) -> None:
    first = project.upgrade(2)
    project.edit(main__py=project.text("main.py").replace("line 15", "line 15 of Ada's"))
    assert project.upgrade(3).number == first.number
    project.merge(first.number, "squash")
    assert "line 5 in version 3\n" in project.text("main.py")
    assert "line 15 of Ada's\n" in project.text("main.py")
    assert project.pulls() == ["merged"]


def test_a_conflict_is_a_draft_until_somebody_has_merged_by_hand(project: Upgrading) -> None:
    github = project.vendors.github
    project.edit(main__py=project.text("main.py").replace("line 5 in version 1", "line 5 is mine"))
    start = project.upgrades.merged(NAME, "")
    pull = project.upgrade(2)
    template = github.commits(NAME, "sciclops/template")[0].sha
    assert project.brought == ["conflict"]
    assert pull.is_draft
    assert project.upgrades.contested(NAME, start, template) == ("main.py",)
    assert project.text("main.py", "sciclops/upgrade") == project.text("main.py")
    head = github.repos[NAME].pulls[pull.number].head_sha
    assert not project.upgrades.holds(NAME, head, template)
    with pytest.raises(Refusal, match="still a draft"):
        project.merge(pull.number)

    resolve(project, "line 5 is mine, too")
    assert project.upgrade(2) == pull
    assert project.brought[-1] == "there already"
    github.ready_for_review(ADA.github, NAME, pull.number)
    project.merge(pull.number, "squash")
    facts = project.upgrades.look(NAME, pull.number)
    assert facts is not None
    assert facts.state == "merged"
    assert project.upgrades.holds(NAME, facts.head, template)
    assert project.upgrade(3).is_draft  # the same line once more
    assert project.pulls() == ["merged", "open"]


def resolve(project: Upgrading, line: str) -> None:
    """Merge the template by hand, in a real clone, as the pull request says."""
    vendors = project.vendors
    hands = Standin(vendors.github, vendors.clock, vendors.faults, vendors.directory)
    clone = hands.clone(NAME, ADA.github)
    hands.git("switch", "-q", "sciclops/upgrade", cwd=clone)
    merged = hands.git("merge", "-q", "origin/sciclops/template", cwd=clone)
    assert "CONFLICT (content): Merge conflict in main.py" in merged.stdout
    text = project.text("main.py").replace("line 5 is mine", line)
    hands.commit(clone, "main.py", text)
    pushed = hands.git("push", "-q", cwd=clone)
    assert pushed.returncode == 0, pushed.stderr
    hands.close()


def test_a_conflict_that_is_gone_with_the_next_version_gets_another_pull_request(
    project: Upgrading,
) -> None:
    mine = project.text("main.py").replace("line 5 in version 1", "line 5 in version 3")
    project.edit(main__py=mine)
    assert project.upgrade(2).is_draft
    pull = project.upgrade(3)
    assert not pull.is_draft
    assert project.pulls() == ["closed", "open"]
    project.merge(pull.number)
    assert "new3.py" in project.vendors.github.files(NAME)


def test_what_people_have_merged_from_the_template_s_branch_counts(project: Upgrading) -> None:
    project.upgrades.write(NAME, version(2), "Version 2")
    github = project.vendors.github
    own = github.open_pull_request(ADA.github, NAME, "sciclops/template", "Mine")
    project.merge(own.number, "squash")
    assert not project.upgrade(3).is_draft
    assert project.brought == ["merged"]


def test_without_anything_in_common_nothing_is_merged(project: Upgrading) -> None:
    repo = project.vendors.github.repos[NAME]
    commit_files(project.vendors.github.world, repo, {"a.py": b"1\n"}, "Begun anew")
    with pytest.raises(PermanentError, match="has nothing of sciclops/template"):
        project.upgrade(2)
    assert project.pulls() == []


REQUESTS = (
    "GET .*/git/ref/heads/sciclops/template",
    "POST .*/git/trees",
    "POST .*/git/commits",
    "PATCH .*/git/refs/heads/sciclops/template",
    "GET .*/compare/",
    "GET .*/pulls",
    "POST .*/git/refs$",
    "POST .*/merges",
    "POST .*/pulls$",
)


@pytest.mark.parametrize("lost", ["answer", "request"])
@pytest.mark.parametrize("request_lost", REQUESTS)
def test_whatever_is_lost_the_next_call_makes_up_for(
    project: Upgrading, request_lost: str, lost: str
) -> None:
    fault = Fault("github", "drop", request_lost, times=5, after_effect=lost == "answer")
    project.vendors.faults.add(fault)
    with pytest.raises(TemporaryError):
        project.upgrade(2)
    project.vendors.faults.clear()
    pull = project.upgrade(2)
    project.merge(pull.number)
    assert project.pulls() == ["merged"]
    assert project.vendors.github.files(NAME) == version(2)
    assert len(project.vendors.github.commits(NAME, "sciclops/template")) == 3
