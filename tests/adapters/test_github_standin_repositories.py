"""The stand-in GitHub's organisation, teams and repositories, through PyGithub and raw requests."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from github import GithubException, UnknownObjectException
from github_standin import Standin, commit_on, element, running

from playground.github.world import APP_ID, INSTALLATION_ID


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Standin]:
    with running(tmp_path) as standin:
        yield standin
        assert standin.github.unknown_calls == []
        assert standin.github.violations == []


def test_the_app_signs_in_with_its_key_and_finds_its_installation(world: Standin) -> None:
    integration = world.integration()
    assert integration.get_app().id == APP_ID
    assert [i.id for i in integration.get_installations()] == [INSTALLATION_ID]
    assert integration.get_org_installation("acme").id == INSTALLATION_ID
    assert integration.get_app_installation(INSTALLATION_ID).target_type == "Organization"
    with pytest.raises(UnknownObjectException):
        integration.get_app_installation(1)
    installed = integration.get_github_for_installation(INSTALLATION_ID)
    assert installed.get_organization("acme").id == 845100
    installed.close()


def test_the_organisation_shows_its_plan_to_the_app_and_to_owners_only(world: Standin) -> None:
    assert world.app().get_organization("acme").plan.name == "enterprise"
    owner = world.call("GET", "/orgs/acme", token=world.github.user_token("pat"))
    member = world.call("GET", "/orgs/acme", token=world.github.user_token("ada"))
    assert owner.json()["plan"]["name"] == "enterprise"
    assert "plan" not in member.json()


def test_every_team_is_found_page_by_page(world: Standin) -> None:
    slugs = {team.slug for team in world.app().get_organization("acme").get_teams()}
    assert len(slugs) == 134
    assert {"data-science", "team-130"} <= slugs


def test_lists_link_to_their_neighbouring_pages(world: Standin) -> None:
    first = world.call("GET", "/orgs/acme/teams?per_page=100")
    assert len(first.json()) == 100
    assert first.links["next"]["url"].endswith("/orgs/acme/teams?per_page=100&page=2")
    second = world.session.get(
        first.links["next"]["url"],
        headers={"Authorization": f"Bearer {world.github.installation_token()}"},
        timeout=10,
    )
    assert len(second.json()) == 34
    assert set(second.links) == {"prev", "first"}


def test_a_team_tells_its_members_and_who_is_not_one(world: Standin) -> None:
    team = world.app().get_organization("acme").get_team_by_slug("data-science")
    assert team.id == 501
    assert {member.login for member in team.get_members()} == {"ada", "grace", "rosa"}
    path = "/orgs/acme/teams/data-science/memberships"
    assert world.call("GET", f"{path}/ada").json()["state"] == "active"
    assert world.call("GET", f"{path}/dora").status_code == 404
    assert world.call("GET", "/orgs/acme/teams/no-such-team").status_code == 404


def test_people_outside_the_organisation_are_not_members(world: Standin) -> None:
    assert world.call("GET", "/orgs/acme/memberships/pat").json()["role"] == "admin"
    assert world.call("GET", "/orgs/acme/members/ada").status_code == 204
    for outsider in ("sam", "gil", "nobody"):
        assert world.call("GET", f"/orgs/acme/members/{outsider}").status_code == 404
    assert world.call("GET", "/users/sam").json()["id"] == 1006
    assert world.call("GET", "/user/1006").json()["login"] == "sam"


def test_a_new_repository_has_a_first_commit_and_belongs_to_the_organisation(
    world: Standin,
) -> None:
    repo = world.new_repo(description="Forecasts")
    assert repo.full_name == "acme/ada-7"
    assert repo.private
    assert world.github.files("ada-7") == {"README.md": b"# ada-7\nForecasts\n"}
    assert [c.message for c in world.github.commits("ada-7")] == ["Initial commit"]
    assert world.changes


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ada-7", "name already exists on this account"),
        ("ADA-7", "name already exists on this account"),
        ("x" * 101, "name is too long (maximum is 100 characters)"),
        ("..", "name is a reserved name"),
        ("ada-8.git", "name is a reserved name"),
        ("", "name is a reserved name"),
    ],
)
def test_a_name_github_does_not_take_is_refused(world: Standin, name: str, message: str) -> None:
    world.new_repo("ada-7")
    with pytest.raises(GithubException) as refused:
        world.new_repo(name)
    assert refused.value.status == 422
    assert refused.value.data["errors"][0]["message"] == message
    assert set(world.github.repos) == {"sciclops-platform", "ada-7"}


def test_characters_github_does_not_take_become_dashes(world: Standin) -> None:
    assert world.new_repo("ada's forecast é").name == "ada-s-forecast-"


def test_an_archived_repository_is_read_only_until_unarchived(world: Standin) -> None:
    repo = world.new_repo()
    repo.edit(archived=True)
    assert world.github.repos["ada-7"].archived
    with pytest.raises(GithubException) as refused:
        repo.create_environment("Production")
    assert refused.value.status == 403
    assert refused.value.data["message"] == "Repository was archived so is read-only."
    with pytest.raises(GithubException):
        repo.edit(description="new")
    with pytest.raises(GithubException):
        world.new_repo()
    repo.edit(archived=False)
    repo.create_environment("Production")
    assert set(world.github.repos["ada-7"].environments) == {"Production"}


def test_a_deleted_repository_is_gone_from_the_api_and_from_disk(world: Standin) -> None:
    repo = world.new_repo()
    path = world.github.repos["ada-7"].path
    repo.delete()
    assert not path.exists()
    with pytest.raises(UnknownObjectException):
        world.app().get_repo("acme/ada-7").complete()


def test_settings_topics_and_security_switches_are_kept(world: Standin) -> None:
    repo = world.new_repo()
    repo.edit(description="New", delete_branch_on_merge=True, allow_squash_merge=False)
    repo.replace_topics(["forecasting", "dabs"])
    assert not repo.get_vulnerability_alert()
    fixes = "/repos/acme/ada-7/automated-security-fixes"
    assert world.call("PUT", fixes).status_code == 422
    assert repo.enable_vulnerability_alert()
    assert repo.enable_automated_security_fixes()
    assert world.call("GET", fixes).json() == {"enabled": True, "paused": False}
    again = world.app().get_repo("acme/ada-7")
    assert (again.description, again.delete_branch_on_merge) == ("New", True)
    assert again.get_topics() == ["forecasting", "dabs"]
    assert again.get_vulnerability_alert()
    assert world.call("PUT", "/repos/acme/ada-7/topics", {"names": ["No Good"]}).status_code == 422


def test_the_default_branch_must_exist_and_can_be_renamed(world: Standin) -> None:
    repo = world.new_repo()
    with pytest.raises(GithubException) as refused:
        repo.edit(default_branch="trunk")
    assert refused.value.status == 422
    repo.rename_branch("main", "trunk")
    assert world.github.repos["ada-7"].default_branch == "trunk"
    clone = world.clone("ada-7", "pat")
    assert world.git("branch", "--show-current", cwd=clone).stdout == "trunk\n"


def test_an_empty_repository_has_no_default_branch_to_set(world: Standin) -> None:
    repo = world.new_repo(auto_init=False)
    with pytest.raises(GithubException, match="empty repository"):
        repo.edit(default_branch="main")


def test_a_team_gets_and_loses_a_role_in_a_repository(world: Standin) -> None:
    repo = world.new_repo()
    team = world.app().get_organization("acme").get_team_by_slug("data-governance")
    assert team.update_team_repository(repo, "push")
    path = "/orgs/acme/teams/data-governance/repos/acme/ada-7"
    assert world.call("GET", path).status_code == 204
    detailed = world.call("GET", path, Accept="application/vnd.github.v3.repository+json")
    assert detailed.json()["role_name"] == "write"
    assert [team.slug for team in repo.get_teams()] == ["data-governance"]
    assert repo.get_collaborator_permission("dora") == "write"
    assert repo.get_collaborator_permission("ada") == "read"
    assert repo.get_collaborator_permission("sam") == "none"
    assert world.call("PUT", path, {"permission": "king"}).status_code == 422
    team.remove_from_repos(repo)
    assert world.call("GET", path).status_code == 404


def test_team_endpoints_answer_alike_by_slug_and_by_number(world: Standin) -> None:
    world.new_repo()
    grant = "/repos/acme/ada-7"
    by_number, by_slug = f"/teams/501{grant}", f"/orgs/acme/teams/data-science{grant}"
    assert world.call("PUT", by_number, {"permission": "push"}).status_code == 204
    assert world.call("PUT", by_slug, {"permission": "maintain"}).status_code == 204
    for path in ("", "/members", "/memberships/ada", "/repos", grant):
        teams = ("/orgs/acme/teams/data-science", "/teams/501")
        answers = [world.call("GET", team + path) for team in teams]
        assert answers[0].ok, path
        assert answers[0].content == answers[1].content
    listed = world.call("GET", "/teams/501/repos").json()
    assert [(repo["name"], repo["role_name"]) for repo in listed] == [("ada-7", "maintain")]
    assert world.call("DELETE", by_slug).status_code == 204
    assert world.call("GET", by_number).status_code == 404
    assert world.call("GET", "/teams/999").status_code == 404


def test_members_and_collaborators_are_listed_with_their_roles(world: Standin) -> None:
    world.new_repo()
    org = world.app().get_organization("acme")
    everybody = {"ada", "grace", "rosa", "dora", "pat"}
    assert {member.login for member in org.get_members()} == everybody
    assert {member.login for member in org.get_members(role="admin")} == {"pat"}
    people = world.call("GET", "/repos/acme/ada-7/collaborators").json()
    assert {p["login"]: p["role_name"] for p in people} == dict.fromkeys(everybody, "read") | {
        "pat": "admin"
    }


def test_whoever_is_taken_out_of_a_repository_keeps_what_teams_give(world: Standin) -> None:
    world.new_repo()
    path = "/repos/acme/ada-7/collaborators"

    def direct() -> list[str]:
        answer = world.call("GET", f"{path}?affiliation=direct").json()
        return [person["login"] for person in answer]

    assert world.call("PUT", f"{path}/dora", {"permission": "push"}).status_code == 204
    assert direct() == ["dora"]
    assert world.call("DELETE", f"{path}/dora").status_code == 204
    assert world.call("DELETE", f"{path}/nobody-7").status_code == 404
    assert direct() == []
    role = world.call("GET", f"{path}/dora/permission").json()["role_name"]
    assert role == "read"


def test_security_switches_go_off_together(world: Standin) -> None:
    repo = world.new_repo()
    assert repo.enable_vulnerability_alert()
    assert repo.enable_automated_security_fixes()
    assert repo.disable_automated_security_fixes()
    assert repo.enable_automated_security_fixes()
    assert repo.disable_vulnerability_alert()
    held = world.github.repos["ada-7"]
    assert (held.vulnerability_alerts, held.automated_fixes) == (False, False)


def test_a_renamed_repository_is_found_under_its_old_name(world: Standin) -> None:
    repo = world.new_repo()
    number = repo.id
    assert world.call("PATCH", "/repos/acme/ada-7", {"name": "ada-8"}).json()["name"] == "ada-8"
    moved = world.call("GET", "/repos/acme/ada-7")
    assert moved.status_code == 301
    assert moved.headers["Location"].endswith(f"/repositories/{number}")
    assert world.app().get_repo(number).name == "ada-8"
    assert world.call("GET", "/repositories/1").status_code == 404


def test_custom_properties_take_only_values_their_schema_allows(world: Standin) -> None:
    world.github.world.installation_permissions |= {
        "organization_custom_properties": "read",
        "repository_custom_properties": "write",
    }
    world.new_repo()
    owner = world.github.personal_token("pat")
    schema = "/orgs/acme/properties/schema"
    wanted = {"value_type": "single_select", "allowed_values": ["gold", "silver"]}
    assert world.call("PUT", f"{schema}/tier", wanted, token=owner).status_code == 200
    assert world.call("PUT", f"{schema}/tier", wanted).status_code == 403
    assert [p["property_name"] for p in world.call("GET", schema).json()] == ["tier"]
    assert world.call("GET", f"{schema}/tier").json()["allowed_values"] == ["gold", "silver"]
    assert world.call("GET", f"{schema}/nothing").status_code == 404
    values = "/repos/acme/ada-7/properties/values"

    def put(name: str, value: object) -> int:
        body = {"properties": [{"property_name": name, "value": value}]}
        return world.call("PATCH", values, body).status_code

    assert world.call("GET", values).json() == [{"property_name": "tier", "value": None}]
    assert put("tier", "gold") == 204
    assert put("tier", "bronze") == 422
    assert put("tier", ["gold"]) == 422
    assert put("owner", "ada") == 422
    assert world.call("GET", values).json() == [{"property_name": "tier", "value": "gold"}]
    assert world.github.repos["ada-7"].properties == {"tier": "gold"}
    assert put("tier", None) == 204
    assert world.github.repos["ada-7"].properties == {}


def test_an_unchanged_answer_is_304_and_costs_no_quota(world: Standin) -> None:
    world.new_repo()
    token = world.github.installation_token()
    first = world.call("GET", "/repos/acme/ada-7", token=token)
    again = world.call(
        "GET", "/repos/acme/ada-7", token=token, **{"If-None-Match": first.headers["ETag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    used = int(first.headers["x-ratelimit-used"])
    assert int(again.headers["x-ratelimit-used"]) == used


def test_the_snapshot_is_plain_json_of_the_whole_world(world: Standin) -> None:
    repo = world.new_repo(description="Forecasts")
    repo.create_environment("Production").create_secret("TOKEN", "canary-1")
    shown = world.github.snapshot()
    names = [r["name"] for r in shown["repositories"]]  # type: ignore[attr-defined]
    assert names == ["sciclops-platform", "ada-7"]
    assert "canary-1" not in str(shown)
    assert "TOKEN" in str(shown)


def test_the_platform_repository_lends_its_workflow_to_the_organisation(world: Standin) -> None:
    files = world.github.files("sciclops-platform")
    assert b"workflow_call:" in files[".github/workflows/deploy-bundle.yml"]
    access = world.call("GET", "/repos/acme/sciclops-platform/actions/permissions/access")
    assert access.json() == {"access_level": "organization"}


def test_of_twenty_who_take_one_name_at_once_one_wins(world: Standin) -> None:
    def create(_: int) -> int:
        with requests.Session() as session:
            headers = {"Authorization": f"Bearer {world.github.installation_token()}"}
            url = f"{world.github.base_url}/orgs/acme/repos"
            body = {"name": "ada-7", "private": True, "auto_init": True}
            return session.post(url, json=body, headers=headers, timeout=20).status_code

    with ThreadPoolExecutor(20) as people:
        statuses = list(people.map(create, range(20)))
    assert sorted(statuses) == [201] + [422] * 19
    assert len(world.github.commits("ada-7")) == 1


HOSTILE = (
    "../x",
    "<!channel> *bold*",
    '${file("/etc/hostname")} %{if}',
    "a\nb: !!python/object x",
    "$(touch /tmp/x); `id`",
    "{{ 7*7 }}",
    "\u202etxt.exe\u200b",
    "x" * 100_000,
)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_arrives_verbatim_and_only_as_text(world: Standin, text: str) -> None:
    repo = world.new_repo(description=text)
    again = world.app().get_repo("acme/ada-7")
    assert again.description == text
    environment = repo.create_environment("Production")
    environment.create_variable("NOTE", text[:40_000])
    assert environment.get_variable("NOTE").value == text[:40_000]
    commit_on(repo, [element("note.txt", text)])
    assert world.github.files("ada-7")["note.txt"] == text.encode()


def test_half_a_surrogate_pair_is_a_bad_request(world: Standin) -> None:
    world.new_repo()
    item = {"path": "x", "mode": "100644", "type": "blob", "content": "\ud800"}
    answer = world.call("POST", "/repos/acme/ada-7/git/trees", {"tree": [item]})
    assert answer.status_code == 400
    assert world.call("GET", "/orgs/acme/teams?per_page=²&page=x").ok
