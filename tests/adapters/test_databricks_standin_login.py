"""Who gets in: secrets, outside tokens, personal tokens, and what is refused how."""

from collections.abc import Iterator

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from databricks.sdk import AccountClient, WorkspaceClient
from databricks.sdk.service.oauth2 import FederationPolicy, OidcFederationPolicy
from databricks_standin import ACCOUNT, IN_ACCOUNT, SUBJECT, Standin, running

from playground import cast

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


@pytest.fixture
def standin() -> Iterator[Standin]:
    yield from running()


@pytest.fixture
def federated(standin: Standin) -> tuple[Standin, str]:
    """A project's principal in gbx1 development that GitHub's tokens may log in as."""
    number, application_id, _ = standin.project_principal()
    oidc = OidcFederationPolicy(issuer=standin.issuer.url, subject=SUBJECT, audiences=[ACCOUNT])
    policies = standin.account().service_principal_federation_policy
    policies.create(number, FederationPolicy(oidc_policy=oidc), policy_id="github")
    return standin, application_id


def exchange(
    standin: Standin, client_id: str, token: str, stage: str = "development"
) -> requests.Response:
    form = {
        "grant_type": EXCHANGE,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "subject_token": token,
        "client_id": client_id,
    }
    return standin.login(form, stage)


def test_the_bot_logs_in_at_the_account_and_at_all_workspaces(standin: Standin) -> None:
    assert len(list(standin.account().workspaces.list())) == 16
    for stage in cast.STAGES:
        me = standin.workspace(stage).current_user.me()
        assert me.user_name == standin.databricks.bot_client_id


def test_a_token_of_the_account_works_in_workspaces_but_not_the_other_way(
    standin: Standin,
) -> None:
    me = "/api/2.0/preview/scim/v2/Me"
    everywhere = standin.bot_token()
    assert standin.ask("GET", me, stage="testing", token=everywhere).status_code == 200
    local = standin.bot_token("testing")
    assert standin.ask("GET", me, stage="testing", token=local).status_code == 200
    assert standin.ask("GET", me, stage="staging", token=local).status_code == 403
    assert standin.ask("GET", f"{IN_ACCOUNT}/workspaces", token=local).status_code == 403


def test_githubs_token_with_the_exact_subject_logs_in(federated: tuple[Standin, str]) -> None:
    standin, application_id = federated
    answer = exchange(standin, application_id, standin.issuer.token())
    assert answer.status_code == 200, answer.text
    token = answer.json()["access_token"]
    me = standin.ask("GET", "/api/2.0/preview/scim/v2/Me", stage="development", token=token)
    assert me.json()["userName"] == application_id


@pytest.mark.parametrize(
    ("claims", "complaint"),
    [
        ({"sub": "repo:acme/ada-7:environment:Development"}, "accepts subject"),
        ({"sub": SUBJECT + "x"}, "accepts subject"),
        ({"sub": SUBJECT.lower()}, "accepts subject"),
        ({"aud": "somebody-else"}, "accepts audience"),
        ({"iss": "http://127.0.0.1:1"}, "has issuer"),
        ({"exp": 1}, "has expired"),
        ({"nbf": 9_999_999_999}, "not valid yet"),
    ],
)
def test_a_token_that_differs_is_refused(
    federated: tuple[Standin, str], claims: dict[str, str], complaint: str
) -> None:
    standin, application_id = federated
    answer = exchange(standin, application_id, standin.issuer.token(**claims))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert complaint in answer.json()["error_description"]


def test_a_token_signed_with_another_key_is_refused(federated: tuple[Standin, str]) -> None:
    standin, application_id = federated
    forged = standin.issuer.token(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    answer = exchange(standin, application_id, forged)
    assert answer.status_code == 400
    assert "signature" in answer.json()["error_description"]


def test_a_token_expires_by_the_clock_and_not_by_the_machine(
    federated: tuple[Standin, str],
) -> None:
    standin, application_id = federated
    token = standin.issuer.token()
    standin.advance(minutes=10)
    answer = exchange(standin, application_id, token)
    assert "has expired" in answer.json()["error_description"]


def test_keys_are_fetched_once_and_again_when_the_issuer_has_a_new_one(
    federated: tuple[Standin, str],
) -> None:
    standin, application_id = federated
    for _ in range(2):
        assert exchange(standin, application_id, standin.issuer.token()).ok
    assert standin.issuer.fetches == 1
    standin.issuer.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    standin.issuer.kid = "key-2"
    assert exchange(standin, application_id, standin.issuer.token()).ok


def test_a_removed_policy_lets_nobody_in(federated: tuple[Standin, str]) -> None:
    standin, application_id = federated
    account = standin.account()
    number = next(p.id for p in standin.databricks.principals if p.name == application_id)
    account.service_principal_federation_policy.delete(number, "github")
    answer = exchange(standin, application_id, standin.issuer.token())
    assert "has issuer" in answer.json()["error_description"]


def test_a_principal_outside_a_workspace_cannot_log_in_there(
    federated: tuple[Standin, str],
) -> None:
    standin, application_id = federated
    answer = exchange(standin, application_id, standin.issuer.token(), stage="production")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert "is not in workspace" in answer.json()["error_description"]


def test_the_sdk_logs_in_from_github_actions(
    federated: tuple[Standin, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    standin, application_id = federated
    url = f"{standin.issuer.url}/actions-token?api-version=2.0"
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", url)
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "runner")
    client = WorkspaceClient(
        host=standin.databricks.hosts[("gbx1", "development")],
        auth_type="github-oidc",
        client_id=application_id,
        token_audience=ACCOUNT,
    )
    assert client.current_user.me().user_name == application_id


def test_the_sdk_logs_in_with_a_token_from_the_environment(
    federated: tuple[Standin, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    standin, application_id = federated
    monkeypatch.setenv("DATABRICKS_OIDC_TOKEN", standin.issuer.token())
    client = WorkspaceClient(
        host=standin.databricks.hosts[("gbx1", "development")],
        auth_type="env-oidc",
        client_id=application_id,
    )
    assert client.current_user.me().user_name == application_id


def test_a_wrong_secret_is_refused(standin: Standin) -> None:
    client = (standin.databricks.bot_client_id, "wrong")
    answer = standin.login({"grant_type": "client_credentials"}, client=client)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    with pytest.raises(ValueError, match="invalid_client"):
        list(standin.account(*client).workspaces.list())


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "scope": "everything"}, "invalid_scope"),
        ({"grant_type": EXCHANGE, "subject_token": "x"}, "invalid_request"),
    ],
)
def test_odd_token_requests_are_refused(standin: Standin, form: dict[str, str], error: str) -> None:
    client = (standin.databricks.bot_client_id, standin.databricks.bot_client_secret)
    answer = standin.login(form, client=client)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_access_tokens_and_secrets_expire_by_the_clock(standin: Standin) -> None:
    number, application_id, _ = standin.project_principal()
    short = standin.account().service_principal_secrets.create(str(number), lifetime="7200s")
    client = (application_id, str(short.secret))
    form = {"grant_type": "client_credentials"}
    token = standin.login(form, "development", client).json()["access_token"]
    me = "/api/2.0/preview/scim/v2/Me"
    standin.advance(minutes=61)
    assert standin.ask("GET", me, stage="development", token=token).status_code == 403
    assert standin.login(form, "development", client).ok
    standin.advance(minutes=61)
    assert standin.login(form, "development", client).status_code == 401


def test_personal_tokens_work_in_their_workspace_only(standin: Standin) -> None:
    assert standin.person(cast.ADA.email).current_user.me().user_name == cast.ADA.email
    token = standin.databricks.personal_token(cast.PAT.email, "gbx1", "development")
    path = f"{IN_ACCOUNT}/workspaces"
    refused = standin.ask("GET", path, token=token)
    assert (refused.status_code, refused.json()["error_code"]) == (401, "401")
    me = "/api/2.0/preview/scim/v2/Me"
    assert standin.ask("GET", me, stage="testing", token=token).status_code == 403


def test_deactivated_people_and_principals_are_locked_out(standin: Standin) -> None:
    token = standin.databricks.personal_token(cast.GONE.email, "gbx1", "development")
    me = "/api/2.0/preview/scim/v2/Me"
    assert standin.ask("GET", me, stage="development", token=token).status_code == 403
    number, application_id, secret = standin.project_principal()
    standin.ask("PATCH", f"{IN_ACCOUNT}/scim/v2/ServicePrincipals/{number}",
                {"Operations": [{"op": "replace", "path": "active", "value": False}]})  # fmt: skip
    form = {"grant_type": "client_credentials"}
    assert standin.login(form, "development", (application_id, secret)).status_code == 401


def test_leaving_a_workspace_ends_what_the_token_could_do_there(standin: Standin) -> None:
    number, application_id, secret = standin.project_principal()
    client = standin.workspace("development", application_id, secret)
    assert client.current_user.me().id == str(number)
    where = standin.databricks.workspace("gbx1", "development")
    standin.account().workspace_assignment.delete(where.id, number)
    answer = standin.login({"grant_type": "client_credentials"}, client=(application_id, secret))
    token = answer.json()["access_token"]
    refused = standin.ask("GET", "/api/2.0/preview/scim/v2/Me", stage="development", token=token)
    assert refused.json()["message"] == f"Unauthorized access to Org: {where.id}"


def test_no_token_at_all_is_unauthenticated(standin: Standin) -> None:
    answer = requests.get(f"{standin.databricks.account_host}{IN_ACCOUNT}/workspaces", timeout=5)
    assert answer.status_code == 401


def test_each_host_says_what_it_is(standin: Standin) -> None:
    account = AccountClient(host=standin.databricks.account_host, account_id=ACCOUNT,
                            auth_type="oauth-m2m", client_id="x", client_secret="y")  # fmt: skip
    assert account.config.discovery_url == (
        f"{standin.databricks.account_host}/oidc/accounts/{ACCOUNT}"
        "/.well-known/oauth-authorization-server"
    )
    here = standin.workspace("testing").config
    assert here.workspace_id == str(standin.databricks.workspace("gbx1", "testing").id)
