"""Each fact about Databricks, broken alone, is found by its own check, with its remedy."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from doctor_patient import Patient, changed, only, patient
from pydantic import SecretStr

from playground.databricks.state import Group, Securable, ServicePrincipal
from playground.faults import Fault
from provisioning.diagnosis import Verdict

__all__ = ["patient"]
DATABRICKS = "Databricks"
ACCOUNT = "account of gbx1"


def bot(patient: Patient) -> ServicePrincipal:
    """Return the bot's service principal."""
    return patient.world.databricks._bot


def catalog(patient: Patient, name: str = "gbx1_prod") -> Securable:
    """Return a catalog."""
    return patient.world.databricks.world.securables["CATALOG", name]


@contextmanager
def rights(patient: Patient, name: str, *granted: str) -> Iterator[None]:
    """Let the bot have these rights on a catalog, and no others."""
    with changed(catalog(patient, name).grants, bot(patient).id, set(granted)):
        yield


def test_all_is_well(patient: Patient) -> None:
    assert patient.wrong(DATABRICKS) == {}
    assert patient.world.databricks.unknown_calls == []


# The account -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "different", [{"client_secret": SecretStr("dose-wrong")}, {"client_id": "x"}]
)
def test_a_wrong_login(patient: Patient, different: dict[str, object]) -> None:
    settings = patient.with_("databricks", **different)
    said = only(patient.wrong(DATABRICKS, settings), f"{ACCOUNT}: login")
    assert "SCICLOPS__DATABRICKS__CLIENT_SECRET" in said
    assert "databricks.client_id" in said
    assert "dose-wrong" not in said


def test_another_account(patient: Patient) -> None:
    settings = patient.with_account(account_id="11111111-2222-3333-4444-555555555555")
    said = only(patient.wrong(DATABRICKS, settings), f"{ACCOUNT}: reachable")
    assert "workspace_groups.gbx1" in said
    assert "account_id" in said


def test_nobody_answers_at_the_accounts_host(patient: Patient) -> None:
    settings = patient.with_account(account_host="http://127.0.0.1:9")
    said = only(patient.wrong(DATABRICKS, settings), f"{ACCOUNT}: reachable")
    assert "account_host" in said


def test_the_bot_is_no_account_admin(patient: Patient) -> None:
    with changed(bot(patient), "roles", set()):
        said = only(patient.wrong(DATABRICKS), f"{ACCOUNT}: account admin")
    assert "Account admin" in said


@pytest.mark.parametrize(
    ("authentication", "path", "check"),
    [
        ("oidc", "GET .*/federationPolicies", "federation policies"),
        ("secret", "GET .*/credentials/secrets", "OAuth secrets"),
    ],
)
def test_a_way_to_log_in_that_the_bot_may_not_provide(
    patient: Patient, authentication: str, path: str, check: str
) -> None:
    settings = patient.with_("databricks", authentication=authentication)
    assert patient.wrong(DATABRICKS, settings) == {}
    patient.world.faults.add(Fault("databricks", "status", path, status=403))
    said = only(patient.wrong(DATABRICKS, settings), f"{ACCOUNT}: {check}")
    assert "databricks.authentication" in said
    assert "Account admin" in said


# A workspace -----------------------------------------------------------------------------------


def test_nobody_answers_at_a_workspaces_host(patient: Patient) -> None:
    settings = patient.with_stage("testing", host="http://127.0.0.1:9")
    said = only(patient.wrong(DATABRICKS, settings), "gbx1 testing: reachable")
    assert "workspace_groups.gbx1.stages.testing.host" in said


def test_the_host_of_something_else(patient: Patient) -> None:
    settings = patient.with_stage("testing", host=patient.world.github.root)
    said = only(patient.wrong(DATABRICKS, settings), "gbx1 testing: reachable")
    assert "not as Databricks" in said


def test_the_bot_is_not_in_the_workspace(patient: Patient) -> None:
    workspace = patient.world.databricks.workspace("gbx1", "staging")
    others = {who: level for who, level in workspace.assignments.items() if who != bot(patient).id}
    with changed(workspace, "assignments", others):
        said = only(patient.wrong(DATABRICKS), "gbx1 staging: login")
    assert "add the bot's service principal" in said


def test_the_bot_is_no_workspace_admin(patient: Patient) -> None:
    workspace = patient.world.databricks.workspace("gbx1", "staging")
    with changed(workspace.assignments, bot(patient).id, "USER"):
        said = only(patient.wrong(DATABRICKS), "gbx1 staging: workspace admin")
    assert "Admin" in said


def test_another_workspace_than_the_settings_mean(patient: Patient) -> None:
    settings = patient.with_stage("testing", workspace_id=42)
    said = only(patient.wrong(DATABRICKS, settings), "gbx1 testing: workspace id")
    assert str(patient.world.databricks.workspace("gbx1", "testing").id) in said
    assert "workspace_groups.gbx1.stages.testing.workspace_id" in said


def test_a_catalog_that_does_not_exist(patient: Patient) -> None:
    settings = patient.with_stage("testing", catalog="gbx1_tset")
    said = only(patient.wrong(DATABRICKS, settings), "gbx1 testing: catalog")
    assert "workspace_groups.gbx1.stages.testing.catalog" in said


@pytest.mark.parametrize("right", ["USE_CATALOG", "CREATE_SCHEMA", "MANAGE"])
def test_a_right_that_the_bot_lacks_on_a_catalog(patient: Patient, right: str) -> None:
    others = {"USE_CATALOG", "USE_SCHEMA", "CREATE_SCHEMA", "MANAGE"} - {right}
    with rights(patient, "gbx1_prod", *others):
        said = only(patient.wrong(DATABRICKS), "gbx1 production: catalog")
    assert f"lacks {right} on catalog gbx1_prod" in said
    client = patient.settings.databricks.client_id
    statement = f"GRANT {right.replace('_', ' ')} ON CATALOG `gbx1_prod` TO `{client}`"
    assert statement in said


def test_all_privileges_do_not_hold_manage(patient: Patient) -> None:
    with rights(patient, "gbx1_dev", "ALL_PRIVILEGES"):
        said = only(patient.wrong(DATABRICKS), "gbx1 development: catalog")
        assert "lacks MANAGE on" in said
    with rights(patient, "gbx1_dev", "ALL_PRIVILEGES", "MANAGE"):
        assert patient.wrong(DATABRICKS) == {}


def test_who_owns_a_catalog_needs_no_right_on_it(patient: Patient) -> None:
    with (
        rights(patient, "gbx1_dev"),
        changed(catalog(patient, "gbx1_dev"), "owner", bot(patient).application_id),
    ):
        assert patient.wrong(DATABRICKS) == {}


def test_a_group_may_hold_the_bots_rights(patient: Patient) -> None:
    world = patient.world.databricks.world
    robots = Group(world.next_id(), "robots", members={bot(patient).id})
    needed = {"USE_CATALOG", "CREATE_SCHEMA", "MANAGE"}
    with (
        changed(world.principals, robots.id, robots),
        rights(patient, "gbx1_dev"),
        changed(catalog(patient, "gbx1_dev").grants, robots.id, needed),
    ):
        assert patient.wrong(DATABRICKS) == {}


def test_a_policy_family_that_does_not_exist(patient: Patient) -> None:
    settings = patient.with_stage("testing", policy_family="job-clutter")
    said = only(patient.wrong(DATABRICKS, settings), "gbx1 testing: policy family")
    assert "job-cluster, personal-vm" in said


def test_a_workspace_without_a_metastore(patient: Patient) -> None:
    fault = Fault("databricks", "status", "current-metastore-assignment", status=404)
    patient.world.faults.add(fault)
    (name,) = found = patient.wrong(DATABRICKS)
    assert name.endswith(": metastore")
    assert "assign this workspace" in only(found, name)


def test_a_silent_workspace_hides_no_other(patient: Patient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        host = f"http://127.0.0.1:{mute.getsockname()[1]}"
        settings = patient.with_stage("testing", host=host)
        found = patient.wrong(DATABRICKS, settings, seconds=5)
    assert "no answer within 5 s" in only(found, "gbx1 testing: reachable")


def test_a_vendor_in_trouble_is_told_as_such(patient: Patient) -> None:
    fault = Fault("databricks", "status", "policy-families", times=9, status=503)
    patient.world.faults.add(fault)
    try:
        found = patient.wrong(DATABRICKS)
    finally:
        patient.world.faults.clear()
    assert {name.partition(": ")[2] for name in found} == {"policy family"}


# Data ------------------------------------------------------------------------------------------


def data(patient: Patient, securable: str) -> dict[str, Verdict]:
    """Return what is wrong when only this may be requested."""
    entry = patient.settings.data[0].model_copy(update={"securable": securable})
    settings = patient.settings.model_copy(update={"data": (entry,)})
    return patient.wrong(DATABRICKS, settings)


@pytest.mark.parametrize(
    "securable", ["gbx1_prod", "gbx1_prod.sales", "gbx1_prod.sales.transactions"]
)
def test_a_catalog_a_schema_or_a_table_may_be_requested(patient: Patient, securable: str) -> None:
    assert data(patient, securable) == {}


@pytest.mark.parametrize("securable", ["gbx1_prod.slaes", "gbx1_prod.sales.receipts"])
def test_data_that_does_not_exist(patient: Patient, securable: str) -> None:
    said = only(data(patient, securable), f"data {securable}")
    assert "[[data]]" in said


def test_a_table_behind_a_closed_schema(patient: Patient) -> None:
    table = "gbx1_prod.sales.transactions"
    with rights(patient, "gbx1_prod", "USE_CATALOG", "CREATE_SCHEMA", "MANAGE"):
        said = only(data(patient, table), f"data {table}")
    assert "lacks USE_SCHEMA" in said
