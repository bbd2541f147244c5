"""What verification says about logins is what happens: GitHub's tokens get in, or don't."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from aiohttp import web
from databricks.sdk import WorkspaceClient
from living_facts import Facts
from made_project import SPEC

from playground import cast
from playground.github.repos import make_repo

RIGHT = ("ada-7", "Production", "production")
REFUSED = {
    "another environment's": ("ada-7", "Staging", "production"),
    "no environment's": ("ada-7", None, "production"),
    "another repository's": ("other", "Production", "production"),
    "as another stage's principal": ("ada-7", "Production", "staging"),
}
"""Repository and environment of the token, stage of the principal that it claims."""


def client(
    facts: Facts, monkeypatch: pytest.MonkeyPatch, wanted: tuple[str, str | None, str]
) -> WorkspaceClient:
    repository, environment, stage = wanted
    token = facts.github.mint_oidc_token(repository, environment, cast.DATABRICKS_ACCOUNT_ID)
    monkeypatch.setenv("DATABRICKS_OIDC_TOKEN", token)
    return WorkspaceClient(
        host=facts.databricks.hosts[("gbx1", stage)],
        client_id=facts.principal(stage).application_id,
        auth_type="env-oidc",
    )


@contextmanager
def runner(facts: Facts, environment: str) -> Iterator[str]:
    """Serve what GitHub's runners ask for their tokens."""

    async def answer(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer runner"
        audience = request.query["audience"]
        value = facts.github.mint_oidc_token("ada-7", environment, audience)
        return web.Response(text=json.dumps({"value": value}), content_type="application/json")

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/token", answer)
        served = web.AppRunner(app)
        await served.setup()
        await web.TCPSite(served, "127.0.0.1", 0).start()
        return served

    served = facts.project.vendors.run(start())
    try:
        yield f"http://127.0.0.1:{served.addresses[0][1]}/token?v=2"
    finally:
        facts.project.vendors.run(served.cleanup())


def test_the_environments_own_token_logs_in_as_its_principal(
    facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = client(facts, monkeypatch, RIGHT).current_user.me()
    assert me.user_name == facts.principal().application_id


@pytest.mark.parametrize("wanted", REFUSED.values(), ids=REFUSED)
def test_no_other_token_logs_in(
    facts: Facts, monkeypatch: pytest.MonkeyPatch, wanted: tuple[str, str | None, str]
) -> None:
    make_repo(facts.github.world, "other", "private")
    with pytest.raises(ValueError, match="no federation policy accepts subject repo:acme@845100"):
        client(facts, monkeypatch, wanted).current_user.me()


def test_a_workflow_logs_in_through_the_sdk_by_the_variables_of_its_environment(
    facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = facts.environment("Development").variables
    with runner(facts, "Development") as url:
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", url)
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "runner")
        workspace = WorkspaceClient(
            host=variables["DATABRICKS_HOST"].value,
            client_id=variables["DATABRICKS_CLIENT_ID"].value,
            auth_type="github-oidc",
            token_audience=cast.DATABRICKS_ACCOUNT_ID,
        )
        policy = workspace.cluster_policies.get(variables["DATABRICKS_JOB_CLUSTER_POLICY_ID"].value)
    assert policy.name == f"{SPEC.name} Development jobs"
