"""The OAuth secrets of projects' service principals, and the proof that a new one logs in."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from databricks.sdk.errors import NotFound, PermissionDenied, Unauthenticated
from databricks.sdk.service.oauth2 import SecretInfo, ServicePrincipalSecretsAPI
from pydantic import SecretStr

from provisioning.adapters.databricks.connection import Accounts
from provisioning.adapters.databricks.login import Login
from provisioning.errors import TemporaryError
from provisioning.ports import MintedSecret, Principal, SecretFacts


class PrincipalSecrets:
    """Mints, lists and retires secrets as account admin."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def secrets(self, principal: Principal) -> tuple[SecretFacts, ...]:
        """Return the secrets that a principal has, oldest first; a principal that is gone has none.

        Databricks goes on to list those that have expired, and counts them.
        """
        try:
            return _facts(self._api(principal).list(principal.number))
        except NotFound:
            return ()

    def own(self, group: str) -> tuple[SecretFacts, ...]:
        """Return the secrets that we may be logged in with ourselves."""
        account = self._accounts.account(group)
        named = f'applicationId eq "{self._accounts.login.client_id}"'
        us = account.service_principals_v2.list(filter=named)
        secrets = account.service_principal_secrets
        return _facts(each for one in us for each in secrets.list(one.id or ""))

    def mint(self, principal: Principal, lifetime: timedelta) -> MintedSecret:
        """Mint a secret; one that does not log in is retired again, for somebody to try later."""
        seconds = f"{lifetime.total_seconds():.0f}s"
        made = self._api(principal).create(principal.number, lifetime=seconds)
        minted = MintedSecret(id=made.id or "", value=SecretStr(made.secret or ""))
        try:
            self._prove(principal, minted)
        except Exception:
            self.retire(principal, minted.id)
            raise
        return minted

    def _prove(self, principal: Principal, minted: MintedSecret) -> None:
        login = Login(principal.client_id, minted.value.get_secret_value())
        where = principal.environment
        try:
            me = self._accounts.visitor(where, login).current_user.me()
        except (ValueError, PermissionDenied, Unauthenticated):
            # What was refused could hold the secret: it isn't passed on, not even as the cause.
            raise TemporaryError(
                f"A new secret does not log in to {where.name} yet (service principal "
                f"{principal.client_id})"
            ) from None
        if me.user_name != principal.client_id:
            raise TemporaryError(f"A new secret logs in to {where.name} as {me.user_name}")

    def retire(self, principal: Principal, secret: str) -> None:
        """Delete a secret; one that is gone is fine."""
        try:
            self._api(principal).delete(principal.number, secret)
        except NotFound:
            return

    def _api(self, principal: Principal) -> ServicePrincipalSecretsAPI:
        return self._accounts.account(principal.environment.group).service_principal_secrets


def _facts(found: Iterable[SecretInfo]) -> tuple[SecretFacts, ...]:
    facts = (
        SecretFacts(
            id=each.id or "",
            made_at=_moment(each.create_time or ""),
            expires_at=_moment(each.expire_time) if each.expire_time else None,
        )
        for each in found
    )
    return tuple(sorted(facts, key=lambda each: each.made_at))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
