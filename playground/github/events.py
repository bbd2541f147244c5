"""What begins runs: pushes, what happens to pull requests, and dispatches."""

from typing import cast

from playground.github import payloads, payloads_pulls, payloads_repo
from playground.github.calls import Refusal
from playground.github.hook_payloads_push import of_push
from playground.github.merging import changed_paths, merge_base
from playground.github.objects import GitStore
from playground.github.payloads_runs import who
from playground.github.pulls import PullRequest
from playground.github.rules import RefChange
from playground.github.run_book import Beginning, Book
from playground.github.runs import WorkflowRun
from playground.github.webhooks import Webhooks
from playground.github.workflow_files import (
    WorkflowFile,
    dispatched_inputs,
    skips,
    wants_pull_request,
    wants_push,
    workflow_files,
)
from playground.github.world import Json, Repository, World


class Events:
    """Tells the App of events and begins the runs that they start."""

    def __init__(self, world: World, book: Book, webhooks: Webhooks) -> None:
        self._world = world
        self._book = book
        self._webhooks = webhooks

    def _runs_start(self, repo: Repository) -> bool:
        enabled = self._world.organisation.actions_repositories != "none"
        return enabled and repo.actions_enabled and not repo.archived

    def _around(self, repo: Repository, login: str) -> Json:
        root = self._world.root
        return {
            "repository": payloads_repo.repository(root, self._world, repo, None),
            "organization": payloads.organisation_simple(root, self._world.organisation),
            "sender": who(self._world, login),
        }

    def push(self, repo: Repository, change: RefChange, login: str, *, starts: bool = True) -> None:
        """Tell of a moved branch or tag; without `starts` no run begins (a job's own token)."""
        body = of_push(self._world, repo, change, login)
        self._webhooks.send("push", None, repo, login, body)
        if not starts or change.new is None or not self._runs_start(repo):
            return
        git = GitStore(repo.path)
        sha = git.resolve(change.name) or change.new
        message = git.commit(sha).message
        if skips(message):
            return
        changed = _pushed_paths(git, repo, change, sha)
        payload = body | self._around(repo, login)
        title = message.split("\n", 1)[0]
        for file in workflow_files(git, sha):
            if file.broken or wants_push(file, change.name, changed):
                how = Beginning("push", change.name, sha, login, title, payload)
                how.startable = not file.broken
                self._book.begin(repo, file.path, how)

    def pull_request(self, repo: Repository, pull: PullRequest, action: str, login: str) -> None:
        """Tell what happened to a pull request; one with conflicts starts nothing."""
        shown = payloads_pulls.pull_request(self._world, repo, pull)
        body: Json = {"number": pull.number, "pull_request": shown}
        if action == "synchronize":
            body |= {"before": pull.head_before, "after": pull.head_sha}
        self._webhooks.send("pull_request", action, repo, login, body)
        git = GitStore(repo.path)
        skipped = skips(git.commit(pull.head_sha).message)
        if pull.merge_sha is None or skipped or not self._runs_start(repo):
            return
        payload = {"action": action} | body | self._around(repo, login)
        ref = f"refs/heads/{pull.base}" if pull.merged_at else f"refs/pull/{pull.number}/merge"
        changed = changed_paths(git, pull.fork_point or None, pull.head_sha)
        for file in workflow_files(git, pull.merge_sha):
            if wants_pull_request(file, action, pull.base, changed):
                how = Beginning("pull_request", ref, pull.merge_sha, login, pull.title, payload)
                self._book.begin(repo, file.path, how)

    def dispatch(
        self, repo: Repository, file: WorkflowFile, ref: str, login: str, given: dict[str, object]
    ) -> WorkflowRun:
        """Begin a run that somebody asked for, of the workflow as it stands at `ref` (full)."""
        if not self._runs_start(repo):
            raise Refusal(422, "Actions has been disabled for this repository.")
        inputs = dispatched_inputs(file, given)
        sha = cast("str", GitStore(repo.path).resolve(ref))
        payload = self._around(repo, login)
        payload |= {"inputs": inputs, "ref": ref, "workflow": file.path}
        how = Beginning("workflow_dispatch", ref, sha, login, file.name, payload, inputs)
        return self._book.begin(repo, file.path, how)


def _pushed_paths(git: GitStore, repo: Repository, change: RefChange, sha: str) -> list[str]:
    """Return what a push changed; a new branch is compared with where it left the default one."""
    if change.old and git.holds(change.old, "commit"):
        return changed_paths(git, change.old, sha)
    default = git.ref(f"refs/heads/{repo.default_branch}")
    start = merge_base(git, default, sha) if default and default != sha else None
    return changed_paths(git, start, sha)
