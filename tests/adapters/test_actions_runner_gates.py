"""Gates hold a job before its first step; what an environment gives is there only behind them."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import jwt
import pytest
from actions_workshop import Workshop, ends, log_of, workshop

from playground.databricks.errors import RefusalError
from playground.databricks.federation import Federation
from playground.databricks.state import FederationPolicy, ServicePrincipal

CALL = """\
name: deploy
on: [push]
permissions: {}
jobs:
  bundle:
    permissions: {contents: read, id-token: write}
    uses: acme/sciclops-platform/.github/workflows/deploy-bundle.yml@v1
    secrets: inherit
"""
STAGES = """\
name: deploy-bundle
on: workflow_call
permissions: {}
jobs:
  deploy:
    name: Deploy ${{ matrix.environment }}
    strategy:
      matrix: {environment: [Development, Production]}
    runs-on: ubuntu-latest
    environment: ${{ matrix.environment }}
    steps:
      - name: Deploy
        env:
          TOKEN: ${{ secrets.DATABRICKS_TOKEN }}
          HOST: ${{ vars.DATABRICKS_HOST }}
        run: |
          echo "host $HOST, token $TOKEN of ${#TOKEN} letters"
          printf %s "$TOKEN" | base64
"""
TOKEN = """\
name: deploy-bundle
on: workflow_call
permissions: {}
jobs:
  deploy:
    name: Deploy Production
    runs-on: ubuntu-latest
    environment: Production
    permissions: {id-token: write}
    steps:
      - env:
          AUDIENCE: account-1
        run: |
          curl -sS -H "Authorization: Bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \\
            "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=$AUDIENCE" > answer.json
          curl -sS "$ACTIONS_ID_TOKEN_REQUEST_URL" -o refusal -w 'without a token: %{http_code}'
          echo
          echo "$ACTIONS_ID_TOKEN_REQUEST_URL" | rev
          python3 -c 'import json; print("::notice::" + json.load(open("answer.json"))["value"])'
  other:
    name: Other
    needs: deploy
    runs-on: ubuntu-latest
    steps:
      - run: env | grep -c ID_TOKEN || true
"""


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Workshop]:
    async with workshop(tmp_path) as opened:
        opened.book.gated = {"Production"}
        opened.book.known_variables = {
            "Development": {"DATABRICKS_HOST": "dev.example"},
            "Production": {"DATABRICKS_HOST": "prod.example"},
        }
        opened.book.known_secrets = {
            "Development": {"DATABRICKS_TOKEN": "developers-own"},
            "Production": {"DATABRICKS_TOKEN": "a very secret\nword"},
        }
        yield opened


async def test_a_gate_holds_a_job_before_its_first_step_until_it_is_approved(
    shop: Workshop,
) -> None:
    shop.platform(STAGES)
    run = shop.begin(CALL)
    await shop.book.until(run, "bundle / Deploy Development", "completed")
    held = await shop.book.until(run, "bundle / Deploy Production", "waiting")
    assert (held.steps, held.log) == ([], "")
    shop.book.decide("Production", approved=True)
    await shop.over()
    assert set(ends(run).values()) == {"success"}
    assert "host prod.example" in log_of(run, "bundle / Deploy Production")
    assert "host dev.example" in log_of(run, "bundle / Deploy Development")


async def test_a_rejected_job_fails_without_a_step(shop: Workshop) -> None:
    shop.platform(STAGES)
    run = shop.begin(CALL)
    job = await shop.book.until(run, "bundle / Deploy Production", "waiting")
    await shop.book.until(run, "bundle / Deploy Development", "completed")
    shop.book.decide("Production", approved=False)
    await shop.over()
    assert (run.conclusion, job.conclusion, job.steps) == ("failure", "failure", [])


async def test_secrets_are_those_of_the_environment_and_never_in_a_log(shop: Workshop) -> None:
    shop.platform(STAGES)
    shop.book.decide("Production", approved=True)
    run = await shop.ended(CALL)
    production = log_of(run, "bundle / Deploy Production")
    assert "of 18 letters" in production
    assert "of 14 letters" in log_of(run, "bundle / Deploy Development")
    whole = "".join(job.log for job in run.present_jobs)
    for canary in ("developers-own", "a very secret", "word", "YSB2ZXJ5IHNlY3JldAp3b3Jk"):
        assert canary not in whole
    assert "***" in production


async def test_without_inherit_a_called_workflow_gets_no_secret(shop: Workshop) -> None:
    shop.platform(STAGES)
    shop.book.decide("Production", approved=True)
    run = await shop.ended(CALL.replace("    secrets: inherit\n", ""))
    assert "of 0 letters" in log_of(run, "bundle / Deploy Production")


def token_in(text: str) -> str:
    """Return the token that a step has printed."""
    return text.partition("##[notice]")[2].split()[0]


async def accepted(shop: Workshop, token: str, environment: str, audience: str) -> bool:
    """Say whether Databricks' stand-in lets a token in, by the issuer's published keys."""
    repo, world = shop.github.repos["ada-7"], shop.github.world
    subject = f"repo:acme@{world.organisation.id}/ada-7@{repo.id}:environment:{environment}"
    principal = ServicePrincipal(1, "deployer", application_id="app-1")
    now = world.now()
    principal.policies["p"] = FederationPolicy(
        "p", "p", shop.github.oidc_issuer, subject, [audience], now, now
    )
    federation = Federation()
    await federation.start()
    try:
        await federation.check(principal, token, shop.github.world.now())
    except RefusalError:
        return False
    finally:
        await federation.stop()
    return True


async def test_an_oidc_token_speaks_for_its_environment_and_audience_only(shop: Workshop) -> None:
    shop.platform(TOKEN)
    shop.book.decide("Production", approved=True)
    run = await shop.ended(CALL)
    said = log_of(run, "bundle / Deploy Production")
    assert "without a token: 401" in said
    token = token_in(said)
    assert await accepted(shop, token, "Production", "account-1")
    assert not await accepted(shop, token, "Development", "account-1")
    assert not await accepted(shop, token, "Production", "account-2")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["run_id"] == str(run.id)
    assert claims["sha"] == run.sha
    assert (claims["actor"], claims["ref"]) == ("ada", "refs/heads/main")
    called = "acme/sciclops-platform/.github/workflows/deploy-bundle.yml@refs/tags/v1"
    assert claims["job_workflow_ref"] == called
    assert claims["workflow_ref"] == "acme/ada-7/.github/workflows/deploy.yml@refs/heads/main"


async def test_a_job_without_the_permission_finds_no_way_to_a_token(shop: Workshop) -> None:
    shop.platform(TOKEN)
    shop.book.decide("Production", approved=True)
    run = await shop.ended(CALL)
    assert log_of(run, "bundle / Other").split("\n")[-1] == "0"


async def test_the_way_to_a_token_ends_with_its_job(shop: Workshop) -> None:
    shop.platform(TOKEN)
    shop.book.decide("Production", approved=True)
    run = await shop.ended(CALL)
    lines = log_of(run, "bundle / Deploy Production").split("\n")
    address = next(line for line in lines if line.startswith("1=v?nekot"))[::-1]
    async with aiohttp.ClientSession() as http, http.get(address) as answer:
        assert answer.status == 401


async def test_a_workflow_may_not_ask_for_more_than_its_caller_has(shop: Workshop) -> None:
    shop.platform(TOKEN)
    run = await shop.ended(CALL.replace(", id-token: write", ""))
    assert (run.conclusion, ends(run)) == ("failure", {"deploy": "failure"})
    wanted = "The nested job 'deploy' is requesting 'id-token: write', but is only allowed"
    assert wanted in run.present_jobs[0].log
