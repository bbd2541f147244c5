"""Who may do what, and what doing it leaves behind."""

import json
from collections.abc import Iterator

import pytest
import requests
from databricks.sdk.errors import (
    BadRequest,
    InvalidParameterValue,
    PermissionDenied,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
)
from databricks.sdk.service.catalog import PermissionsChange, Privilege, VolumeType
from databricks.sdk.service.compute import ClusterSpec
from databricks.sdk.service.iam import AccessControlRequest, PermissionLevel
from databricks.sdk.service.jobs import Task
from databricks.sdk.service.workspace import AclPermission
from databricks_standin import IN_ACCOUNT, Standin, running
from waiting import wait_until

from playground import cast
from playground.faults import Fault


@pytest.fixture
def standin() -> Iterator[Standin]:
    yield from running()


def give(standin: Standin, securable: str, principal: str, *privileges: Privilege) -> None:
    kind = ("catalog", "schema", "table")[securable.count(".")]
    change = PermissionsChange(principal=principal, add=list(privileges))
    standin.workspace().grants.update(kind, securable, changes=[change])


def test_the_cast_lives_here(standin: Standin) -> None:
    groups = {each.display_name for each in standin.account().groups.list()}
    assert set(cast.DATABRICKS_GROUPS) < groups
    assert {"aad-team-001", "aad-team-130"} < groups
    assert len(standin.databricks.hosts) == 16
    assert len(set(standin.databricks.hosts.values())) == 16
    tables = standin.workspace("production").tables.list("gbx1_prod", "loyalty")
    assert {each.name for each in tables} == set(cast.SHARED_DATA["loyalty"])


def test_groups_are_found_by_prefix_part_and_page(standin: Standin) -> None:
    groups = standin.account().groups
    assert len(list(groups.list(filter='displayName sw "aad-team-0"'))) == 99
    assert len(list(groups.list(filter='displayName co "own" or displayName eq "x"'))) == 1
    both = 'displayName sw "aad" and displayName co "platform"'
    assert [each.display_name for each in groups.list(filter=both)] == ["aad-platform"]
    page = standin.ask("GET", f"{IN_ACCOUNT}/scim/v2/Groups?startIndex=131&count=10").json()
    assert (page["totalResults"], page["itemsPerPage"]) == (133, 3)


def test_principals_may_share_a_name_but_secrets_are_at_most_five(standin: Standin) -> None:
    account = standin.account()
    twins = [account.service_principals_v2.create(display_name="twin") for _ in range(2)]
    assert twins[0].id != twins[1].id
    number = str(twins[0].id)
    for _ in range(5):
        account.service_principal_secrets.create(number)
    with pytest.raises(InvalidParameterValue):
        account.service_principal_secrets.create(number)
    listed = standin.ask(
        "GET", f"{IN_ACCOUNT}/servicePrincipals/{number}/credentials/secrets"
    ).json()
    assert len(listed["secrets"]) == 5
    assert not any("secret" in each for each in listed["secrets"])


def test_a_project_principal_reaches_only_what_it_was_given(standin: Standin) -> None:
    _, application_id, secret = standin.project_principal()
    mine = standin.workspace("development", application_id, secret)
    bot = standin.workspace()
    bot.schemas.create("ada7", "gbx1_dev")
    with pytest.raises(PermissionDenied, match="USE CATALOG"):
        mine.volumes.create("gbx1_dev", "ada7", "files", VolumeType.MANAGED)
    give(standin, "gbx1_dev", application_id, Privilege.USE_CATALOG)
    give(standin, "gbx1_dev.ada7", application_id, Privilege.ALL_PRIVILEGES)
    mine.volumes.create("gbx1_dev", "ada7", "files", VolumeType.MANAGED)
    with pytest.raises(PermissionDenied, match="CREATE SCHEMA"):
        mine.schemas.create("more", "gbx1_dev")
    with pytest.raises(PermissionDenied, match="USE CATALOG"):
        mine.schemas.create("ada7", "gbx2_dev")
    change = PermissionsChange(principal=application_id, add=[Privilege.MANAGE])
    with pytest.raises(PermissionDenied, match="MANAGE"):
        mine.grants.update("schema", "gbx1_dev.ada7", changes=[change])
    with pytest.raises(PermissionDenied):
        mine.cluster_policies.create(name="mine", definition="{}")
    with pytest.raises(PermissionDenied):
        list(standin.account(application_id, secret).workspaces.list())


def test_privileges_come_through_groups_and_from_above(standin: Standin) -> None:
    effective = standin.databricks.effective_privileges
    give(standin, "gbx1_prod", "aad-data-science", Privilege.USE_CATALOG)
    give(standin, "gbx1_prod.sales", "aad-data-science", Privilege.SELECT)
    stores = "gbx1_prod.sales.stores"
    assert effective(cast.ADA.email, stores) == {"BROWSE", "USE_CATALOG", "SELECT"}
    assert effective("aad-data-science", stores) >= {"SELECT"}
    assert effective(cast.SAM.email, stores) == {"BROWSE"}
    assert effective("nobody", stores) == set()
    answer = standin.workspace().grants.get_effective("table", stores, principal="aad-data-science")
    entries = (answer.privilege_assignments or [])[0].privileges or []
    assert [(each.privilege, each.inherited_from_name) for each in entries] == [
        (Privilege.SELECT, "gbx1_prod.sales"),
        (Privilege.USE_CATALOG, "gbx1_prod"),
    ]


def test_privileges_written_with_spaces_are_answered_with_underscores(standin: Standin) -> None:
    path = "/api/2.1/unity-catalog/permissions/catalog/gbx1_dev"
    change = {"principal": "aad-data-science", "add": ["USE CATALOG", "ALL PRIVILEGES"]}
    answer = standin.ask("PATCH", path, {"changes": [change]}, stage="development").json()
    mine = next(e for e in answer["privilege_assignments"] if e["principal"] == "aad-data-science")
    assert mine["privileges"] == ["ALL_PRIVILEGES", "USE_CATALOG"]


def test_a_reader_without_management_sees_own_grants_only(standin: Standin) -> None:
    give(standin, "gbx1_dev", cast.ADA.email, Privilege.USE_CATALOG)
    seen = standin.person(cast.ADA.email).grants.get("catalog", "gbx1_dev").privilege_assignments
    assert {each.principal for each in seen or []} == {cast.ADA.email, "account users"}


def test_browsing_shows_that_data_exists_but_only_when_asked(standin: Standin) -> None:
    ada = standin.person(cast.ADA.email, "production")
    with pytest.raises(PermissionDenied):
        ada.tables.get("gbx1_prod.sales.stores")
    assert ada.tables.get("gbx1_prod.sales.stores", include_browse=True).browse_only
    assert list(ada.catalogs.list()) == []
    assert len(list(ada.catalogs.list(include_browse=True))) == 16


def test_a_schema_that_holds_something_goes_only_by_force(standin: Standin) -> None:
    bot = standin.workspace()
    bot.schemas.create("ada7", "gbx1_dev")
    bot.volumes.create("gbx1_dev", "ada7", "files", VolumeType.MANAGED)
    with pytest.raises(BadRequest, match="is not empty"):
        bot.schemas.delete("gbx1_dev.ada7")
    bot.schemas.delete("gbx1_dev.ada7", force=True)
    assert "gbx1_dev.ada7" not in standin.databricks.schemas


def test_renaming_a_schema_takes_its_volumes_along(standin: Standin) -> None:
    bot = standin.workspace()
    bot.schemas.create("ada7", "gbx1_dev")
    bot.volumes.create("gbx1_dev", "ada7", "files", VolumeType.MANAGED)
    bot.schemas.update("gbx1_dev.ada7", new_name="ada8")
    assert bot.volumes.read("gbx1_dev.ada8.files").schema_name == "ada8"


def test_a_policy_is_usable_by_those_who_were_let_in_only(standin: Standin) -> None:
    _, application_id, secret = standin.project_principal()
    mine, bot = standin.workspace("development", application_id, secret), standin.workspace()
    policy_id = str(bot.cluster_policies.create(name="ada-7", definition="{}").policy_id)
    task = Task(task_key="main", new_cluster=ClusterSpec(policy_id=policy_id))
    with pytest.raises(PermissionDenied, match="not authorized to use cluster policy"):
        mine.jobs.create(name="nightly", tasks=[task])
    assert list(mine.cluster_policies.list()) == []
    use = AccessControlRequest(
        service_principal_name=application_id, permission_level=PermissionLevel.CAN_USE
    )
    bot.permissions.set("cluster-policies", policy_id, access_control_list=[use])
    assert mine.jobs.create(name="nightly", tasks=[task]).job_id
    assert [each.policy_id for each in mine.cluster_policies.list()] == [policy_id]
    bot.permissions.set("cluster-policies", policy_id, access_control_list=[])
    with pytest.raises(PermissionDenied):
        mine.cluster_policies.get(policy_id)


def test_secret_scopes_obey_their_access_lists_even_for_admins(standin: Standin) -> None:
    _, application_id, secret = standin.project_principal()
    mine, bot = standin.workspace("development", application_id, secret), standin.workspace()
    bot.secrets.create_scope("ada-7")
    bot.secrets.put_secret("ada-7", "KEY", string_value="value")
    with pytest.raises(PermissionDenied):
        mine.secrets.get_secret("ada-7", "KEY")
    bot.secrets.put_acl("ada-7", application_id, AclPermission.READ)
    assert mine.secrets.get_secret("ada-7", "KEY").value
    with pytest.raises(PermissionDenied):
        mine.secrets.put_secret("ada-7", "KEY", string_value="other")
    bot.secrets.delete_acl("ada-7", standin.databricks.bot_client_id)
    with pytest.raises(PermissionDenied):
        bot.secrets.delete_scope("ada-7")


def test_a_manager_of_a_principal_may_renew_its_secrets(standin: Standin) -> None:
    number, application_id, _ = standin.project_principal()
    ada = standin.person(cast.ADA.email)
    with pytest.raises(PermissionDenied):
        ada.service_principal_secrets_proxy.create(str(number))
    name = f"accounts/{cast.DATABRICKS_ACCOUNT_ID}/servicePrincipals/{application_id}"
    path = f"/api/2.0/preview/accounts/{cast.DATABRICKS_ACCOUNT_ID}/access-control/rule-sets"
    name += "/ruleSets/default"
    etag = standin.ask("GET", f"{path}?name={name}").json()["etag"]
    rule = {"role": "roles/servicePrincipal.manager", "principals": ["groups/aad-data-science"]}
    rule_set = {"name": name, "etag": etag, "grant_rules": [rule]}
    assert standin.ask("PUT", path, {"name": name, "rule_set": rule_set}).ok
    assert ada.service_principal_secrets_proxy.create(str(number)).secret


def test_a_deleted_principal_leaves_nothing_behind(standin: Standin) -> None:
    number, application_id, _ = standin.project_principal()
    give(standin, "gbx1_dev", application_id, Privilege.USE_CATALOG)
    standin.account().service_principals_v2.delete(str(number))
    assert application_id not in str(standin.databricks.snapshot())
    assert str(number) not in str(standin.databricks.snapshot())
    with pytest.raises(ResourceDoesNotExist):
        list(standin.account().service_principal_secrets.list(str(number)))


def test_the_snapshot_holds_no_secret(standin: Standin) -> None:
    bot = standin.workspace()
    bot.secrets.create_scope("ada-7")
    bot.secrets.put_secret("ada-7", "KEY", string_value="canary-value")
    shown = str(standin.databricks.snapshot())
    assert "KEY" in shown
    assert "canary-value" not in shown
    assert standin.databricks.bot_client_secret not in shown


def test_the_snapshot_calls_principals_by_their_names(standin: Standin) -> None:
    standin.workspace().secrets.create_scope("ada-7")
    shown = json.loads(json.dumps(standin.databricks.snapshot()))
    scopes = [scope for each in shown["workspaces"] for scope in each["secret_scopes"]]
    assert [scope["acls"] for scope in scopes] == [{"sciclops-bot": "MANAGE"}]


def test_too_many_requests_are_told_when_to_come_back(standin: Standin) -> None:
    token = standin.bot_token("development")
    standin.databricks.throttle.per_second = 3
    me = "/api/2.0/preview/scim/v2/Me"

    def ask() -> requests.Response:
        return standin.ask("GET", me, stage="development", token=token)

    answers = [ask() for _ in range(12)]
    refused = [each for each in answers if each.status_code == 429]
    assert refused
    assert refused[0].headers["Retry-After"] == "1"
    assert refused[0].json()["error_code"] == "REQUEST_LIMIT_EXCEEDED"
    standin.advance(seconds=1)
    assert ask().ok


def test_injected_faults_strike_here_too(standin: Standin) -> None:
    standin.faults.add(Fault("databricks", "status", "GET .*/scim/v2/Me", status=503))
    me = "/api/2.0/preview/scim/v2/Me"
    token = standin.bot_token("development")
    codes = [standin.ask("GET", me, stage="development", token=token).status_code for _ in "ab"]
    assert codes == [503, 200]


def test_what_a_caller_that_died_has_asked_for_is_done_where_they_asked(standin: Standin) -> None:
    standin.faults.add(Fault("databricks", "delay", "POST .*/scopes/create", seconds=0.3))
    host = standin.databricks.hosts["gbx1", "development"]
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            f"{host}/api/2.0/secrets/scopes/create",
            json={"scope": "ada-7"},
            headers={"Authorization": f"Bearer {standin.bot_token('development')}"},
            timeout=0.05,
        )
    scopes = standin.databricks.workspace("gbx1", "development").scopes
    wait_until(lambda: "ada-7" in scopes)
    assert standin.databricks.unknown_calls == []


def test_writes_are_announced_and_reads_are_not(standin: Standin) -> None:
    changes: list[str] = []
    standin.databricks.on_change = lambda: changes.append("changed")
    bot = standin.workspace()
    list(bot.catalogs.list())
    assert changes == []
    bot.secrets.create_scope("ada-7")
    assert changes == ["changed"]
    with pytest.raises(ResourceAlreadyExists):
        bot.secrets.create_scope("ada-7")
    assert changes == ["changed"]


@pytest.mark.parametrize(
    ("path", "stage"),
    [
        ("/api/2.0/preview/scim/v2/Me", "development"),
        ("/api/2.1/unity-catalog/schemas?catalog_name=gbx1_prod", "production"),
        (f'{IN_ACCOUNT}/scim/v2/Groups?filter=displayName eq "aad-platform"', ""),
        ("/api/2.1/unity-catalog/permissions/catalog/gbx1_dev", "development"),
    ],
)
def test_a_call_takes_milliseconds(standin: Standin, path: str, stage: str) -> None:
    token = standin.bot_token(stage)
    standin.ask("GET", path, stage=stage, token=token)
    began = standin.server_seconds()
    for _ in range(30):
        assert standin.ask("GET", path, stage=stage, token=token).ok
    assert (standin.server_seconds() - began) / 30 < 0.003


def test_an_injected_limit_looks_like_databricks(standin: Standin) -> None:
    standin.faults.add(Fault("databricks", "status", "GET .*/Me", status=429, seconds=3))
    token = standin.bot_token("development")
    refused = standin.ask("GET", "/api/2.0/preview/scim/v2/Me", stage="development", token=token)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3")
    assert set(refused.json()) == {"error_code", "message"}
    assert refused.json()["error_code"] == "REQUEST_LIMIT_EXCEEDED"
