"""Gates: what holds a job back from its environment, and who may let it in.

A gate keeps what its environment asked for when the job arrived; who may decide is read live.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from playground.github import deployments, rules
from playground.github.calls import Refusal
from playground.github.deployments import Deployment
from playground.github.runs import Conclusion, Job, Review, WorkflowRun
from playground.github.world import Environment, Repository, World

EXPIRY = timedelta(days=30)
LOOK = 0.25
"""Seconds between two looks at the world's clock, which tests move."""
MOST_NOTES = 10
LONGEST_NOTE = 1024
NOTHING_PENDING = "No pending deployment requests to approve or reject"
Verdict = Literal["approved", "rejected"]


@dataclass
class Gate:
    """A job before its environment, until both the reviewers and the custom rule let it in."""

    run: WorkflowRun
    job: Job
    environment: Environment
    deployment: Deployment
    attempt: int
    opened_at: datetime
    needs_review: bool
    needs_rule: bool
    wait: timedelta
    reviewed: Verdict | None = None
    ruled: Verdict | None = None
    passed: bool = False
    shut: Conclusion | None = None
    notes: list[str] = field(default_factory=list)
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def waiting(self) -> bool:
        """Say whether nobody has decided in full yet."""
        return not self.passed and self.shut is None

    def look(self, now: datetime) -> None:
        """Open or shut as the decisions, the timer and the expiry say."""
        if not self.waiting:
            return
        reviewed = not self.needs_review or self.reviewed == "approved"
        ruled = not self.needs_rule or self.ruled == "approved"
        if self.run.cancelled:
            self.shut = "cancelled"
        elif "rejected" in (self.reviewed, self.ruled) or now >= self.opened_at + EXPIRY:
            self.shut = "failure"
        elif reviewed and ruled and now >= self.opened_at + self.wait:
            self.passed = True


def refusal_of_branch(world: World, run: WorkflowRun, env: Environment) -> str | None:
    """Return why the run's branch or tag may not deploy to an environment, or None."""
    policy = env.branch_policy
    if policy is None or _admits(run.repo, run.ref, env):
        return None
    kind = "Tag" if run.ref.startswith("refs/tags/") else "Branch"
    name = run.ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
    where = f"{world.organisation.login}/{run.repo.name}"
    return (
        f'{kind} "{name}" is not allowed to deploy to {env.name} of {where} due to environment '
        "protection rules."
    )


def _admits(repo: Repository, ref: str, env: Environment) -> bool:
    if env.branch_policy and env.branch_policy["protected_branches"]:
        return ref.startswith("refs/heads/") and any(rules.matching(repo, ref))
    kind = "tag" if ref.startswith("refs/tags/") else "branch"
    name = ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
    named = (policy.name for policy in env.patterns.values() if policy.type == kind)
    return any(rules.name_matches(pattern, name) for pattern in named)


def listed(world: World, login: str, env: Environment) -> bool:
    """Say whether a person is one of an environment's reviewers, alone or through a team."""
    for kind, number in env.reviewers:
        team, user = world.team_by_id(number), world.user_by_id(number)
        if kind == "Team" and team is not None and login in team.members:
            return True
        if kind == "User" and user is not None and user.login == login:
            return True
    return False


def may_approve(world: World, login: str, run: WorkflowRun, env: Environment) -> bool:
    """Say whether a person may decide on a run's deployment to an environment."""
    own = login == (run.triggering_actor or run.actor)
    return listed(world, login, env) and not (own and env.prevent_self_review)


class Gates:
    """Every gate that a job has met."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._held: dict[int, list[Gate]] = {}

    def arrive(self, run: WorkflowRun, job: Job, env: Environment) -> Gate:
        """Put a job before its environment's gate, which may be open."""
        gate = Gate(
            run,
            job,
            env,
            deployments.create(self._world, run, job),
            run.attempt,
            self._world.clock.now(),
            needs_review=bool(env.reviewers),
            needs_rule=env.custom_rule is not None,
            wait=timedelta(minutes=env.wait_timer),
        )
        self._held.setdefault(run.id, []).append(gate)
        gate.look(self._world.clock.now())
        return gate

    async def decided(self, gate: Gate) -> bool:
        """Wait until a gate has opened (True) or shut (False)."""
        while gate.waiting:
            gate.moved.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(gate.moved.wait(), LOOK)
            gate.look(self._world.clock.now())
        return gate.passed

    def present(self, run: WorkflowRun) -> list[Gate]:
        """Return the gates of a run's present attempt."""
        return [gate for gate in self._held.get(run.id, []) if gate.attempt == run.attempt]

    def waiting(self, run: WorkflowRun) -> list[Gate]:
        """Return the gates before which a job of the run waits."""
        now = self._world.clock.now()
        gates = self.present(run)
        for gate in gates:
            gate.look(now)
        return [gate for gate in gates if gate.waiting]

    def passed(self, run: WorkflowRun, environment: str) -> bool:
        """Say whether some job of the present attempt is past the gate of an environment."""
        name = environment.lower()
        return any(g.passed and g.environment.name.lower() == name for g in self.present(run))

    def release(self, run: WorkflowRun) -> None:
        """Shut what still waits of a run that was cancelled."""
        for gate in self.waiting(run):
            gate.shut = gate.shut or "cancelled"
            gate.moved.set()

    # Decisions

    def review(
        self, run: WorkflowRun, login: str, chosen: Sequence[int], review: Review
    ) -> list[Gate]:
        """Decide as a reviewer; everything that doesn't fit is the same 422, as GitHub says it."""
        gates = [
            gate
            for gate in self.waiting(run)
            if gate.environment.id in chosen
            and gate.needs_review
            and gate.reviewed is None
            and may_approve(self._world, login, run, gate.environment)
        ]
        if not gates:
            raise failed(NOTHING_PENDING)
        for gate in gates:
            gate.reviewed = review.state
        self._note(run, gates, review)
        return gates

    def rule(self, run: WorkflowRun, review: Review) -> list[Gate]:
        """Decide as the App that is the environment's custom rule."""
        gates = self._ruled_by_app(run, review.environment)
        if all(gate.ruled for gate in gates):
            raise failed("Deployment protection rule has already been reviewed")
        gates = [gate for gate in gates if gate.ruled is None]
        for gate in gates:
            gate.ruled = review.state
        self._note(run, gates, review)
        return gates

    def bypass(self, run: WorkflowRun, environment: str) -> None:
        """Let a run in as an administrator, past reviewers and rule: no review is noted."""
        gates = [gate for gate in self.waiting(run) if gate.environment.name == environment]
        if not gates or not all(gate.environment.can_admins_bypass for gate in gates):
            raise failed(NOTHING_PENDING)
        for gate in gates:
            gate.passed = True
            gate.moved.set()

    def add_note(self, run: WorkflowRun, environment: str, comment: str) -> None:
        """Keep a status report of the custom rule, which decides nothing."""
        for gate in self._ruled_by_app(run, environment):
            if len(gate.notes) >= MOST_NOTES:
                raise failed(f"A deployment takes at most {MOST_NOTES} status reports")
            gate.notes.append(comment)

    def _ruled_by_app(self, run: WorkflowRun, environment: str) -> list[Gate]:
        name = environment.lower()
        present = [g for g in self.present(run) if g.environment.name.lower() == name]
        gates = [gate for gate in present if gate.needs_rule]
        if not gates:
            raise failed(NOTHING_PENDING)
        return gates

    def _note(self, run: WorkflowRun, gates: list[Gate], review: Review) -> None:
        for name in dict.fromkeys(gate.environment.name for gate in gates):
            kept = Review(name, review.state, review.comment, review.login, review.at)
            kept.by_rule, kept.attempt = review.by_rule, run.attempt
            run.reviews.append(kept)
        for gate in gates:
            gate.look(self._world.clock.now())
            gate.moved.set()


def failed(reason: str) -> Refusal:
    """The 422 in which GitHub's gates put their reason: `errors` is one text, not a list."""
    refusal = Refusal(422, "Validation Failed")
    refusal.body["errors"] = reason
    return refusal
