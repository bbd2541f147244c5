"""Logging in: OAuth client credentials and the exchange of outside tokens."""

from base64 import b64decode
from datetime import datetime
from hmac import compare_digest
from urllib.parse import unquote

from playground.databricks.access_tokens import issue_access
from playground.databricks.call import Json
from playground.databricks.errors import oauth_error
from playground.databricks.federation import Federation
from playground.databricks.state import ServicePrincipal, Workspace, World

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT_TYPES = ("urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token")
SCOPES = {"all-apis", "offline_access", "sql"}


class Login:
    """The token endpoint of the account and of each workspace."""

    def __init__(self, world: World, federation: Federation) -> None:
        self._world = world
        self._federation = federation

    async def token(
        self, form: dict[str, str], authorization: str, at: Workspace | None, now: datetime
    ) -> Json:
        """Answer a token request, or refuse it."""
        client_id, client_secret = _client(form, authorization)
        if unknown := set(form.get("scope", "").split()) - SCOPES:
            raise oauth_error(400, "invalid_scope", f"Unknown scope: {' '.join(sorted(unknown))}")
        principal = self._principal(client_id)
        match form.get("grant_type", ""):
            case "client_credentials":
                _check_secret(principal, client_secret, now)
            case grant if grant == EXCHANGE:
                if form.get("subject_token_type") not in JWT_TYPES:
                    raise oauth_error(400, "invalid_request", "Unsupported subject_token_type.")
                await self._federation.check(principal, form.get("subject_token", ""), now)
            case grant:
                raise oauth_error(
                    400, "unsupported_grant_type", f"Grant type {grant} is not supported."
                )
        self._refuse_outsider(principal, at)
        token = issue_access(self._world, principal, at, now)
        lifetime = int((token.expires - now).total_seconds())
        answer: Json = {"access_token": token.value, "token_type": "Bearer", "scope": "all-apis"}
        answer["expires_in"] = lifetime
        if form.get("grant_type") == EXCHANGE:
            answer["issued_token_type"] = "urn:ietf:params:oauth:token-type:access_token"
        return answer

    def _principal(self, client_id: str) -> ServicePrincipal:
        found = self._world.named(client_id)
        if not isinstance(found, ServicePrincipal) or not found.active:
            raise oauth_error(401, "invalid_client", "Client authentication failed")
        return found

    def _refuse_outsider(self, principal: ServicePrincipal, at: Workspace | None) -> None:
        if at and self._world.level_in(at, principal) is None:
            raise oauth_error(
                401,
                "invalid_client",
                f"Service principal {principal.application_id} is not in workspace {at.id}",
            )


def _client(form: dict[str, str], authorization: str) -> tuple[str, str]:
    """Return (client id, secret) of the Basic header, else of the form."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        client_id, _, secret = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError as error:
        raise oauth_error(401, "invalid_client", "Client authentication failed") from error
    return unquote(client_id), unquote(secret)


def _check_secret(principal: ServicePrincipal, secret: str, now: datetime) -> None:
    valid = [each for each in principal.secrets.values() if each.expires > now]
    if not any(compare_digest(each.value.encode(), secret.encode()) for each in valid):
        raise oauth_error(401, "invalid_client", "Client authentication failed")
