"""The command as a job finds it: a program on PATH, logged in by GitHub's token or a secret."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bundle_workshop import Said, Workshop, workshop
from cryptography.hazmat.primitives.asymmetric import rsa
from databricks.sdk.service.oauth2 import FederationPolicy, OidcFederationPolicy
from databricks_standin import ACCOUNT, SUBJECT

JOB = "ada_7_job"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    with workshop(tmp_path) as held:
        held.render()
        yield held


@pytest.mark.timeout(180)
def test_a_job_goes_the_whole_way_by_real_processes(shop: Workshop) -> None:
    for words, expected in (
        (("--version",), "Databricks CLI v"),
        (("bundle", "validate"), "Validation OK!"),
        (("bundle", "deploy"), ""),
        (("bundle", "run", JOB), "2026-01-05,visit,2"),
        (("bundle", "plan"), "0 to add, 0 to change, 0 to delete, 1 unchanged"),
        (("bundle", "destroy", "--auto-approve"), ""),
    ):
        said = shop.run_apart(*words)
        assert (said.code, expected in said.out) == (0, True), said.out + said.err
    assert shop.jobs() == []


@pytest.fixture
def federated(shop: Workshop) -> Workshop:
    """A workshop whose principal lets in GitHub's tokens of one environment."""
    login, standin = shop.admit(), shop.standin
    oidc = OidcFederationPolicy(issuer=standin.issuer.url, subject=SUBJECT, audiences=[ACCOUNT])
    policies = standin.account().service_principal_federation_policy
    policies.create(login.number, FederationPolicy(oidc_policy=oidc), policy_id="github")
    return shop


def by_github(shop: Workshop, *words: str, audience: str = ACCOUNT) -> Said:
    url = f"{shop.standin.issuer.url}/actions-token?api-version=2.0"
    return shop.run(
        *words,
        DATABRICKS_AUTH_TYPE="github-oidc",
        DATABRICKS_CLIENT_SECRET="",
        DATABRICKS_TOKEN_AUDIENCE=audience,
        ACTIONS_ID_TOKEN_REQUEST_URL=url,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN="runner",
    )


def test_githubs_token_deploys_without_any_secret(federated: Workshop) -> None:
    said = by_github(federated, "bundle", "deploy", "-t", "development")
    assert said.code == 0, said.err
    assert federated.jobs() == ["[dev ada_7_development] ada-7"]
    me = by_github(federated, "current-user", "me").json
    assert me["userName"] == federated.admit().application_id


@pytest.mark.parametrize(
    ("claims", "complaint"),
    [
        ({"sub": "repo:acme/ada-7:environment:Development"}, "accepts subject"),
        ({"sub": SUBJECT.replace("Development", "Testing")}, "accepts subject"),
        ({"sub": SUBJECT.replace("9001", "9002")}, "accepts subject"),
        ({"aud": "somebody-else"}, "accepts audience"),
        ({"exp": 1}, "has expired"),
    ],
)
def test_a_token_that_differs_deploys_nothing(
    federated: Workshop, claims: dict[str, Any], complaint: str
) -> None:
    federated.standin.issuer.extra = claims
    said = by_github(federated, "bundle", "deploy", "-t", "development")
    assert (said.code, complaint in said.err) == (1, True), said.err
    assert federated.jobs() == []


def test_a_forged_token_deploys_nothing(federated: Workshop) -> None:
    issuer = federated.standin.issuer
    issuer.forging = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    said = by_github(federated, "bundle", "deploy", "-t", "development")
    assert (said.code, "signature" in said.err) == (1, True), said.err


def test_another_audience_is_no_way_in(federated: Workshop) -> None:
    said = by_github(federated, "bundle", "validate", audience="somebody-else")
    assert (said.code, "accepts audience" in said.err) == (1, True), said.err


def test_a_wrong_secret_is_no_way_in(shop: Workshop) -> None:
    said = shop.run("current-user", "me", DATABRICKS_CLIENT_SECRET="dosewrong")
    assert said.code == 1
    assert said.err.startswith("Error: ")
    assert "dosewrong" not in said.err


def test_a_personal_token_is_a_way_in(shop: Workshop) -> None:
    token = shop.standin.databricks.personal_token("ada@acme.example", "gbx1", "development")
    said = shop.run(
        "current-user",
        "me",
        DATABRICKS_AUTH_TYPE="pat",
        DATABRICKS_TOKEN=token,
        DATABRICKS_CLIENT_ID="",
        DATABRICKS_CLIENT_SECRET="",
    )
    assert said.json["userName"] == "ada@acme.example"


def test_a_model_is_tagged_by_a_plain_request(shop: Workshop) -> None:
    shop.write({"databricks.yml": MODEL})
    for file in (shop.project / "resources").glob("*"):
        file.unlink()
    shop.bundle("deploy")
    name = shop.bundle("summary", "development", "-o", "json").json
    full = name["resources"]["registered_models"]["model"]["id"]
    path = "/api/2.0/mlflow/unity-catalog/model-versions"
    body = f'{{"name": "{full}", "source": "dbfs:/x"}}'
    made = shop.run("api", "post", f"{path}/create", "--json", body).json["model_version"]
    tag = f'{{"name": "{full}", "version": "1", "key": "workflow_version", "value": "1.2.3"}}'
    assert shop.run("api", "post", f"{path}/set-tag", "--json", tag).code == 0
    got = shop.run("api", "get", f"{path}/get?name={full}&version={made['version']}").json
    assert got["model_version"]["tags"] == [{"key": "workflow_version", "value": "1.2.3"}]
    missing = shop.run("api", "get", f"/api/2.1/unity-catalog/models/{full}x")
    assert (missing.code, "does not exist" in missing.err) == (1, True)


MODEL = """
bundle: {name: model}
targets: {development: {mode: development}}
resources:
  registered_models:
    model: {name: scores, catalog_name: gbx1_dev, schema_name: ada_7}
"""
