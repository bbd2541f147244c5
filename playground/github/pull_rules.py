"""What a repository's rulesets ask of a pull request before it may be merged."""

from collections.abc import Iterator
from typing import cast

from playground.github import rules
from playground.github.auth import Actor
from playground.github.code_owners import is_owner, owners_of
from playground.github.merging import changed_paths
from playground.github.objects import GitStore
from playground.github.payloads_runs import head
from playground.github.pulls import PullRequest, latest_reviews
from playground.github.runs import Job
from playground.github.world import ROLES, Json, Repository, Ruleset, World


def obstacles(
    world: World, repo: Repository, pull: PullRequest, actor: Actor, method: str
) -> list[str]:
    """Return in GitHub's words what stands against merging; empty if nothing does."""
    found: list[str] = []
    for ruleset in rules.matching(repo, f"refs/heads/{pull.base}"):
        if not may_bypass(world, actor, repo, ruleset):
            for rule in ruleset.rules:
                found += _broken(world, repo, pull, rule, method)
    return list(dict.fromkeys(found))


def may_bypass(world: World, actor: Actor, repo: Repository, ruleset: Ruleset) -> bool:
    """Say whether the actor may ignore a ruleset when merging: for pull requests is enough."""
    eager = [{**b, "bypass_mode": "always"} for b in ruleset.bypass_actors]
    copy = Ruleset(**{**ruleset.__dict__, "bypass_actors": eager})
    return rules.bypasses(world, actor, repo, copy)


def _broken(
    world: World, repo: Repository, pull: PullRequest, rule: Json, method: str
) -> Iterator[str]:
    kind, parameters = rule["type"], cast("Json", rule.get("parameters", {}))
    if kind == "update":
        yield "Cannot update this protected ref."
    elif kind == "required_linear_history" and method == "merge":
        yield "This branch must not contain merge commits."
    elif kind == "required_status_checks":
        yield from _missing_checks(world, repo, pull, parameters)
    elif kind == "pull_request":
        yield from _missing_reviews(world, repo, pull, parameters)
        if method not in cast("list[str]", parameters.get("allowed_merge_methods", [method])):
            name = {"merge": "Merge commits", "squash": "Squash merges"}[method]
            yield f"{name} are not allowed on this repository."


# Reviews


def _counts(world: World, repo: Repository, login: str) -> bool:
    role = world.role_of(login, repo)
    return role is not None and ROLES.index(role) >= ROLES.index("push")


def _missing_reviews(
    world: World, repo: Repository, pull: PullRequest, parameters: Json
) -> Iterator[str]:
    latest = {k: r for k, r in latest_reviews(pull).items() if _counts(world, repo, k)}
    if any(review.state == "CHANGES_REQUESTED" for review in latest.values()):
        yield "Changes must be addressed."
    approvers = [login for login, review in latest.items() if review.state == "APPROVED"]
    needed = cast("int", parameters.get("required_approving_review_count", 0))
    if len(approvers) < needed:
        noun = "review is" if needed == 1 else "reviews are"
        yield f"At least {needed} approving {noun} required by reviewers with write access."
    if parameters.get("require_last_push_approval") and not _approved_since_push(pull, approvers):
        yield "New changes require approval from someone other than the last pusher."
    if parameters.get("require_code_owner_review"):
        yield from _missing_owners(world, repo, pull, approvers)


def _approved_since_push(pull: PullRequest, approvers: list[str]) -> bool:
    latest = latest_reviews(pull)
    others = (login for login in approvers if login != pull.last_pusher)
    return any(latest[login].sha == pull.head_sha for login in others)


def _missing_owners(
    world: World, repo: Repository, pull: PullRequest, approvers: list[str]
) -> Iterator[str]:
    git = GitStore(repo.path)
    changed = changed_paths(git, pull.fork_point or None, pull.head_sha)
    for owners in owners_of(git, pull.base_sha, changed):
        if not any(is_owner(world, login, owners) for login in approvers):
            names = ", ".join(owner.removeprefix("@") for owner in owners)
            yield f"Waiting on code owner review from {names}."


# Checks


def checks_of(world: World, repo: Repository, sha: str) -> list[Job]:
    """Return the jobs of the latest attempts of the runs that are shown for a commit."""
    runs = [run for run in world.runs.values() if run.repo is repo and head(run)[1] == sha]
    return [job for run in runs for job in run.present_jobs]


def _missing_checks(
    world: World, repo: Repository, pull: PullRequest, parameters: Json
) -> Iterator[str]:
    if parameters.get("strict_required_status_checks_policy") and pull.fork_point != pull.base_sha:
        yield "This branch must be up to date with its base branch before merging."
    held = {job.name: job for job in checks_of(world, repo, pull.head_sha)}
    for check in cast("list[dict[str, str]]", parameters.get("required_status_checks", [])):
        name = check["context"]
        job = held.get(name)
        if job is None:
            yield f'Required status check "{name}" is expected.'
        elif job.status != "completed":
            yield f'Required status check "{name}" is in progress.'
        elif job.conclusion not in ("success", "skipped"):
            yield f'Required status check "{name}" is failing.'


def dismisses_stale(repo: Repository, pull: PullRequest) -> bool:
    """Say whether a push takes approvals back."""
    found = (r.rule("pull_request") for r in rules.matching(repo, f"refs/heads/{pull.base}"))
    return any(
        rule is not None
        and bool(cast("Json", rule.get("parameters", {})).get("dismiss_stale_reviews_on_push"))
        for rule in found
    )
