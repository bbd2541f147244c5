"""What becomes of releases as time goes by: reminders, their end, and what was cut off."""

from dataclasses import dataclass

from provisioning.clock import Clock
from provisioning.deployment_board import DeploymentBoard
from provisioning.engine import Engine
from provisioning.release import Release, next_reminder
from provisioning.releasing import Releasing
from provisioning.store import Store


@dataclass(frozen=True)
class ReleaseTimes:
    """A sweep over what is not settled; doing it again changes nothing."""

    store: Store
    engine: Engine
    releasing: Releasing
    board: DeploymentBoard
    clock: Clock

    def sweep(self) -> None:
        """Remind of what waits, end what waited too long, go on with what a crash cut off."""
        now = self.clock.now()
        for release in self.store.releases.due(now):
            if release.deadline <= now:
                self._expire(release)
            else:
                self._remind(release)
        for release in self.store.releases.unsettled():
            if release.state == "deciding":
                self._go_on(release)

    def _go_on(self, release: Release) -> None:
        """Have GitHub told what was decided, as long as it does not show it."""
        state = self.engine.state(release.id, f"decide:{release.tries}")
        if state == "unknown":
            self.releasing.start(release)
        elif state in ("finished", "failed"):
            # GitHub's lists may have lagged behind when it was told before.
            again = self.store.releases.move(
                release.id,
                ["deciding"],
                "deciding",
                what="told again",
                changes={"tries": release.tries + 1},
            )
            if again:
                self.releasing.start(again)

    def _expire(self, release: Release) -> None:
        why = "nobody decided in time"
        if self.store.releases.move(release.id, ["open"], "expired", changes={"why": why}):
            self.releasing.begin("release.cancel_run", release, "cancel")
            self.board.show_release(release.id)

    def _remind(self, release: Release) -> None:
        """Remind once, however many reminders were missed while nobody swept."""
        number, now = release.reminders + 1, self.clock.now()
        while (again := next_reminder(release.asked_at, number)) and again <= now:
            number += 1
        if self.store.releases.remind(release.id, number, again):
            self.board.remind(release, number)
