"""The two gates that hold a deployment: who may decide at each, and how it hears the decision.

At GitHub's required reviewers people decide as themselves, and GitHub checks them again. Our App's
rule believes us alone, so that everything GitHub would refuse is refused here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from provisioning.deployment_ports import (
    Deployments,
    Gate,
    RuleGate,
    TokenRefusedError,
    TooLateError,
    Verdict,
)
from provisioning.errors import UserError
from provisioning.linking import Linking
from provisioning.policy import Policy
from provisioning.ports import People
from provisioning.project import ProjectSpec
from provisioning.release import Release, may_release
from provisioning.store import Followed, Store
from provisioning.text import code, say
from provisioning.verdicts import Refused

LINK_FIRST = say(
    "GitHub has to know that it is you: type ",
    code("/sciclops link"),
    " once, then decide again. Nothing was decided.",
)
WHO_ARE_YOU = (
    "I don't know which GitHub account is yours, so I cannot tell whether this deployment is your "
    "own. {remedy} Nothing was decided."
)
LINK = "Type `/sciclops link` once, then decide again."
VOUCH = "Ask the platform team to name it in `github.logins`."
NOT_KNOWN_YET = (
    "GitHub has not told yet who began this deployment; try again in a minute. Nothing was decided."
)
BOT = "[bot]"
"""How the logins of GitHub Apps end."""


class ReleaseGate(Protocol):
    """What holds a deployment until people have decided."""

    def require(self, release: Release, followed: Followed, by: str) -> str:
        """Return the GitHub login of somebody who may decide now; refuse all others."""

    def asked(self, releases: Sequence[Release], person: str) -> tuple[Release, ...]:
        """Return those that somebody is asked to decide; if they may is checked when they do."""

    def tell(self, release: Release) -> None:
        """Let the gate hear a decision; one that comes too late changes nothing."""


@dataclass(frozen=True)
class ReviewerGate:
    """GitHub's required reviewers: whoever decides does it with their own token."""

    store: Store
    deployments: Deployments
    linking: Linking
    gate: Gate

    def require(self, release: Release, followed: Followed, by: str) -> str:
        """Return the linked login of a reviewer who may decide now; refuse all others."""
        login = self.linking.login_of(by) or ""
        if not login:
            raise UserError(LINK_FIRST)
        initiators = set(followed.run.initiators)
        if followed.requested_by:
            initiators.add(self.linking.login_of(followed.requested_by) or "")
        if by == followed.requested_by or by == first_asker(self.store, followed):
            initiators.add(login)
        reviewers = self.deployments.reviewer_logins(release.card.reviewers)
        verdict = may_release(login, reviewers=reviewers, initiators=initiators - {""})
        if isinstance(verdict, Refused):
            refuse(self.store, release, by, f"{verdict.why}; at GitHub you are {login}")
        return login

    def asked(self, releases: Sequence[Release], person: str) -> tuple[Release, ...]:
        """Return those of which somebody was among the reviewers when they were asked."""
        login = self.linking.login_of(person) or ""
        return tuple(one for one in releases if _is_named(one, login))

    def tell(self, release: Release) -> None:
        """Decide at GitHub as the person, with what they said."""
        token = self.linking.token_of(release.decided_by)
        said = release.comment
        by = f"{said} (decided in Slack)" if said else "Decided in Slack"
        verdict = Verdict(approved=release.verdict == "approved", comment=by)
        run, environment = int(release.run), release.environment
        try:
            self.gate.decide(release.project, run, environment, verdict, token)
        except TooLateError:
            return
        except TokenRefusedError:
            self.linking.refused(release.decided_by, token)
            raise


@dataclass(frozen=True)
class AppRuleGate:
    """Our App's own rule: rights are ours to check, with nobody behind us.

    Whoever is in the group that may release, or a reviewer of the project, decides if their GitHub
    login is known: linked, or else vouched for in the settings. Nobody decides on their own.
    """

    store: Store
    deployments: Deployments
    linking: Linking
    people: People
    policy: Policy
    rule: RuleGate

    def require(self, release: Release, followed: Followed, by: str) -> str:
        """Return the login of an active person who may decide now; refuse all others."""
        login = self.login_of(by)
        if not login:
            raise UserError(WHO_ARE_YOU.format(remedy=LINK if self.linking.is_set_up else VOUCH))
        if not followed.run.initiators:
            raise UserError(NOT_KNOWN_YET)
        if not self.people.is_active(by):
            refuse(self.store, release, by, "only full members of this workspace decide")
        verdict = may_release(
            login,
            reviewers=self.deployments.reviewer_logins(reviewers_of(self.store, release.project)),
            initiators=self._initiators(followed, by, login),
            in_group=self._in_group(by),
        )
        if isinstance(verdict, Refused):
            refuse(self.store, release, by, verdict.why)
        return login

    def login_of(self, person: str) -> str:
        """Return the GitHub login of a person: proven, or else vouched for; empty if unknown.

        Nobody is vouched for with what somebody else has proved to be theirs.
        """
        vouched = self.policy.logins.get(person, "")
        if self.linking.person_of(vouched) not in (None, person):
            vouched = ""
        return self.linking.login_of(person) or vouched

    def _in_group(self, person: str) -> bool:
        group = self.policy.release_group
        return bool(group) and self.people.is_among(person, (group,))

    def _initiators(self, followed: Followed, by: str, login: str) -> frozenset[str]:
        """Return the logins of who began it: here and at GitHub, for themselves or through us."""
        askers = self._askers(followed)
        logins = {self.login_of(person).lower() for person in askers}
        known = {login.lower(), self.policy.logins.get(by, login).lower()}
        own = by in askers or known & followed.run.initiators
        return frozenset({*followed.run.initiators, *logins, *([login] if own else [])} - {""})

    def _askers(self, followed: Followed) -> frozenset[str]:
        """Return the chat users who asked for a run: our App begins a project's first one."""
        glass = (
            one.decided_by
            for one in self.store.releases.of_run(followed.run.id)
            if one.verdict == "override"
        )
        askers = {followed.requested_by, *glass}
        return frozenset({*askers, first_asker(self.store, followed)} - {""})

    def asked(self, releases: Sequence[Release], person: str) -> tuple[Release, ...]:
        """Return those that somebody may release and has not yet approved."""
        login = self.login_of(person)
        if not login:
            return ()
        undecided = tuple(one for one in releases if not one.has_approved(person, login))
        named = tuple(one for one in undecided if _is_named(one, login))
        return undecided if len(named) < len(undecided) and self._in_group(person) else named

    def tell(self, release: Release) -> None:
        """Answer as our App, and name the people who have decided."""
        approved = release.verdict != "rejected"
        verdict = Verdict(approved=approved, comment=_in_words(release))
        try:
            self.rule.answer(release.project, int(release.run), release.environment, verdict)
        except TooLateError:
            return


def reviewers_of(store: Store, project: str) -> tuple[str, ...]:
    """Return the reviewers that were named for a project: `team:<slug>` and `user:<login>`."""
    row = store.projects.get(project)
    spec = ProjectSpec.model_validate(row.spec) if row else None
    return tuple(f"{one.kind}:{one.name}" for one in spec.reviewers) if spec else ()


def first_asker(store: Store, followed: Followed) -> str:
    """Return who asked for a project whose first run this is: our App began it for them."""
    if not followed.run.actor.endswith(BOT) or followed.requested_by:
        return ""
    project = store.projects.get(followed.project)
    return project.requested_by if project else ""


def _is_named(release: Release, login: str) -> bool:
    return bool(login) and login.lower() in {one.lower() for one in release.card.logins}


def refuse(store: Store, release: Release, by: str, why: str) -> None:
    """Refuse somebody, and note that in the audit trail."""
    store.refused(release.project, by, f"release of {release.id}", why)
    raise UserError(f"Not done: {why}.")


def _in_words(release: Release) -> str:
    """Return what GitHub keeps of a decision: it knows our App only, so that we name people."""
    if release.verdict == "approved":
        each = (_said(one.login, one.person, one.comment) for one in release.given)
        return f"Approved in Slack by {'; '.join(each)}"
    who = _said(release.decided_login, release.decided_by, release.comment)
    if release.verdict == "override":
        return f"BREAK-GLASS, let in without approvals, in Slack by {who}"
    return f"Rejected in Slack by {who}"


def _said(login: str, person: str, comment: str) -> str:
    who = f"{login} ({person})" if login else person
    return f"{who}: {comment}" if comment else who
