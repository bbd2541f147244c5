"""The token of a linked person, for the one step that uses it.

A refresh token works once, so one process at a time renews a person's tokens: it holds a right in
the database that ends by itself if its holder dies. What GitHub answered and we could not store is
lost for good; then the next renewal is refused, the link is broken, and the person links again.
"""

import json
import logging
import threading
import time
from datetime import timedelta
from uuid import uuid4

from pydantic import SecretStr

from provisioning.clock import Clock
from provisioning.errors import PermanentError, TemporaryError, UserError
from provisioning.identity import Tokens
from provisioning.ports import Identities
from provisioning.sealing import Seal
from provisioning.store import Message, Store
from provisioning.store.identities import SealedTokens, place_of
from provisioning.tables import IdentityRow
from provisioning.text import Notice, Text, code, plain, say

log = logging.getLogger(__name__)

RENEW_BEFORE = timedelta(minutes=5)
LEASE = timedelta(minutes=1)
"""Longer than GitHub may take to answer, so that a right ends only when its holder has died."""
PATIENCE_SECONDS = 15.0
LINK_COMMAND = code("/sciclops link")
LINK_FIRST = say("Link your GitHub account first: ", LINK_COMMAND)
BROKEN = say(
    "Your link to GitHub no longer works: GitHub refuses the stored token. Nothing was done. "
    "Link your account again: ",
    LINK_COMMAND,
)


def sealed(seal: Seal, tokens: Tokens, place: str) -> SealedTokens:
    """Return tokens as they are stored."""
    bundle = [tokens.access.get_secret_value(), tokens.refresh.get_secret_value()]
    return SealedTokens(
        place=place,
        sealed=seal.close(json.dumps(bundle), place),
        access_until=tokens.access_until,
        refresh_until=tokens.refresh_until,
    )


def opened(seal: Seal, text: str, place: str) -> tuple[SecretStr, SecretStr]:
    """Return the access and the refresh token."""
    access, refresh = json.loads(seal.open(text, place))
    return SecretStr(access), SecretStr(refresh)


def access_in(bundle: str) -> SecretStr:
    """Return the access token in a bundle that was opened."""
    return SecretStr(json.loads(bundle)[0])


class UserTokens:
    """Hands out valid tokens, and tells people when theirs no longer work."""

    def __init__(self, store: Store, identities: Identities, seal: Seal, clock: Clock) -> None:
        self._store = store
        self._identities = identities
        self._seal = seal
        self._clock = clock

    def of(self, person: str) -> SecretStr:
        """Return a token that is valid for some minutes; renews it if need be.

        Raises UserError if the person has to link an account first.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        pause = threading.Event()
        while True:
            row = self._row(person)
            if self._clock.now() + RENEW_BEFORE < row.access_until:
                return opened(self._seal, row.sealed, _place(row))[0]
            holder = uuid4().hex
            if self._store.identities.claim_renewal(person, row.generation, holder, LEASE):
                self._renew(row, holder)
            elif time.monotonic() > deadline:
                raise TemporaryError("Somebody's GitHub token is just being renewed", after=LEASE)
            else:
                pause.wait(0.05)

    def refused(self, person: str, access: SecretStr) -> None:
        """Hear that GitHub refused a token: the link is broken unless there is a newer token."""
        row = self._store.identities.of(person)
        if row is None or row.state != "linked":
            return
        held = opened(self._seal, row.sealed, _place(row))[0]
        if held == access and self._identities.whoami(access) is None:
            self.break_link(row, "GitHub refuses the token")

    def break_link(self, row: IdentityRow, why: str) -> None:
        """Note that a link no longer works; the person hears of it once."""
        body = say(
            f"Your link to the GitHub account {row.login} no longer works ({why}). "
            "Approving and deploying need it. Link the account again: ",
            LINK_COMMAND,
        )
        key = f"link:{row.person}:{row.generation}:{row.linked_at.timestamp():.0f}:broken"
        message = told(row.person, key, body)
        if self._store.identities.break_link(row.person, row.generation, message, why):
            log.warning("the link of %s to GitHub is broken: %s", row.person, why)

    def _row(self, person: str) -> IdentityRow:
        row = self._store.identities.of(person)
        if row is None:
            raise UserError(LINK_FIRST)
        if row.state != "linked":
            raise UserError(BROKEN)
        return row

    def _renew(self, row: IdentityRow, holder: str) -> None:
        try:
            tokens = self._identities.refresh(opened(self._seal, row.sealed, _place(row))[1])
        except (TemporaryError, PermanentError):
            self._store.identities.release_renewal(row.person, holder)
            raise
        if tokens is None:
            self.break_link(row, "GitHub refuses to renew the token")
            return
        fresh = sealed(self._seal, tokens, _place(row))
        if self._store.identities.renew(row.person, row.generation, fresh):
            self._check_owner(row, tokens.access)

    def _check_owner(self, row: IdentityRow, access: SecretStr) -> None:
        """Follow an account that was renamed; the stored tokens count, whatever happens here."""
        account = self._identities.whoami(access)
        if account is not None and account.id == row.github_id:
            self._store.identities.rename(row.person, account)


def told(person: str, key: str, *lines: Text) -> Message:
    """Return a direct message of a few lines."""
    summary = " ".join(plain(line) for line in lines)[:150]
    return Message(
        key=key, content=Notice(summary=summary, body=lines), recipient=person, urgent=True
    )


def _place(row: IdentityRow) -> str:
    return place_of(row.person, row.github_id)
