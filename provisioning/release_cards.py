"""What a card tells of a release: gathered from GitHub once, at the moment it is asked."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from provisioning.delivery import GateKind
from provisioning.deployment_ports import Deployments, Look, PendingEnvironment, Review
from provisioning.policy import Policy
from provisioning.release import Card, Release, ReleasePlan, next_reminder, release_id
from provisioning.release_gates import reviewers_of
from provisioning.store import Followed, Store

Reviewers = tuple[str, ...]
"""`team:<slug>` and `user:<login>`."""


@dataclass(frozen=True)
class Cards:
    """Gathers cards."""

    store: Store
    deployments: Deployments
    policy: Policy

    def card(
        self, project: str, look: Look, pending: PendingEnvironment, plan: ReleasePlan | None
    ) -> Card:
        """Return the card of a deployment that waits.

        An environment that has required reviewers is theirs, whatever the settings say by now.
        """
        run = look.run
        base = self.deployments.released(project, pending.name)
        since = self.deployments.commits(project, base, run.sha) if base else None
        known = since or self.deployments.commits(project, "", run.sha)
        gate: GateKind = "reviewer" if pending.reviewers else self.policy.gate
        is_ruled = gate == "app_rule"
        asked = self.asked(project, pending, is_ruled=is_ruled)
        return Card(
            commit=known.commits[-1] if known and known.commits else None,
            base=base,
            since=since,
            plan=plan,
            destroys=run.destroys(pending.name),
            reviewers=asked,
            logins=self.logins(asked),
            earlier=run.did("deploy"),
            reviews_before=len(reviews_of(pending.name, look.reviews)),
            gate=gate,
            needed=self.policy.approvals_needed if is_ruled else 1,
            group=self.policy.release_group if is_ruled else "",
        )

    def asked(self, project: str, pending: PendingEnvironment, *, is_ruled: bool) -> Reviewers:
        """Return who reviews a deployment that waits, as it is now."""
        return reviewers_of(self.store, project) if is_ruled else pending.reviewers

    def logins(self, asked: Reviewers) -> tuple[str, ...]:
        """Return the people behind reviewers."""
        return tuple(sorted(self.deployments.reviewer_logins(asked)))


def reviews_of(environment: str, reviews: tuple[Review, ...]) -> tuple[Review, ...]:
    """Return what was decided on an environment, in all attempts."""
    return tuple(review for review in reviews if environment in review.environments)


def new_release(
    followed: Followed, environment: str, card: Card, now: datetime, expires: timedelta
) -> Release:
    """Return what is asked of the reviewers of an environment."""
    run = followed.run
    return Release(
        id=release_id(run.id, run.attempt, environment),
        run=str(run.id),
        project=followed.project,
        environment=environment,
        attempt=run.attempt,
        sha=run.sha,
        state="open",
        card=card,
        asked_at=now,
        deadline=now + expires,
        remind_at=next_reminder(now, 0),
    )
