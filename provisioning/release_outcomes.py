"""What has become of releases at GitHub, which knows the truth: taken over from what it shows."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from provisioning.clock import Clock
from provisioning.deployment_board import DeploymentBoard
from provisioning.deployment_ports import Look, Review
from provisioning.linking import Linking
from provisioning.ports import Redactor
from provisioning.release import Release, ReleaseState, let_in_at, outcome_of_rule
from provisioning.release_cards import reviews_of
from provisioning.release_gates import BOT
from provisioning.store import Store
from provisioning.workflow_run import WorkflowRun

LAG = timedelta(seconds=30)
"""How long GitHub's list of reviews may lag behind what they have let in."""


@dataclass(frozen=True)
class Outcomes:
    """Settles releases as GitHub shows them; settling again changes nothing."""

    store: Store
    linking: Linking
    board: DeploymentBoard
    clock: Clock
    redact: Redactor

    def take_over(self, run: WorkflowRun, look: Look) -> bool:
        """Settle what no longer waits at GitHub: by whoever decided there, else as void.

        Return False if GitHub may soon show who has let something in.
        """
        complete = True
        waits = {pending.name for pending in look.pending}
        for release in self.store.releases.of_run(run.id):
            same_attempt = release.attempt == run.attempt
            is_open = release.state in ("open", "deciding")
            if not is_open or (release.environment in waits and same_attempt and not run.is_over):
                continue
            if review := _decision(release, look.reviews):
                self.settle_as_reviewed(release, review)
                self.board.show_release(release.id)
            elif release.is_ruled and (outcome := outcome_of_rule(release, run)):
                self._settle_as(release, outcome)
            elif began := let_in_at(release, run):
                complete &= self._note_bypass(release, began)
            elif not same_attempt:
                self.withdraw(release, f"attempt {run.attempt} of the run has begun")
            elif run.is_over:
                self.withdraw(release, "the run has ended")
        return complete

    def _note_bypass(self, release: Release, began: datetime) -> bool:
        """Note that nobody's review has let a deployment in; False while one may still show."""
        if self.clock.now() - began <= LAG:
            return False
        why = {"why": "let in at GitHub, past its reviewers"}
        self.store.releases.move(release.id, ["open", "deciding"], "bypassed", changes=why)
        self.board.show_release(release.id)
        return True

    def settle_as_reviewed(self, release: Release, review: Review) -> None:
        """Note a decision that GitHub has, whether it came through us or not."""
        if release.is_ruled and _is_ours(release, review):
            self._settle_as(release, "approved" if review.approved else "rejected")
            return
        ours = review.login.lower() == release.decided_login.lower()
        person = release.decided_by if ours else self.linking.person_of(review.login) or ""
        changes = {
            "decided_by": person,
            "decided_login": review.login,
            "comment": release.comment if ours else self.redact(review.comment),
            "why": "" if ours else "decided on GitHub",
        }
        state: ReleaseState = "approved" if review.approved else "rejected"
        self.store.releases.move(
            release.id, ["open", "deciding"], state, by=person, changes=changes
        )

    def _settle_as(self, release: Release, state: ReleaseState) -> None:
        """Note that GitHub has heard from our App what was decided here."""
        self.store.releases.move(release.id, ["deciding"], state, by=release.decided_by)
        self.board.show_release(release.id)

    def withdraw(self, release: Release, why: str) -> None:
        """End a release that waits for nothing any more; one that is settled stays as it is."""
        self.store.releases.move(release.id, ["open", "deciding"], "void", changes={"why": why})
        self.board.show_release(release.id)


def _is_ours(release: Release, review: Review) -> bool:
    """Tell whether GitHub shows what our App has answered: it knows nobody else behind that."""
    wanted = release.verdict != "rejected"
    return bool(release.verdict) and review.login.endswith(BOT) and review.approved == wanted


def _decision(release: Release, reviews: tuple[Review, ...]) -> Review | None:
    """Return GitHub's decision on a release: one that was not there when it was asked."""
    since = reviews_of(release.environment, reviews)[release.card.reviews_before :]
    return since[-1] if since else None
