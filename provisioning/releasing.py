"""Releases to gated environments: asked, decided once, told to GitHub, reminded of, timed out.

GitHub holds the gate and knows the truth: what was decided on its own page is taken over from
there. A decision taken here is settled in our database first; its workflow then tells GitHub.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from provisioning.clock import Clock
from provisioning.deployment_board import DeploymentBoard
from provisioning.deployment_ports import (
    Deployments,
    Dispatches,
    Look,
    PendingEnvironment,
)
from provisioning.engine import Engine, Steps, Workflow
from provisioning.errors import PermanentError, TemporaryError, UserError
from provisioning.linking import Linking
from provisioning.living import is_going
from provisioning.policy import Policy
from provisioning.ports import Redactor
from provisioning.release import (
    NEWER,
    Approval,
    Card,
    Release,
    ReleaseState,
    release_id,
)
from provisioning.release_cards import Cards, new_release, reviews_of
from provisioning.release_gates import ReleaseGate
from provisioning.release_outcomes import Outcomes
from provisioning.store import Followed, Store
from provisioning.text import code, say
from provisioning.workflow_run import WorkflowRun

PLAN_WITHIN = timedelta(seconds=30)
"""So long after its job a plan is waited for: GitHub's lists lag behind a little."""
OUT_OF_DATE = (
    "This card is out of date: the commit, the attempt or the plan is another one by now. "
    "Nothing was decided; look at the newest card of the project."
)
REVIEWED: tuple[ReleaseState, ...] = ("approved", "rejected")
SETTLED = {
    "deciding": "Somebody has just decided this; GitHub is being told.",
    "approved": "This was approved already.",
    "rejected": "This was rejected already.",
    "bypassed": "This was let in at GitHub already, past its reviewers.",
    "void": "This is no longer waiting",
    "expired": "This has timed out, nobody decided in time.",
}


@dataclass(frozen=True)
class Releasing:
    """Every refusal is a `UserError` that says why; rights are checked live at each click."""

    store: Store
    engine: Engine
    deployments: Deployments
    dispatches: Dispatches
    reviewer_gate: ReleaseGate
    rule_gate: ReleaseGate
    cards: Cards
    linking: Linking
    board: DeploymentBoard
    policy: Policy
    clock: Clock
    redact: Redactor

    def workflows(self) -> dict[str, Workflow]:
        """Return the durable parts by the names they are registered under."""
        return {"release.decide": self._decide, "release.cancel_run": self._cancel_run}

    @property
    def outcomes(self) -> Outcomes:
        """Return what takes over from GitHub what has become of releases."""
        return Outcomes(self.store, self.linking, self.board, self.clock, self.redact)

    # ------------------------------------------------------------------ keeping up with GitHub

    def keep_up(self, followed: Followed, look: Look) -> bool:
        """Take over what GitHub knows of a run's gates; False if it should be asked again soon."""
        complete = self.outcomes.take_over(followed.run, look)
        self._note_unasked(followed, look)
        for pending in () if is_going(self.store, followed.project) else look.pending:
            complete &= self._ask(followed, look, pending)
        return complete

    def _note_unasked(self, followed: Followed, look: Look) -> None:
        """Remember decisions on what nobody was asked here, e.g. while the bot was away.

        Nobody needs a card for them, but the run's message and the audit trail do.
        """
        known = self.store.releases.of_run(followed.run.id)
        for environment in followed.run.ended_deployments():
            reviews = reviews_of(environment, look.reviews)
            settled = [one for one in known if one.environment == environment]
            if len(reviews) <= len([one for one in settled if one.state in REVIEWED]):
                continue
            if all(one.attempt != followed.run.attempt for one in settled):
                release = self._new(followed, environment, Card(reviews_before=len(reviews)))
                self.outcomes.settle_as_reviewed(self.store.releases.ask(release), reviews[-1])

    def _new(self, followed: Followed, environment: str, card: Card) -> Release:
        return new_release(
            followed, environment, card, self.clock.now(), self.policy.release_expires
        )

    def _ask(self, followed: Followed, look: Look, pending: PendingEnvironment) -> bool:
        """Put a waiting deployment before its reviewers, once its plan can be shown."""
        run = look.run
        known = self.store.releases.get(release_id(run.id, run.attempt, pending.name))
        if known is None:
            plan = self.deployments.plan(followed.project, run, pending.name)
            made = run.planned_at(pending.name)
            if plan is None and made and self.clock.now() - made < PLAN_WITHIN:
                return False
            card = self.cards.card(followed.project, look, pending, plan)
            known = self.store.releases.ask(self._new(followed, pending.name, card))
        known = self._override(self._address(known, pending))
        if known.state == "expired" and not known.verdict:
            self.begin("release.cancel_run", known, "cancel")  # a crash may have kept it from that
        self._supersede(followed, known)
        self.board.show_release(known.id)
        return True

    def _address(self, release: Release, pending: PendingEnvironment) -> Release:
        """Ask whoever reviews by now: a change of the project may have replaced them."""
        asked = self.cards.asked(release.project, pending, is_ruled=release.is_ruled)
        if release.state != "open" or set(asked) == set(release.card.reviewers):
            return release
        card = release.card.model_copy(
            update={"reviewers": asked, "logins": self.cards.logins(asked)}
        )
        addressed = self.store.releases.address(release, card)
        return addressed or self.store.releases.get(release.id) or release

    def _override(self, release: Release) -> Release:
        """Let in what glass was broken for once it was too late: the same commit and plan only."""
        for before in self.store.releases.of_run(release.run):
            is_same = before.sha == release.sha and before.card.plan == release.card.plan
            is_next = before.environment == release.environment and before.attempt < release.attempt
            is_broken = before.state == "expired" and before.verdict == "override"
            if is_same and is_next and is_broken and release.state == "open" and not release.tries:
                by, login, why = before.decided_by, before.decided_login, before.comment
                with suppress(UserError):  # another process was quicker
                    release = self.settle_by(release, "override", by, login, why)
                    self.start(release)
        return release

    def _supersede(self, followed: Followed, release: Release) -> None:
        """Withdraw older runs' releases to the same environment, and end these runs."""
        for other in self.store.releases.unsettled(release.project):
            if other.environment != release.environment or other.run == release.run:
                continue
            if other.state == "deciding":
                continue  # GitHub may let it in at this moment; its own workflow settles it
            run = self.store.workflow_runs.get(other.run)
            if run is None or run.created_at > followed.created_at:
                continue
            self.begin("release.cancel_run", other, "cancel")
            self.outcomes.withdraw(other, f"{NEWER}{release.sha[:8]}")

    # ------------------------------------------------------------------ deciding

    def find(self, release: str, artefact: str) -> Release:
        """Return an open release that a button or somebody names."""
        found = self.store.releases.get(release)
        if found is None:
            listing = code("/sciclops approvals")
            raise UserError(say("There is no such release. ", listing, " lists what waits."))
        if found.state != "open":
            raise UserError(self.settled(found))
        if artefact != found.artefact:
            raise UserError(OUT_OF_DATE)
        return found

    def require(self, release: Release, by: str, *, approving: bool = False) -> str:
        """Return the GitHub login with which somebody may decide now; refuse all others.

        Who has approved may still reject, but not approve once more.
        """
        followed = self.store.workflow_runs.get(release.run)
        if followed is None or not followed.run.initiators:
            raise UserError(OUT_OF_DATE)  # nobody decides while it is not known who began it
        login = self.gate_of(release).require(release, followed, by)
        if approving:
            self.store.locks.require_open(release.project, by, f"release to {release.environment}")
        if release.is_ruled:
            self.require_same_plan(release, followed.run)
        if approving and release.is_short and release.has_approved(by, login):
            more = f"{len(release.given)} of {release.card.needed} approvals are there"
            raise UserError(f"You have approved this already: {more}. Somebody else has to.")
        return login

    def asked(self, releases: Sequence[Release], person: str) -> tuple[Release, ...]:
        """Return the releases that wait for somebody's decision, in their order."""
        ruled = [one for one in releases if one.is_ruled]
        others = [one for one in releases if not one.is_ruled]
        held = ((self.rule_gate, ruled), (self.reviewer_gate, others))
        asked = [one.id for gate, some in held if some for one in gate.asked(some, person)]
        return tuple(one for one in releases if one.id in asked)

    def gate_of(self, release: Release) -> ReleaseGate:
        """Return what holds a release: that which held it when it was asked."""
        return self.rule_gate if release.is_ruled else self.reviewer_gate

    def require_same_plan(self, release: Release, run: WorkflowRun) -> None:
        """Ask anew where the attempt or its plan is another one: no approval counts for that."""
        if run.attempt != release.attempt:
            raise UserError(OUT_OF_DATE)
        plan = self.deployments.plan(release.project, run, release.environment)
        if plan == release.card.plan:
            return
        card = release.card.model_copy(update={"plan": plan})
        self.store.releases.renew(release.id, release.bound_to, card)
        self.board.show_release(release.id)
        raise UserError(OUT_OF_DATE)

    def decide(
        self, release: str, artefact: str, *, approved: bool, by: str, comment: str = ""
    ) -> Release:
        """Settle who decides, once; the workflow tells GitHub."""
        found = self.find(release, artefact)
        login = self.require(found, by, approving=approved)
        said = self.redact(comment)
        if found.is_ruled and approved:
            moved = self._approve(found, by, login, said)
        else:
            moved = self.settle_by(found, "approved" if approved else "rejected", by, login, said)
        self.board.show_release(release)
        if moved.state == "deciding":
            self.start(moved)
        return moved

    def _approve(self, release: Release, by: str, login: str, comment: str) -> Release:
        """Keep one of several approvals; whoever gives the last one that is needed settles."""
        approval = Approval(
            person=by,
            login=login,
            artefact=release.bound_to,
            comment=comment,
            at=self.clock.now(),
        )
        moved = self.store.releases.approve(release.id, approval)
        if moved is None:
            raise UserError(self._beaten(release))
        return moved

    def settle_by(
        self, release: Release, verdict: str, by: str, login: str, comment: str
    ) -> Release:
        """Settle an open release by one person's word; refuse who comes too late."""
        changes = {
            "verdict": verdict,
            "decided_by": by,
            "decided_login": login,
            "comment": comment,
            "why": "",
            "tries": release.tries + 1,
        }
        moved = self.store.releases.move(
            release.id, ["open"], "deciding", by=by, what=f"being {verdict}", changes=changes
        )
        if moved is None:
            raise UserError(self._beaten(release))
        return moved

    def _beaten(self, release: Release) -> str:
        """Say what has become of a release that somebody else was quicker to settle."""
        now = self.store.releases.get(release.id)
        return self.settled(now) if now and now.state != "open" else OUT_OF_DATE

    def start(self, release: Release) -> None:
        """Start telling GitHub; starting it again is a no-op."""
        self.begin("release.decide", release, f"decide:{release.tries}")

    def begin(self, name: str, release: Release, part: str) -> None:
        """Start a durable part of a release; starting it again is a no-op."""
        self.engine.start(name, release.id, project=f"release:{release.project}", part=part)

    def settled(self, release: Release) -> str:
        """Say that a release is settled, and by whom."""
        who = self.board.name_of(release)
        words = SETTLED[release.state]
        if release.state == "void":
            return f"{words}: {release.why}."
        is_somebodys = who and release.state not in ("bypassed", "expired")
        return f"{words} It was {who}." if is_somebodys else words

    # ------------------------------------------------------------------ telling GitHub

    def _decide(self, steps: Steps, release: str) -> None:
        refused = ""
        try:
            steps.do("tell GitHub", self._tell, release)
        except (UserError, PermanentError, TemporaryError) as error:
            refused = str(error)
        steps.do("settle", self._settle, release, refused)

    def _tell(self, release: str) -> None:
        """Tell GitHub, unless it has been told: what no longer waits there is looked at anew."""
        row = self._get(release)
        if row.verdict == "override":
            self.board.cry_out(row)
        look = self.deployments.look(row.project, int(row.run))
        if row.state != "deciding" or look is None or look.run.attempt != row.attempt:
            return
        if row.environment not in {pending.name for pending in look.pending}:
            return
        if row.is_ruled and row.verdict != "rejected":
            self.require_same_plan(row, look.run)
        self.gate_of(row).tell(row)

    def _settle(self, release: str, refused: str) -> None:
        """Take over what GitHub has; where it refused, the release is open again."""
        row = self._get(release)
        if refused and row.state == "deciding":
            changes = {"verdict": "", "decided_by": "", "decided_login": "", "comment": ""}
            self.store.releases.move(
                release, ["deciding"], "open", by=row.decided_by, what="refused", changes=changes
            )
            self.board.tell_refused(row, refused)
        self.store.workflow_runs.wake(row.run)
        self.board.show_release(release)

    def _cancel_run(self, steps: Steps, release: str) -> None:
        steps.do("cancel run", self._cancel, release)

    def _cancel(self, release: str) -> None:
        row = self._get(release)
        self.dispatches.cancel(row.project, int(row.run))
        self.store.workflow_runs.wake(row.run)

    def _get(self, release: str) -> Release:
        row = self.store.releases.get(release)
        if row is None:
            raise PermanentError(f"There is no release {release}; nothing was changed.")
        return row
