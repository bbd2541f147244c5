"""The stand-in GitHub as OIDC issuer: what is in a token and who can check it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from github_standin import Standin, running
from jwt.types import Options

AUDIENCE = "https://accounts.example/oidc/accounts/1"
SUBJECT = "/repos/acme/ada-7/actions/oidc/customization/sub"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Standin]:
    with running(tmp_path) as standin:
        standin.new_repo()
        yield standin
        assert standin.github.violations == []


def claims(world: Standin, environment: str | None = "Production") -> dict[str, Any]:
    """Check a fresh token as a relying party does: by discovery and its published keys."""
    token = world.github.mint_oidc_token("acme/ada-7", environment, AUDIENCE)
    issuer = world.github.oidc_issuer
    found = world.session.get(f"{issuer}/.well-known/openid-configuration", timeout=10).json()
    keys = jwt.PyJWKSet.from_dict(world.session.get(found["jwks_uri"], timeout=10).json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(token, key, algorithms=["RS256"], audience=AUDIENCE, issuer=found["issuer"])


def test_the_subject_holds_the_ids_of_owner_and_repository(world: Standin) -> None:
    number = world.github.repos["ada-7"].id
    found = claims(world)
    assert found["sub"] == f"repo:acme@845100/ada-7@{number}:environment:Production"
    assert found["environment"] == "Production"
    assert found["repository"] == "acme/ada-7"
    assert found["repository_id"] == str(number)
    assert found["repository_owner_id"] == "845100"
    assert found["exp"] - found["iat"] == 300


def test_the_api_tells_the_same_prefix_as_the_token_carries(world: Standin) -> None:
    told = world.call("GET", SUBJECT).json()
    assert told["use_default"] is True
    assert claims(world)["sub"] == f"{told['sub_claim_prefix']}:environment:Production"


def test_without_an_environment_the_subject_is_the_branch(world: Standin) -> None:
    found = claims(world, None)
    assert found["sub"].endswith(":ref:refs/heads/main")
    assert "environment" not in found


def test_a_customised_subject_is_built_from_the_chosen_claims(world: Standin) -> None:
    keys = ["repo", "context", "job_workflow_ref"]
    body = {"use_default": False, "include_claim_keys": keys}
    assert world.call("PUT", SUBJECT, body).status_code == 201
    assert world.call("GET", SUBJECT).json()["include_claim_keys"] == keys
    prefix = world.call("GET", SUBJECT).json()["sub_claim_prefix"]
    ref = "acme/ada-7/.github/workflows/deploy.yml@refs/heads/main"
    assert claims(world)["sub"] == f"{prefix}:environment:Production:job_workflow_ref:{ref}"
    assert world.call("PUT", SUBJECT, {"use_default": True}).status_code == 201
    assert claims(world)["sub"] == f"{prefix}:environment:Production"


def test_the_old_subject_without_ids_can_be_asked_for(world: Standin) -> None:
    body = {"use_default": True, "use_immutable_subject": False}
    assert world.call("PUT", SUBJECT, body).status_code == 201
    assert claims(world)["sub"] == "repo:acme/ada-7:environment:Production"


@pytest.mark.parametrize("keys", [[], ["repo", "repo"], ["no spaces"]])
def test_claims_github_would_not_take_are_refused(world: Standin, keys: list[str]) -> None:
    body = {"use_default": False, "include_claim_keys": keys}
    assert world.call("PUT", SUBJECT, body).status_code == 422


def test_a_token_is_of_its_repository_audience_and_moment_only(world: Standin) -> None:
    world.new_repo("other")
    other = world.github.mint_oidc_token("acme/other", "Production", AUDIENCE)
    unchecked: Options = {"verify_signature": False}
    assert jwt.decode(other, options=unchecked)["sub"] != claims(world)["sub"]
    before = jwt.decode(other, options=unchecked)["exp"]
    world.clock.advance(timedelta(hours=1))
    later = world.github.mint_oidc_token("acme/other", "Production", AUDIENCE)
    assert 3600 <= jwt.decode(later, options=unchecked)["exp"] - before <= 3610
    with pytest.raises(LookupError):
        world.github.mint_oidc_token("acme/nothing", "Production", AUDIENCE)


def test_two_repositories_of_one_name_never_share_a_subject(world: Standin) -> None:
    first = claims(world)["sub"]
    assert world.call("DELETE", "/repos/acme/ada-7").status_code == 204
    world.new_repo()
    assert claims(world)["sub"] != first
