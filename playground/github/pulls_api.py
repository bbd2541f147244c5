"""Pull requests: create, read, change, review, merge; and those of a commit."""

from typing import cast

from playground.github import payloads_pulls, payloads_repo
from playground.github.auth import check
from playground.github.branches import difference
from playground.github.calls import Answer, Call, Operation, Refusal, invalid, not_found
from playground.github.hub import name_of
from playground.github.pull_desk import Merge, Proposal
from playground.github.pulls import PullRequest
from playground.github.world import ROLES, Json


def _pull(call: Call) -> PullRequest:
    found = call.repo.pulls.get(int(call.params["pull_number"]))
    if found is None:
        raise not_found()
    return found


def _full(call: Call, pull: PullRequest) -> Json:
    return payloads_pulls.pull_request(call.world, call.repo, pull)


def _short(call: Call, pull: PullRequest) -> Json:
    return payloads_pulls.simple(call.world, call.repo, pull)


async def every(call: Call) -> Answer:
    """List pull requests, newest first; open ones unless asked otherwise."""
    state, head = call.query.get("state", "open"), call.query.get("head", "")
    owner, _, branch = head.rpartition(":")
    if owner.lower() not in ("", call.org.login.lower()):
        return call.page([])
    found = [
        pull
        for pull in reversed(call.repo.pulls.values())
        if state in ("all", pull.state)
        and branch in ("", pull.head)
        and call.query.get("base", pull.base) == pull.base
    ]
    if call.query.get("direction") == "asc":
        found.reverse()
    return call.page([_short(call, pull) for pull in found])


async def create(call: Call) -> Answer:
    """Open a pull request between two branches of the repository."""
    owner, _, head = call.text("head").rpartition(":")
    if owner.lower() not in ("", call.org.login.lower()):
        raise invalid("PullRequest", "head", "invalid")
    title = call.text("title")
    if not title:
        raise invalid("PullRequest", "title", "missing_field")
    body = cast("str | None", call.body.get("body")) or ""
    wanted = Proposal(head, call.text("base"), title, body, call.flag("draft"))
    pull = call.hub.pulls.open(call.repo, name_of(call.actor), wanted)
    return Answer(201, _full(call, pull))


async def read(call: Call) -> Answer:
    """Return one pull request."""
    return Answer(200, _full(call, _pull(call)))


async def change(call: Call) -> Answer:
    """Change title or text, close or reopen: its author may, and whoever may triage."""
    pull, login = _pull(call), name_of(call.actor)
    role = call.role()
    triages = role is not None and ROLES.index(role) >= ROLES.index("triage")
    if login != pull.author and not triages:
        raise Refusal(403, "Resource not accessible by integration")
    pull.title = call.text("title", pull.title)
    pull.body = cast("str | None", call.body.get("body", pull.body)) or ""
    if call.body.get("state") == "closed":
        call.hub.pulls.close(call.repo, pull, login)
    elif call.body.get("state") == "open":
        call.hub.pulls.reopen(call.repo, pull, login)
    return Answer(200, _full(call, pull))


async def files(call: Call) -> Answer:
    """List the files that a pull request changes."""
    pull = _pull(call)
    return call.page(difference(call, pull.fork_point or None, pull.head_sha))


async def commits(call: Call) -> Answer:
    """List the commits that a pull request brings, oldest first."""
    found = payloads_pulls.proposed(call.git, _pull(call))
    return call.page([payloads_repo.commit(call.root, call.world, call.repo, sha) for sha in found])


async def of_commit(call: Call) -> Answer:
    """List the pull requests that brought a commit, or would."""
    sha = call.params["commit_sha"]
    if not call.git.holds(sha, "commit"):
        raise Refusal(422, f"No commit found for SHA: {sha}")
    found = [
        pull
        for pull in call.repo.pulls.values()
        if sha == pull.merge_sha or sha in payloads_pulls.proposed(call.git, pull)
    ]
    return call.page([_short(call, pull) for pull in found])


# Reviews and the merge


async def reviews(call: Call) -> Answer:
    """List reviews, oldest first."""
    pull = _pull(call)
    return call.page(
        [payloads_pulls.review(call.world, call.repo, pull, one) for one in pull.reviews]
    )


async def review(call: Call) -> Answer:
    """Approve, ask for changes or comment."""
    pull = _pull(call)
    said = (call.text("event"), call.text("body"))
    made = call.hub.pulls.review(pull, name_of(call.actor), *said)
    return Answer(200, payloads_pulls.review(call.world, call.repo, pull, made))


async def merge(call: Call) -> Answer:
    """Merge, if the repository's rules are met."""
    check(call.world, call.actor, "contents:write", call.repo)
    pull = _pull(call)
    how = Merge(
        call.text("merge_method", "merge"),
        call.text("sha"),
        call.text("commit_title"),
        call.text("commit_message"),
    )
    call.hub.merge(call.repo, pull, call.actor, how)
    said = "Pull Request successfully merged"
    return Answer(200, {"sha": pull.merge_sha, "merged": True, "message": said})


async def merged(call: Call) -> Answer:
    """Say by 204 or 404 whether it was merged."""
    if _pull(call).merged_at is None:
        raise not_found()
    return Answer(204)


_REPO = "/repos/{owner}/{repo}"
_ALL = f"{_REPO}/pulls"
_ONE = f"{_ALL}/{{pull_number}}"
OPERATIONS = (
    Operation("GET", f"{_REPO}/commits/{{commit_sha}}/pulls", of_commit, "pull_requests:read"),
    Operation("GET", _ALL, every, "pull_requests:read"),
    Operation("POST", _ALL, create, "pull_requests:write"),
    Operation("GET", _ONE, read, "pull_requests:read"),
    Operation("PATCH", _ONE, change, "pull_requests:write"),
    Operation("GET", f"{_ONE}/files", files, "pull_requests:read"),
    Operation("GET", f"{_ONE}/commits", commits, "pull_requests:read"),
    Operation("GET", f"{_ONE}/reviews", reviews, "pull_requests:read"),
    Operation("POST", f"{_ONE}/reviews", review, "pull_requests:write"),
    Operation("PUT", f"{_ONE}/merge", merge, "pull_requests:write"),
    Operation("GET", f"{_ONE}/merge", merged, "pull_requests:read"),
)
