"""How the adapter speaks to Databricks: logins, limits, refusals, threads, lists to choose from."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from made_project import SPEC, VendorWorld

from playground import cast
from playground.databricks.state import Group
from playground.faults import Fault, Kind
from provisioning.adapters.databricks import Accounts, DatabricksWorkspaces, Login
from provisioning.errors import PermanentError, TemporaryError
from provisioning.project import Environment, ProjectSpec


@pytest.fixture
def workspaces(served: VendorWorld) -> DatabricksWorkspaces:
    return served.workspaces


def add_group(served: VendorWorld, name: str) -> None:
    number = served.databricks.world.next_id()
    served.databricks.world.principals[number] = Group(id=number, display_name=name)


def names(workspaces: DatabricksWorkspaces, query: str) -> list[str]:
    return [choice.value for choice in workspaces.search_groups(query)]


def test_groups_exist_or_they_do_not(workspaces: DatabricksWorkspaces) -> None:
    assert workspaces.group_exists("aad-data-science", "gbx1")
    assert workspaces.group_exists("aad-data-science", "gbxpiil")
    for name in ("aad-data", "nobody", 'a" or displayName co "', "back\\slash", ""):
        assert not workspaces.group_exists(name, "gbx1")


def test_the_first_clients_may_be_those_of_several_threads() -> None:
    """The SDK's settings note their attributes at the first call, and are not safe until then."""
    code = (
        "import {}; from databricks.sdk.config import Config; print('_attributes' in vars(Config))"
    )
    for module, noted in {
        "databricks.sdk": "False",
        "provisioning.adapters.databricks": "True",
    }.items():
        done = subprocess.run(
            [sys.executable, "-c", code.format(module)], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == noted, module


def test_nothing_is_taken_in_an_empty_account(workspaces: DatabricksWorkspaces) -> None:
    assert workspaces.taken(SPEC) == ()
    assert workspaces.leftovers(SPEC, "sciclops:run-0123456789ab") == {}


def test_more_than_a_page_of_groups_can_be_found(workspaces: DatabricksWorkspaces) -> None:
    everything = names(workspaces, "")
    assert len(everything) == 100
    assert everything == sorted(everything)
    assert names(workspaces, "team-129") == ["aad-team-129"]
    assert names(workspaces, "OWNERS") == ["aad-data-owners"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ('say "hi"', ['We say "hi"']),
        ('"', ['We say "hi"']),
        ("back\\slash", ["back\\slash"]),
        ("\\", ["back\\slash"]),
        ("100%", ["100% Data"]),
        ("*", ["Star * Team"]),
        (".*", []),
        ('x" or displayName co "a', []),
        ("  star ", ["Star * Team"]),
    ],
)
def test_a_query_means_what_it_says(
    served: VendorWorld, workspaces: DatabricksWorkspaces, query: str, found: list[str]
) -> None:
    for name in ('We say "hi"', "back\\slash", "100% Data", "Star * Team"):
        add_group(served, name)
    assert names(workspaces, query) == found


@pytest.mark.parametrize("kind", ["drop", "delay"])
def test_earlier_answers_are_shown_while_databricks_is_silent(
    served: VendorWorld, workspaces: DatabricksWorkspaces, kind: Kind
) -> None:
    known = names(workspaces, "data")
    assert known == ["aad-data-owners", "aad-data-science"]
    served.faults.add(Fault("databricks", kind, "GET .*/Groups", times=99, seconds=3))
    assert names(workspaces, "data") == known
    assert names(workspaces, "data-sc") == ["aad-data-science"]


def test_without_any_earlier_answer_silence_is_told(
    served: VendorWorld, workspaces: DatabricksWorkspaces
) -> None:
    served.faults.add(Fault("databricks", "status", "GET .*/Groups", times=99, status=500))
    with pytest.raises(TemporaryError, match="could not search the account's groups"):
        workspaces.search_groups("data")


def test_a_new_group_is_found_at_once(
    served: VendorWorld, workspaces: DatabricksWorkspaces
) -> None:
    assert names(workspaces, "brand") == []
    add_group(served, "brand-new")
    assert names(workspaces, "brand") == ["brand-new"]


def test_a_wrong_secret_is_a_matter_for_the_platform_team(served: VendorWorld) -> None:
    login = Login(served.databricks.bot_client_id, "dose-of-nonsense")
    accounts = Accounts(login, served.context.accounts, served.context.workspaces, served.clock)
    with pytest.raises(PermanentError, match="platform team"):
        DatabricksWorkspaces(accounts).group_exists("aad-data-science", "gbx1")


def test_a_missing_right_is_named(served: VendorWorld, workspaces: DatabricksWorkspaces) -> None:
    bot = served.databricks.world.named(served.databricks.bot_client_id)
    assert bot is not None
    bot.roles.clear()
    with pytest.raises(PermanentError, match="does not let the bot find the group") as refused:
        workspaces.group_exists("aad-data-science", "gbx1")
    assert "Only a account admin can call this API" in str(refused.value)
    assert "Config" not in str(refused.value)


@pytest.mark.parametrize("status", [500, 502, 504])
def test_what_may_work_later_says_so(
    served: VendorWorld, workspaces: DatabricksWorkspaces, status: int
) -> None:
    assert workspaces.group_exists("aad-data-science", "gbx1")
    served.faults.add(Fault("databricks", "status", "GET .*/Groups", times=99, status=status))
    with pytest.raises(TemporaryError, match="could not find the group aad-data-science"):
        workspaces.group_exists("aad-data-science", "gbx1")


def test_nothing_is_taken_for_granted_while_databricks_is_silent(
    served: VendorWorld, workspaces: DatabricksWorkspaces
) -> None:
    served.faults.add(Fault("databricks", "status", "GET .*/schemas/", times=1, status=500))
    with pytest.raises(TemporaryError, match="could not look for what a project has"):
        workspaces.taken(SPEC)


def test_a_short_limit_is_waited_for(served: VendorWorld, workspaces: DatabricksWorkspaces) -> None:
    served.faults.add(Fault("databricks", "status", "GET .*/Groups", status=429, seconds=1))
    assert workspaces.group_exists("aad-data-science", "gbx1")


def test_a_long_limit_is_passed_on_as_a_wish(
    served: VendorWorld, workspaces: DatabricksWorkspaces
) -> None:
    limit = Fault("databricks", "status", "GET .*/Groups", times=9, status=429, seconds=30)
    served.faults.add(limit)
    with pytest.raises(TemporaryError) as stopped:
        workspaces.group_exists("aad-data-science", "gbx1")
    assert stopped.value.after == timedelta(seconds=30)


def test_each_client_is_made_once_for_all_threads(served: VendorWorld) -> None:
    asked = Fault(
        "databricks", "delay", "GET /.well-known/databricks-config", times=99, seconds=0.1
    )
    served.faults.add(asked)
    environments = [
        Environment(group=group, stage=stage, name="x")
        for group in cast.GROUPS
        for stage in cast.STAGES
    ]
    with ThreadPoolExecutor(32) as pool:
        clients = list(pool.map(served.accounts.workspace, environments * 4))
    assert len({id(client) for client in clients}) == len(environments)
    assert 99 - asked.times == len(environments)


def test_groups_that_share_an_account_are_looked_at_once(served: VendorWorld) -> None:
    assert served.accounts.distinct(("gbx2", "gbx1")) == ("gbx2",)
    spec = ProjectSpec(**{**SPEC.model_dump(), "workspace_groups": ("gbx1", "gbx2")})
    add_group(served, "sciclops-ada-7")
    assert served.workspaces.taken(spec) == ("account group sciclops-ada-7",)
    found = served.workspaces.leftovers(spec, "sciclops:run-0123456789ab")
    assert list(found) == ["module.account_gbx1.databricks_group.project"]


def test_threads_get_their_own_answers(workspaces: DatabricksWorkspaces) -> None:
    wanted = [f"aad-team-{number:03}" for number in range(1, 33)] * 4
    with ThreadPoolExecutor(32) as pool:
        assert list(pool.map(lambda name: names(workspaces, name), wanted)) == [
            [name] for name in wanted
        ]
