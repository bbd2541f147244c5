"""A runner that does as a test says, and a receiver of webhooks."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from github_standin import Standin, running
from waiting import wait_until

from playground.github.limits import Limits
from playground.github.runs import Conclusion, Job, RunBook, WorkflowRun
from provisioning.adapters.github import App

DEPLOY = """\
name: deploy
on:
  push:
    branches: [main]
  pull_request:
    types: [opened, synchronize, reopened, closed]
  workflow_dispatch:
    inputs:
      stage:
        type: choice
        options: [development, production]
        default: production
      correlation:
        type: string
      really:
        type: boolean
permissions: {}
jobs:
  bundle:
    uses: acme/sciclops-platform/.github/workflows/deploy-bundle.yml@v1
"""
PATH = ".github/workflows/deploy.yml"
NOTHING = "No pending deployment requests to approve or reject"


@dataclass
class Script:
    """A job as the runner is to play it; `held` jobs stay in progress until let go."""

    name: str
    environment: str = ""
    needs: tuple[str, ...] = ()
    conclusion: Conclusion = "success"
    held: bool = False


@dataclass
class ScriptedRunner:
    """Plays the same jobs for every run, one after the other."""

    book: RunBook
    scripts: list[Script]
    title: str = ""
    runs: list[tuple[int, int]] = field(default_factory=list)
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    stubborn: bool = False

    async def run(self, run: WorkflowRun) -> None:
        """Play the jobs; after one that fails the others are skipped."""
        self.go_on.clear()
        self.runs.append((run.id, run.attempt))
        if self.title:
            self.book.set_title(run, self.title)
        ended: Conclusion = "success"
        scripts = [s for s in self.scripts if not run.only_jobs or s.name in run.only_jobs]
        pairs = [(s, self.book.add_job(run, s.name, s.environment, s.needs)) for s in scripts]
        for script, job in pairs:
            if ended != "success":
                self.book.set_job(job, "completed", "skipped")
            else:
                ended = await self._play(run, script, job)
        self.book.finish(run, ended)

    async def _play(self, run: WorkflowRun, script: Script, job: Job) -> Conclusion:
        before = dict(self.book.secrets(run, script.environment))
        assert before == {} or run.reviews
        if not await self.book.pass_gate(run, job):
            return job.conclusion or "failure"
        self.secrets[script.name] = dict(self.book.secrets(run, script.environment))
        self.book.set_job(job, "in_progress")
        self.book.set_step(job, "Say hello", "in_progress", None)
        self.book.add_log(job, f"hello from {script.name}\n")
        if script.held:
            await self.go_on.wait()
        if run.cancelled:
            return "cancelled"
        self.book.set_step(job, "Say hello", "completed", script.conclusion)
        self.book.set_job(job, "completed", script.conclusion)
        return script.conclusion

    async def cancel(self, _: WorkflowRun) -> None:
        """Let go of what is held, or be no help at all."""
        if self.stubborn:
            await asyncio.Event().wait()
        self.go_on.set()


@dataclass
class Hook:
    """One webhook that arrived."""

    headers: dict[str, str]
    content: bytes

    @property
    def event(self) -> str:
        return self.headers["X-GitHub-Event"]

    @property
    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.content)
        return found

    @property
    def name(self) -> str:
        """Return `event action`."""
        return " ".join((self.event, *filter(None, [self.body.get("action")])))


@dataclass
class Receiver:
    """An HTTP server that keeps what it gets and answers with `status`."""

    url: str = ""
    status: int = 200
    hooks: list[Hook] = field(default_factory=list)

    def named(self, name: str) -> list[Hook]:
        return [hook for hook in self.hooks if hook.name == name]

    def some(self, name: str, number: int = 1) -> list[Hook]:
        """Wait for so many hooks of a name: they come in any order, as GitHub's do."""
        wait_until(lambda: len(self.named(name)) >= number)
        return self.named(name)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Serve a receiver until the end of the block."""
    held = Receiver()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            held.hooks.append(Hook(dict(self.headers), content))
            self.send_response(held.status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            with suppress(ConnectionError):  # a test may be over before the answer is read
                self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128

    server = Server(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    held.url = f"http://127.0.0.1:{server.server_address[1]}/github/webhooks"
    try:
        yield held
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


@dataclass
class Works:
    """A stand-in with a repository `ada-7` whose workflow a scripted runner plays."""

    standin: Standin
    runner: ScriptedRunner

    @property
    def github(self) -> Any:
        return self.standin.github

    def our_app(self) -> App:
        """Return the bot's App, as its settings would."""
        return App(
            organisation="acme",
            api_url=self.github.base_url,
            app_id=self.github.app_id,
            installation_id=self.github.installation_id,
            private_key=self.github.app_private_key_pem,
            seconds_between_writes=0,
        )

    def call(self, method: str, path: str, body: object = None, **options: Any) -> Any:
        """Call the API below the repository, as the installed App unless told otherwise."""
        return self.standin.call(method, f"/repos/acme/ada-7{path}", body, **options)

    def as_(self, login: str) -> dict[str, str]:
        return {"token": self.github.user_token(login)}

    def environment(self, name: str, **settings: object) -> int:
        """Make an environment by the API and return its id."""
        answer = self.call("PUT", f"/environments/{name}", settings)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["id"])

    def gated(self, *logins: str, **settings: object) -> int:
        """Make Production with these reviewers."""
        people = [self.github.world.find_user(login) for login in logins]
        reviewers = [{"type": "User", "id": person.id} for person in people]
        return self.environment("Production", reviewers=reviewers, **settings)

    def dispatch(self, login: str = "pat", **inputs: object) -> WorkflowRun:
        run: WorkflowRun = self.github.dispatch(login, "ada-7", "deploy.yml", inputs)
        return run

    def wait(self, run: WorkflowRun, status: str) -> WorkflowRun:
        wait_until(lambda: run.status == status)
        return run

    def run_json(self, run: WorkflowRun) -> Any:
        answer = self.call("GET", f"/actions/runs/{run.id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    # Gates

    def pending(self, run: WorkflowRun, login: str = "") -> Any:
        """Return what the run waits for, as the App or a person sees it."""
        options = self.as_(login) if login else {}
        return self.call("GET", f"/actions/runs/{run.id}/pending_deployments", **options).json()

    def decide(self, run: WorkflowRun, login: str, state: str = "approved", **changes: Any) -> Any:
        """Decide on Production with a person's token, or as the App without a login."""
        env = self.github.repos["ada-7"].environments["Production"]
        body = {"environment_ids": [env.id], "state": state, "comment": "Seen."} | changes
        options = self.as_(login) if login else {}
        return self.call("POST", f"/actions/runs/{run.id}/pending_deployments", body, **options)

    def let_nobody_in(self, times: int) -> None:
        """Note so many deployments, newer than all others, that reviewers have rejected."""
        held = self.github.repos["ada-7"].deployments
        latest = list(held.values())[-1]
        rejected = replace(latest.statuses[0], state="failure")
        for _ in range(times):
            number = self.github.world.next_id()
            held[number] = replace(latest, id=number, statuses=[rejected])

    def refused(self, answer: Any) -> None:
        """Check that GitHub's one refusal of a decision was given."""
        assert (answer.status_code, answer.json()["errors"]) == (422, NOTHING), answer.text

    def rule(self, run: WorkflowRun, **body: Any) -> Any:
        """Decide or report as the App that is the rule."""
        whole = {"environment_name": "Production", "comment": "n of m"} | body
        return self.call("POST", f"/actions/runs/{run.id}/deployment_protection_rule", whole)

    def states(self) -> list[list[str]]:
        """Return the states of each deployment to Production, oldest first."""
        made = self.call("GET", "/deployments?environment=Production").json()
        paths = [f"/deployments/{one['id']}/statuses" for one in reversed(made)]
        return [[s["state"] for s in self.call("GET", path).json()][::-1] for path in paths]

    def soon(self, doing: Callable[[], Any]) -> None:
        """Do something in the stand-in's loop."""
        self.github._do(doing)


@contextmanager
def working(
    directory: Path, scripts: list[Script] | None = None, limits: Limits | None = None
) -> Iterator[Works]:
    """Serve a stand-in with a repository, a workflow and a runner; at the end nothing is amiss."""
    with running(directory, limits=limits) as standin:
        standin.new_repo()
        github = standin.github
        runner = ScriptedRunner(github.hub.book, scripts or [Script("bundle / Build")])
        github.push("pat", "ada-7", {PATH: DEPLOY}, "Add the workflow [skip ci]")
        github.runner = runner
        works = Works(standin, runner)
        yield works
        assert github.violations == []
        assert github.unknown_calls == []
