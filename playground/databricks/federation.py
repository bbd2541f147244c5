"""Outside tokens (GitHub's, for one) checked against a service principal's federation policies."""

import json
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import jwt
from jwt.types import Options

from playground.databricks.errors import RefusalError, oauth_error
from playground.databricks.state import FederationPolicy, ServicePrincipal

ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384"]
SKEW = timedelta(seconds=60)
ONLY_THE_SIGNATURE: Options = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
}
"""Times are compared with our clock and audiences with the policies."""
FETCH_TIMEOUT = aiohttp.ClientTimeout(total=5)


def refused(description: str) -> RefusalError:
    """Return the answer to a subject token that does not get in (RFC 8693, section 2.2.2)."""
    return oauth_error(400, "invalid_request", f"Token exchange failed: {description}")


class Federation:
    """Checks outside tokens with the keys their issuers publish, which it fetches over HTTP."""

    def __init__(self) -> None:
        self._http: aiohttp.ClientSession | None = None
        self._keys: dict[str, list[dict[str, Any]]] = {}

    async def start(self) -> None:
        """Open the HTTP client."""
        self._http = aiohttp.ClientSession(timeout=FETCH_TIMEOUT)

    async def stop(self) -> None:
        """Close the HTTP client."""
        if self._http:
            await self._http.close()

    async def check(self, principal: ServicePrincipal, token: str, now: datetime) -> None:
        """Refuse `token` unless one of the principal's policies lets it in."""
        header, claims = _unverified(token)
        policies = [p for p in principal.policies.values() if p.issuer == claims.get("iss")]
        if not policies:
            raise refused(
                f"no federation policy of service principal {principal.application_id} "
                f"has issuer {claims.get('iss')}."
            )
        await self._refuse_forged(token, header, policies[0])
        _refuse_untimely(claims, now)
        _refuse_unmatched(claims, policies)

    async def _refuse_forged(
        self, token: str, header: dict[str, Any], policy: FederationPolicy
    ) -> None:
        key = await self._key(policy, str(header.get("kid", "")))
        try:
            jwt.decode(
                token,
                jwt.PyJWK(key).key,
                algorithms=ALGORITHMS,
                options=ONLY_THE_SIGNATURE,
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise refused("the signature of the token is not valid.") from error

    async def _key(self, policy: FederationPolicy, kid: str) -> dict[str, Any]:
        """Return the issuer's key; an unknown key id asks the issuer again, for keys rotate."""
        if policy.jwks_json:
            return _chosen(json.loads(policy.jwks_json).get("keys", []), kid)
        source = policy.jwks_uri or policy.issuer
        if not any(key.get("kid") == kid for key in self._keys.get(source, [])):
            uri = policy.jwks_uri or await self._jwks_uri(policy.issuer)
            self._keys[source] = (await self._fetch(uri)).get("keys", [])
        return _chosen(self._keys[source], kid)

    async def _jwks_uri(self, issuer: str) -> str:
        found = await self._fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != issuer or not isinstance(found.get("jwks_uri"), str):
            raise refused(f"{issuer} does not publish itself as an OpenID issuer.")
        return str(found["jwks_uri"])

    async def _fetch(self, url: str) -> dict[str, Any]:
        if self._http is None:
            raise RuntimeError("the stand-in is not started")
        try:
            async with self._http.get(url) as response:
                response.raise_for_status()
                answer = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise refused(f"the keys of the issuer could not be fetched from {url}.") from error
        return answer if isinstance(answer, dict) else {}


def _unverified(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        parts = jwt.decode_complete(token, options={"verify_signature": False})
    except jwt.PyJWTError as error:
        raise refused("subject_token is not a JWT.") from error
    return parts["header"], parts["payload"]


def _chosen(keys: list[dict[str, Any]], kid: str) -> dict[str, Any]:
    for key in keys:
        if key.get("kid") == kid:
            return key
    raise refused(f"the issuer has no key with id {kid}.")


def _refuse_untimely(claims: dict[str, Any], now: datetime) -> None:
    expires, not_before = claims.get("exp"), claims.get("nbf", 0)
    if not isinstance(expires, (int, float)) or expires <= (now - SKEW).timestamp():
        raise refused("the token has expired.")
    if not isinstance(not_before, (int, float)) or not_before > (now + SKEW).timestamp():
        raise refused("the token is not valid yet.")


def _refuse_unmatched(claims: dict[str, Any], policies: list[FederationPolicy]) -> None:
    """Subjects match exactly: the vendor knows no wildcards."""
    raw = claims.get("aud")
    audiences = set(raw) if isinstance(raw, list) else {raw}
    right_audience = [each for each in policies if audiences & set(each.audiences)]
    if not right_audience:
        raise refused(f"no federation policy accepts audience {raw}.")
    if not any(claims.get(p.subject_claim or "sub") == p.subject for p in right_audience):
        raise refused(f"no federation policy accepts subject {claims.get('sub')}.")
