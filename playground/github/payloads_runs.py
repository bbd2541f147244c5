"""Workflow runs, jobs and artifacts in GitHub's own JSON."""

import hashlib
from datetime import timedelta
from typing import cast

from playground.github import payloads, payloads_repo
from playground.github.objects import GitStore
from playground.github.payloads import node_id, stamp
from playground.github.runs import Artifact, Job, Step, WorkflowRun
from playground.github.workflow_files import WorkflowFile, called, entry, workflow_files
from playground.github.world import APP_SLUG, Json, Repository, World

ARTIFACTS_LAST = timedelta(days=90)
SUITE = 5_000_000_000
"""A run's check suite has the run's id plus this."""
BOT = f"{APP_SLUG}[bot]"


def who(world: World, login: str) -> Json:
    """Return `simple-user` of a person or, of any other login, a bot."""
    user = world.find_user(login)
    if user:
        return payloads.simple_user(world.root, user)
    return payloads.account(world.root, login, world.organisation.id + 1, "Bot")


def _api(world: World, repo: Repository) -> str:
    return payloads_repo.api_url(world.root, world, repo)


def _page(world: World, repo: Repository) -> str:
    return payloads_repo.html_url(world.root, world, repo)


def minimal(world: World, repo: Repository) -> Json:
    """Return `minimal-repository`."""
    return payloads_repo.repository(world.root, world, repo, None)


# Workflows


def workflow(world: World, repo: Repository, path: str, name: str) -> Json:
    """Return `workflow`."""
    known = entry(world, repo, path)
    url, page = _api(world, repo), _page(world, repo)
    return {
        "id": known.id,
        "node_id": node_id("Workflow", known.id),
        "name": name,
        "path": path,
        "state": "active",
        "created_at": stamp(known.created_at),
        "updated_at": stamp(known.created_at),
        "url": f"{url}/actions/workflows/{known.id}",
        "html_url": f"{page}/blob/{repo.default_branch}/{path}",
        "badge_url": f"{page}/workflows/{name}/badge.svg",
    }


def file_of(run: WorkflowRun) -> WorkflowFile:
    """Return the workflow that a run executes, as it stood at the run's commit."""
    files = workflow_files(GitStore(run.repo.path), run.sha)
    return next((f for f in files if f.path == run.workflow), WorkflowFile(run.workflow, ""))


# Runs


def head(run: WorkflowRun) -> tuple[str, str]:
    """Return (branch, commit) that a run is shown for: a pull request's own, not the merge."""
    pull = cast("dict[str, Json]", run.payload.get("pull_request") or {})
    if run.event == "pull_request" and pull:
        return str(pull["head"]["ref"]), str(pull["head"]["sha"])
    return run.ref.removeprefix("refs/heads/").removeprefix("refs/tags/"), run.sha


def run(world: World, of: WorkflowRun, attempt: int | None = None) -> Json:
    """Return `workflow-run`: its present attempt or an earlier one."""
    file, known = file_of(of), entry(world, of.repo, of.workflow)
    branch, sha = head(of)
    suite = SUITE + of.id
    shown: Json = {
        "id": of.id,
        "name": file.name,
        "node_id": node_id("WorkflowRun", of.id),
        "check_suite_id": suite,
        "check_suite_node_id": node_id("CheckSuite", suite),
        "head_branch": branch,
        "head_sha": sha,
        "path": of.workflow,
        "display_title": of.title,
        "run_number": of.number,
        "event": of.event,
        "workflow_id": known.id,
        "pull_requests": pull_requests(world, of),
        "created_at": stamp(of.created_at),
        "actor": who(world, of.actor),
        "head_commit": simple_commit(of.repo, sha),
        "repository": minimal(world, of.repo),
        "head_repository": minimal(world, of.repo),
        "referenced_workflows": called(world, file),
    }
    return shown | _attempt(world, of, attempt or of.attempt) | _run_links(world, of, suite)


def _attempt(world: World, of: WorkflowRun, number: int) -> Json:
    past = of.past.get(number)
    started = past.started_at if past else of.started_at or of.created_at
    actor = past.triggering_actor if past else of.triggering_actor or of.actor
    url = f"{_api(world, of.repo)}/actions/runs/{of.id}/attempts/{number - 1}"
    return {
        "run_attempt": number,
        "status": "completed" if past else of.status,
        "conclusion": past.conclusion if past else of.conclusion,
        "updated_at": stamp(past.updated_at if past else of.updated_at),
        "run_started_at": stamp(started),
        "triggering_actor": who(world, actor),
        "previous_attempt_url": url if number > 1 else None,
    }


def run_page(world: World, of: WorkflowRun) -> str:
    """Return the address of a run's page."""
    return f"{_page(world, of.repo)}/actions/runs/{of.id}"


def run_url(world: World, of: WorkflowRun) -> str:
    """Return the address of a run in the API."""
    return f"{_api(world, of.repo)}/actions/runs/{of.id}"


def _run_links(world: World, of: WorkflowRun, suite: int) -> Json:
    url, api = run_url(world, of), _api(world, of.repo)
    workflow_id = entry(world, of.repo, of.workflow).id
    return {
        "url": url,
        "html_url": run_page(world, of),
        "jobs_url": f"{url}/jobs",
        "logs_url": f"{url}/logs",
        "artifacts_url": f"{url}/artifacts",
        "cancel_url": f"{url}/cancel",
        "rerun_url": f"{url}/rerun",
        "check_suite_url": f"{api}/check-suites/{suite}",
        "workflow_url": f"{api}/actions/workflows/{workflow_id}",
    }


def simple_commit(repo: Repository, sha: str) -> Json:
    """Return `simple-commit`."""
    commit = GitStore(repo.path).commit(sha)
    author = cast("dict[str, str]", payloads_repo.person(commit.author))
    committer = cast("dict[str, str]", payloads_repo.person(commit.committer))
    return {
        "id": sha,
        "tree_id": commit.tree,
        "message": commit.message,
        "timestamp": committer["date"],
        "author": {"name": author["name"], "email": author["email"]},
        "committer": {"name": committer["name"], "email": committer["email"]},
    }


def pull_requests(world: World, of: WorkflowRun) -> list[Json]:
    """Return the open pull requests of the run's branch, in short."""
    branch, sha = head(of)
    short = {"id": of.repo.id, "url": _api(world, of.repo), "name": of.repo.name}
    return [
        {
            "id": pull.id,
            "number": pull.number,
            "url": f"{_api(world, of.repo)}/pulls/{pull.number}",
            "head": {"ref": pull.head, "sha": pull.head_sha, "repo": short},
            "base": {"ref": pull.base, "sha": pull.base_sha, "repo": short},
        }
        for pull in of.repo.pulls.values()
        if pull.state == "open" and pull.head == branch and pull.head_sha == sha
    ]


# Jobs


def attempt_of(of: WorkflowRun, wanted: Job) -> int:
    """Return the attempt that a job belongs to."""
    return next(number for number, jobs in of.jobs.items() if wanted in jobs)


def job(world: World, of: WorkflowRun, it: Job) -> Json:
    """Return `job`."""
    branch, sha = head(of)
    api = _api(world, of.repo)
    began = it.status not in ("queued", "waiting")
    return {
        "id": it.id,
        "run_id": of.id,
        "run_url": run_url(world, of),
        "run_attempt": attempt_of(of, it),
        "node_id": node_id("CheckRun", it.id),
        "head_sha": sha,
        "head_branch": branch,
        "url": f"{api}/actions/jobs/{it.id}",
        "html_url": f"{run_page(world, of)}/job/{it.id}",
        "check_run_url": f"{api}/check-runs/{it.id}",
        "status": it.status,
        "conclusion": it.conclusion,
        "created_at": stamp(it.created_at),
        "started_at": stamp(it.started_at or it.created_at),
        "completed_at": stamp(it.completed_at) if it.completed_at else None,
        "name": it.name,
        "steps": [_step(step) for step in it.steps],
        "labels": ["ubuntu-latest"],
        "runner_id": 1 if began else None,
        "runner_name": "GitHub Actions 1" if began else None,
        "runner_group_id": 0 if began else None,
        "runner_group_name": "GitHub Actions" if began else None,
        "workflow_name": file_of(of).name,
    }


def _step(step: Step) -> Json:
    return {
        "name": step.name,
        "number": step.number,
        "status": "queued" if step.status == "waiting" else step.status,
        "conclusion": step.conclusion,
        "started_at": stamp(step.started_at) if step.started_at else None,
        "completed_at": stamp(step.completed_at) if step.completed_at else None,
    }


def artifact(world: World, of: WorkflowRun, it: Artifact) -> Json:
    """Return `artifact`."""
    branch, sha = head(of)
    url = f"{_api(world, of.repo)}/actions/artifacts/{it.id}"
    expires = it.created_at + ARTIFACTS_LAST
    ids = {"id": of.id, "repository_id": of.repo.id, "head_repository_id": of.repo.id}
    return {
        "id": it.id,
        "node_id": node_id("Artifact", it.id),
        "name": it.name,
        "size_in_bytes": len(it.content),
        "url": url,
        "archive_download_url": f"{url}/zip",
        "expired": world.now() >= expires,
        "digest": f"sha256:{hashlib.sha256(it.content).hexdigest()}",
        "created_at": stamp(it.created_at),
        "updated_at": stamp(it.created_at),
        "expires_at": stamp(expires),
        "workflow_run": ids | {"head_branch": branch, "head_sha": sha},
    }


def actions_app(world: World) -> Json:
    """Return `integration` of GitHub Actions itself, which owns the jobs' check runs."""
    owner = payloads.account(world.root, "github", 9919, "Organization")
    created = stamp(world.organisation.created_at)
    return {
        "id": 15368,
        "slug": "github-actions",
        "node_id": node_id("Integration", 15368),
        "client_id": "Iv1.githubactions",
        "owner": owner,
        "name": "GitHub Actions",
        "description": "Automate your workflow from idea to production",
        "external_url": f"{world.root}/features/actions",
        "html_url": f"{world.root}/apps/github-actions",
        "created_at": created,
        "updated_at": created,
        "permissions": {"checks": "write", "contents": "write", "metadata": "read"},
        "events": [],
    }


def check_run(world: World, of: WorkflowRun, it: Job) -> Json:
    """Return `check-run`: a job seen as one."""
    url = f"{_api(world, of.repo)}/check-runs/{it.id}"
    page = f"{run_page(world, of)}/job/{it.id}"
    empty = dict.fromkeys(("title", "summary", "text"))
    return {
        "id": it.id,
        "head_sha": head(of)[1],
        "node_id": node_id("CheckRun", it.id),
        "external_id": str(it.id),
        "url": url,
        "html_url": page,
        "details_url": page,
        "status": it.status,
        "conclusion": it.conclusion,
        "started_at": stamp(it.started_at or it.created_at),
        "completed_at": stamp(it.completed_at) if it.completed_at else None,
        "output": empty | {"annotations_count": 0, "annotations_url": f"{url}/annotations"},
        "name": it.name,
        "check_suite": {"id": SUITE + of.id},
        "app": actions_app(world),
        "pull_requests": pull_requests(world, of),
    }
