"""What the stand-in refuses, with the vendor's status and error body; refusals change nothing."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from databricks_standin import ACCOUNT, IN_ACCOUNT, Standin, running

from playground.databricks.server import ROUTES

SCIM = f"{IN_ACCOUNT}/scim/v2"
UC = "/api/2.1/unity-catalog"
POLICIES = "/api/2.0/policies/clusters"
SECRETS = "/api/2.0/secrets"
RULES = f"/api/2.0/preview/accounts/{ACCOUNT}/access-control/rule-sets"
BUDGETS = f"/api/2.1/accounts/{ACCOUNT}/budget-policies"
DEV = "development"


@pytest.fixture(scope="module")
def standin() -> Iterator[Standin]:
    """One stand-in for all: nothing here may change it. `ada7` exists, with a volume."""
    for standin in running():
        furnish(standin)
        yield standin


@pytest.fixture
def scratch() -> Iterator[Standin]:
    """One of its own for a test that may change it."""
    for standin in running():
        furnish(standin)
        yield standin


def furnish(standin: Standin) -> None:
    bot = standin.workspace(DEV)
    bot.schemas.create("ada7", "gbx1_dev")
    standin.ask("POST", f"{UC}/volumes", stage=DEV, body={
        "catalog_name": "gbx1_dev", "schema_name": "ada7", "name": "files",
        "volume_type": "MANAGED"})  # fmt: skip
    bot.secrets.create_scope("taken")
    bot.cluster_policies.create(name="taken", definition="{}")
    standin.account().service_principals_v2.create(display_name="outsider")


def made(standin: Standin, name: str) -> Any:
    return next(each for each in standin.databricks.principals if each.display_name == name)


def definition(rules: Any) -> dict[str, str]:
    return {"name": "new", "definition": rules if isinstance(rules, str) else json.dumps(rules)}


SCIM_REFUSALS = [
    ("POST", "/Groups", {"displayName": "AAD-platform"}, 409, "already exists"),
    ("POST", "/Groups", {"displayName": ""}, 400, "required"),
    ("POST", "/Groups", {"displayName": "x", "members": [{"value": "5"}]}, 404, "not found"),
    ("POST", "/Users", {"userName": "ada@acme.example"}, 409, "already exists"),
    ("POST", "/Users", {"userName": "ada"}, 400, "email"),
    ("POST", "/ServicePrincipals", {}, 400, "required"),
    ("GET", "/ServicePrincipals/5", None, 404, "not found"),
    ("GET", "/Groups/abc", None, 404, "not found"),
    ("DELETE", "/Users/5", None, 404, "not found"),
    ("GET", '/Groups?filter=displayName like "x"', None, 400, "filter"),
    ("GET", '/Groups?filter=colour eq "x"', None, 400, "filter"),
    ("GET", "/Groups?startIndex=x", None, 400, "startIndex"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "detail"), SCIM_REFUSALS)
def test_scim_refuses_in_its_own_format(
    standin: Standin, method: str, path: str, body: Any, status: int, detail: str
) -> None:
    before = standin.databricks.snapshot()
    answer = standin.ask(method, SCIM + path, body)
    assert (answer.status_code, answer.json()["status"]) == (status, str(status))
    assert answer.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert detail in answer.json()["detail"]
    assert standin.databricks.snapshot() == before


@pytest.mark.parametrize(
    "operations",
    [
        [],
        [{"op": "move", "path": "displayName", "value": "x"}],
        [{"op": "replace", "path": "userName", "value": "x"}],
        [{"op": "replace", "path": "roles", "value": [{"value": "king"}]}],
        [
            {"op": "replace", "path": "displayName", "value": "half done"},
            {"op": "replace", "path": "active", "value": "perhaps"},
        ],
    ],
)
def test_a_refused_patch_changes_nothing_at_all(standin: Standin, operations: Any) -> None:
    before = standin.databricks.snapshot()
    path = f"{SCIM}/ServicePrincipals/{made(standin, 'outsider').id}"
    assert standin.ask("PATCH", path, {"Operations": operations}).status_code == 400
    assert standin.databricks.snapshot() == before


INVALID, MISSING = "INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"
WORKSPACE_REFUSALS = [
    ("POST", f"{POLICIES}/create", definition("{"), 400, INVALID),
    ("POST", f"{POLICIES}/create", definition([]), 400, INVALID),
    ("POST", f"{POLICIES}/create", definition({"colour": {"type": "unlimited"}}), 400, INVALID),
    ("POST", f"{POLICIES}/create", definition({"num_workers": {"type": "odd"}}), 400, INVALID),
    ("POST", f"{POLICIES}/create", definition({"num_workers": {"type": "fixed"}}), 400, INVALID),
    ("POST", f"{POLICIES}/create", definition({"num_workers": 4}), 400, INVALID),
    ("POST", f"{POLICIES}/create", {"name": "x" * 101}, 400, INVALID),
    ("POST", f"{POLICIES}/create", {"name": "taken"}, 400, "RESOURCE_ALREADY_EXISTS"),
    ("POST", f"{POLICIES}/create", {"name": "n", "policy_family_id": "no"}, 404, MISSING),
    ("POST", f"{POLICIES}/create",
     {"name": "n", "policy_family_id": "job-cluster", "definition": "{}"}, 400, INVALID),
    ("POST", f"{POLICIES}/edit", {"policy_id": "no", "name": "n"}, 404, MISSING),
    ("GET", f"{POLICIES}/get?policy_id=no", None, 404, MISSING),
    ("GET", "/api/2.0/policy-families/no", None, 404, MISSING),
    ("GET", "/api/2.0/permissions/cluster-policies/no", None, 404, MISSING),
    ("POST", f"{SECRETS}/scopes/create", {"scope": "taken"}, 400, "RESOURCE_ALREADY_EXISTS"),
    ("POST", f"{SECRETS}/scopes/create", {"scope": "x" * 129}, 400, INVALID),
    ("POST", f"{SECRETS}/scopes/create", {"scope": "a b"}, 400, INVALID),
    ("POST", f"{SECRETS}/scopes/create", {}, 400, INVALID),
    ("POST", f"{SECRETS}/scopes/delete", {"scope": "no"}, 404, MISSING),
    ("POST", f"{SECRETS}/put", {"scope": "no", "key": "k", "string_value": ""}, 404, MISSING),
    ("POST", f"{SECRETS}/put", {"scope": "taken", "key": "k"}, 400, "MALFORMED_REQUEST"),
    ("POST", f"{SECRETS}/put", {"scope": "taken", "key": "k", "bytes_value": "ü"}, 400, INVALID),
    ("POST", f"{SECRETS}/put",
     {"scope": "taken", "key": "k", "string_value": "x" * 131_073}, 400, INVALID),
    ("GET", f"{SECRETS}/get?scope=taken&key=no", None, 404, MISSING),
    ("POST", f"{SECRETS}/acls/put",
     {"scope": "taken", "principal": "nobody", "permission": "READ"}, 400, INVALID),
    ("POST", f"{SECRETS}/acls/put",
     {"scope": "taken", "principal": "users", "permission": "OWN"}, 400, INVALID),
    ("GET", f"{SECRETS}/acls/get?scope=taken&principal=no", None, 404, MISSING),
    ("POST", f"{UC}/schemas", {"catalog_name": "no", "name": "x"}, 404, "CATALOG_DOES_NOT_EXIST"),
    ("POST", f"{UC}/schemas",
     {"catalog_name": "gbx1_dev", "name": "ADA7"}, 400, "SCHEMA_ALREADY_EXISTS"),
    ("POST", f"{UC}/schemas", {"catalog_name": "gbx1_dev", "name": "a.b"}, 400, INVALID),
    ("GET", f"{UC}/schemas/gbx1_dev.no", None, 404, "SCHEMA_DOES_NOT_EXIST"),
    ("DELETE", f"{UC}/schemas/gbx1_dev.ada7", None, 400, "INVALID_STATE"),
    ("PATCH", f"{UC}/schemas/gbx1_dev.ada7", {"owner": "nobody"}, 404, "PRINCIPAL_DOES_NOT_EXIST"),
    ("POST", f"{UC}/volumes",
     {"catalog_name": "gbx1_dev", "schema_name": "ada7", "name": "v", "volume_type": "EXTERNAL"},
     400, INVALID),
    ("GET", f"{UC}/tables/gbx1_prod.sales.no", None, 404, "TABLE_DOES_NOT_EXIST"),
    ("GET", f"{UC}/permissions/colour/gbx1_dev", None, 400, INVALID),
    ("GET", f"{UC}/permissions/catalog/no", None, 404, "CATALOG_DOES_NOT_EXIST"),
    ("GET", f"{UC}/permissions/catalog/gbx1_dev?max_results=5", None, 400, INVALID),
    ("POST", "/api/2.2/jobs/create", {"tasks": [{"description": "x"}]}, 400, INVALID),
    ("GET", "/api/2.2/jobs/get?job_id=5", None, 400, INVALID),
    ("POST", "/api/2.0/token/create", {"lifetime_seconds": -1}, 400, INVALID),
    ("PUT", "/api/2.0/preview/permissionassignments/principals/5",
     {"permissions": ["USER"]}, 404, MISSING),
    ("GET", "/api/2.0/no/such/thing", None, 404, "ENDPOINT_NOT_FOUND"),
    ("GET", f"{IN_ACCOUNT}/workspaces", None, 404, "ENDPOINT_NOT_FOUND"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), WORKSPACE_REFUSALS)
def test_a_workspace_refuses(
    standin: Standin, method: str, path: str, body: Any, status: int, code: str
) -> None:
    before = standin.databricks.snapshot()
    answer = standin.ask(method, path, body, stage=DEV)
    assert (answer.status_code, answer.json()["error_code"]) == (status, code), answer.text
    assert answer.json()["message"]
    assert standin.databricks.snapshot() == before


@pytest.mark.parametrize(
    ("principal", "privilege", "status", "code"),
    [
        ("nobody", "USE_SCHEMA", 404, "PRINCIPAL_DOES_NOT_EXIST"),
        ("outsider", "USE_SCHEMA", 404, "PRINCIPAL_DOES_NOT_EXIST"),
        ("aad-platform", "USE_EVERYTHING", 400, INVALID),
        ("aad-platform", "CREATE_SCHEMA", 400, INVALID),
    ],
)
def test_bad_grants_are_refused(
    standin: Standin, principal: str, privilege: str, status: int, code: str
) -> None:
    before = standin.databricks.snapshot()
    good = {"principal": "aad-data-science", "add": ["USE_SCHEMA"]}
    changes = [good, {"principal": principal, "add": [privilege]}]
    path = f"{UC}/permissions/schema/gbx1_dev.ada7"
    answer = standin.ask("PATCH", path, {"changes": changes}, stage=DEV)
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)
    assert standin.databricks.snapshot() == before


def test_the_account_refuses_bad_federation_policies(standin: Standin) -> None:
    number = made(standin, "outsider").id
    base = f"{IN_ACCOUNT}/servicePrincipals/{number}/federationPolicies"
    good = {"issuer": "https://idp.example", "subject": "me"}
    for oidc in ({"issuer": "http://idp.example", "subject": "me"}, {"subject": "me"},
                 {"issuer": "https://idp.example"}, good | {"audiences": [""]},
                 good | {"jwks_uri": "https://x", "jwks_json": "{}"}):  # fmt: skip
        assert standin.ask("POST", base, {"oidc_policy": oidc}).json()["error_code"] == INVALID
    for policy_id in ("Upper", "under_score", "x" * 88):
        answer = standin.ask("POST", f"{base}?policy_id={policy_id}", {"oidc_policy": good})
        assert "Must contain only 0-9, a-z, and hyphen" in answer.json()["message"]
    assert standin.ask("GET", f"{base}/no").json()["error_code"] == MISSING
    by_uuid = base.replace(str(number), made(standin, "outsider").application_id)
    assert standin.ask("POST", by_uuid, {"oidc_policy": good}).json()["error_code"] == INVALID


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"etag": "b2xk"}, 409, "RESOURCE_CONFLICT"),
        ({"etag": ""}, 400, INVALID),
        ({"name": "another"}, 400, INVALID),
        ({"grant_rules": [{"role": "roles/king"}]}, 400, INVALID),
        ({"grant_rules": [{"role": "roles/servicePrincipal.user",
                           "principals": ["groups/"]}]}, 400, INVALID),
        ({"grant_rules": [{"role": "roles/servicePrincipal.user",
                           "principals": ["groups/nobody"]}]}, 404, MISSING),
    ],
)  # fmt: skip
def test_bad_rule_sets_are_refused(standin: Standin, change: Any, status: int, code: str) -> None:
    application_id = made(standin, "outsider").application_id
    name = f"accounts/{ACCOUNT}/servicePrincipals/{application_id}/ruleSets/default"
    current = standin.ask("GET", f"{RULES}?name={name}").json()
    body = {"name": name, "rule_set": current | change}
    answer = standin.ask("PUT", RULES, body)
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)
    if status == 409:
        assert answer.json()["details"][0]["metadata"]["etag"] == current["etag"]


@pytest.mark.parametrize(
    "name", ["", "accounts/x/ruleSets/default", f"accounts/{ACCOUNT}/clouds/1/ruleSets/default"]
)
def test_rule_sets_of_nothing_are_refused(standin: Standin, name: str) -> None:
    assert standin.ask("GET", f"{RULES}?name={name}").json()["error_code"] == INVALID


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        ({}, INVALID),
        ({"policy_name": "p", "binding_workspace_ids": [5]}, INVALID),
        ({"policy_name": "p", "custom_tags": [{"key": "a"}, {"key": "a"}]}, INVALID),
    ],
)
def test_bad_budget_policies_are_refused(standin: Standin, policy: Any, code: str) -> None:
    assert standin.ask("POST", BUDGETS, {"policy": policy}).json()["error_code"] == code


@pytest.mark.parametrize("lifetime", ["0s", "63072001s", "a year", "-5s"])
def test_bad_secret_lifetimes_are_refused(standin: Standin, lifetime: str) -> None:
    number = made(standin, "outsider").id
    path = f"{IN_ACCOUNT}/servicePrincipals/{number}/credentials/secrets"
    assert standin.ask("POST", path, {"lifetime": lifetime}).json()["error_code"] == INVALID


def test_another_accounts_path_is_refused(standin: Standin) -> None:
    answer = standin.ask("GET", "/api/2.0/accounts/somebody-elses/workspaces")
    assert (answer.status_code, answer.json()["error_code"]) == (403, "PERMISSION_DENIED")


def test_permissions_need_people_of_the_workspace(standin: Standin) -> None:
    policy = next(iter(standin.databricks.workspace("gbx1", DEV).policies))
    path = f"/api/2.0/permissions/cluster-policies/{policy}"
    outsider = made(standin, "outsider").application_id
    for entry, status in (
        ({"service_principal_name": outsider, "permission_level": "CAN_USE"}, 404),
        ({"group_name": "aad-team-001", "permission_level": "CAN_USE"}, 404),
        ({"group_name": "aad-platform", "permission_level": "CAN_FLY"}, 400),
        ({"permission_level": "CAN_USE"}, 400),
    ):
        answer = standin.ask("PUT", path, {"access_control_list": [entry]}, stage=DEV)
        assert answer.status_code == status, answer.text


def test_calls_that_nobody_serves_are_kept(standin: Standin) -> None:
    standin.ask("POST", "/api/2.0/clusters/create", {}, stage=DEV)
    assert "POST /api/2.0/clusters/create" in standin.databricks.unknown_calls


FIELDS = (
    "Operations", "access_control_list", "applicationId", "application_id", "binding_workspace_ids",
    "bytes_value", "catalog_name", "changes", "comment", "custom_tags", "definition", "displayName",
    "entitlements", "externalId", "grant_rules", "job_clusters", "job_id", "lifetime",
    "lifetime_seconds", "max_clusters_per_user", "members", "name", "oidc_policy", "owner",
    "permission_assignments", "permissions", "policy", "policy_family_id", "policy_id",
    "policy_name", "principal", "properties", "request_id", "roles", "rule_set", "scope", "tasks",
    "userName", "volume_type",
)  # fmt: skip
PATTERN = re.compile(r":[^}/]+\}")
"""What a part of a path may be, in a route's own words."""
ODD_VALUES: tuple[Any, ...] = (5, "x", [5], [{"add": 5, "value": 5, "principal": {}}], {"a": [1]})


@pytest.mark.parametrize("value", ODD_VALUES)
def test_values_of_the_wrong_type_are_refused_and_never_crash(scratch: Standin, value: Any) -> None:
    standin = scratch
    number = str(made(standin, "outsider").id)
    application_id = made(standin, "outsider").application_id
    filled = {
        "account_id": ACCOUNT, "id": number, "service_principal_id": number,
        "principal_id": number, "securable_type": "schema", "full_name": "gbx1_dev.ada7",
        "workspace_id": str(standin.databricks.workspace("gbx1", DEV).id),
        "policy_id": next(iter(standin.databricks.workspace("gbx1", DEV).policies)),
    }  # fmt: skip
    name = f"accounts/{ACCOUNT}/servicePrincipals/{application_id}/ruleSets/default"
    ones = [{field: value} for field in FIELDS]
    shaped = [
        {"Operations": [{"op": "replace", "path": "members", "value": value}]},
        {"name": name, "rule_set": {"name": name, "etag": value, "grant_rules": value}},
        {"policy": {"policy_name": value, "binding_workspace_ids": value, "custom_tags": value}},
        {"oidc_policy": {"issuer": value, "subject": value, "audiences": value}},
        {"tasks": [{"task_key": "a", "new_cluster": value}]},
        {"tasks": [{"task_key": value, "new_cluster": {"policy_id": value}}]},
        {"displayName": value, "members": value, "userName": value},
        {"scope": "taken", "key": value, "string_value": value, "principal": value,
         "permission": value},
        {"changes": [{"principal": value, "add": value}]},
    ]  # fmt: skip
    tokens = {"account": standin.bot_token(), "workspace": standin.bot_token(DEV)}
    crashed = [
        (route.method, route.path, body)
        for route in ROUTES
        if route.method in ("POST", "PUT", "PATCH")
        for body in (*shaped, {key: value for one in ones for key, value in one.items()})
        if standin.ask(
            route.method, PATTERN.sub("}", route.path).format_map(Filled(filled)), body,
            stage=DEV if route.host == "workspace" else "", token=tokens[route.host],
        ).status_code >= 500
    ]  # fmt: skip
    assert crashed == []


class Filled(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "no"
