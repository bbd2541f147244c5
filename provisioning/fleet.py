"""Upgrades of all projects, ring by ring: canaries, then sandboxes, then the rest.

Each project gets a pull request, and a ring begins when the one before has ended without too many
failures. Terraform plans nothing here: nobody could read so many plans, and each waits for a Yes
(docs/decisions/0013). Level-triggered: `drive` goes on from the rows, so it may be called twice, by
two processes at once, or after a crash.
"""

import logging
from dataclasses import dataclass
from itertools import count
from typing import cast

from provisioning.board import read_operation
from provisioning.clock import Clock
from provisioning.errors import UserError
from provisioning.fleet_message import fleet_notice, progress
from provisioning.operation import ENDED as ENDED_PHASES
from provisioning.operation import UPGRADE_WRITES, operation_id
from provisioning.policy import Policy
from provisioning.project import ProjectSpec
from provisioning.requesting import Requesting
from provisioning.rings import FleetState, MemberState, ending_of, next_ring, ring_of
from provisioning.store import Message, Store
from provisioning.upgrade_tables import FleetMemberRow, FleetRow
from provisioning.upgrading import TEMPLATE, Upgrading
from provisioning.versions import Standing, Upgrade

log = logging.getLogger(__name__)

TO_UPGRADE: tuple[Standing, ...] = ("behind", "failed", "conflicts")
"""Who takes part; who has an open pull request of the present version needs none."""
PAGE = 200
SHARE = 0.75
"""What an upgrade of all may use of GitHub's budget; the rest is for people who wait."""


@dataclass(frozen=True)
class Fleet:
    """Begins, drives, pauses and resumes the one upgrade of all."""

    store: Store
    upgrading: Upgrading
    requesting: Requesting
    policy: Policy
    clock: Clock

    def to_upgrade(self) -> int:
        """Return how many projects would take part."""
        counts = self.store.versions.counts(self.upgrading.present())
        return sum(counts.get(standing, 0) for standing in TO_UPGRADE)

    def begin(self, *, by: str, key: str) -> FleetRow:
        """Begin an upgrade of all that are behind; the one that is open goes on instead."""
        now = self.clock.now()
        fleet = FleetRow(
            id=f"fleet-{operation_id(key).removeprefix('run-')}",
            state="running",
            requested_by=by,
            channel=self.policy.channel,
            began_at=now,
        )
        begun = self.store.fleets.begin(fleet, self._members(fleet.id))
        self.drive()
        return begun

    def _members(self, fleet: str) -> list[FleetMemberRow]:
        found: list[FleetMemberRow] = []
        present = self.upgrading.present()
        for number in count():
            page = self.store.versions.standing(
                present, TO_UPGRADE, limit=PAGE, offset=number * PAGE
            )
            for project, _ in page:
                spec = ProjectSpec.model_validate(project.spec)
                ring = ring_of(spec, self.policy.canaries)
                found.append(FleetMemberRow(fleet=fleet, project=project.name, ring=ring))
            if len(page) < PAGE:
                return found
        return found

    def pause(self) -> FleetRow:
        """Begin with no further project; those under way go on to their end."""
        return self._move(("running",), "paused", "There is no upgrade of all projects under way.")

    def resume(self) -> FleetRow:
        """Go on; what had failed in one that was halted is tried again."""
        row = self._move(
            ("paused", "halted"), "running", "No upgrade of all projects is paused or halted."
        )
        self.drive()
        return row

    def _move(self, expected: tuple[FleetState, ...], to: FleetState, otherwise: str) -> FleetRow:
        fleet = self.store.fleets.open()
        moved = self.store.fleets.move(fleet.id, expected, to) if fleet else None
        if moved is None:
            raise UserError(f"{otherwise} Nothing was changed.")
        self.show(moved.id)
        return moved

    # ------------------------------------------------------------------ driving

    def ended(self, fleet: str) -> None:
        """Hear that a member's operation has ended: go on at once instead of at the next sweep."""
        if fleet:
            self.drive()

    def drive(self) -> None:
        """Settle what has ended, then begin with as many projects as may be under way."""
        fleet = self.store.fleets.open()
        if fleet is None:
            return
        self._settle(fleet)
        if fleet.state == "running" and not self._halt(fleet):
            self._go_on(fleet)
        self.show(fleet.id)

    def _settle(self, fleet: FleetRow) -> None:
        for member in self.store.fleets.members(fleet.id, "begun", limit=PAGE):
            row = self.store.operations.get(operation_id(_key(member)))
            if row is None:
                self._begin(fleet, member)  # a crash had kept it from that
            elif row.phase in ENDED_PHASES:
                operation = read_operation(row)
                to, why = ending_of(operation)
                if self.store.fleets.settle(member, to, why) and to == "failed":
                    self.store.versions.failed(member.project, why)

    def _halt(self, fleet: FleetRow) -> bool:
        counts = self.store.fleets.counts(fleet.id)
        failed = sum(number for (_, state), number in counts.items() if state == "failed")
        if failed <= self.policy.upgrade_failures:
            return False
        why = f"{failed} upgrades have failed, more than the {self.policy.upgrade_failures} allowed"
        return self.store.fleets.move(fleet.id, ["running"], "halted", why) is not None

    def _go_on(self, fleet: FleetRow) -> None:
        ring = next_ring(fleet.ring, self._left(fleet))
        if ring is None:
            self._end(fleet)
            return
        if ring != fleet.ring:
            self.store.fleets.enter_ring(fleet.id, ring)
        for member in self.store.fleets.members(fleet.id, "waiting", ring=ring, limit=PAGE):
            if not self._has_budget():
                return
            claimed = self.store.fleets.claim(
                fleet.id, member.project, self.policy.upgrades_at_once
            )
            if claimed is None:
                return
            self._begin(fleet, claimed)

    def _left(self, fleet: FleetRow) -> dict[int, int]:
        """Return how many of each ring have not ended, apart from those that something holds up."""
        left: dict[int, int] = {}
        for member in self.store.fleets.members(fleet.id, "waiting", "begun", limit=PAGE):
            if member.state == "begun" or not member.why:
                left[member.ring] = left.get(member.ring, 0) + 1
        return left

    def _has_budget(self) -> bool:
        share = int(self.policy.github_writes_per_hour * SHARE)
        spent = self.store.turns.spent()
        return not spent or spent + UPGRADE_WRITES <= share

    def _begin(self, fleet: FleetRow, member: FleetMemberRow) -> None:
        """Begin with a project; one that something holds up waits, and holds up no other one."""
        project = self.store.projects.get(member.project)
        if project is None or project.state != "ready":
            self.store.fleets.settle(member, "skipped", "It is not ready any more.")
            return
        upgrade = Upgrade(fleet=fleet.id)
        try:
            self.requesting.begin(
                TEMPLATE,
                ProjectSpec.model_validate(project.spec),
                by=fleet.requested_by,
                key=_key(member),
                facts={"upgrade": upgrade.model_dump(mode="json")},
            )
        except UserError as held:
            log.info("not upgrading %s yet: %s", member.project, held)
            self.store.fleets.settle(member, "waiting", str(held))

    def _end(self, fleet: FleetRow) -> None:
        for member in self.store.fleets.members(fleet.id, "waiting", limit=PAGE):
            if claimed := self.store.fleets.claim(fleet.id, member.project, PAGE):
                self.store.fleets.settle(claimed, "skipped", member.why)
        if not self.store.fleets.members(fleet.id, "waiting", "begun", limit=1):
            self.store.fleets.move(fleet.id, ["running"], "done")

    # ------------------------------------------------------------------ showing

    def progress(self) -> str:
        """Say how the last upgrade of all stands; nothing where there was none."""
        fleet = self.store.fleets.latest()
        return progress(fleet, self.store.fleets.counts(fleet.id)) if fleet else ""

    def show(self, fleet: str) -> None:
        """Want the channel's message to show how it goes."""
        row = self.store.fleets.get(fleet)
        if row is None:
            return
        counts = self.store.fleets.counts(fleet)
        named: dict[MemberState, tuple[str, ...]] = {
            state: tuple(one.project for one in self.store.fleets.members(fleet, state, limit=11))
            for state in cast("tuple[MemberState, ...]", ("failed", "conflicts", "skipped"))
        }
        content = fleet_notice(row, counts, named)
        self.store.messages.show(
            Message(key=fleet, channel=row.channel, content=content, urgent=True)
        )


def _key(member: FleetMemberRow) -> str:
    return f"{member.fleet}:{member.project}:{member.attempt}"
