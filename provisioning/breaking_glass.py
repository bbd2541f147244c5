"""Break-glass: a named few let a deployment in though approvals are missing, and everybody hears.

Only where our App's rule is the gate: past GitHub's reviewers nobody gets, not even we. It never
overrides a rejection, and never another artefact than the one that was shown.
"""

from dataclasses import dataclass
from datetime import timedelta

from provisioning.engine import Steps, Workflow
from provisioning.errors import TemporaryError, UserError
from provisioning.ports import People
from provisioning.release import Release
from provisioning.release_gates import AppRuleGate, refuse
from provisioning.releasing import OUT_OF_DATE, Releasing
from provisioning.text import code, say

AGAIN = "begin again"
REPEATABLE = timedelta(days=31)
"""GitHub repeats a run for 30 days. Nothing is left to do for an older one, and what was done for
it is forgotten some day: whoever began it anew would tell everybody once more."""
NO_GLASS = (
    "There is no glass to break: GitHub's required reviewers hold deployments here, and GitHub "
    "lets nobody but them in, neither an administrator nor this bot. Ask a reviewer. "
    "Nothing was released."
)
NOBODY = "Nobody may break glass here: `roles.break_glass` names no group. Nothing was released."
NEVER_A_REJECTION = (
    "This was rejected. Break-glass stands in for missing approvals, never for a rejection: push "
    "what is to be released instead, as a new commit. Nothing was released."
)


@dataclass(frozen=True)
class BreakingGlass:
    """Rights are asked live; every refusal is a `UserError` that says why."""

    releasing: Releasing
    gate: AppRuleGate
    people: People

    def workflows(self) -> dict[str, Workflow]:
        """Return the durable part by the name it is registered under."""
        return {"release.begin_again": self._begin_again}

    def find(self, named: str, by: str) -> Release:
        """Return a release that may be let in by this person now."""
        policy = self.releasing.policy
        if policy.gate != "app_rule":
            raise UserError(NO_GLASS)
        release = self.releasing.store.releases.get(named)
        if release is None:
            raise UserError(
                say("There is no such release: ", code("/sciclops approvals"), " lists what waits.")
            )
        if not release.is_ruled:
            raise UserError(NO_GLASS)
        if not policy.break_glass_group:
            raise UserError(NOBODY)
        if not self.people.is_among(by, (policy.break_glass_group,)):
            refuse(
                self.releasing.store, release, by, "only members of the break-glass group may do it"
            )
        self._require_breakable(release)
        self.releasing.store.locks.require_open(release.project, by, "break glass")
        return release

    def _require_breakable(self, release: Release) -> None:
        """Refuse what was rejected, what is settled, and what something newer has replaced."""
        attempts = [
            one
            for one in self.releasing.store.releases.of_run(release.run)
            if one.environment == release.environment
        ]
        if any("rejected" in (one.state, one.verdict) for one in attempts):
            raise UserError(NEVER_A_REJECTION)
        if release.state not in ("open", "expired"):
            raise UserError(self.releasing.settled(release))
        if release.state == "expired" and release.verdict:
            raise UserError("Glass was broken for this already; it is begun again.")
        if attempts[-1].id != release.id or self._is_replaced(release):
            raise UserError(OUT_OF_DATE)

    def _is_replaced(self, release: Release) -> bool:
        """Tell whether a newer run has asked for the same environment."""
        asked = self.releasing.store.releases.of_project(release.project)
        return any(
            one.environment == release.environment
            and one.run != release.run
            and one.asked_at > release.asked_at
            for one in asked
        )

    def break_glass(self, named: str, artefact: str, *, by: str, reason: str) -> Release:
        """Let a deployment in, whoever has begun it; what has timed out is begun again first."""
        release = self.find(named, by)
        followed = self.releasing.store.workflow_runs.get(release.run)
        if followed is None or artefact != release.artefact:
            raise UserError(OUT_OF_DATE)
        self.releasing.require_same_plan(release, followed.run)
        login, why = self.gate.login_of(by), self.releasing.redact(reason)
        if release.state == "open":
            broken = self.releasing.settle_by(release, "override", by, login, why)
            self.releasing.start(broken)
        else:
            broken = self._renew(release, by, login, why)
        self.releasing.board.show_release(release.id)
        return broken

    def _renew(self, release: Release, by: str, login: str, reason: str) -> Release:
        """Begin the run again, whose next release is let in if it is the same artefact."""
        changes = {
            "verdict": "override",
            "decided_by": by,
            "decided_login": login,
            "comment": reason,
        }
        broken = self.releasing.store.releases.move(
            release.id, ["expired"], "expired", by=by, what="being override", changes=changes
        )
        if broken is None:
            raise UserError(OUT_OF_DATE)
        self._start(broken)
        return broken

    def _start(self, release: Release) -> None:
        """Start to begin again; starting that again is a no-op."""
        project = f"release:{release.project}"
        self.releasing.engine.start("release.begin_again", release.id, project=project, part=AGAIN)

    def sweep(self) -> None:
        """Go on with what a crash cut off between the word and its start."""
        since = self.releasing.clock.now() - REPEATABLE
        for release in self.releasing.store.releases.overridden_too_late():
            if release.asked_at < since:
                continue
            if self.releasing.engine.state(release.id, AGAIN) == "unknown":
                self._start(release)

    def _begin_again(self, steps: Steps, release: str) -> None:
        steps.do("begin again", self._rerun, release)

    def _rerun(self, release: str) -> None:
        """Rerun as our App, once GitHub has ended the attempt that had timed out."""
        row = self.releasing.store.releases.get(release)
        if row is not None:
            self.releasing.board.cry_out(row)
        look = row and self.releasing.deployments.look(row.project, int(row.run))
        if row is None or not look or look.run.attempt != row.attempt:
            return
        if not look.run.is_over:
            raise TemporaryError("the run that has timed out is still being cancelled")
        self.releasing.dispatches.rerun(row.project, int(row.run), None, row.attempt)
        self.releasing.store.workflow_runs.wake(row.run)
