"""The OIDC issuer: tokens a workflow job would get, with the subject format of new repositories."""

import base64
import uuid
from datetime import timedelta

import jwt

from playground.github.objects import GitStore
from playground.github.vault import Vault
from playground.github.world import Json, Organisation, Repository, World

KEY_ID = "stand-in-1"
LIFETIME = timedelta(minutes=5)
CLAIMS = (
    "aud",
    "iss",
    "sub",
    "exp",
    "iat",
    "nbf",
    "jti",
    "environment",
    "ref",
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "workflow_ref",
    "job_workflow_ref",
)


def subject_prefix(org: Organisation, repo: Repository) -> str:
    """Return how every subject of the repository begins: with ids, unless switched off."""
    if repo.subject.immutable:
        return f"repo:{org.login}@{org.id}/{repo.name}@{repo.id}"
    return f"repo:{org.login}/{repo.name}"


def subject(org: Organisation, repo: Repository, claims: Json) -> str:
    """Return the subject of a token that carries these other claims."""
    environment = claims.get("environment")
    context = f"environment:{environment}" if environment else f"ref:{claims['ref']}"
    if claims.get("event_name") == "pull_request" and not environment:
        context = "pull_request"
    prefix = subject_prefix(org, repo)
    if repo.subject.use_default:
        return f"{prefix}:{context}"
    known = {"repo": prefix, "context": context}
    keys = repo.subject.include_claim_keys
    return ":".join(known.get(key, f"{key}:{claims.get(key, '')}") for key in keys)


def mint(
    world: World,
    vault: Vault,
    issuer: str,
    wanted: tuple[str, str | None, str],
    job: Json | None = None,
) -> str:
    """Return a signed token for (repository, environment or None, audience).

    `job` is what a real job says of itself: its run, commit, actor and workflow.
    """
    name, environment, audience = wanted
    repo = world.find_repo(name.rpartition("/")[2])
    if repo is None:
        raise LookupError(f"there is no repository {name}")
    now = world.now()
    claims = _claims(world, repo, environment) | (job or {})
    claims |= {"sub": subject(world.organisation, repo, claims), "aud": audience, "iss": issuer}
    claims |= {"iat": now, "nbf": now - timedelta(minutes=10), "exp": now + LIFETIME}
    claims["jti"] = str(uuid.uuid4())
    return jwt.encode(claims, vault.oidc_key, algorithm="RS256", headers={"kid": KEY_ID})


def _claims(world: World, repo: Repository, environment: str | None) -> Json:
    org = world.organisation
    full_name, ref = f"{org.login}/{repo.name}", f"refs/heads/{repo.default_branch}"
    workflow = f"{full_name}/.github/workflows/deploy.yml@{ref}"
    sha = GitStore(repo.path).ref(ref) or ""
    claims: Json = {
        "ref": ref,
        "ref_type": "branch",
        "ref_protected": "true" if repo.rulesets else "false",
        "sha": sha,
        "repository": full_name,
        "repository_id": str(repo.id),
        "repository_owner": org.login,
        "repository_owner_id": str(org.id),
        "repository_visibility": repo.visibility,
        "actor": org.login,
        "actor_id": str(org.id),
        "workflow": "deploy",
        "workflow_ref": workflow,
        "workflow_sha": sha,
        "job_workflow_ref": workflow,
        "job_workflow_sha": sha,
        "event_name": "workflow_dispatch",
        "head_ref": "",
        "base_ref": "",
        "run_id": str(world.next_id()),
        "run_number": "1",
        "run_attempt": "1",
        "runner_environment": "self-hosted",
    }
    return claims | {"environment": environment} if environment else claims


def configuration(issuer: str) -> Json:
    """Return the discovery document."""
    return {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/.well-known/jwks",
        "subject_types_supported": ["public", "pairwise"],
        "response_types_supported": ["id_token"],
        "claims_supported": list(CLAIMS),
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid"],
    }


def keys(vault: Vault) -> Json:
    """Return the public key set."""
    numbers = vault.oidc_key.public_key().public_numbers()
    key = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": KEY_ID}
    return {"keys": [key | {"n": _number(numbers.n), "e": _number(numbers.e)}]}


def _number(value: int) -> str:
    raw = value.to_bytes((value.bit_length() + 7) // 8)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
