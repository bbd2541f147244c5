"""Pull requests as plain data, and what may be said of them without asking anybody."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from playground.github.world import Repository

ReviewState = Literal["APPROVED", "CHANGES_REQUESTED", "COMMENTED", "PENDING", "DISMISSED"]


@dataclass
class PullReview:
    """What somebody said of a pull request at one commit."""

    id: int
    login: str
    state: ReviewState
    body: str
    sha: str
    at: datetime


@dataclass
class PullRequest:
    """A proposal to merge the branch `head` into `base`.

    `merge_sha` is the trial merge while it is open (None: there are conflicts), then the commit
    that merging made. `fork_point` is where it left its base.
    """

    id: int
    number: int
    title: str
    body: str
    author: str
    head: str
    head_sha: str
    base: str
    base_sha: str
    created_at: datetime
    updated_at: datetime
    last_pusher: str
    draft: bool = False
    merge_sha: str | None = None
    fork_point: str = ""
    head_before: str = ""
    closed_at: datetime | None = None
    merged_at: datetime | None = None
    merged_by: str = ""
    reviews: list[PullReview] = field(default_factory=list)

    @property
    def state(self) -> Literal["open", "closed"]:
        """Return how GitHub calls its state."""
        return "closed" if self.closed_at else "open"


def latest_reviews(pull: PullRequest) -> dict[str, PullReview]:
    """Return what counts of each reviewer: the last approval or request for changes."""
    counted = ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")
    return {review.login: review for review in pull.reviews if review.state in counted}


def open_pulls(repo: Repository, *, head: str = "", base: str = "") -> list[PullRequest]:
    """Return the open pull requests of a head or base branch."""
    return [
        pull
        for pull in repo.pulls.values()
        if pull.state == "open" and head in ("", pull.head) and base in ("", pull.base)
    ]
