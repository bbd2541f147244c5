"""Extending sandboxes: by owners a few times, by the platform team always, within the maximum."""

from dataclasses import dataclass
from datetime import date

from provisioning.clock import Clock
from provisioning.errors import UserError
from provisioning.living import existing
from provisioning.owners import Owners
from provisioning.policy import Policy
from provisioning.ports import People
from provisioning.sandbox import Sandbox, counted, extension_objection, proposed_end
from provisioning.sandbox_message import extended
from provisioning.sandbox_times import origin_of, warnings_of
from provisioning.store import Store
from provisioning.text import Notice

UNTIL = "until"
"""The form field of the new end date."""


@dataclass(frozen=True)
class Extending:
    """Rights are asked live; every refusal is a `UserError` that says why."""

    store: Store
    people: People
    policy: Policy
    clock: Clock

    def find(self, name: str, by: str) -> Sandbox:
        """Return a sandbox that this person may extend now."""
        sandbox = self._sandbox(name, by)
        self._require_extensible(sandbox, by)
        return sandbox

    def proposed(self, sandbox: Sandbox) -> date:
        """Return the end date to begin with."""
        return proposed_end(sandbox, self._today(), self.policy)

    def objection(self, sandbox: Sandbox, until: date) -> str:
        """Return why a sandbox cannot be extended to this date, or an empty string."""
        return extension_objection(sandbox, until, self._today(), self.policy)

    def left(self, sandbox: Sandbox) -> int:
        """Return how often its owners may still extend it."""
        return max(self.policy.sandbox_extensions - sandbox.extensions, 0)

    def extend(self, name: str, until: date, *, by: str) -> Sandbox:
        """Put off the end; asking again for the same date changes nothing."""
        sandbox = self._sandbox(name, by)
        if sandbox.until == until:
            return sandbox
        self._require_extensible(sandbox, by)
        if objection := self.objection(sandbox, until):
            raise UserError(objection, field=UNTIL)
        new = sandbox.model_copy(update={"until": until})

        def settle(notice: Notice) -> Notice:
            return extended(notice, new, by)

        again = self.store.sandboxes.extend(
            sandbox,
            until,
            by=by,
            warnings=warnings_of(origin_of(self.store, sandbox)),
            settle=settle,
        )
        if again is None:
            raise UserError(
                f"{name} has changed this very moment. Nothing was extended; look at it with "
                "status, and ask again.",
                field=UNTIL,
            )
        self.store.messages.on_show()
        return again

    def _sandbox(self, name: str, by: str) -> Sandbox:
        """Return a sandbox that is this person's, or the platform team's."""
        sandbox = Sandbox.of(existing(self.store, name))
        if sandbox is None:
            raise UserError(
                f"{name} is no sandbox: it has no end date and stays until somebody destroys it. "
                "There is nothing to extend."
            )
        owners = Owners(self.store, self.people, self.policy)
        owners.require(sandbox.spec, by, "extend the sandbox")
        return sandbox

    def _require_extensible(self, sandbox: Sandbox, by: str) -> None:
        name = sandbox.project
        if self.store.sandboxes.is_destroyed(name):
            raise UserError(
                f"{name} is being destroyed; its run's message shows how far it is. "
                "Nothing was extended."
            )
        if not self.left(sandbox) and not self._is_platform(by):
            times = counted(sandbox.extensions, "time")
            raise UserError(
                f"{name} was extended {times} already; now only the platform team can extend it. "
                f"It ends on {sandbox.until}: ask them before."
            )

    def _is_platform(self, who: str) -> bool:
        return self.people.is_among(who, (self.policy.platform_group,))

    def _today(self) -> date:
        return self.clock.now().date()
