"""The stand-in GitHub's rulesets: what they refuse, to whom, by git and by API."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from github import GithubException
from github_standin import PULL_REQUEST, Standin, add_ruleset, commit_on, element, running

from playground.github.rules import name_matches
from playground.github.world import APP_ID

GIT = "/repos/acme/ada-7/git"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Standin]:
    with running(tmp_path) as standin:
        yield standin
        assert standin.github.unknown_calls == []


def test_a_ruleset_refuses_a_direct_push_as_github_does(world: Standin) -> None:
    repo = world.new_repo()
    clone = world.clone("ada-7", "pat")
    add_ruleset(world, [PULL_REQUEST])
    world.commit(clone, "job.py", "print()\n")
    refused = world.git("push", "origin", "main", "HEAD:refs/heads/dev", cwd=clone)
    assert refused.returncode == 1
    assert "GH013: Repository rule violations found for refs/heads/main." in refused.stderr
    assert "- Changes must be made through a pull request." in refused.stderr
    assert "! [remote rejected] main -> main (push declined due to" in refused.stderr
    assert "job.py" not in world.github.files("ada-7")
    assert [b.name for b in repo.get_branches()] == ["main"]
    assert world.git("push", "origin", "HEAD:refs/heads/dev", cwd=clone).returncode == 0


def test_the_references_api_obeys_the_same_rules(world: Standin) -> None:
    repo = world.new_repo()
    add_ruleset(world, [PULL_REQUEST])
    with pytest.raises(GithubException) as refused:
        commit_on(repo, [element("a.py")])
    assert refused.value.status == 422
    assert refused.value.data["message"].startswith("Repository rule violations found\n\nChanges")
    assert "a.py" not in world.github.files("ada-7")


def test_the_app_may_push_past_a_ruleset_that_names_it_and_people_may_not(world: Standin) -> None:
    repo = world.new_repo()
    bypass = {"actor_id": APP_ID, "actor_type": "Integration", "bypass_mode": "always"}
    add_ruleset(world, [PULL_REQUEST], bypass_actors=[bypass])
    commit_on(repo, [element("a.py")])
    token = world.github.installation_token()
    host = world.github.root.removeprefix("http://")
    clone = world.directory / "as-app"
    world.git("clone", "-q", f"http://x-access-token:{token}@{host}/acme/ada-7.git", str(clone))
    world.commit(clone, "b.py", "x\n")
    assert world.git("push", cwd=clone).returncode == 0
    other = world.clone("ada-7", "pat")
    world.commit(other, "c.py", "x\n")
    assert "GH013" in world.git("push", cwd=other).stderr
    sha = world.github.commits("ada-7")[1].sha
    body = {"sha": sha, "force": True}
    person = world.github.user_token("pat")
    assert world.call("PATCH", f"{GIT}/refs/heads/main", body, token=person).status_code == 422
    assert {"a.py", "b.py"} <= set(world.github.files("ada-7"))


BYPASSES: list[tuple[dict[str, object], bool]] = [
    ({"actor_id": 503, "actor_type": "Team"}, True),
    ({"actor_id": 501, "actor_type": "Team"}, False),
    ({"actor_id": 5, "actor_type": "RepositoryRole"}, True),
    ({"actor_id": 1, "actor_type": "OrganizationAdmin"}, True),
    ({"actor_id": 1005, "actor_type": "User"}, True),
    ({"actor_id": 1001, "actor_type": "User"}, False),
    ({"actor_id": 503, "actor_type": "Team", "bypass_mode": "pull_request"}, False),
]


def test_people_bypass_by_team_role_or_name(world: Standin) -> None:
    world.new_repo()
    clone = world.clone("ada-7", "pat")
    for number, (bypass, passes) in enumerate(BYPASSES):
        ruleset = add_ruleset(world, [PULL_REQUEST], bypass_actors=[bypass])
        if bypass["actor_type"] == "OrganizationAdmin":
            assert ruleset["bypass_actors"][0]["actor_id"] == 0
        world.commit(clone, f"{number}.py", "x\n")
        assert (world.git("push", cwd=clone).returncode == 0) is passes, bypass
        world.call("DELETE", f"/repos/acme/ada-7/rulesets/{ruleset['id']}")


RULES = [
    ("creation", "HEAD:refs/tags/v2", "creations being restricted"),
    ("update", "+HEAD:refs/tags/v1", "Cannot update this protected ref."),
    ("deletion", ":refs/tags/v1", "Cannot delete this tag"),
    ("non_fast_forward", "+other:refs/tags/v1", "Cannot force-push"),
    ("required_signatures", "HEAD:refs/tags/v2", "must have verified signatures"),
    ("required_linear_history", "merged:refs/tags/v2", "not contain merge commits"),
]


def test_every_kind_of_rule_refuses_its_own_push(world: Standin) -> None:
    world.new_repo()
    clone = world.clone("ada-7", "pat")
    world.commit(clone, "a.py", "x\n")
    world.git("push", "origin", "HEAD:refs/tags/v1", cwd=clone)
    world.git("checkout", "-q", "-b", "other", "HEAD~1", cwd=clone)
    world.commit(clone, "b.py", "x\n")
    world.git("checkout", "-q", "-b", "merged", cwd=clone)
    world.git("merge", "-q", "--no-edit", "main", cwd=clone)
    world.git("checkout", "-q", "main", cwd=clone)
    world.commit(clone, "c.py", "x\n")
    names = {"ref_name": {"include": ["refs/tags/v*"], "exclude": []}}
    for kind, refspec, message in RULES:
        ruleset = add_ruleset(world, [{"type": kind}], target="tag", conditions=names)
        refused = world.git("push", "origin", refspec, cwd=clone)
        assert refused.returncode == 1, kind
        assert message in refused.stderr
        world.call("DELETE", f"/repos/acme/ada-7/rulesets/{ruleset['id']}")
        allowed = world.git("push", "--dry-run", "origin", refspec, cwd=clone)
        assert allowed.returncode == 0, allowed.stderr
    pushed = world.git("push", "origin", "HEAD:refs/tags/v2", "merged:refs/tags/v3", cwd=clone)
    assert pushed.returncode == 0, pushed.stderr


def test_required_checks_let_a_branch_be_created_if_told_so(world: Standin) -> None:
    world.new_repo()
    checks = {
        "required_status_checks": [{"context": "test"}],
        "strict_required_status_checks_policy": False,
        "do_not_enforce_on_create": True,
    }
    rule = {"type": "required_status_checks", "parameters": checks}
    everything = {"ref_name": {"include": ["~ALL"], "exclude": []}}
    add_ruleset(world, [rule], conditions=everything)
    clone = world.clone("ada-7", "pat")
    assert world.git("push", "origin", "HEAD:refs/heads/dev", cwd=clone).returncode == 0
    world.commit(clone, "a.py", "x\n")
    refused = world.git("push", "origin", "HEAD:refs/heads/dev", cwd=clone)
    assert 'Required status check "test" is expected.' in refused.stderr


def test_rulesets_are_read_changed_and_deleted(world: Standin) -> None:
    world.new_repo()
    bypass = {"actor_id": APP_ID, "actor_type": "Integration", "bypass_mode": "always"}
    made = add_ruleset(world, [PULL_REQUEST, {"type": "deletion"}], bypass_actors=[bypass])
    path = f"/repos/acme/ada-7/rulesets/{made['id']}"
    assert made["bypass_actors"] == [bypass]
    assert made["rules"][0]["parameters"]["allowed_merge_methods"] == ["merge", "squash", "rebase"]
    assert (
        "bypass_actors" not in world.call("GET", path, token=world.github.user_token("ada")).json()
    )
    in_force = world.call("GET", "/repos/acme/ada-7/rules/branches/main").json()
    assert [(r["type"], r["ruleset_id"]) for r in in_force] == [
        ("pull_request", made["id"]),
        ("deletion", made["id"]),
    ]
    assert world.call("GET", "/repos/acme/ada-7/rules/branches/dev").json() == []
    changed = world.call("PUT", path, {"enforcement": "disabled"}).json()
    assert (changed["enforcement"], len(changed["rules"])) == ("disabled", 2)
    assert world.call("GET", "/repos/acme/ada-7/rules/branches/main").json() == []
    assert [r["name"] for r in world.call("GET", "/repos/acme/ada-7/rulesets").json()] == ["main"]
    assert world.call("DELETE", path).status_code == 204
    assert world.call("GET", path).status_code == 404


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "main"}, "Name must be unique"),
        ({"name": " "}, "Name can't be blank"),
        (
            {"bypass_actors": [{"actor_id": 1, "actor_type": "Integration"}]},
            "must be part of the ruleset source or owner organization",
        ),
        ({"conditions": {"ref_name": {"include": ["main"], "exclude": []}}}, "Invalid target"),
        ({"target": "push"}, "Invalid target"),
        (
            {
                "rules": [
                    {
                        "type": "required_deployments",
                        "parameters": {"required_deployment_environments": ["Staging"]},
                    }
                ]
            },
            "Invalid rule",
        ),
    ],
)
def test_a_ruleset_github_would_not_take_is_refused(
    world: Standin, changes: dict[str, object], message: str
) -> None:
    world.new_repo()
    add_ruleset(world, [PULL_REQUEST])
    body = {"name": "second", "enforcement": "active"} | changes
    answer = world.call("POST", "/repos/acme/ada-7/rulesets", body)
    assert answer.status_code == 422
    assert message in str(answer.json()["errors"])


def test_pushing_workflow_files_as_the_app_needs_the_permission(world: Standin) -> None:
    world.new_repo()
    del world.github.world.installation_permissions["workflows"]
    token = world.github.installation_token()
    host = world.github.root.removeprefix("http://")
    clone = world.directory / "as-app"
    world.git("clone", "-q", f"http://x-access-token:{token}@{host}/acme/ada-7.git", str(clone))
    world.commit(clone, ".github/workflows/x.yml", "on: push\n")
    refused = world.git("push", cwd=clone)
    assert "refusing to allow a GitHub App to create or update workflow" in refused.stderr


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("refs/heads/main", "refs/heads/main", "hit"),
        ("refs/heads/release/*", "refs/heads/release/1", "hit"),
        ("refs/heads/release/*", "refs/heads/release/1/x", "miss"),
        ("refs/heads/**/x", "refs/heads/a/b/x", "hit"),
        ("refs/heads/**/x", "refs/heads/x", "hit"),
        ("refs/tags/v?", "refs/tags/v1", "hit"),
        ("refs/tags/v?", "refs/tags/v12", "miss"),
        ("refs/tags/v.*", "refs/tags/vx1", "miss"),
    ],
)
def test_patterns_match_as_at_github(pattern: str, name: str, expected: str) -> None:
    assert name_matches(pattern, name) is (expected == "hit")
