"""Who may lock and unlock a project, and what is said to whom a lock is taken from.

A lock means "hands off": nobody but its holder begins operations, confirms plans, deploys or
releases from here. Stopping, refusing and rejecting stay free, and what is under way goes on. What
begins at GitHub itself is GitHub's: merges still deploy, reviewers may still approve there.
"""

from dataclasses import dataclass

from provisioning.board import read_operation
from provisioning.clock import Clock
from provisioning.errors import UserError
from provisioning.living import GONE, known
from provisioning.operation import WORKING, operation_id
from provisioning.operation_kinds import kind_of
from provisioning.policy import Policy
from provisioning.ports import People, Redactor
from provisioning.project import ProjectSpec
from provisioning.state_locks import StateLock, StateLocks
from provisioning.store import Message, Store
from provisioning.store.locks import age
from provisioning.tables import ProjectLockRow, ProjectRow
from provisioning.text import Notice, bold, person, say

LONGEST_REASON = 300
ONLY_OWNERS = "Only an owner of {project} or the platform team may {verb} it. Nothing was changed."
ONLY_PLATFORM = (
    "Only the platform team may release a lock of Terraform's. Nothing was changed; show them this."
)


@dataclass(frozen=True)
class ProjectLocks:
    """Every refusal is a `UserError` that says why; rights are asked live."""

    store: Store
    people: People
    policy: Policy
    clock: Clock
    redact: Redactor
    states: StateLocks

    def lock(
        self, project: str, reason: str, *, by: str, key: str, over: str = ""
    ) -> ProjectLockRow:
        """Lock a project; return who holds it then: somebody else, unless `over` is their lock."""
        row = known(self.store, project)
        if row.state == GONE:
            raise UserError(f"{project} is gone: there is nothing to lock.")
        self._require_right(row, by, "lock")
        wanted = ProjectLockRow(
            project=project,
            id=operation_id(key),
            holder=by,
            reason=self._reason(reason),
            since=self.clock.now(),
        )
        held = self.store.locks.take(wanted, over=over, news=self._news(project, by, over))
        self.store.messages.on_show()
        return held

    def unlock(self, project: str, *, by: str, over: str = "") -> ProjectLockRow | None:
        """Unlock a project; return the lock that stands in the way: somebody else's, not `over`."""
        row, lock = known(self.store, project), self.store.locks.of(project)
        if lock is None or lock.holder != by:
            self._require_right(row, by, "unlock")
        news = self._news(project, by, over)
        in_the_way = self.store.locks.release(project, by, over=over, news=news)
        self.store.messages.on_show()
        return in_the_way

    def _require_right(self, row: ProjectRow, by: str, verb: str) -> None:
        owners = ProjectSpec.model_validate(row.spec).owners
        if by not in owners and not self.is_platform(by):
            self.store.refused(row.name, by, verb, "no owner")
            raise UserError(ONLY_OWNERS.format(project=row.name, verb=verb))

    def is_platform(self, who: str) -> bool:
        """Tell whether somebody is in the platform team, asked live."""
        return self.people.is_among(who, (self.policy.platform_group,))

    def _reason(self, typed: str) -> str:
        reason = self.redact(typed).strip().rstrip(".")
        if not reason:
            raise UserError("Say why, so that others know what they wait for. Nothing was locked.")
        if len(reason) > LONGEST_REASON:
            longest = f"a reason has at most {LONGEST_REASON} characters"
            raise UserError(f"Say it shorter: {longest}. Nothing was locked.")
        return reason

    def _news(self, project: str, by: str, over: str) -> Message | None:
        """Return what somebody is told whose lock is taken over; who has left is told nothing."""
        lock = self.store.locks.of(project) if over else None
        if lock is None or lock.id != over or lock.holder == by:
            return None
        if not self.people.is_active(lock.holder):
            return None
        passed = age(self.clock.now() - lock.since)
        return Message(
            key=f"lock:{lock.id}:taken",
            recipient=lock.holder,
            content=Notice(
                summary=f"Your lock on {project} was taken over",
                body=(
                    say(person(by), " has taken your lock on ", bold(project), " over."),
                    say(f"You had locked it for {passed}: {lock.reason}."),
                ),
            ),
            urgent=True,
        )

    # ------------------------------------------------------------------ Terraform's locks

    def stuck(self, project: str) -> StateLock | None:
        """Return the lock on the project's Terraform state, or None."""
        return self.states.find(project)

    def hindrance(self, project: str, lock: StateLock) -> str:
        """Return why a lock of Terraform's may not be released now; empty if it may."""
        for row in self.store.operations.of_project(project, active=True):
            run = read_operation(row)
            if run.phase in WORKING:
                state = kind_of(run).state(run.phase).lower()
                return f"{project} has a run under way ({state}); wait for its end or cancel it"
        return f"{lock.held_by} holds it" if lock.held_by else ""

    def release_state(self, project: str, named: str, *, by: str) -> StateLock | None:
        """Let go of a stuck lock of Terraform's, named by its ID; return it, None if it is gone."""
        known(self.store, project)
        if not self.is_platform(by):
            self.store.refused(project, by, "release Terraform's lock", "not the platform team")
            raise UserError(ONLY_PLATFORM)
        lock = self.stuck(project)
        if lock is None:
            return None
        if lock.id != named:
            raise UserError(
                say("There is another lock by now: ", *lock.described(), ". Nothing was released.")
            )
        if hindrance := self.hindrance(project, lock):
            self.store.refused(project, by, "release Terraform's lock", hindrance)
            raise UserError(f"Not released: {hindrance}. Nothing was changed.")
        self.states.release(project, lock.id)
        self.store.note(project, by, "released Terraform's lock", lock.model_dump(mode="json"))
        return lock
