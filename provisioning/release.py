"""A release: a deployment that waits for people before it reaches a gated environment.

It is bound to one exact artefact: the commit and the attempt of its workflow run.
"""

import hashlib
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Literal

from provisioning.policy import Allowed, Refused
from provisioning.text import Frozen

ReleaseState = Literal["open", "deciding", "approved", "rejected", "void", "expired"]
ENDED: tuple[ReleaseState, ...] = ("approved", "rejected", "void", "expired")

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
    """A commit, as people recognise it."""

    sha: str
    title: str
    author: str
    url: str = ""


class Comparison(Frozen):
    """The commits since the last release, newest last; `total` may be more than are listed."""

    base: str
    total: int
    commits: tuple[Commit, ...]
    url: str = ""


class Card(Frozen):
    """What reviewers see before they decide.

    `reviewers` are `team:<slug>` and `user:<login>`, `logins` the people behind them when it was
    asked, `earlier` the environments that this run has deployed to. `reviews_before` counts what
    GitHub had on the environment from earlier attempts.
    """

    commit: Commit | None = None
    since: Comparison | None = None
    plan: ReleasePlan | None = None
    destroys: bool = False
    reviewers: tuple[str, ...] = ()
    logins: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()
    reviews_before: int = 0


class Release(Frozen):
    """One question to reviewers, as it is stored."""

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
    login: str, *, reviewers: Collection[str], initiators: Collection[str]
) -> Allowed | Refused:
    """Decide whether somebody may decide on a release; logins ignore case.

    `reviewers` are those that GitHub would let decide now, team members among them.
    """
    if login.lower() in {who.lower() for who in initiators}:
        return Refused(why="nobody releases their own deployment")
    if login.lower() not in {who.lower() for who in reviewers}:
        return Refused(why="only a reviewer of this environment decides on it")
    return Allowed()


def next_reminder(asked_at: datetime, reminders: int) -> datetime | None:
    """Return when to remind next: after 4 hours, 8, 16, …; None after the last one."""
    if reminders >= MOST_REMINDERS:
        return None
    return asked_at + FIRST_REMINDER * (1 << reminders)
