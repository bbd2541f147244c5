"""Pull requests at the stand-in GitHub: opened, pushed to, reviewed, merged, refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from github import GithubException
from github_standin import PULL_REQUEST, add_ruleset
from scripted_runner import Script, Works, working
from waiting import wait_until

from playground.github.calls import Refusal
from playground.github.code_owners import owners_of
from playground.github.objects import GitStore
from playground.github.world import APP_ID

OWNERS = """\
*               @acme/ml-reviewers
/databricks.yml @acme/platform  # the platform's
docs/*          @ada
src/**/x.py     @grace
build/          nobody@acme.example
"""


@pytest.fixture
def works(tmp_path: Path) -> Iterator[Works]:
    with working(tmp_path) as held:
        held.github.world.installation_permissions["pull_requests"] = "write"
        for login in ("rosa", "grace"):
            held.github.repos["ada-7"].collaborators[login] = "push"
        yield held


def branch(works: Works, name: str = "work", **files: str) -> str:
    contents = {f"{path}.py": text for path, text in (files or {"a": "1\n"}).items()}
    sha: str = works.github.push("pat", "ada-7", contents, "Work", name)
    return sha


def opened(works: Works, name: str = "work", login: str = "pat", **files: str) -> Any:
    branch(works, name, **files)
    return works.github.open_pull_request(login, "ada-7", name, f"Title of {name}")


def merge(works: Works, number: int = 1, login: str = "pat", **body: object) -> Any:
    return works.call("PUT", f"/pulls/{number}/merge", body, **works.as_(login))


def ruled(
    works: Works, *, checks: list[str] | None = None, strict: bool = False, **parameters: object
) -> None:
    """Protect main with the rules of a project, or with some of them."""
    settled = {
        "require_code_owner_review": False,
        "required_approving_review_count": 0,
    } | parameters
    given: Any = PULL_REQUEST["parameters"]
    rules = [PULL_REQUEST | {"parameters": given | settled}]
    if checks:
        wanted = [{"context": name} for name in checks]
        given = {"strict_required_status_checks_policy": strict, "required_status_checks": wanted}
        rules.append({"type": "required_status_checks", "parameters": given})
    add_ruleset(works.standin, rules)


def test_pygithub_opens_reads_reviews_and_merges(works: Works) -> None:
    branch(works)
    repo = works.standin.person("pat").get_repo("acme/ada-7")
    pull = repo.create_pull(base="main", head="work", title="Work", body="Why")
    assert (pull.number, pull.state, pull.mergeable, pull.commits) == (1, "open", True, 1)
    assert (pull.user.login, pull.additions, pull.changed_files) == ("pat", 1, 1)
    assert [(f.filename, f.status, f.additions) for f in pull.get_files()] == [("a.py", "added", 1)]
    assert [c.sha for c in pull.get_commits()] == [pull.head.sha]
    theirs = works.standin.person("rosa").get_repo("acme/ada-7").get_pull(1)
    theirs.create_review(event="APPROVE", body="Good")
    assert [(r.user.login, r.state) for r in pull.get_reviews()] == [("rosa", "APPROVED")]
    assert not pull.is_merged()
    merged = pull.merge()
    assert merged.merged
    assert pull.is_merged()
    tip = works.github.commits("ada-7")[0]
    assert (tip.sha, len(tip.parents)) == (merged.sha, 2)
    assert tip.message == "Merge pull request #1 from acme/work\n\nWork"
    read = repo.get_pull(1)
    assert (read.state, read.merged_by.login, read.merge_commit_sha) == ("closed", "pat", tip.sha)
    of = works.call("GET", f"/commits/{pull.head.sha}/pulls").json()
    assert [one["number"] for one in of] == [1]
    assert works.call("GET", f"/commits/{'0' * 40}/pulls").status_code == 422


def test_squashing_makes_one_commit_of_the_author(works: Works) -> None:
    branch(works)
    branch(works, b="2\n")
    works.github.open_pull_request("rosa", "ada-7", "work", "Work")
    assert merge(works, merge_method="squash").json()["merged"] is True
    tip = works.github.commits("ada-7")[0]
    assert (tip.message, len(tip.parents), tip.author) == ("Work (#1)", 1, "Rosa Parks")
    assert {"a.py", "b.py"} <= set(works.github.files("ada-7"))


def test_what_cannot_be_opened_is_refused(works: Works) -> None:
    branch(works)
    sha = works.github.commits("ada-7")[0].sha
    works.call("POST", "/git/refs", {"ref": "refs/heads/same", "sha": sha})
    for body, message in (
        ({"title": "x", "head": "nowhere", "base": "main"}, "invalid"),
        ({"title": "x", "head": "work", "base": "nowhere"}, "invalid"),
        ({"title": "x", "head": "other:work", "base": "main"}, "invalid"),
        ({"head": "work", "base": "main"}, "missing_field"),
        ({"title": "x", "head": "same", "base": "main"}, "No commits between main and same"),
    ):
        refused = works.call("POST", "/pulls", body)
        assert refused.status_code == 422
        assert message in str(refused.json()["errors"])
    assert works.call("POST", "/pulls", {"title": "x", "head": "work", "base": "main"}).ok
    again = works.call("POST", "/pulls", {"title": "y", "head": "acme:work", "base": "main"})
    assert "A pull request already exists for acme:work." in str(again.json()["errors"])
    with pytest.raises(Refusal, match="Not Found"):
        works.github.open_pull_request("sam", "ada-7", "work", "x")
    works.github.world.installation_permissions["pull_requests"] = "read"
    assert (
        works.call("POST", "/pulls", {"title": "x", "head": "work", "base": "main"}).status_code
        == 403
    )


def test_its_references_follow_and_nobody_else_moves_them(works: Works) -> None:
    pull = opened(works)
    git = GitStore(works.github.repos["ada-7"].path)
    assert git.ref("refs/pull/1/head") == pull.head_sha
    merge_sha = works.call("GET", "/git/ref/pull/1/merge").json()["object"]["sha"]
    assert merge_sha == pull.merge_sha
    assert git.commit(merge_sha).parents == (pull.base_sha, pull.head_sha)
    new = branch(works, b="1\n")
    assert git.ref("refs/pull/1/head") == new
    before = git.ref("refs/pull/1/merge")
    works.github.push("pat", "ada-7", {"c.py": "1\n"}, "Main moves")
    assert git.ref("refs/pull/1/merge") != before
    body = {"ref": "refs/pull/2/head", "sha": new}
    assert works.call("POST", "/git/refs", body).json()["message"] == "Reference update failed"
    assert works.call("PATCH", "/git/refs/pull/1/head", {"sha": new}).status_code == 422
    assert works.call("DELETE", "/git/refs/pull/1/head").status_code == 422
    clone = works.standin.clone("ada-7", "pat")
    pushed = works.standin.git("push", "origin", "HEAD:refs/pull/1/head", cwd=clone)
    assert "deny updating a hidden ref" in pushed.stderr
    fetched = works.standin.git("fetch", "-q", "origin", "refs/pull/1/merge", cwd=clone)
    assert fetched.returncode == 0


def test_pull_requests_start_runs_of_the_merge(works: Works) -> None:
    pull = opened(works)
    new = branch(works, b="1\n")
    works.github.close_pull_request("pat", "ada-7", 1)
    works.call("PATCH", "/pulls/1", {"state": "open"}, **works.as_("pat"))
    works.github.merge_pull_request("pat", "ada-7", 1)
    found = [r for r in works.github.runs("ada-7") if r.event == "pull_request"]
    assert [r.payload["action"] for r in found] == [
        "opened",
        "synchronize",
        "closed",
        "reopened",
        "closed",
    ]
    assert {r.ref for r in found[:4]} == {"refs/pull/1/merge"}
    assert (found[4].ref, found[4].sha) == ("refs/heads/main", pull.merge_sha)
    for run in found:
        works.wait(run, "completed")
    shown = works.run_json(found[1])
    assert (shown["head_branch"], shown["head_sha"]) == ("work", new)
    assert found[1].sha not in (new, pull.base_sha)
    assert [r.event for r in works.github.runs("ada-7")][-1] == "push"
    listed = works.call("GET", "/actions/runs?event=pull_request&branch=work").json()
    assert listed["total_count"] == 5


def test_a_conflict_has_no_merge_starts_nothing_and_is_not_merged(works: Works) -> None:
    branch(works, a="theirs\n")
    works.github.push("pat", "ada-7", {"a.py": "ours\n"}, "Main [skip ci]")
    works.github.open_pull_request("pat", "ada-7", "work", "Work")
    shown = works.call("GET", "/pulls/1").json()
    assert (shown["mergeable"], shown["mergeable_state"]) == (False, "dirty")
    assert works.call("GET", "/git/ref/pull/1/merge").status_code == 404
    assert works.github.runs("ada-7") == []
    refused = merge(works)
    assert (refused.status_code, refused.json()["message"]) == (
        405,
        "Pull Request is not mergeable",
    )


def test_a_merge_that_cannot_be_is_refused(works: Works) -> None:
    pull = opened(works)
    stale = merge(works, sha="0" * 40)
    assert stale.status_code == 409
    assert "Head branch was modified" in stale.json()["message"]
    assert merge(works, merge_method="rebase").status_code == 405
    works.call("PATCH", "", {"allow_squash_merge": False})
    squashed = merge(works, merge_method="squash")
    assert squashed.json()["message"] == "Squash merges are not allowed on this repository."
    assert merge(works, login="ada").status_code == 403
    assert merge(works, login="sam").status_code == 404
    assert merge(works, 7).status_code == 404
    pull.draft = True
    assert merge(works).json()["message"] == "Pull Request is still a draft"
    pull.draft = False
    assert merge(works, sha=pull.head_sha).status_code == 200
    assert merge(works).status_code == 405
    assert works.call("GET", "/pulls/1/merge").status_code == 204


def test_nobody_approves_their_own_and_words_are_asked_for(works: Works) -> None:
    opened(works)
    path = "/pulls/1/reviews"
    for body, message in (
        ({"event": "APPROVE"}, "Can not approve your own pull request"),
        ({"event": "REQUEST_CHANGES", "body": "x"}, "Can not request changes on your own"),
        ({"event": "COMMENT"}, "Body can't be blank"),
    ):
        refused = works.call("POST", path, body, **works.as_("pat"))
        assert refused.status_code == 422
        assert message in str(refused.json()["errors"])
    assert works.call("POST", path, {"event": "COMMENT", "body": "Hm"}, **works.as_("pat")).ok


def test_closing_and_reopening(works: Works) -> None:
    opened(works)
    refused = works.call("PATCH", "/pulls/1", {"state": "closed"}, **works.as_("ada"))
    assert refused.status_code == 403
    changed = works.call("PATCH", "/pulls/1", {"title": "New", "state": "closed"})
    assert (changed.json()["title"], changed.json()["state"]) == ("New", "closed")
    assert works.call("GET", "/pulls").json() == []
    assert len(works.call("GET", "/pulls?state=closed&head=acme:work&base=main").json()) == 1
    assert works.call("GET", "/pulls?state=all&head=other:work").json() == []
    assert len(works.call("GET", "/pulls?state=all&direction=asc").json()) == 1
    assert works.call("PATCH", "/pulls/1", {"state": "open"}).json()["state"] == "open"
    works.call("DELETE", "/git/refs/heads/work")
    assert works.call("GET", "/pulls/1").json()["state"] == "closed"
    gone = works.call("PATCH", "/pulls/1", {"state": "open"})
    assert "has been deleted" in str(gone.json()["errors"])
    opened(works, "other", c="1\n")
    merge(works, 2)
    merged = works.call("PATCH", "/pulls/2", {"state": "open"})
    assert "Cannot reopen a merged" in str(merged.json()["errors"])


def test_a_branch_that_is_pushed_onto_main_is_merged(works: Works) -> None:
    pull = opened(works)
    body = {"sha": pull.head_sha}
    assert works.call("PATCH", "/git/refs/heads/main", body).status_code == 200
    assert works.call("GET", "/pulls/1").json()["merged"] is True


# Rules


def message(answer: Any) -> str:
    assert answer.status_code == 405, answer.text
    text: str = answer.json()["message"]
    return text


def approve(works: Works, login: str, number: int = 1, event: str = "APPROVE") -> None:
    works.github.review_pull_request(login, "ada-7", number, event, "Said.")


def test_an_approval_of_somebody_who_may_write_is_needed(works: Works) -> None:
    ruled(works, required_approving_review_count=1)
    with pytest.raises(Refusal, match="through a pull request"):
        works.github.push("pat", "ada-7", {"x.py": "1\n"}, "Directly")
    opened(works)
    needed = "At least 1 approving review is required by reviewers with write access."
    assert needed in message(merge(works))
    approve(works, "ada")
    assert needed in message(merge(works))
    approve(works, "rosa", event="REQUEST_CHANGES")
    assert "Changes must be addressed." in message(merge(works))
    approve(works, "rosa")
    approve(works, "rosa", event="COMMENT")
    assert merge(works).status_code == 200


def test_code_owners_must_approve_what_is_theirs(works: Works) -> None:
    works.github.push("pat", "ada-7", {".github/CODEOWNERS": OWNERS}, "Owners [skip ci]")
    ruled(works, require_code_owner_review=True)
    works.github.push("rosa", "ada-7", {"databricks.yml": "x\n"}, "Work", "work")
    works.github.open_pull_request("rosa", "ada-7", "work", "Work")
    approve(works, "grace")
    assert "Waiting on code owner review from acme/platform." in message(merge(works))
    approve(works, "pat")
    assert merge(works).status_code == 200


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("a.py", ("@acme/ml-reviewers",)),
        ("databricks.yml", ("@acme/platform",)),
        ("deep/databricks.yml", ("@acme/ml-reviewers",)),
        ("docs/a.md", ("@ada",)),
        ("docs/deep/a.md", ("@acme/ml-reviewers",)),
        ("src/a/b/x.py", ("@grace",)),
        ("deep/build/a", ("nobody@acme.example",)),
    ],
)
def test_the_last_line_of_codeowners_that_fits_counts(
    works: Works, path: str, owners: tuple[str, ...]
) -> None:
    sha = works.github.push("pat", "ada-7", {"docs/CODEOWNERS": OWNERS}, "Owners [skip ci]")
    assert owners_of(GitStore(works.github.repos["ada-7"].path), sha, [path]) == [owners]


def test_a_push_takes_approvals_back_where_the_rule_says_so(works: Works) -> None:
    ruled(works, required_approving_review_count=1, dismiss_stale_reviews_on_push=True)
    opened(works)
    approve(works, "rosa")
    branch(works, b="1\n")
    (review,) = works.call("GET", "/pulls/1/reviews").json()
    assert review["state"] == "DISMISSED"
    assert "approving review" in message(merge(works))


def test_the_last_pusher_s_approval_is_not_enough(works: Works) -> None:
    ruled(works, required_approving_review_count=1, require_last_push_approval=True)
    opened(works, login="grace")
    works.github.push("rosa", "ada-7", {"b.py": "1\n"}, "More", "work")
    approve(works, "rosa")
    said = "New changes require approval from someone other than the last pusher."
    assert said in message(merge(works))
    approve(works, "pat")
    assert merge(works).status_code == 200


def test_required_checks_are_the_runs_jobs(works: Works) -> None:
    ruled(works, checks=["bundle / Build"])
    works.runner.scripts = [Script("bundle / Build", held=True, conclusion="failure")]
    works.github.runner = None
    opened(works)
    assert 'Required status check "bundle / Build" is expected.' in message(merge(works))
    works.github.runner = works.runner
    run = works.wait(works.github.runs("ada-7")[-1], "in_progress")
    assert "is in progress" in message(merge(works))
    works.soon(works.runner.go_on.set)
    works.wait(run, "completed")
    assert "is failing" in message(merge(works))
    works.runner.scripts = [Script("bundle / Build")]
    works.github.rerun("pat", run.id)
    wait_until(lambda: run.attempt == 2 and run.status == "completed")
    assert merge(works).status_code == 200


def test_a_strict_check_wants_the_branch_up_to_date(works: Works) -> None:
    ruled(works, checks=["bundle / Build"], strict=True)
    opened(works)
    works.wait(works.github.runs("ada-7")[-1], "completed")
    works.github.repos["ada-7"].rulesets.clear()
    works.github.push("pat", "ada-7", {"m.py": "1\n"}, "Main moves [skip ci]")
    ruled(works, checks=["bundle / Build"], strict=True)
    assert "must be up to date" in message(merge(works))


def test_the_method_may_be_ruled_and_history_linear(works: Works) -> None:
    ruled(works, allowed_merge_methods=["squash"])
    opened(works)
    assert "Merge commits are not allowed" in message(merge(works))
    add_ruleset(works.standin, [{"type": "required_linear_history"}], name="linear")
    assert "must not contain merge commits" in message(merge(works))
    assert merge(works, merge_method="squash").status_code == 200
    add_ruleset(works.standin, [{"type": "update"}], name="frozen")
    opened(works, "other", c="1\n")
    assert "Cannot update this protected ref." in message(merge(works, 2, merge_method="squash"))


def test_who_may_bypass_for_pull_requests_merges(works: Works) -> None:
    actor = {"actor_id": APP_ID, "actor_type": "Integration", "bypass_mode": "pull_request"}
    rules = [{"type": "update"}]
    add_ruleset(works.standin, rules, bypass_actors=[actor])
    opened(works)
    assert "protected ref" in message(merge(works))
    repo = works.standin.app().get_repo("acme/ada-7")
    assert repo.get_pull(1).merge().merged


def test_pygithub_hears_the_refusal(works: Works) -> None:
    ruled(works, required_approving_review_count=2)
    opened(works)
    with pytest.raises(GithubException, match="At least 2 approving reviews are required"):
        works.standin.person("pat").get_repo("acme/ada-7").get_pull(1).merge()
