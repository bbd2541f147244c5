"""Pull requests: opened, pushed to, reviewed, merged and closed."""

from dataclasses import dataclass
from typing import cast

from playground.github import merging, pull_rules
from playground.github.auth import Actor
from playground.github.calls import Refusal, invalid
from playground.github.events import Events
from playground.github.objects import GitStore
from playground.github.pulls import PullRequest, PullReview, ReviewState, open_pulls
from playground.github.rules import RefChange
from playground.github.world import Repository, World

STATES: dict[str, ReviewState] = {
    "APPROVE": "APPROVED",
    "REQUEST_CHANGES": "CHANGES_REQUESTED",
    "COMMENT": "COMMENTED",
    "": "PENDING",
}


@dataclass
class Proposal:
    """What somebody wants to open."""

    head: str
    base: str
    title: str
    body: str = ""
    draft: bool = False


@dataclass
class Merge:
    """How somebody wants to merge; empty texts are GitHub's own."""

    method: str = "merge"
    sha: str = ""
    title: str = ""
    message: str = ""


class PullDesk:
    """Does what the API and GitHub's own pages ask for."""

    def __init__(self, world: World, events: Events) -> None:
        self._world = world
        self._events = events

    def open(self, repo: Repository, login: str, wanted: Proposal) -> PullRequest:
        """Open a pull request."""
        git = GitStore(repo.path)
        head, base = (git.ref(f"refs/heads/{name}") for name in (wanted.head, wanted.base))
        if head is None or base is None:
            raise invalid("PullRequest", "head" if head is None else "base", "invalid")
        self._refuse_needless(repo, wanted, head, base)
        number = max(repo.pulls, default=0) + 1
        now = self._world.now()
        pull = PullRequest(
            id=self._world.next_id(),
            number=number,
            title=wanted.title,
            body=wanted.body,
            author=login,
            head=wanted.head,
            head_sha=head,
            base=wanted.base,
            base_sha=base,
            created_at=now,
            updated_at=now,
            last_pusher=login,
            draft=wanted.draft,
        )
        repo.pulls[number] = pull
        self._try_merging(repo, pull)
        self._events.pull_request(repo, pull, "opened", login)
        return pull

    def _refuse_needless(self, repo: Repository, wanted: Proposal, head: str, base: str) -> None:
        if GitStore(repo.path).is_ancestor(head, base):
            message = f"No commits between {wanted.base} and {wanted.head}"
            raise _custom(message)
        if open_pulls(repo, head=wanted.head, base=wanted.base):
            owner = self._world.organisation.login
            raise _custom(f"A pull request already exists for {owner}:{wanted.head}.")

    def _try_merging(self, repo: Repository, pull: PullRequest) -> None:
        """Point `refs/pull/N/head` and, without conflicts, `/merge` at the present state."""
        git = GitStore(repo.path)
        pull.base_sha = git.ref(f"refs/heads/{pull.base}") or pull.base_sha
        pull.fork_point = merging.merge_base(git, pull.base_sha, pull.head_sha) or ""
        git.set_ref(f"refs/pull/{pull.number}/head", pull.head_sha)
        tree = merging.merged_tree(git, pull.base_sha, pull.head_sha)
        trial = f"refs/pull/{pull.number}/merge"
        if tree is None:
            pull.merge_sha = None
            if git.ref(trial):
                git.delete_ref(trial)
            return
        message = f"Merge {pull.head_sha} into {pull.base_sha}"
        parents = [pull.base_sha, pull.head_sha]
        by = (pull.author, message)
        pull.merge_sha = merging.commit(self._world, repo, tree, parents, by)
        git.set_ref(trial, pull.merge_sha)

    def branch_moved(self, repo: Repository, change: RefChange, login: str) -> None:
        """Bring the open pull requests of a pushed branch up to date."""
        branch = change.name.removeprefix("refs/heads/")
        if not change.name.startswith("refs/heads/"):
            return
        for pull in open_pulls(repo, base=branch):
            if change.new is None:
                self._end(repo, pull, login)
            elif GitStore(repo.path).is_ancestor(pull.head_sha, change.new):
                pull.merge_sha, pull.base_sha = change.new, change.new
                self._end(repo, pull, login, merged=True)
            else:
                self._try_merging(repo, pull)
        for pull in open_pulls(repo, head=branch):
            if change.new is None:
                self._end(repo, pull, login)
            else:
                self._synchronize(repo, pull, change.new, login)

    def _synchronize(self, repo: Repository, pull: PullRequest, new: str, login: str) -> None:
        pull.head_before, pull.head_sha = pull.head_sha, new
        pull.last_pusher, pull.updated_at = login, self._world.now()
        if pull_rules.dismisses_stale(repo, pull):
            for review in pull.reviews:
                review.state = "DISMISSED" if review.state == "APPROVED" else review.state
        self._try_merging(repo, pull)
        self._events.pull_request(repo, pull, "synchronize", login)

    # Reviews

    def review(self, pull: PullRequest, login: str, event: str, body: str) -> PullReview:
        """Say something of a pull request at its present commit."""
        own = {"APPROVE": "approve", "REQUEST_CHANGES": "request changes on"}
        if login == pull.author and event in own:
            raise _unprocessable(f"Can not {own[event]} your own pull request")
        if event in ("REQUEST_CHANGES", "COMMENT") and not body:
            raise _unprocessable("Body can't be blank")
        number, now = self._world.next_id(), self._world.now()
        review = PullReview(number, login, STATES[event], body, pull.head_sha, now)
        pull.reviews.append(review)
        pull.updated_at = now
        return review

    # Ends

    def close(self, repo: Repository, pull: PullRequest, login: str) -> None:
        """Close without merging."""
        if pull.state == "open":
            self._end(repo, pull, login)

    def reopen(self, repo: Repository, pull: PullRequest, login: str) -> None:
        """Open again what was closed without being merged, if its branch is still there."""
        head = GitStore(repo.path).ref(f"refs/heads/{pull.head}")
        if pull.merged_at:
            raise _custom("Cannot reopen a merged pull request")
        if head is None:
            raise _custom(f"The {pull.head} branch has been deleted.")
        if pull.state == "open":
            return
        pull.closed_at, pull.head_sha = None, head
        self._try_merging(repo, pull)
        self._events.pull_request(repo, pull, "reopened", login)

    def _end(
        self, repo: Repository, pull: PullRequest, login: str, *, merged: bool = False
    ) -> None:
        now = self._world.now()
        pull.closed_at = pull.updated_at = now
        if merged:
            pull.merged_at, pull.merged_by = now, login
        self._events.pull_request(repo, pull, "closed", login)

    def merge(
        self, repo: Repository, pull: PullRequest, actor: Actor, login: str, how: Merge
    ) -> RefChange:
        """Make the merge and say how the base branch is to move; `ended` is to follow."""
        self._refuse_merge(repo, pull, how)
        found = pull_rules.obstacles(self._world, repo, pull, actor, how.method)
        if found:
            raise Refusal(405, "Repository rule violations found\n\n" + "\n\n".join(found))
        git = GitStore(repo.path)
        tree = cast("str", merging.merged_tree(git, pull.base_sha, pull.head_sha))
        message = _message(self._world.organisation.login, pull, how)
        parents = [pull.base_sha] + ([pull.head_sha] if how.method == "merge" else [])
        by = (login if how.method == "merge" else pull.author, message)
        sha = merging.commit(self._world, repo, tree, parents, by)
        git.set_ref(f"refs/heads/{pull.base}", sha)
        change = RefChange(f"refs/heads/{pull.base}", pull.base_sha, sha)
        pull.merge_sha = sha
        self._end(repo, pull, login, merged=True)
        return change

    def _refuse_merge(self, repo: Repository, pull: PullRequest, how: Merge) -> None:
        if pull.draft:
            raise Refusal(405, "Pull Request is still a draft")
        if pull.state == "closed" or pull.merge_sha is None:
            raise Refusal(405, "Pull Request is not mergeable")
        if how.sha not in ("", pull.head_sha):
            raise Refusal(409, "Head branch was modified. Review and try the merge again.")
        if how.method == "rebase":
            raise Refusal(405, "This stand-in does not rebase: use merge or squash.")
        allowed = {"merge": "allow_merge_commit", "squash": "allow_squash_merge"}
        if not repo.settings[allowed[how.method]]:
            name = {"merge": "Merge commits", "squash": "Squash merges"}[how.method]
            raise Refusal(405, f"{name} are not allowed on this repository.")


def _message(owner: str, pull: PullRequest, how: Merge) -> str:
    if how.method == "squash":
        title = how.title or f"{pull.title} (#{pull.number})"
        return f"{title}\n\n{how.message or pull.body}".rstrip()
    title = how.title or f"Merge pull request #{pull.number} from {owner}/{pull.head}"
    return f"{title}\n\n{how.message or pull.title}".rstrip()


def _custom(message: str) -> Refusal:
    error = {"resource": "PullRequest", "code": "custom", "message": message}
    return Refusal(422, "Validation Failed", [error])


def _unprocessable(message: str) -> Refusal:
    return Refusal(422, "Unprocessable Entity", [message])
