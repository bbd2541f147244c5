"""What rulesets forbid: one judgement for git pushes and for the references API."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from playground.github.auth import Actor
from playground.github.calls import Refusal
from playground.github.objects import Commit, GitStore
from playground.github.world import APP_ID, ROLES, Json, Repository, Ruleset, World

REPOSITORY_ROLES = {1: "pull", 2: "maintain", 3: "triage", 4: "push", 5: "admin"}
"""GitHub's ids of the base roles, as `actor_id` of a RepositoryRole."""
ENFORCED = (
    "creation",
    "update",
    "deletion",
    "non_fast_forward",
    "required_linear_history",
    "required_signatures",
    "pull_request",
    "required_status_checks",
)
"""The rule types that this stand-in can judge; others can't be created here."""
WORKFLOWS = ".github/workflows/"
HIDDEN = "refs/pull/"
"""References that nobody but GitHub moves."""


@dataclass(frozen=True)
class RefChange:
    """A reference on its way from `old` to `new`; None stands for not existing."""

    name: str
    old: str | None
    new: str | None


def matching(repo: Repository, ref: str) -> Iterator[Ruleset]:
    """Yield the active rulesets whose conditions include a full reference name."""
    target = "tag" if ref.startswith("refs/tags/") else "branch"
    for ruleset in repo.rulesets.values():
        if (
            ruleset.enforcement == "active"
            and ruleset.target == target
            and _covers(ruleset, repo, ref)
        ):
            yield ruleset


def _covers(ruleset: Ruleset, repo: Repository, ref: str) -> bool:
    def hit(patterns: list[str]) -> bool:
        return any(_matches(pattern, repo, ref) for pattern in patterns)

    return hit(ruleset.include) and not hit(ruleset.exclude)


def _matches(pattern: str, repo: Repository, ref: str) -> bool:
    if pattern == "~DEFAULT_BRANCH":
        return ref == f"refs/heads/{repo.default_branch}"
    return pattern == "~ALL" or name_matches(pattern, ref)


def name_matches(pattern: str, name: str) -> bool:
    """Match as GitHub does: `*` stops at a slash, `**/` doesn't."""
    pieces = re.split(r"(\*\*/|\*+|\?)", pattern)
    spelled = {"**/": "(?:.*/)?", "?": "[^/]"}
    regex = "".join(
        spelled.get(p, "[^/]*" if p.startswith("*") else re.escape(p)) for p in pieces if p
    )
    return re.fullmatch(regex, name) is not None


def bypasses(world: World, actor: Actor, repo: Repository, ruleset: Ruleset) -> bool:
    """Say whether the actor may ignore a ruleset when pushing."""
    return any(
        _is_actor(world, actor, repo, bypass)
        for bypass in ruleset.bypass_actors
        if bypass.get("bypass_mode", "always") in ("always", "exempt")
    )


def _is_actor(world: World, actor: Actor, repo: Repository, bypass: Json) -> bool:
    kind, number = bypass["actor_type"], cast("int | None", bypass.get("actor_id"))
    if kind == "Integration":
        return actor.kind == "installation" and number == APP_ID
    if not actor.login:
        return False
    if kind == "OrganizationAdmin":
        return actor.login in world.organisation.owners
    if kind == "Team":
        team = world.team_by_id(number or 0)
        return team is not None and actor.login in team.members
    if kind == "RepositoryRole":
        role = world.role_of(actor.login, repo)
        needed = REPOSITORY_ROLES.get(number or 0)
        return role is not None and needed is not None and ROLES.index(role) >= _rank(needed)
    user = world.find_user(actor.login)
    return kind == "User" and user is not None and user.id == number


def _rank(role: str) -> int:
    return [*ROLES].index(role)  # type: ignore[arg-type]  # ids map to names of ROLES only


def violations(world: World, repo: Repository, actor: Actor, change: RefChange) -> list[str]:
    """Return in GitHub's words why a reference may not change so; empty if it may."""
    found = []
    for ruleset in matching(repo, change.name):
        if not bypasses(world, actor, repo, ruleset):
            found += [
                message for rule in ruleset.rules for message in _violated(repo, rule, change)
            ]
    return list(dict.fromkeys(found))


def _violated(repo: Repository, rule: Json, change: RefChange) -> list[str]:
    kind = cast("str", rule["type"])
    if change.new is None:
        noun = "tag" if change.name.startswith("refs/tags/") else "branch"
        return [f"Cannot delete this {noun}"] if kind == "deletion" else []
    if change.old is None:
        return _violated_by_creation(repo, kind, rule, change.new)
    return _violated_by_update(repo, kind, rule, change.old, change.new)


def _violated_by_creation(repo: Repository, kind: str, rule: Json, new: str) -> list[str]:
    if kind == "creation":
        return ["Cannot create ref due to creations being restricted."]
    parameters = cast("Json", rule.get("parameters", {}))
    if kind == "required_status_checks" and parameters.get("do_not_enforce_on_create"):
        return []
    return _violated_by_content(kind, rule, _introduced(repo, new))


def _violated_by_update(repo: Repository, kind: str, rule: Json, old: str, new: str) -> list[str]:
    if kind == "update":
        return ["Cannot update this protected ref."]
    if kind == "non_fast_forward":
        forward = GitStore(repo.path).is_ancestor(old, new)
        return [] if forward else ["Cannot force-push to this branch"]
    return _violated_by_content(kind, rule, _introduced(repo, new, old))


def _violated_by_content(kind: str, rule: Json, commits: list[Commit]) -> list[str]:
    if kind == "pull_request":
        return ["Changes must be made through a pull request."]
    if kind == "required_status_checks":
        return [_missing_checks(rule)]
    if kind == "required_signatures" and commits:
        return ["Commits must have verified signatures."]
    if kind == "required_linear_history" and any(len(c.parents) > 1 for c in commits):
        return ["This branch must not contain merge commits."]
    return []


def _missing_checks(rule: Json) -> str:
    parameters = cast("Json", rule.get("parameters", {}))
    checks = cast("list[Json]", parameters.get("required_status_checks", []))
    if len(checks) == 1:
        return f'Required status check "{checks[0]["context"]}" is expected.'
    return f"{len(checks)} of {len(checks)} required status checks are expected."


def _introduced(repo: Repository, new: str, old: str | None = None) -> list[Commit]:
    """Return the commits that `new` has and `old` (or, without it, any reference) hasn't."""
    git = GitStore(repo.path)
    if not git.holds(new, "commit"):
        return []
    tips = [old] if old else list(git.refs().values())
    known = {c.sha for tip in tips if git.holds(tip, "commit") for c in git.history(tip)}
    return [commit for commit in git.history(new) if commit.sha not in known]


def touched_workflow(repo: Repository, change: RefChange) -> str | None:
    """Return a workflow file that the change creates or updates, or None."""
    git = GitStore(repo.path)
    if change.new is None or not git.holds(change.new, "commit"):
        return None
    before = _workflows(git, change.old)
    for commit in _introduced(repo, change.new, change.old):
        for path, sha in _workflows(git, commit.sha).items():
            if before.get(path) != sha and not _known(git, change.old, path, sha):
                return path
    return None


def _known(git: GitStore, old: str | None, path: str, sha: str) -> bool:
    """Say whether some branch already has this very file, which lets it pass."""
    tips = git.refs("refs/heads/").values() if old is None else ()
    return any(_workflows(git, tip).get(path) == sha for tip in tips)


def _workflows(git: GitStore, commit: str | None) -> dict[str, str]:
    if commit is None or not git.holds(commit, "commit"):
        return {}
    files = git.files(git.commit(commit).tree)
    return {path: sha for path, (_, sha) in files.items() if path.startswith(WORKFLOWS)}


def refuse_violations(world: World, repo: Repository, actor: Actor, change: RefChange) -> None:
    """Refuse a change through the API that rules forbid."""
    found = violations(world, repo, actor, change)
    if found:
        raise Refusal(
            422, "Repository rule violations found\n\n" + "".join(f"{m}\n\n" for m in found)
        )
