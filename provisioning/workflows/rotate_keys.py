"""`rotate_keys`: new keys for environments, the old ones revoked once nobody can hold them.

Durable parts: `plan` waits for GitHub's budget; `apply` gives each environment a new key, and ends;
whoever sees that nothing holds the old ones any more starts `revoke`. Nothing is planned with
Terraform, which must not know of keys.
"""

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from provisioning.engine import Steps
from provisioning.errors import PermanentError, RunEnded
from provisioning.key_ages import reminders_of
from provisioning.operation import Operation
from provisioning.overlaps import Overlaps
from provisioning.rotation import Rotation
from provisioning.rotation_message import replaced
from provisioning.rotation_parts import RotationParts
from provisioning.run_steps import RunSteps
from provisioning.text import Notice


@dataclass(frozen=True)
class RotateKeys:
    """The workflow's parts, as the engine runs them."""

    run_steps: RunSteps
    parts: RotationParts
    overlaps: Overlaps

    def workflows(self) -> dict[str, Callable[[Steps, str], None]]:
        """Return the parts by the names they are registered under."""
        return {
            "rotate_keys.plan": self.queue,
            "rotate_keys.apply": self.renew,
            "rotate_keys.revoke": self.revoke,
        }

    def queue(self, steps: Steps, run: str) -> None:
        """Wait for a turn to write to GitHub: nobody has to confirm anything."""
        with suppress(RunEnded), self.run_steps.truthful(run, "Rotating the keys"):
            steps.do("queue", self._queue, run)

    def renew(self, steps: Steps, run: str) -> None:
        """Give each environment a new key that logs in; the old ones go on logging in."""
        with suppress(RunEnded), self.run_steps.truthful(run, "Renewing the keys"):
            for name in steps.do("find whose keys to renew", self._environments, run):
                steps.do(f"go on to {name}", self._go_on, run)
                steps.do(f"renew the key of {name}", self.parts.renew, run, name)
                at = steps.do(f"read back the key of {name}", self.parts.read_back, run, name)
                steps.do(f"note the key of {name}", self._note_renewed, run, name, at)
            steps.do("overlap", self._overlap, run)

    def revoke(self, steps: Steps, run: str) -> None:
        """Revoke the old keys, which nothing can hold any more."""
        with suppress(RunEnded), self.run_steps.truthful(run, "Revoking the old keys"):
            revoked = [
                steps.do(f"revoke the old keys of {name}", self.parts.revoke, run, name)
                for name in steps.do("find whose keys to revoke", self._revocable, run)
            ]
            steps.do("end", self._end, run, sum(revoked))

    # ------------------------------------------------------------------ steps

    def _queue(self, run: str) -> None:
        if self.run_steps.policy.authentication != "secret":
            raise PermanentError(
                "Workflows log in without keys since the settings changed. Nothing was changed."
            )
        self.run_steps.enter(run, ["queued"], "confirmed")

    def _environments(self, run: str) -> tuple[str, ...]:
        return rotation_of(
            self.run_steps.enter(run, ["applying"], "applying", touched=True)
        ).environments

    def _go_on(self, run: str) -> None:
        """End here if somebody has asked for that."""
        self.run_steps.enter(run, ["applying"], "applying")

    def _note_renewed(self, run: str, name: str, at: datetime) -> None:
        known = rotation_of(self.run_steps.load(run))
        written = max(filter(None, (known.written_at, at)))
        renewed = tuple(dict.fromkeys((*known.renewed, name)))
        self._remember(run, known.model_copy(update={"renewed": renewed, "written_at": written}))

    def _remember(self, run: str, rotation: Rotation) -> None:
        self.run_steps.remember(run, rotation=rotation.model_dump(mode="json"))

    def _overlap(self, run: str) -> None:
        """Leave it to whoever sees that nothing holds the old keys any more.

        Which key is due first will be noted with the next look at all keys.
        """
        now = self.run_steps.load(run)
        known = rotation_of(now)
        self.run_steps.store.health.key_due(now.project, None, "")
        deadline = self.run_steps.clock.now() + self.run_steps.policy.longest_overlap
        self.run_steps.finish(run, "applying")
        kept = known.model_copy(update={"deadline": deadline})
        rotation = kept.model_dump(mode="json")
        operation = self.run_steps.enter(run, ["applying"], "overlapping", rotation=rotation)
        self.overlaps.look(operation)

    def _revocable(self, run: str) -> tuple[str, ...]:
        """Return the environments with old keys; a project that is gone has none."""
        operation = self.run_steps.enter(run, ["overlapping"], "revoking")
        project = self.run_steps.store.projects.get(operation.project)
        is_gone = project is None or project.state == "gone"
        return () if is_gone else rotation_of(operation).environments

    def _end(self, run: str, revoked: int) -> None:
        known = rotation_of(self.run_steps.load(run))
        self._remember(run, known.model_copy(update={"revoked": revoked}))
        self.run_steps.finish(run, "revoking")
        self.run_steps.store.operations.end(run, "done")
        self._settle_reminders(self.run_steps.load(run).project, known.environments)
        self.run_steps.desk.show(run)

    def _settle_reminders(self, project: str, environments: Collection[str]) -> None:
        """Let owners no longer be asked for what is done."""

        def settle(reminder: Notice) -> Notice:
            return replaced(reminder, environments)

        self.run_steps.store.messages.settle(reminders_of(project), settle)


def rotation_of(operation: Operation) -> Rotation:
    """Return what an operation knows of its rotation."""
    if operation.facts.rotation is None:
        raise PermanentError("This run does not say whose keys to rotate. Nothing was changed.")
    return operation.facts.rotation
