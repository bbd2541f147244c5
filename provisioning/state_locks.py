"""Terraform's own locks on its states: who holds one, and letting go of one that is stuck.

A state is locked while Terraform works on it. What is left of a lock when its process is gone
hinders nobody with most backends, but people see it; and some locks outlive a lost connection.
"""

from typing import Protocol

from provisioning.text import Frozen, Text, code, say


class StateLock(Frozen):
    """A lock as Terraform or its backend tells of it; texts are theirs.

    `held_by` says what living process holds it, in words; empty: nothing that can be seen does.
    """

    id: str
    who: str = ""
    created: str = ""
    operation: str = ""
    held_by: str = ""

    def described(self) -> Text:
        """Say which lock it is: for whoever decides whether it may go."""
        facts = (("Who", self.who), ("Created", self.created), ("Operation", self.operation))
        more = "".join(f" · {name}: {value}" for name, value in facts if value)
        return say("ID ", code(self.id), more)


class StateLocks(Protocol):
    """The locks on the states of projects."""

    def find(self, project: str) -> StateLock | None:
        """Return the lock on a project's state, or None."""

    def release(self, project: str, lock: str) -> None:
        """Let go of this very lock; one that is gone is fine.

        Raises `UserError` where a living process of ours holds it, or another lock is there by now.
        """
