"""Runs the stand-in GitHub in a thread of its own: PyGithub and git wait for their answers."""

import asyncio
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import requests
from github import Auth, Github, GithubIntegration, InputGitTreeElement
from github.Repository import Repository

from playground.faults import Faults
from playground.github.limits import Limits
from playground.github.server import GitHub
from playground.github.vault import Vault
from provisioning.clock import MovableClock

GIT_ENVIRONMENT = {
    "PATH": os.defpath,
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@acme.example",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@acme.example",
}
PULL_REQUEST = {
    "type": "pull_request",
    "parameters": {
        "dismiss_stale_reviews_on_push": False,
        "require_code_owner_review": True,
        "require_last_push_approval": False,
        "required_approving_review_count": 1,
        "required_review_thread_resolution": False,
    },
}
_QUICK = {"seconds_between_requests": 0, "seconds_between_writes": 0}


@cache
def one_vault() -> Vault:
    """Two RSA keys take a quarter of a second, so all tests share them."""
    return Vault()


@dataclass
class Standin:
    """A running stand-in and clients that talk to it."""

    github: GitHub
    clock: MovableClock
    faults: Faults
    directory: Path
    changes: list[None] = field(default_factory=list)
    session: requests.Session = field(default_factory=requests.Session)
    _clients: list[Github | GithubIntegration] = field(default_factory=list)

    def integration(self, pem: str | None = None) -> GithubIntegration:
        """Return PyGithub as the App itself."""
        auth = Auth.AppAuth(self.github.app_id, pem or self.github.app_private_key_pem)
        client = GithubIntegration(auth=auth, base_url=self.github.base_url, **_QUICK)  # type: ignore[arg-type]
        self._clients.append(client)
        return client

    def client(self, token: str) -> Github:
        """Return PyGithub with a token, without its own retries and waits."""
        client = Github(
            auth=Auth.Token(token),
            base_url=self.github.base_url,
            lazy=True,
            retry=None,
            **_QUICK,  # type: ignore[arg-type]
        )
        self._clients.append(client)
        return client

    def app(self) -> Github:
        """Return PyGithub as the installed App."""
        return self.client(self.github.installation_token())

    def person(self, login: str) -> Github:
        """Return PyGithub as a person whose token the App holds."""
        return self.client(self.github.user_token(login))

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        **headers: str,
    ) -> requests.Response:
        """Send one request as the installed App, or with another token ("" for none)."""
        held = self.github.installation_token() if token is None else token
        sent = headers | ({"Authorization": f"Bearer {held}"} if held else {})
        url = self.github.base_url + path
        return self.session.request(
            method, url, json=body, headers=sent, timeout=10, allow_redirects=False
        )

    def new_repo(self, name: str = "ada-7", **settings: Any) -> Repository:
        """Create a private repository with a first commit, as the App."""
        options: dict[str, Any] = {"visibility": "private", "auto_init": True} | settings
        return self.app().get_organization("acme").create_repo(name, **options)

    def git(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run real git."""
        command = ["git", "-c", "protocol.version=2", *arguments]
        where = cwd or self.directory
        return subprocess.run(
            command, cwd=where, env=GIT_ENVIRONMENT, capture_output=True, text=True, check=False
        )

    def clone(self, repo: str, login: str) -> Path:
        """Clone a repository as a person and return the folder."""
        target = self.directory / f"clone-{repo}-{login}"
        done = self.git("clone", "-q", self.github.clone_url(repo, login), str(target))
        assert done.returncode == 0, done.stderr
        return target

    def commit(self, clone: Path, path: str, text: str) -> None:
        """Commit one file in a clone."""
        (clone / path).parent.mkdir(parents=True, exist_ok=True)
        (clone / path).write_text(text)
        self.git("add", "-A", cwd=clone)
        done = self.git("commit", "-q", "-m", f"Change {path}", cwd=clone)
        assert done.returncode == 0, done.stderr

    def close(self) -> None:
        """Close every client's connections."""
        for client in self._clients:
            client.close()
        self.session.close()


@contextmanager
def running(
    directory: Path, *, latency: float = 0, limits: Limits | None = None
) -> Iterator[Standin]:
    """Serve a stand-in until the end of the block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    clock, faults = MovableClock(), Faults(latency)
    github = GitHub(clock, faults, directory / "git", limits=limits, vault=one_vault())
    asyncio.run_coroutine_threadsafe(github.start(), loop).result(10)
    standin = Standin(github, clock, faults, directory)
    github.on_change = lambda: standin.changes.append(None)
    try:
        yield standin
    finally:
        standin.close()
        asyncio.run_coroutine_threadsafe(github.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def element(path: str, content: str = "x\n", mode: str = "100644") -> InputGitTreeElement:
    return InputGitTreeElement(path, mode, "blob", content=content)


def commit_on(repo: Repository, elements: list[InputGitTreeElement], branch: str = "main") -> str:
    """Put files on a branch in one commit, as the bot does; return the commit."""
    ref = repo.get_git_ref(f"heads/{branch}")
    parent = repo.get_git_commit(ref.object.sha)
    tree = repo.create_git_tree(elements, parent.tree)
    commit = repo.create_git_commit("Starter code", tree, [parent])
    ref.edit(commit.sha)
    return commit.sha


def add_ruleset(world: Standin, rules: list[Any], **changes: object) -> Any:
    body = {
        "name": "main",
        "target": "branch",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": rules,
    } | changes
    answer = world.call("POST", "/repos/acme/ada-7/rulesets", body)
    assert answer.status_code == 201, answer.text
    return answer.json()
