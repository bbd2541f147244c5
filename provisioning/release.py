"""A release: a deployment that waits for people before it reaches a gated environment.

It is bound to one exact artefact: the commit and the attempt of its workflow run.
"""

import hashlib
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Literal

from provisioning.delivery import GateKind
from provisioning.text import Frozen
from provisioning.verdicts import Allowed, Refused
from provisioning.workflow_run import WorkflowJob, WorkflowRun

ReleaseState = Literal["open", "deciding", "approved", "rejected", "bypassed", "void", "expired"]
"""`bypassed`: an administrator has let it in at GitHub, past whoever should have decided."""

FIRST_REMINDER = timedelta(hours=4)
MOST_REMINDERS = 5


class PlannedChange(Frozen):
    """What a bundle plan does to one resource, e.g. creates `jobs.daily_counts`."""

    action: Literal["create", "update", "recreate", "delete"]
    resource: str
    name: str = ""


class ReleasePlan(Frozen):
    """The bundle plan of a gated environment, made by its read-only principal."""

    digest: str
    commit: str
    version: str = ""
    changes: tuple[PlannedChange, ...] = ()


class Commit(Frozen):
    """A commit, as people recognise it; a merge has the commit it brings as its second parent."""

    sha: str
    title: str
    author: str
    url: str = ""
    parents: tuple[str, ...] = ()


class Comparison(Frozen):
    """The commits since the last release, newest last; `total` may be more than are listed."""

    base: str
    total: int
    commits: tuple[Commit, ...]
    url: str = ""

    def without_merges(self) -> "Comparison":
        """Return it without the merges of changes that are listed themselves."""
        listed = {commit.sha for commit in self.commits}
        kept = tuple(one for one in self.commits if not listed.intersection(one.parents[1:]))
        total = self.total - len(self.commits) + len(kept)
        return self.model_copy(update={"commits": kept, "total": total})


class Card(Frozen):
    """What reviewers see before they decide.

    `base` is the commit that was released there last, if any; `since` is None, too, where GitHub
    cannot compare with it. `reviewers` are `team:<slug>` and `user:<login>`, `logins` the people
    behind them when it was asked, `earlier` the environments that this run has deployed to.
    `reviews_before` counts what GitHub had on the environment from earlier attempts. `gate` is what
    holds the deployment until `needed` people agree; `group` is the chat user group that may, too,
    where it is the App's rule.
    """

    commit: Commit | None = None
    base: str = ""
    since: Comparison | None = None
    plan: ReleasePlan | None = None
    destroys: bool = False
    reviewers: tuple[str, ...] = ()
    logins: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()
    reviews_before: int = 0
    gate: GateKind = "reviewer"
    needed: int = 1
    group: str = ""


NEWER = "a newer commit waits: "
"""Why a release was withdrawn when a newer run asked for its environment; its commit follows."""


class Approval(Frozen):
    """One person's yes to one exact artefact (`Release.bound_to`): it counts for no other one."""

    person: str
    login: str
    artefact: str
    comment: str = ""
    at: datetime


class Release(Frozen):
    """One question to reviewers, as it is stored.

    `verdict` is approved, rejected, or override: break-glass, whatever approvals are missing.
    `approvals` are kept where the App's rule asks for them, those of outdated artefacts as well.
    """

    id: str
    run: str
    project: str
    environment: str
    attempt: int
    sha: str
    state: ReleaseState
    card: Card
    verdict: str = ""
    decided_by: str = ""
    decided_login: str = ""
    comment: str = ""
    why: str = ""
    asked_at: datetime
    decided_at: datetime | None = None
    deadline: datetime
    remind_at: datetime | None = None
    reminders: int = 0
    tries: int = 0
    approvals: tuple[Approval, ...] = ()

    @property
    def bound_to(self) -> str:
        """Return the whole artefact: commit, attempt and plan."""
        return f"{self.sha}-{self.attempt}-{self.card.plan.digest if self.card.plan else ''}"

    @property
    def is_ruled(self) -> bool:
        """Tell whether our App's rule holds it, so that we alone let it in."""
        return self.card.gate == "app_rule"

    @property
    def superseded_by(self) -> str:
        """Return the beginning of the newer commit for which it was withdrawn, if it was."""
        is_superseded = self.state == "void" and self.why.startswith(NEWER)
        return self.why.removeprefix(NEWER) if is_superseded else ""

    @property
    def given(self) -> tuple[Approval, ...]:
        """Return the approvals of exactly this artefact."""
        return tuple(each for each in self.approvals if each.artefact == self.bound_to)

    @property
    def is_short(self) -> bool:
        """Tell whether approvals are missing."""
        return len(self.given) < self.card.needed

    def has_approved(self, person: str, login: str) -> bool:
        """Tell whether a person, or their GitHub account, has approved this artefact."""
        return any(
            each.person == person or each.login.lower() == login.lower() for each in self.given
        )

    @property
    def artefact(self) -> str:
        """Return what a button carries of the artefact: a click on an older card is refused."""
        digest = self.card.plan.digest[:8] if self.card.plan else "noplan"
        return f"{self.sha[:8]}-{self.attempt}-{digest}"

    @property
    def message(self) -> str:
        """Return the key of the card's message."""
        return f"release:{self.id}"


def release_id(run: int | str, attempt: int, environment: str) -> str:
    """Return the id of the release of one attempt to one environment."""
    words = f"{run}/{attempt}/{environment}"
    return "rel-" + hashlib.sha256(words.encode()).hexdigest()[:12]


def may_release(
    login: str,
    *,
    reviewers: Collection[str],
    initiators: Collection[str],
    in_group: bool | None = None,
) -> Allowed | Refused:
    """Decide whether somebody may decide on a release; logins ignore case.

    `reviewers` are those that GitHub would let decide now, team members among them. `in_group`
    tells, where the App's rule is the gate, whether they are in the chat group that may as well.
    """
    if login.lower() in {who.lower() for who in initiators}:
        return Refused(why="nobody releases their own deployment")
    if in_group or login.lower() in {who.lower() for who in reviewers}:
        return Allowed()
    if in_group is None:
        return Refused(why="only a reviewer of this environment decides on it")
    return Refused(
        why="only the project's reviewers and the people who release all projects decide"
    )


def next_reminder(asked_at: datetime, reminders: int) -> datetime | None:
    """Return when to remind next: after 4 hours, 8, 16, …; None after the last one."""
    if reminders >= MOST_REMINDERS:
        return None
    return asked_at + FIRST_REMINDER * (1 << reminders)


def outcome_of_rule(release: Release, run: WorkflowRun) -> ReleaseState | None:
    """Return what a run shows to have become of our answer to the rule; None if it doesn't.

    GitHub need not list the answers of rules among a run's reviews.
    """
    job = _job(release, run)
    if release.state != "deciding" or job is None or job.status == "waiting":
        return None
    if release.verdict == "rejected":
        return "rejected" if job.conclusion == "failure" else None
    return None if job.conclusion in ("cancelled", "skipped") else "approved"


def let_in_at(release: Release, run: WorkflowRun) -> datetime | None:
    """Return when a deployment began that a release was to hold; None if nothing shows that it did.

    One that was rejected or waited too long fails, too, but none of its steps does.
    """
    job = _job(release, run)
    if job and (job.status == "in_progress" or job.succeeded or job.failed_step):
        return job.started_at or run.updated_at
    return None


def _job(release: Release, run: WorkflowRun) -> WorkflowJob | None:
    """Return the deployment that a release holds."""
    name = release.environment
    deeds = ("deploy", name), ("destroy", name)
    jobs = (one for one in run.jobs if one.deed in deeds and one.attempt == release.attempt)
    return next(jobs, None)
