"""The stand-in GitHub's world as tests and the playground's page look at it."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from playground.github.objects import GitStore
from playground.github.payloads import stamp
from playground.github.payloads_repo import html_url, person
from playground.github.payloads_runs import head, run_page
from playground.github.pulls import PullRequest, latest_reviews
from playground.github.runs import Job, Review, WorkflowRun
from playground.github.world import Environment, Json, Repository, World

MOST_RUNS = MOST_PULLS = 20
"""How many of each repository the page shows."""


@dataclass(frozen=True)
class CommitView:
    """A commit: `author` is a name and an e-mail address."""

    sha: str
    message: str
    author: str
    email: str
    date: str
    parents: tuple[str, ...]


def commits(git: GitStore, branch: str) -> list[CommitView]:
    """Return a branch's commits, newest first."""
    tip = git.ref(f"refs/heads/{branch}")
    found = []
    for commit in git.history(tip) if tip else ():
        who = cast("dict[str, str]", person(commit.author))
        found.append(
            CommitView(
                commit.sha,
                commit.message,
                who["name"],
                who["email"],
                who["date"],
                commit.parents,
            )
        )
    return found


def files(git: GitStore, ref: str) -> dict[str, bytes]:
    """Return every file at a branch, tag or commit."""
    commit = git.resolve(ref)
    held = git.files(git.commit(commit).tree) if commit else {}
    return {path: git.read(sha)[1] for path, (mode, sha) in held.items() if mode != "160000"}


def paths(git: GitStore, ref: str) -> list[str]:
    """Return the path of every file at a branch, tag or commit, without reading the files."""
    commit = git.resolve(ref)
    return sorted(git.files(git.commit(commit).tree)) if commit else []


def snapshot(world: World, root: str) -> Json:
    """Return the whole world without secrets' values."""
    org = world.organisation
    return {
        "organisation": {"login": org.login, "id": org.id, "plan": org.plan},
        "members": sorted(org.members),
        "teams": {slug: sorted(team.members) for slug, team in world.teams.items()},
        "repositories": [_repository(world, root, repo) for repo in world.repos.values()],
    }


def _repository(world: World, root: str, repo: Repository) -> Json:
    git = GitStore(repo.path)
    teams = {
        t.slug: t.repositories[repo.id] for t in world.teams.values() if repo.id in t.repositories
    }
    branches = [name.removeprefix("refs/heads/") for name in git.refs("refs/heads/")]
    return {
        "id": repo.id,
        "name": repo.name,
        "url": html_url(root, world, repo),
        "description": repo.description,
        "visibility": repo.visibility,
        "archived": repo.archived,
        "created_at": stamp(repo.created_at),
        "default_branch": repo.default_branch,
        "branches": branches,
        "files": paths(git, repo.default_branch),
        "commits": [
            {"sha": c.sha, "message": c.message, "author": c.author, "date": c.date}
            for c in commits(git, repo.default_branch)[:20]
        ],
        "teams": teams,
        "topics": repo.topics,
        "properties": repo.properties,
        "vulnerability_alerts": repo.vulnerability_alerts,
        "rulesets": [
            {"name": r.name, "target": r.target, "rules": [rule["type"] for rule in r.rules]}
            for r in repo.rulesets.values()
        ],
        "environments": [_environment(world, env) for env in repo.environments.values()],
        "runs": [run_view(world, run) for run in runs_of(world, repo)[:MOST_RUNS]],
        "pull_requests": [_pull(world, root, repo, pull) for pull in _newest(repo)],
    }


def runs_of(world: World, repo: Repository) -> list[WorkflowRun]:
    """Return a repository's runs, newest first."""
    return [run for run in reversed(list(world.runs.values())) if run.repo is repo]


def run_view(world: World, run: WorkflowRun) -> Json:
    """Return a run with the jobs of its present attempt, without logs and artifacts' content."""
    branch, sha = head(run)
    return {
        "id": run.id,
        "number": run.number,
        "attempt": run.attempt,
        "workflow": run.workflow,
        "title": run.title,
        "event": run.event,
        "branch": branch,
        "sha": sha,
        "actor": run.triggering_actor or run.actor,
        "status": run.status,
        "conclusion": run.conclusion,
        "created_at": stamp(run.created_at),
        "started_at": _moment(run.started_at),
        "updated_at": stamp(run.updated_at),
        "url": run_page(world, run),
        "jobs": [_job(job) for job in run.present_jobs],
        "reviews": [_review(review) for review in run.reviews],
        "artifacts": [a.name for a in run.artifacts if a.attempt == run.attempt],
    }


def _job(job: Job) -> Json:
    steps = [
        {"number": s.number, "name": s.name, "status": s.status, "conclusion": s.conclusion}
        for s in job.steps
    ]
    return {
        "id": job.id,
        "name": job.name,
        "status": job.status,
        "conclusion": job.conclusion,
        "environment": job.environment,
        "needs": list(job.needs),
        "started_at": _moment(job.started_at),
        "completed_at": _moment(job.completed_at),
        "steps": steps,
    }


def _review(review: Review) -> Json:
    return {
        "environment": review.environment,
        "state": review.state,
        "comment": review.comment,
        "login": review.login,
        "attempt": review.attempt,
        "by_rule": review.by_rule,
    }


def _moment(moment: datetime | None) -> str | None:
    return stamp(moment) if moment else None


def _newest(repo: Repository) -> list[PullRequest]:
    return list(repo.pulls.values())[: -MOST_PULLS - 1 : -1]


def _pull(world: World, root: str, repo: Repository, pull: PullRequest) -> Json:
    reviews = latest_reviews(pull)
    return {
        "number": pull.number,
        "title": pull.title,
        "author": pull.author,
        "head": pull.head,
        "base": pull.base,
        "state": "merged" if pull.merged_at else pull.state,
        "mergeable": pull.merge_sha is not None,
        "reviews": {login: review.state for login, review in reviews.items()},
        "created_at": stamp(pull.created_at),
        "url": f"{html_url(root, world, repo)}/pull/{pull.number}",
    }


def _environment(world: World, env: Environment) -> Json:
    def name(kind: str, number: int) -> str:
        team, user = world.team_by_id(number), world.user_by_id(number)
        if kind == "Team":
            return f"team {team.slug if team else number}"
        return user.login if user else str(number)

    return {
        "name": env.name,
        "reviewers": [name(kind, number) for kind, number in env.reviewers],
        "prevent_self_review": env.prevent_self_review,
        "wait_timer": env.wait_timer,
        "custom_rule": env.custom_rule is not None,
        "branch_policy": env.branch_policy,
        "patterns": [f"{policy.type} {policy.name}" for policy in env.patterns.values()],
        "variables": {name: env.variables[name].value for name in sorted(env.variables)},
        "secrets": sorted(env.secrets),
    }
