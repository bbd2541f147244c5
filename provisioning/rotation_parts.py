"""The steps that replace an environment's secret while deployments go on.

The old secret logs in until nobody can hold it. GitHub gives an environment's secrets to a job when
it starts, and shows nobody their values, so that a new one is proved before it is forgotten.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from provisioning.delivery import SECRET_NAMES
from provisioning.errors import PermanentError, TemporaryError
from provisioning.known_secrets import VALUES, Known
from provisioning.operation import Operation
from provisioning.ports import SecretFacts
from provisioning.secret_parts import SecretParts, values_of

APART = timedelta(minutes=1)
"""How far the clocks of two vendors, and their lists, may lag behind each other."""

Dates = Mapping[str, datetime]
"""When GitHub's secrets were written, by name."""


@dataclass(frozen=True)
class RotationParts:
    """The steps; each environment has one of each."""

    secrets: SecretParts

    def renew(self, run: str, name: str) -> None:
        """Give an environment a new secret that logs in.

        Again after it was done it changes nothing. Cut off anywhere, what GitHub has logs in.
        """
        operation = self.secrets.run_steps.load(run)
        project, principal = operation.project, self.secrets.principal(operation, name)
        known = self.secrets.known.of(project, name)
        held = self.secrets.workspaces.secrets(principal)
        if known.by == run and self._is_alive(held, known.id):
            return
        dates = self.secrets.repositories.secrets(project, name)
        # Before anything is minted: shows whether GitHub takes what we write.
        places = self.secrets.places(operation, name)
        self.secrets.repositories.put_secrets(project, name, places)
        self.secrets.make_room(principal, held, self._unused(held, known, dates))
        minted = self.secrets.workspaces.mint_secret(principal, self.secrets.lifetime)
        old = tuple(each.id for each in held if each.id in self._in_use(held, known))
        # From the first try on GitHub may have it, and a workflow run hold it.
        attempt = known.model_copy(update={"held": (*old, minted.id)})
        self.secrets.known.remember(project, name, attempt)
        self.secrets.repositories.put_secrets(project, name, values_of(minted))
        fresh = Known(id=minted.id, held=old, by=run, before=_latest(dates))
        self.secrets.known.remember(project, name, fresh)

    def read_back(self, run: str, name: str) -> datetime:
        """Return when GitHub, by its own clock, got what was written."""
        project = self.secrets.run_steps.load(run).project
        known = self.secrets.known.of(project, name)
        there = self.secrets.repositories.secrets(project, name)
        if not set(SECRET_NAMES) <= there.keys() or self._is_older(there, known.before):
            raise TemporaryError(f"GitHub does not show the new secrets of {name} yet")
        written_at = max(there[each] for each in VALUES)
        done = known.model_copy(update={"written_at": written_at})
        self.secrets.known.remember(project, name, done)
        return written_at

    def _is_older(self, there: Dates, before: datetime | None) -> bool:
        """Tell whether GitHub shows what it had before; its times are in whole seconds."""
        if before is None or self.secrets.run_steps.clock.now() - before < APART:
            return False
        return min(there[each] for each in VALUES) <= before

    def revoke(self, run: str, name: str) -> int:
        """Revoke every secret of an environment but the one that GitHub has, if it logs in.

        Return how many there were. A principal that is gone has none.
        """
        operation = self.secrets.run_steps.load(run)
        principal = self.secrets.principal(operation, name)
        held = self.secrets.workspaces.secrets(principal)
        if not held:
            return 0
        known = self.secrets.known.of(operation.project, name)
        self._require_in_place(operation, name, known, held)
        revoked = self.secrets.retire_others(principal, frozenset({known.id}))
        done = known.model_copy(update={"held": ()})
        self.secrets.known.remember(operation.project, name, done)
        return revoked

    def _require_in_place(
        self, operation: Operation, name: str, known: Known, held: tuple[SecretFacts, ...]
    ) -> None:
        """Refuse to revoke anything unless GitHub has what we wrote and Databricks knows it.

        Its value is forgotten by now: that it logs in was tried when it was minted.
        """
        there = self.secrets.repositories.secrets(operation.project, name)
        wrong = ""
        if not self._is_alive(held, known.id):
            wrong = f"The new key of {name} is gone at Databricks."
        elif not set(SECRET_NAMES) <= there.keys():
            wrong = f"GitHub lacks secrets of {name} since."
        elif known.written_at is None or _latest(there) != known.written_at:
            wrong = f"Somebody else has written secrets of {name} since."
        if wrong:
            anew = known.model_copy(update={"by": ""})
            self.secrets.known.remember(operation.project, name, anew)
            raise PermanentError(
                f"{wrong} The old keys were kept. Press Retry, which mints and writes a new one."
            )

    # ------------------------------------------------------------------ who holds what

    def _in_use(self, held: tuple[SecretFacts, ...], known: Known) -> frozenset[str]:
        """Return what somebody may log in with; all of it, if we don't know what GitHub has."""
        ids = frozenset(each.id for each in held)
        return known.in_use if known.id in ids else ids

    def _unused(
        self, held: tuple[SecretFacts, ...], known: Known, dates: Dates
    ) -> Iterator[SecretFacts]:
        """Return what was minted and never got to GitHub, oldest first.

        That is what we don't know, and what was minted later than GitHub was last written to.
        """
        now = self.secrets.run_steps.clock.now()
        latest = _latest(dates) or now  # where GitHub has none, nothing is known
        for each in held:
            never_given = latest + APART < each.made_at < now - APART
            if each.id not in self._in_use(held, known) or (never_given and each.id != known.id):
                yield each

    def _is_alive(self, held: tuple[SecretFacts, ...], secret: str) -> bool:
        now = self.secrets.run_steps.clock.now()
        return any(each.id == secret and each.is_alive(now) for each in held)


def _latest(dates: Dates) -> datetime | None:
    """Return when GitHub was last given a secret."""
    return max((dates[each] for each in VALUES if each in dates), default=None)
