"""How the adapter speaks to GitHub: tokens, limits, refusals, threads, lists to choose from."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from made_project import MARKER, VendorWorld
from waiting import wait_until

from playground import cast
from playground.faults import Fault, Kind
from playground.github.limits import Limits
from playground.github.repos import make_repo
from playground.github.world import Team
from provisioning.adapters.github import GitHubRepositories
from provisioning.errors import PermanentError, TemporaryError

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def add_team(served: VendorWorld, slug: str, name: str) -> None:
    number = served.github.world.next_id()
    served.github.world.teams[slug] = Team(number, slug, name, {"ada"}, NOW)


@pytest.fixture
def repositories(served: VendorWorld) -> GitHubRepositories:
    return served.repositories


def test_what_exists_is_found_and_what_does_not_is_not(
    served: VendorWorld, repositories: GitHubRepositories
) -> None:
    make_repo(served.github.world, "ada-7", "private")
    found = repositories.find("ada-7")
    assert found is not None
    assert (found.name, found.archived, found.description) == ("ada-7", False, "")
    assert repositories.find("nothing") is None
    assert repositories.team_exists("data-science")
    assert not repositories.team_exists("nobody")
    assert repositories.team_members("ml-reviewers") == {"rosa", "grace"}
    assert repositories.team_members("nobody") == frozenset()
    assert repositories.member_exists("Ada")
    assert not repositories.member_exists("nobody-at-all")


def test_the_old_name_of_a_renamed_repository_is_free(
    served: VendorWorld, repositories: GitHubRepositories
) -> None:
    repo = make_repo(served.github.world, "new-name", "private")
    served.github.world.renamed["old-name"] = repo.id
    assert repositories.find("old-name") is None


@pytest.mark.parametrize("name", ["../acme", "a/b", "a?b", "a#b", "%2e%2e", "a b", "ä"])
def test_names_stay_one_part_of_the_path(repositories: GitHubRepositories, name: str) -> None:
    assert repositories.find(name) is None
    assert not repositories.team_exists(name)
    assert not repositories.member_exists(name)


def test_a_token_is_shared_and_renewed_before_it_expires(
    served: VendorWorld, repositories: GitHubRepositories
) -> None:
    asked = Fault("github", "delay", "POST .*/access_tokens", times=99, seconds=0)
    served.faults.add(asked)
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(repositories.team_exists, ["data-science"] * 32))
    assert asked.times == 98
    served.clock.advance(timedelta(minutes=56))
    assert repositories.team_exists("data-science")
    assert asked.times == 97


def test_a_token_that_was_revoked_is_replaced_and_nothing_is_done_twice(
    served: VendorWorld, repositories: GitHubRepositories
) -> None:
    assert repositories.team_exists("data-science")
    served.connection.write("DELETE", "/installation/token")
    assert repositories.team_exists("data-science")
    served.connection.write("DELETE", "/installation/token")
    made = served.connection.write("POST", "/orgs/acme/repos", {"name": "ada-7"})
    assert made["name"] == "ada-7"


def test_a_wrong_key_is_a_matter_for_the_platform_team(served: VendorWorld) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()
    repositories = GitHubRepositories(served.another_connection(key=pem), served.clock)
    with pytest.raises(PermanentError, match=r"github\.private_key_file"):
        repositories.find("ada-7")


def test_a_missing_permission_is_named(
    served: VendorWorld, repositories: GitHubRepositories
) -> None:
    del served.github.world.installation_permissions["members"]
    with pytest.raises(PermanentError, match="does not let the App find the team data-science"):
        repositories.team_exists("data-science")


@pytest.mark.parametrize(("status", "wish"), [(429, 7), (500, None), (503, None)])
def test_what_may_work_later_says_so_with_githubs_wish(
    served: VendorWorld, repositories: GitHubRepositories, status: int, wish: int | None
) -> None:
    served.faults.add(Fault("github", "status", "GET", times=9, status=status, seconds=7))
    with pytest.raises(TemporaryError, match=str(status)) as stopped:
        repositories.find("ada-7")
    assert stopped.value.after == (None if wish is None else timedelta(seconds=wish))


def test_an_hours_budget_that_is_spent_is_waited_for(
    served: VendorWorld, repositories: GitHubRepositories
) -> None:
    repositories.find("ada-7")
    served.github._limits.limits = Limits(per_hour=1)
    with pytest.raises(TemporaryError, match="rate limit exceeded") as stopped:
        repositories.find("ada-7")
    assert stopped.value.after is not None
    assert timedelta(minutes=55) < stopped.value.after <= timedelta(minutes=61)
    served.clock.advance(stopped.value.after)
    assert repositories.find("ada-7") is None


def test_silence_is_temporary(served: VendorWorld, repositories: GitHubRepositories) -> None:
    served.faults.add(Fault("github", "drop", times=9))
    with pytest.raises(TemporaryError, match="GitHub did not answer"):
        repositories.find("ada-7")


def test_threads_get_their_own_answers(
    served: VendorWorld, repositories: GitHubRepositories
) -> None:
    names = [f"project-{number:02}" for number in range(20)]
    for name in names:
        make_repo(served.github.world, name, "private")
    wanted = [*names, *(f"missing-{number}" for number in range(12))] * 10

    def ask(name: str) -> bool:
        found = repositories.find(name)
        return (found.name if found else None) == (name if name in names else None)

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(ask, wanted))
    assert len(answers) == 320
    assert all(answers)


def test_a_repository_is_deleted_once_whatever_is_lost(
    served: VendorWorld, repositories: GitHubRepositories
) -> None:
    repo = make_repo(served.github.world, "ada-7", "private")
    repo.description = f"Mine. {MARKER}"
    served.faults.add(Fault("github", "drop", "DELETE", after_effect=True))
    with pytest.raises(TemporaryError):
        repositories.delete("ada-7", MARKER)
    assert repositories.delete("ada-7", MARKER)
    assert "ada-7" not in served.github.repos


# ---------------------------------------------------------------------- lists


def test_more_than_a_page_of_teams_can_be_found(
    served: VendorWorld, repositories: GitHubRepositories
) -> None:
    assert len(served.github.world.teams) > 130
    assert len(repositories.search_teams("")) == 100
    assert [team.value for team in repositories.search_teams("team-129")] == ["team-129"]
    values = {choice.value for choice in repositories.search_reviewers("rev")}
    assert values == {"team:ml-reviewers"}
    assert {choice.value for choice in repositories.search_reviewers("ROSA")} == {"user:rosa"}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ('say "hi"', ["quotes"]),
        ("back\\slash", ["backslash"]),
        ("100%", ["percent"]),
        ("*", ["star"]),
        (".*", []),
        ("?", []),
        ("%", ["percent"]),
        ("straße", ["street"]),
        ("  star  ", ["star"]),
    ],
)
def test_a_query_means_what_it_says(
    served: VendorWorld, repositories: GitHubRepositories, query: str, found: list[str]
) -> None:
    for slug, name in {
        "quotes": 'We say "hi"',
        "backslash": "back\\slash",
        "percent": "100% Data",
        "star": "Star * Team",
        "street": "Straße",
    }.items():
        add_team(served, slug, name)
    assert [team.value for team in repositories.search_teams(query)] == found


@pytest.mark.parametrize("fault", ["drop", "delay"])
def test_an_old_list_is_shown_while_github_is_silent(
    served: VendorWorld, repositories: GitHubRepositories, fault: Kind
) -> None:
    before = repositories.search_teams("data")
    served.clock.advance(timedelta(hours=1))
    kind = served.faults.add(Fault("github", fault, "GET .*/teams", times=9, seconds=3))
    assert repositories.search_teams("data") == before
    assert kind.times < 9


def test_a_new_team_appears_within_a_minute(
    served: VendorWorld, repositories: GitHubRepositories
) -> None:
    assert repositories.search_teams("brand") == ()
    add_team(served, "brand-new", "Brand new")
    assert repositories.search_teams("brand") == ()
    served.clock.advance(timedelta(seconds=61))
    assert [team.value for team in repositories.search_teams("brand")] == ["brand-new"]


def test_without_any_list_silence_is_told(
    served: VendorWorld, repositories: GitHubRepositories
) -> None:
    served.faults.add(Fault("github", "drop", "GET .*/teams", times=9))
    with pytest.raises(TemporaryError, match="could not list the teams"):
        repositories.search_teams("data")
    served.faults.clear()
    assert repositories.search_teams("data")


def test_many_people_who_type_cost_one_list(
    served: VendorWorld, repositories: GitHubRepositories
) -> None:
    pages = served.faults.add(Fault("github", "delay", "GET .*/teams", times=99, seconds=0))
    search: Callable[[str], object] = repositories.search_teams
    with ThreadPoolExecutor(16) as pool:
        assert len(list(pool.map(search, ["team-1"] * 64))) == 64
    wait_until(lambda: pages.times < 99)
    assert 99 - pages.times == len(served.github.world.teams) // 100 + 1


def test_nothing_was_asked_that_github_does_not_describe(
    served: VendorWorld, repositories: GitHubRepositories
) -> None:
    repositories.search_reviewers("a")
    repositories.leftovers("ada-7", MARKER)
    assert repositories.team_members("data-science") >= {cast.ADA.github}
    assert served.github.violations == []
    assert served.github.unknown_calls == []
