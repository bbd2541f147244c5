"""What we remember of the OAuth secrets that GitHub has: ids and times, never a value."""

from datetime import datetime

from provisioning.ports import SecretFacts
from provisioning.store import Store
from provisioning.text import Frozen

VALUES = ("DATABRICKS_TOKEN", "DATABRICKS_TOKEN_MT_SP")
"""The names under which GitHub has the secret itself; the others say where and as whom."""


class Known(Frozen):
    """The secret that GitHub has, since when (by GitHub's clock), and the run that wrote it.

    `before` is when GitHub had been written to before that. A workflow run may still hold those in
    `held`. Those in `tried` were minted for it by a step that did not end: it may have one of them
    instead. All others of a principal nobody has.
    """

    id: str = ""
    held: tuple[str, ...] = ()
    tried: tuple[str, ...] = ()
    by: str = ""
    before: datetime | None = None
    written_at: datetime | None = None

    @property
    def in_use(self) -> frozenset[str]:
        """Return the ids that must go on logging in."""
        return frozenset({self.id, *self.held, *self.tried} - {""})


class KnownSecrets:
    """The memory, a memo for each environment of each project."""

    def __init__(self, store: Store) -> None:
        self._memos = store.memos

    def of(self, project: str, environment: str) -> Known:
        """Return what is known, which may be nothing."""
        stored = self._memos.get(_key(project, environment)) or {}
        return Known.model_validate(stored)

    def remember(self, project: str, environment: str, known: Known) -> None:
        """Know this from now on."""
        self._memos.set(_key(project, environment), known.model_dump(mode="json"))

    def key_of(
        self, project: str, environment: str, held: tuple[SecretFacts, ...]
    ) -> SecretFacts | None:
        """Return which secret of a principal GitHub has: the latest one, if that is forgotten."""
        known = self.of(project, environment).id
        latest = held[-1] if held else None
        return next((each for each in held if each.id == known), latest)


def _key(project: str, environment: str) -> str:
    return f"secret:{project}:{environment}"
