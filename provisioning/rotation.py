"""What a rotation of keys knows, and when a key is due: pure values, no secret among them."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from provisioning.ports import SecretFacts
from provisioning.project import STAGES, Environment
from provisioning.text import Frozen

ALL = "all"
BEFORE_EXPIRY = timedelta(days=14)
"""A key that expires is due so long before; or a quarter of its life, if that is less."""
EVERY = timedelta(days=7)
"""So long after it was due a key is overdue, and its owners are told again, and so on."""


class Rotation(Frozen):
    """How far a rotation has come: names of environments, times and addresses.

    `written_at` is when GitHub had the last new key, by GitHub's clock. Until `deadline` at most
    the old ones are kept for the workflow runs in `waits_for`. `revoked` counts old keys.
    """

    environments: tuple[str, ...]
    renewed: tuple[str, ...] = ()
    written_at: datetime | None = None
    deadline: datetime | None = None
    waits_for: tuple[str, ...] = ()
    revoked: int = 0


def chosen(environments: tuple[Environment, ...], stage: str) -> tuple[str, ...]:
    """Return the names of a stage's environments, its planners', too; of all with `all`."""
    return tuple(each.name for each in environments if stage in (ALL, each.stage))


def renewing(environments: Iterable[str]) -> dict[str, object]:
    """Return the facts that a rotation of these environments' keys begins with."""
    return {"rotation": Rotation(environments=tuple(environments)).model_dump(mode="json")}


def is_stage(word: str) -> bool:
    """Tell whether keys can be rotated by this word."""
    return word == ALL or word in STAGES


class Key(Frozen):
    """The key of an environment, as Databricks knows it now."""

    environment: Environment
    secret: SecretFacts

    def age(self, now: datetime) -> timedelta:
        """Return how old it is."""
        return now - self.secret.made_at

    def due_at(self, rotate_after: timedelta) -> datetime:
        """Return when it should be rotated."""
        return due_at(self.secret, rotate_after)

    def times_due(self, rotate_after: timedelta, now: datetime) -> int:
        """Return how often its owners should have been told; from the second time it is overdue."""
        return times_due(self.secret, rotate_after, now)


def due_at(secret: SecretFacts, rotate_after: timedelta) -> datetime:
    """Return when a secret should be rotated: it is old by then, or expires soon."""
    made, expires = secret.made_at, secret.expires_at
    old = made + rotate_after
    if expires is None:
        return old
    return min(old, expires - min(BEFORE_EXPIRY, (expires - made) / 4))


def times_due(secret: SecretFacts, rotate_after: timedelta, now: datetime) -> int:
    """Return how often people should have been told that it is due: 0 before that."""
    late = now - due_at(secret, rotate_after)
    return 0 if late < timedelta() else 1 + late // EVERY
