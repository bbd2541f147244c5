"""Commits, contents, clones and pushes at the stand-in GitHub, and the rulesets over them."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from github import GithubException, InputGitTreeElement
from github_standin import Standin, commit_on, element, running

from playground.page.source import linked
from playground.page.worlds import world as world_page
from playground.stage import Clones

GIT = "/repos/acme/ada-7/git"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Standin]:
    with running(tmp_path) as standin:
        yield standin
        assert standin.github.unknown_calls == []


def test_many_files_arrive_in_one_commit_and_in_a_real_clone(world: Standin) -> None:
    repo = world.new_repo()
    files = {f"src/part{n}/file{n}.py": f"print({n})\n" for n in range(42)}
    elements = [element(path, text) for path, text in files.items()]
    commit_on(repo, [*elements, element("bin/run.sh", "#!/bin/sh\n", "100755")])
    clone = world.clone("ada-7", "ada")
    assert all((clone / path).read_text() == text for path, text in files.items())
    assert (clone / "bin/run.sh").stat().st_mode & 0o111
    assert (clone / "README.md").exists()
    assert world.git("fsck", "--strict", cwd=clone).returncode == 0
    assert world.git("status", "--porcelain", cwd=clone).stdout == ""
    assert [c.message for c in world.github.commits("ada-7")] == ["Starter code", "Initial commit"]
    assert world.github.commits("ada-7")[0].author == "sciclops-bot[bot]"
    assert len(world.github.files("ada-7")) == 44


def test_the_page_s_command_clones_for_whoever_looks_at_it(world: Standin, tmp_path: Path) -> None:
    world.new_repo()
    clones = Clones(world.github)
    page = world_page(linked(world.github.snapshot(), "U0ADA", clones.address))
    address = clones.address("U0ADA", "ada-7")
    assert address is not None
    assert f">git clone {address}</code>" in page
    assert address == clones.address("U0ADA", "ada-7") != clones.address("U0GRACE", "ada-7")
    assert world.git("clone", address, "mine", cwd=tmp_path).returncode == 0
    assert (tmp_path / "mine" / "README.md").exists()
    assert clones.address("U0SAM", "ada-7") is None
    assert clones.address("U0NOBODY", "ada-7") is None
    assert clones.address("U0ADA", "ada-8") is None


def test_trees_take_out_put_over_and_refuse_what_git_could_not_hold(world: Standin) -> None:
    repo = world.new_repo()
    commit_on(repo, [element("a/b.py"), element("c.py")])
    commit_on(repo, [InputGitTreeElement("a", "040000", "tree", sha=None), element("c.py/d.py")])
    assert set(world.github.files("ada-7")) == {"README.md", "c.py/d.py"}
    for path in ("../x", "a//b", "/etc/passwd", ".git/config", "a/./b"):
        with pytest.raises(GithubException, match="malformed path"):
            repo.create_git_tree([element(path)])
    for item in (
        {"path": "x", "mode": "100644", "type": "blob"},
        {"path": "x", "mode": "100644", "type": "blob", "sha": "0" * 40},
        {"path": "no-such-file", "mode": "100644", "type": "blob", "sha": None},
    ):
        assert world.call("POST", f"{GIT}/trees", {"tree": [item]}).status_code == 422
    assert world.call("POST", f"{GIT}/trees", {"tree": [], "base_tree": "x"}).status_code == 422


def test_binary_blobs_arrive_byte_for_byte(world: Standin) -> None:
    repo = world.new_repo()
    content = bytes(range(256))
    blob = repo.create_git_blob(base64.b64encode(content).decode(), "base64")
    commit_on(repo, [InputGitTreeElement("logo.png", "100644", "blob", sha=blob.sha)])
    assert world.github.files("ada-7")["logo.png"] == content
    assert base64.b64decode(repo.get_git_blob(blob.sha).content) == content
    bad = {"content": "%%%", "encoding": "base64"}
    assert world.call("POST", f"{GIT}/blobs", bad).status_code == 422
    assert world.call("GET", f"{GIT}/blobs/{'0' * 40}").status_code == 404


def test_references_are_created_moved_forward_and_deleted(world: Standin) -> None:
    repo = world.new_repo()
    first = world.github.commits("ada-7")[0].sha
    second = commit_on(repo, [element("a.py")])
    template = repo.create_git_ref("refs/heads/sciclops/template", first)
    assert [ref.ref for ref in repo.get_git_matching_refs("heads/sciclops")] == [template.ref]
    template.edit(second)
    with pytest.raises(GithubException, match="Update is not a fast forward"):
        template.edit(first)
    template.edit(first, force=True)
    template.delete()
    assert world.call("GET", f"{GIT}/ref/heads/sciclops/template").status_code == 404
    assert world.call("DELETE", f"{GIT}/refs/heads/main").status_code == 422


@pytest.mark.parametrize(
    ("ref", "sha", "message"),
    [
        ("refs/heads/main", None, "Reference already exists"),
        ("refs/heads/main/sub", None, "Reference already exists"),
        ("refs/heads/a..b", None, "is not a valid ref name."),
        ("main", None, "is not a valid ref name."),
        ("refs/heads/../../x", None, "is not a valid ref name."),
        ("refs/heads/dev", "0" * 40, "Object does not exist"),
    ],
)
def test_a_reference_git_would_not_take_is_refused(
    world: Standin, ref: str, sha: str | None, message: str
) -> None:
    world.new_repo()
    body = {"ref": ref, "sha": sha or world.github.commits("ada-7")[0].sha}
    answer = world.call("POST", f"{GIT}/refs", body)
    assert answer.status_code == 422
    assert message in answer.json()["message"]


def test_commits_of_things_that_do_not_exist_are_refused(world: Standin) -> None:
    world.new_repo()
    nothing = "0" * 40
    body: dict[str, object] = {"message": "m", "tree": nothing}
    assert "Tree SHA" in world.call("POST", f"{GIT}/commits", body).json()["message"]
    tree = world.call("GET", f"{GIT}/trees/main").json()["sha"]
    body |= {"tree": tree, "parents": [nothing]}
    assert "Parent SHA" in world.call("POST", f"{GIT}/commits", body).json()["message"]
    assert world.call("GET", f"{GIT}/commits/{nothing}").status_code == 404
    assert world.call("GET", f"{GIT}/trees/{nothing}").status_code == 404


def test_an_empty_repository_has_no_git_data(world: Standin) -> None:
    world.new_repo(auto_init=False)
    answer = world.call("POST", f"{GIT}/blobs", {"content": "x"})
    assert (answer.status_code, answer.json()["message"]) == (409, "Git Repository is empty.")
    assert world.call("GET", "/repos/acme/ada-7/commits").status_code == 409
    assert world.call("GET", "/repos/acme/ada-7/contents/").status_code == 404
    assert world.github.commits("ada-7") == []
    assert world.github.files("ada-7") == {}


def test_contents_trees_commits_and_comparisons_agree(world: Standin) -> None:
    repo = world.new_repo()
    base = world.github.commits("ada-7")[0].sha
    head = commit_on(repo, [element("src/a.py", "one\ntwo\n"), element("README.md", "new\n")])
    file = repo.get_contents("src/a.py")
    assert not isinstance(file, list)
    assert file.decoded_content == b"one\ntwo\n"
    folder = repo.get_contents("")
    assert isinstance(folder, list)
    assert [(f.path, f.type) for f in folder] == [("README.md", "file"), ("src", "dir")]
    tree = repo.get_git_tree("main", recursive=True)
    assert [t.path for t in tree.tree] == ["README.md", "src", "src/a.py"]
    found = repo.compare(base, "main")
    assert (found.status, found.ahead_by, found.behind_by) == ("ahead", 1, 0)
    assert {f.filename: (f.status, f.additions) for f in found.files} == {
        "README.md": ("modified", 1),
        "src/a.py": ("added", 2),
    }
    assert repo.compare("main", base).status == "behind"
    assert repo.compare("main", head).status == "identical"
    assert [c.sha for c in repo.get_commits(path="src")] == [head]
    assert repo.get_commit(head).stats.additions == 3
    assert repo.get_branch("main").commit.sha == head
    for path in (
        "/contents/none.py",
        "/branches/none",
        "/compare/main...none",
        "/contents/x?ref=y",
    ):
        assert world.call("GET", f"/repos/acme/ada-7{path}").status_code == 404


# Git over HTTP


def test_a_push_arrives_and_shows_in_the_api(world: Standin) -> None:
    repo = world.new_repo()
    clone = world.clone("ada-7", "pat")
    world.commit(clone, "job.py", "print()\n")
    world.git("tag", "v1.0.0", cwd=clone)
    before = len(world.changes)
    pushed = world.git("push", "origin", "main", "v1.0.0", cwd=clone)
    assert pushed.returncode == 0, pushed.stderr
    assert len(world.changes) == before + 1
    assert world.github.files("ada-7")["job.py"] == b"print()\n"
    assert repo.get_branch("main").commit.sha == world.github.commits("ada-7")[0].sha
    assert [tag.name for tag in repo.get_tags()] == ["v1.0.0"]
    commit_on(repo, [element("api.py")])
    assert world.git("pull", "-q", cwd=clone).returncode == 0
    assert (clone / "api.py").exists()


def test_a_first_push_fills_an_empty_repository(world: Standin) -> None:
    world.new_repo(auto_init=False)
    clone = world.clone("ada-7", "pat")
    world.git("checkout", "-q", "-b", "main", cwd=clone)
    world.commit(clone, "job.py", "print()\n")
    pushed = world.git("push", "origin", "main", cwd=clone)
    assert pushed.returncode == 0, pushed.stderr
    assert set(world.github.files("ada-7")) == {"job.py"}


def test_a_push_that_is_not_a_fast_forward_needs_force(world: Standin) -> None:
    repo = world.new_repo()
    clone = world.clone("ada-7", "pat")
    commit_on(repo, [element("api.py")])
    world.commit(clone, "job.py", "print()\n")
    assert world.git("push", "origin", "main", cwd=clone).returncode == 1
    assert world.git("push", "--force", "origin", "main", cwd=clone).returncode == 0
    assert "api.py" not in world.github.files("ada-7")


def test_strangers_cannot_clone_and_readers_cannot_push(world: Standin) -> None:
    world.new_repo()
    url = world.github.clone_url("ada-7", "sam")
    stranger = world.git("clone", url, "sam")
    assert stranger.returncode != 0
    assert "not found" in stranger.stderr
    clone = world.clone("ada-7", "dora")
    world.commit(clone, "job.py", "print()\n")
    pushed = world.git("push", cwd=clone)
    assert "Permission to acme/ada-7.git denied to dora." in pushed.stderr
    bad = url.replace("ghp_", "ghp_x")
    assert "Authentication failed" in world.git("clone", bad, "bad").stderr
    nobody = f"{world.github.root}/acme/ada-7.git"
    assert world.git("clone", nobody, "nobody").returncode != 0
    world.new_repo("open", visibility="public")
    assert world.git("clone", f"{world.github.root}/acme/open.git", "open").returncode == 0


def test_an_archived_repository_can_be_cloned_but_not_pushed_to(world: Standin) -> None:
    world.new_repo().edit(archived=True)
    clone = world.clone("ada-7", "pat")
    world.commit(clone, "job.py", "print()\n")
    assert "archived so it is read-only" in world.git("push", cwd=clone).stderr
    assert "job.py" not in world.github.files("ada-7")


def test_the_default_branch_cannot_be_deleted_by_push(world: Standin) -> None:
    world.new_repo()
    clone = world.clone("ada-7", "pat")
    refused = world.git("push", "origin", ":main", cwd=clone)
    assert "refusing to delete the current branch" in refused.stderr
    assert world.github.commits("ada-7")


@pytest.mark.parametrize(
    "body",
    [
        b"zzzz",
        b"0003",
        b"00300000000000000000000000000000000000000000 -x y0000",
        b"0000",
    ],
)
def test_a_malformed_push_is_refused_and_changes_nothing(world: Standin, body: bytes) -> None:
    world.new_repo()
    url = world.github.clone_url("ada-7", "pat") + "/git-receive-pack"
    answer = world.session.post(url, data=body, timeout=10)
    assert answer.status_code == (200 if body == b"0000" else 400)
    assert len(world.github.commits("ada-7")) == 1


def test_a_push_whose_objects_are_missing_is_not_unpacked(world: Standin) -> None:
    world.new_repo()
    old, new = world.github.commits("ada-7")[0].sha, "1" * 40
    line = f"{old} {new} refs/heads/main\0report-status".encode()
    body = b"%04x" % (len(line) + 4) + line + b"0000"
    url = world.github.clone_url("ada-7", "pat") + "/git-receive-pack"
    answer = world.session.post(url, data=body, timeout=10)
    assert b"ng refs/heads/main unpacker error" in answer.content
    assert world.github.commits("ada-7")[0].sha == old


def test_a_commit_may_name_its_author_and_nobody_can_forge_a_header(world: Standin) -> None:
    world.new_repo()
    tree = world.call("GET", f"{GIT}/trees/main").json()["sha"]
    author = {
        "name": "Ada\nparent x <y>",
        "email": "ada@acme.example",
        "date": "2026-01-02T03:04:05Z",
    }
    body = {"message": "m", "tree": tree, "author": author, "committer": {}}
    made = world.call("POST", f"{GIT}/commits", body).json()
    assert made["author"] == author | {"name": "Adaparent x y"}
    assert made["committer"]["name"] == "sciclops-bot[bot]"
    assert made["parents"] == []
    shown = world.call("GET", f"/repos/acme/ada-7/commits/{made['sha']}").json()
    assert shown["author"]["login"] == "ada"


def test_a_push_from_a_stale_view_of_a_branch_is_refused(world: Standin) -> None:
    repo = world.new_repo()
    stale = world.github.commits("ada-7")[0].sha
    current = commit_on(repo, [element("a.py")])
    line = f"{stale} {stale} refs/heads/main\0report-status".encode()
    body = b"%04x" % (len(line) + 4) + line + b"0000"
    url = world.github.clone_url("ada-7", "pat") + "/git-receive-pack"
    answer = world.session.post(url, data=body, timeout=10)
    assert b"ng refs/heads/main failed to update ref" in answer.content
    assert world.github.commits("ada-7")[0].sha == current
