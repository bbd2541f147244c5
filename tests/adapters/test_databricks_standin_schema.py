"""The vendor's own schema check: every endpoint is driven through the real SDK, and every key that
the stand-in answers must be one that the SDK's classes read.
"""

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from databricks.sdk.service import (
    billing,
    catalog,
    compute,
    iam,
    oauth2,
    provisioning,
    settings,
    workspace,
)
from databricks.sdk.service import jobs as sdk_jobs
from databricks_deployed import drive_deployed
from databricks_standin import ACCOUNT, SUBJECT, Standin, running

from playground import cast
from playground.databricks.server import ROUTES


@pytest.fixture
def standin() -> Iterator[Standin]:
    yield from running()


class Answer(dict[str, Any]):
    """A JSON object that remembers which of its keys were never read."""

    def __init__(self, data: dict[str, Any], where: str, seen: "list[Answer]") -> None:
        super().__init__(
            {key: watched(value, f"{where}.{key}", seen) for key, value in data.items()}
        )
        self.where, self.unread, self.read = where, set(data), False
        seen.append(self)

    def get(self, key: str, default: Any = None) -> Any:
        self._note(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> Any:
        self._note(key)
        return super().__getitem__(key)

    def _note(self, key: str) -> None:
        self.read = True
        self.unread.discard(key)


def watched(value: Any, where: str, seen: list[Answer]) -> Any:
    if isinstance(value, dict):
        return Answer(value, where, seen)
    if isinstance(value, list):
        return [watched(each, where, seen) for each in value]
    return value


ENVELOPES: dict[str, Any] = {
    "Users": iam.ListUsersResponse,
    "Groups": iam.ListGroupsResponse,
    "ServicePrincipals": iam.ListServicePrincipalResponse,
    "list": sdk_jobs.ListJobsResponse,
}
"""Lists of which the SDK's iterators read the items only; by the last part of the path."""


class Recorder:
    """An SDK API client that keeps every answer and every endpoint called."""

    def __init__(self, client: Any, answers: list[Answer], calls: list[tuple[str, str]]) -> None:
        self._client, self._answers, self._calls = client, answers, calls

    def do(self, method: str, path: str, **options: Any) -> Any:
        self._calls.append((method, path))
        answer = self._client.do(method, path, **options)
        seen = watched(answer, f"{method} {path}", self._answers)
        envelope = ENVELOPES.get(path.rpartition("/")[2])
        if envelope and method == "GET" and {"Resources", "jobs"} & set(seen):
            envelope.from_dict(seen)
        return seen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def over(api: Any, client: Any) -> Any:
    """Return one of the SDK's service classes on a recording client."""
    return api(client)


def unknown_keys(answers: list[Answer]) -> dict[str, set[str]]:
    """Objects nobody looked into are free-form maps, such as tags; typed ones are always read."""
    return {each.where: each.unread for each in answers if each.read and each.unread}


def test_the_check_finds_a_key_that_the_vendor_does_not_know() -> None:
    seen: list[Answer] = []
    compute.Policy.from_dict(watched({"policy_id": "1", "colour": "red"}, "planted", seen))
    assert unknown_keys(seen) == {"planted": {"colour"}}


def test_every_endpoint_answers_in_the_vendors_own_words(standin: Standin) -> None:
    answers: list[Answer] = []
    calls: list[tuple[str, str]] = []
    account = Recorder(standin.account().api_client, answers, calls)
    here = Recorder(standin.workspace("development").api_client, answers, calls)
    number = standin.databricks.workspace("gbx1", "development").id
    application_id, sp_id, group_id = drive_principals(account)
    drive_account(account, number, sp_id, application_id, standin.issuer.url)
    drive_assignments(account, here, number, int(sp_id), application_id)
    drive_workspace_principals(here, sp_id)
    drive_policies_and_jobs(here, application_id)
    drive_secrets_and_tokens(here, application_id, sp_id)
    drive_deployed(here, application_id)
    drive_catalog(here, application_id)
    drive_removals(account, here, sp_id, group_id)
    assert unknown_keys(answers) == {}
    assert len(answers) > 300
    assert not_driven(calls) == []
    assert standin.databricks.unknown_calls == []


def not_driven(calls: list[tuple[str, str]]) -> list[str]:
    def was_driven(method: str, path: str) -> bool:
        pattern = re.sub(r"\{\w+:([^}]+)\}", r"(?:\1)", path)
        pattern = re.sub(r"\{\w+\}", "[^/]+", pattern)
        return any(m == method and re.fullmatch(pattern, p) for m, p in calls)

    return [f"{r.method} {r.path}" for r in ROUTES if not was_driven(r.method, r.path)]


def drive_principals(account: Any) -> tuple[str, str, str]:
    users, groups = over(iam.AccountUsersAPI, account), over(iam.AccountGroupsAPI, account)
    principals = over(iam.AccountServicePrincipalsAPI, account)
    user = users.create(user_name="new@acme.example", display_name="New Person")
    user_id = str(user.id)
    replace = [iam.Patch(op=iam.PatchOp.REPLACE, path="displayName", value="Newer")]
    users.patch(user_id, operations=replace)
    users.update(user_id, user_name="new@acme.example", display_name="Newest")
    assert users.get(user_id).display_name == "Newest"
    assert len(list(users.list())) == len(cast.PEOPLE) + 1
    principal = principals.create(display_name="ada-7")
    principal_id = str(principal.id)
    principals.patch(principal_id, operations=replace)
    principals.update(principal_id, display_name="ada-7", active=True, external_id="marker")
    assert [each.id for each in principals.list(filter='externalId eq "marker"')] == [principal.id]
    assert principals.get(principal_id).application_id == principal.application_id
    group = groups.create(display_name="ada-7-team", members=[iam.ComplexValue(value=user_id)])
    group_id = str(group.id)
    add = [iam.Patch(op=iam.PatchOp.ADD, path="members", value=[{"value": principal_id}])]
    groups.patch(group_id, operations=add)
    groups.update(group_id, display_name="ada-7-people",
                  members=[iam.ComplexValue(value=user_id)])  # fmt: skip
    members = groups.get(group_id).members or []
    assert [each.value for each in members] == [user_id]
    assert len(list(groups.list(filter='displayName sw "aad-team"'))) == 130
    users.delete(user_id)
    return str(principal.application_id), principal_id, group_id


def drive_account(account: Any, number: int, sp_id: str, application_id: str, issuer: str) -> None:
    workspaces = over(provisioning.WorkspacesAPI, account)
    assert len(list(workspaces.list())) == 16
    assert workspaces.get(number).workspace_name == "acme-gbx1-development"
    assert over(catalog.AccountMetastoreAssignmentsAPI, account).get(number).metastore_assignment
    policies = over(oauth2.ServicePrincipalFederationPolicyAPI, account)
    oidc = oauth2.OidcFederationPolicy(issuer=issuer, subject=SUBJECT)
    policy = oauth2.FederationPolicy(oidc_policy=oidc, description="GitHub")
    made = policies.create(int(sp_id), policy, policy_id="github")
    assert made.oidc_policy is not None
    assert made.oidc_policy.audiences == [ACCOUNT]
    other = oauth2.FederationPolicy(oidc_policy=oauth2.OidcFederationPolicy(subject="other"))
    policies.update(int(sp_id), "github", other, update_mask="oidc_policy.subject")
    read = policies.get(int(sp_id), "github").oidc_policy
    assert read is not None
    assert (read.subject, read.issuer) == ("other", issuer)
    assert len(list(policies.list(int(sp_id)))) == 1
    policies.delete(int(sp_id), "github")
    secrets = over(oauth2.ServicePrincipalSecretsAPI, account)
    secret = secrets.create(sp_id, lifetime="3600s")
    assert secret.secret
    assert [each.id for each in secrets.list(sp_id)] == [secret.id]
    secrets.delete(sp_id, str(secret.id))
    rules = over(iam.AccountAccessControlAPI, account)
    drive_rule_sets(rules, application_id)
    drive_budgets(over(billing.BudgetPolicyAPI, account), number)


def drive_rule_sets(api: Any, application_id: str) -> None:
    resource = f"accounts/{ACCOUNT}/servicePrincipals/{application_id}"
    assert len(api.get_assignable_roles_for_resource(resource).roles) == 2
    name = f"{resource}/ruleSets/default"
    etag = api.get_rule_set(name, "").etag
    rule = iam.GrantRule("roles/servicePrincipal.user", ["groups/aad-data-science"])
    api.update_rule_set(name, iam.RuleSetUpdateRequest(name, etag, [rule]))
    assert api.get_rule_set(name, "").grant_rules == [rule]


def drive_budgets(api: billing.BudgetPolicyAPI, number: int) -> None:
    tag = compute.CustomPolicyTag(key="project", value="ada-7")
    wanted = billing.BudgetPolicy(
        policy_name="ada-7", binding_workspace_ids=[number], custom_tags=[tag]
    )
    policy_id = str(api.create(policy=wanted).policy_id)
    api.update(policy_id, billing.BudgetPolicy(policy_name="ada-8", custom_tags=[tag]))
    assert api.get(policy_id).policy_name == "ada-8"
    assert len(list(api.list())) == 1
    api.delete(policy_id)


def drive_assignments(
    account: Any, here: Any, number: int, sp_id: int, application_id: str
) -> None:
    api = over(iam.WorkspaceAssignmentAPI, account)
    assert len(api.get(number).permissions or []) == 2
    api.update(number, sp_id, permissions=[iam.WorkspacePermission.ADMIN])
    assert sp_id in [e.principal.principal_id for e in api.list(number) if e.principal]
    api.delete(number, sp_id)
    base = "/api/2.0/preview/permissionassignments"
    entry = {"service_principal_name": application_id, "permissions": ["USER"]}
    answers = [
        here.do("POST", base, body={"permission_assignments": [entry]}),
        here.do("GET", base),
    ]
    for answer in answers:
        assert iam.PermissionAssignments.from_dict(answer).permission_assignments
    here.do("DELETE", f"{base}/principals/{sp_id}")
    one = here.do("PUT", f"{base}/principals/{sp_id}", body={"permissions": ["USER"]})
    assert iam.PermissionAssignment.from_dict(one).permissions == [iam.WorkspacePermission.USER]


def drive_workspace_principals(here: Any, sp_id: str) -> None:
    assert over(iam.CurrentUserAPI, here).me().display_name == "sciclops-bot"
    users, groups = over(iam.UsersV2API, here), over(iam.GroupsV2API, here)
    principals = over(iam.ServicePrincipalsV2API, here)
    entitle = [iam.Patch(op=iam.PatchOp.ADD, path="entitlements",
                         value=[{"value": "workspace-access"}])]  # fmt: skip
    for api, who in ((users, None), (groups, None), (principals, sp_id)):
        chosen = who or str(next(iter(api.list())).id)
        api.patch(chosen, operations=entitle)
        got = api.get(chosen)
        assert [each.value for each in got.entitlements or []] == ["workspace-access"]
    new = principals.create(display_name="local", active=True)
    assert len(list(principals.list())) == 3
    principals.delete(str(new.id))
    groups.delete(str(next(g.id for g in groups.list() if g.display_name == "aad-data-owners")))
    users.delete(str(next(iter(users.list())).id))


def drive_policies_and_jobs(here: Any, application_id: str) -> None:
    api, families = over(compute.ClusterPoliciesAPI, here), over(compute.PolicyFamiliesAPI, here)
    assert families.get(str(next(iter(families.list())).policy_family_id)).definition
    made = api.create(name="ada-7", policy_family_id="job-cluster",
                      policy_family_definition_overrides=json.dumps(
                          {"num_workers": {"type": "fixed", "value": 2}}))  # fmt: skip
    policy_id = str(made.policy_id)
    api.edit(policy_id, name="ada-7", max_clusters_per_user=3,
             definition=json.dumps({"num_workers": {"type": "range", "maxValue": 4}}))  # fmt: skip
    assert api.get(policy_id).max_clusters_per_user == 3
    assert policy_id in [each.policy_id for each in api.list()]
    use = iam.AccessControlRequest(service_principal_name=application_id,
                                   permission_level=iam.PermissionLevel.CAN_USE)  # fmt: skip
    permissions = over(iam.PermissionsAPI, here)
    kind = "cluster-policies"
    permissions.set(kind, policy_id, access_control_list=[use])
    permissions.update(kind, policy_id, access_control_list=[use])
    read = permissions.get(kind, policy_id).access_control_list or []
    assert read[0].service_principal_name == application_id
    assert permissions.get_permission_levels(kind, policy_id).permission_levels
    jobs = over(sdk_jobs.JobsAPI, here)
    cluster = compute.ClusterSpec(policy_id=policy_id, num_workers=1)
    task = sdk_jobs.Task(task_key="main", new_cluster=cluster)
    job = jobs.create(name="nightly", tasks=[task])
    assert [each.job_id for each in jobs.list(name="nightly")] == [job.job_id]
    assert jobs.get(int(job.job_id or 0)).settings
    jobs.delete(int(job.job_id or 0))
    api.delete(policy_id)


def drive_secrets_and_tokens(here: Any, application_id: str, sp_id: str) -> None:
    api = over(workspace.SecretsAPI, here)
    api.create_scope("ada-7")
    assert [each.name for each in api.list_scopes()] == ["ada-7"]
    api.put_acl("ada-7", application_id, workspace.AclPermission.READ)
    assert api.get_acl("ada-7", application_id).permission == workspace.AclPermission.READ
    assert len(list(api.list_acls("ada-7"))) == 2
    api.put_secret("ada-7", "DABS_ROCKS", string_value="yes")
    assert [each.key for each in api.list_secrets("ada-7")] == ["DABS_ROCKS"]
    value = api.get_secret("ada-7", "DABS_ROCKS").value or ""
    assert base64.b64decode(value) == b"yes"
    api.delete_secret("ada-7", "DABS_ROCKS")
    api.delete_acl("ada-7", application_id)
    api.delete_scope("ada-7")
    tokens, managed = over(settings.TokensAPI, here), over(settings.TokenManagementAPI, here)
    own = tokens.create(comment="mine", lifetime_seconds=600)
    assert own.token_info is not None
    assert len(list(tokens.list())) == 1
    tokens.delete(str(own.token_info.token_id))
    theirs = managed.create_obo_token(application_id, lifetime_seconds=600)
    assert theirs.token_info is not None
    assert len(list(managed.list())) == 1
    managed.delete(str(theirs.token_info.token_id))
    secrets = over(oauth2.ServicePrincipalSecretsProxyAPI, here)
    secret = secrets.create(sp_id)
    assert len(list(secrets.list(sp_id))) == 1
    secrets.delete(sp_id, str(secret.id))
    drive_rule_sets(over(iam.AccountAccessControlProxyAPI, here), application_id)


def drive_catalog(here: Any, application_id: str) -> None:
    catalogs, schemas = over(catalog.CatalogsAPI, here), over(catalog.SchemasAPI, here)
    volumes, tables = over(catalog.VolumesAPI, here), over(catalog.TablesAPI, here)
    assert len(list(catalogs.list())) == 16
    assert catalogs.get("gbx1_dev").name == "gbx1_dev"
    schemas.create("ada7", "gbx1_dev", comment="ours", properties={"project": "ada-7"})
    schemas.update("gbx1_dev.ada7", comment="still ours")
    assert schemas.get("gbx1_dev.ada7").comment == "still ours"
    assert [each.name for each in schemas.list("gbx1_dev")] == ["ada7"]
    volumes.create("gbx1_dev", "ada7", "files", catalog.VolumeType.MANAGED)
    volumes.update("gbx1_dev.ada7.files", comment="files")
    assert volumes.read("gbx1_dev.ada7.files").comment == "files"
    assert len(list(volumes.list("gbx1_dev", "ada7"))) == 1
    volumes.delete("gbx1_dev.ada7.files")
    assert len(list(tables.list("gbx1_prod", "sales"))) == 3
    assert tables.get("gbx1_prod.sales.stores").owner == "aad-data-owners"
    grants = over(catalog.GrantsAPI, here)
    change = catalog.PermissionsChange(principal=application_id,
                                       add=[catalog.Privilege.USE_SCHEMA])  # fmt: skip
    grants.update("schema", "gbx1_dev.ada7", changes=[change])
    assert len(grants.get("schema", "gbx1_dev.ada7").privilege_assignments or []) == 1
    assert grants.get_effective("schema", "gbx1_dev.ada7").privilege_assignments
    schemas.delete("gbx1_dev.ada7")
    stores = over(catalog.MetastoresAPI, here)
    assert stores.current().metastore_id == stores.summary().metastore_id


def drive_removals(account: Any, here: Any, sp_id: str, group_id: str) -> None:
    over(iam.ServicePrincipalsV2API, here).delete(sp_id)
    over(iam.AccountServicePrincipalsAPI, account).delete(sp_id)
    over(iam.AccountGroupsAPI, account).delete(group_id)
