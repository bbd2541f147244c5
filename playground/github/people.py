"""What people do on GitHub's own pages and from their machines, for tests and the playground.

Each of these may be called from any thread; what GitHub would refuse raises `Refusal`.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Literal, TypeVar, cast

from playground.github import merging, rules
from playground.github.auth import Actor, Tokens, check
from playground.github.calls import Refusal
from playground.github.gates import Verdict
from playground.github.hub import Hub
from playground.github.objects import GitStore, valid_reference
from playground.github.pull_desk import Merge, Proposal
from playground.github.pulls import PullRequest, PullReview
from playground.github.repos import write_files
from playground.github.rules import RefChange
from playground.github.runs import Review, Runner, WorkflowRun
from playground.github.workflow_files import WorkflowFile, workflow_files
from playground.github.world import Repository, World

T = TypeVar("T")


class People:
    """The doings of people, as methods of the stand-in itself."""

    world: World
    hub: Hub
    _tokens: Tokens
    loop: asyncio.AbstractEventLoop | None = None
    _thread: int = 0

    def _remember_loop(self) -> None:
        self.loop, self._thread = asyncio.get_running_loop(), threading.get_ident()

    def _do(self, doing: Callable[[], T]) -> T:
        """Do something in the stand-in's own thread and return what came of it."""
        if self.loop is None or threading.get_ident() == self._thread:
            return doing()

        async def done() -> T:
            return doing()

        return asyncio.run_coroutine_threadsafe(done(), self.loop).result(30)

    def _may(self, login: str, repo: str, needs: str) -> tuple[Actor, Repository]:
        user, found = self.world.find_user(login), self.world.find_repo(repo.rpartition("/")[2])
        if user is None or found is None or self.world.role_of(user.login, found) is None:
            raise Refusal(404, "Not Found")
        actor = Actor("personal", user.login)
        check(self.world, actor, needs, found)
        if found.archived:
            raise Refusal(403, "Repository was archived so is read-only.")
        return actor, found

    # Webhooks

    @property
    def webhook_url(self) -> str:
        """Where the App's webhooks go; empty for nowhere."""
        return self.hub.webhooks.url

    @webhook_url.setter
    def webhook_url(self, url: str) -> None:
        self.hub.webhooks.url = url

    @property
    def webhook_secret(self) -> str:
        """What signs the App's webhooks; empty for no signature."""
        return self.hub.webhooks.secret

    @webhook_secret.setter
    def webhook_secret(self, secret: str) -> None:
        self.hub.webhooks.secret = secret

    # Runs

    @property
    def runner(self) -> Runner | None:
        """What executes workflow runs; without one they stay queued."""
        return self.hub.book.runner

    @runner.setter
    def runner(self, runner: Runner | None) -> None:
        self.hub.book.runner = runner
        if runner is not None and self.loop is not None:
            self._do(self.hub.book.start_waiting)

    def runs(self, repo: str) -> list[WorkflowRun]:
        """Return a repository's runs, oldest first."""
        name = repo.rpartition("/")[2]
        return [run for run in list(self.world.runs.values()) if run.repo.name == name]

    def job_token(self, repo: str, permissions: dict[str, str]) -> str:
        """Return a job's own token (`github.token`); what it pushes starts no workflow."""
        return self._tokens.for_job(self.world.repos[repo.rpartition("/")[2]], permissions)

    def end_job_token(self, token: str) -> None:
        """Make a job's own token worthless, as when the job is over."""
        with suppress(Refusal):  # it may have expired by itself
            self._tokens.revoke(self._tokens.actor(token))

    def dispatch(
        self, login: str, repo: str, workflow: str, inputs: dict[str, object], ref: str = "main"
    ) -> WorkflowRun:
        """Start a workflow (named by its file) on a branch, as a person."""

        def doing() -> WorkflowRun:
            actor, found = self._may(login, repo, "actions:write")
            file = self._workflow(found, workflow, f"refs/heads/{ref}")
            where = f"refs/heads/{ref}"
            return self.hub.events.dispatch(found, file, where, actor.login, inputs)

        return self._do(doing)

    def _workflow(self, repo: Repository, name: str, ref: str) -> WorkflowFile:
        git = GitStore(repo.path)
        sha = git.ref(ref)
        if sha is None:
            raise Refusal(422, f"No ref found for: {ref}")
        for file in workflow_files(git, sha):
            if file.path.rpartition("/")[2] == name:
                return file
        raise Refusal(404, "Not Found")

    def cancel_run(self, login: str, run_id: int) -> None:
        """Cancel a run, as a person."""

        def doing() -> None:
            run = self.world.runs[run_id]
            self._may(login, run.repo.name, "actions:write")
            self.hub.book.cancel(run)

        self._do(doing)

    def rerun(self, login: str, run_id: int) -> None:
        """Repeat all jobs of a run, as a person."""

        def doing() -> None:
            run = self.world.runs[run_id]
            actor, _ = self._may(login, run.repo.name, "actions:write")
            self.hub.book.rerun(run, actor.login)

        self._do(doing)

    def review_deployment(
        self, login: str, run_id: int, environment: str, *, approved: bool, comment: str = ""
    ) -> None:
        """Decide on a waiting deployment as a person on GitHub's own page."""

        def doing() -> None:
            run = self.world.runs[run_id]
            actor, repo = self._may(login, run.repo.name, "actions:read")
            env = repo.environment(environment)
            chosen = [env.id] if env else []
            state: Verdict = "approved" if approved else "rejected"
            review = Review(environment, state, comment, actor.login, self.world.now())
            self.hub.book.review(run, chosen, review)

        self._do(doing)

    def bypass_gate(self, login: str, run_id: int, environment: str) -> None:
        """Let a waiting deployment in as an administrator, past everybody who should decide."""

        def doing() -> None:
            run = self.world.runs[run_id]
            self._may(login, run.repo.name, "administration:write")
            self.hub.book.gates.bypass(run, environment)

        self._do(doing)

    # Git

    def push(
        self, login: str, repo: str, files: dict[str, str], message: str, branch: str = "main"
    ) -> str:
        """Put files on a branch (made from the default one if need be) in one commit; its SHA."""

        def doing() -> str:
            actor, found = self._may(login, repo, "contents:write")
            change = self._commit(found, actor.login, files, (branch, message))
            rules.refuse_violations(self.world, found, actor, change)
            GitStore(found.path).set_ref(change.name, cast("str", change.new))
            self.hub.pushed(found, change, actor)
            return cast("str", change.new)

        return self._do(doing)

    def _commit(
        self, repo: Repository, login: str, files: dict[str, str], where: tuple[str, str]
    ) -> RefChange:
        git, (branch, message) = GitStore(repo.path), where
        name = f"refs/heads/{branch}"
        if not valid_reference(name) or git.conflicts(name):
            raise Refusal(422, "Reference already exists")
        parent = git.ref(name) or git.ref(f"refs/heads/{repo.default_branch}")
        held = git.files(git.commit(parent).tree) if parent else {}
        whole = {path: git.read(sha)[1] for path, (_, sha) in held.items()}
        tree = write_files(git, whole | {path: text.encode() for path, text in files.items()})
        parents = [parent] if parent else []
        made = merging.commit(self.world, repo, tree, parents, (login, message))
        return RefChange(name, git.ref(name), made)

    # Pull requests

    def open_pull_request(
        self, login: str, repo: str, head: str, title: str, base: str = "main"
    ) -> PullRequest:
        """Open a pull request of a branch, as a person."""

        def doing() -> PullRequest:
            actor, found = self._may(login, repo, "pull_requests:write")
            return self.hub.pulls.open(found, actor.login, Proposal(head, base, title))

        return self._do(doing)

    def review_pull_request(
        self,
        login: str,
        repo: str,
        number: int,
        event: Literal["APPROVE", "REQUEST_CHANGES", "COMMENT"] = "APPROVE",
        body: str = "",
    ) -> PullReview:
        """Review a pull request, as a person."""

        def doing() -> PullReview:
            actor, found = self._may(login, repo, "pull_requests:write")
            return self.hub.pulls.review(found.pulls[number], actor.login, event, body)

        return self._do(doing)

    def merge_pull_request(
        self, login: str, repo: str, number: int, method: Literal["merge", "squash"] = "merge"
    ) -> str:
        """Merge a pull request, as a person; return the commit."""

        def doing() -> str:
            actor, found = self._may(login, repo, "contents:write")
            self.hub.merge(found, found.pulls[number], actor, Merge(method))
            return cast("str", found.pulls[number].merge_sha)

        return self._do(doing)

    def close_pull_request(self, login: str, repo: str, number: int) -> None:
        """Close a pull request without merging it, as a person."""

        def doing() -> None:
            actor, found = self._may(login, repo, "pull_requests:write")
            self.hub.pulls.close(found, found.pulls[number], actor.login)

        self._do(doing)

    def ready_for_review(self, login: str, repo: str, number: int) -> None:
        """Turn a draft into a pull request that may be merged, as a person."""

        def doing() -> None:
            _, found = self._may(login, repo, "pull_requests:write")
            found.pulls[number].draft = False

        self._do(doing)
