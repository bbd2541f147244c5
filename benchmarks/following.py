"""Fifty workflow runs followed at once: how soon people see what happens, and what it costs.

One project is made; 49 more are copies of it, in the bot's database and at the stand-in GitHub,
since each project has one release at a time. Runs are played; things happen to them in turn, as
fast as Slack lets one bot tell of them: 45 edits a minute, of which an end takes two.
"""

import asyncio
import copy
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import requests
from conversation import Conversation
from figures import cpu_seconds, percentiles, say
from played_runs import PlayedRunner
from shipping import card, run_says
from sqlmodel import Session, select
from waiting import wait_until

from playground.cast import GRACE, ROSA
from playground.github.limits import Limits
from playground.github.runs import Conclusion, Job, WorkflowRun
from playground.slack.entities import Message
from playground.slack.reading import text_of
from playground.world import Choices, Playground, running
from provisioning.database import Database
from provisioning.tables import ProjectRow

RUNS = 50
HELD = ("Deploy Staging", "Plan Production")
"""Before these jobs a run waits for its turn."""
PAUSES = (1.0, 2.0, 3.0)
"""Seconds after each of these, and after the end."""
BEHIND = 10
"""By so many runs each thing follows the one before it."""
CARD, END = "Waiting for approval", "Deployed to Production"
QUIET_SECONDS = 6
LONGEST_SECONDS = 300


@dataclass
class TurnByTurn(PlayedRunner):
    """Plays runs whose jobs in `HELD` begin when they are let."""

    turns: dict[tuple[int, str], asyncio.Event] = field(default_factory=dict)

    async def _play(self, run: WorkflowRun, job: Job) -> Conclusion:
        title = job.name.removeprefix("bundle / ")
        if title in HELD:
            await self.turn(run.id, title).wait()
        return await super()._play(run, job)

    def turn(self, run: int, title: str) -> asyncio.Event:
        """Return what lets a job begin."""
        return self.turns.setdefault((run, title), asyncio.Event())


class Fifty:
    """The runs, what is let happen to them, and when it was told and seen."""

    def __init__(self, playground: Playground) -> None:
        self.playground = playground
        self.world = playground.world
        self.talk = Conversation(playground, "many-runs-0")
        self.runner = TurnByTurn(self.world.github.hub.book)
        self.runs: list[WorkflowRun] = []

    def begin(self) -> None:
        """Make the projects and begin a run of each."""
        github = self.world.github
        github.runner = PlayedRunner(github.hub.book)
        self.talk.make()
        (first,) = github.runs(self.talk.name)
        card(self.talk, first)
        github.review_deployment(ROSA.github, first.id, "Production", approved=False, comment="no")
        run_says(self.talk, first, "Rejected")
        names = [f"many-runs-{number}" for number in range(RUNS)]
        self._copy_rows(names[1:])
        self.playground.run(self._copy_repositories(names[1:]))
        github.runner = self.runner
        self.runs = [github.dispatch(GRACE.github, name, "deploy.yml", {}) for name in names]
        self.settle()

    def _copy_rows(self, names: list[str]) -> None:
        database = Database(f"sqlite:///{self.world.directory / 'bot' / 'sciclops.sqlite'}")
        with database.writing() as session:
            for name in names:
                session.add(_copied(session, self.talk.name, name))
        database.close()

    async def _copy_repositories(self, names: list[str]) -> None:
        world = self.world.github.world
        original = world.repos[self.talk.name]
        for name in names:
            repo = copy.deepcopy(original)
            repo.id, repo.name = world.next_id(), name
            world.repos[name] = repo
            for team in world.teams.values():
                if original.id in team.repositories:
                    team.repositories[repo.id] = team.repositories[original.id]

    def settle(self) -> None:
        """Wait until the bot has had nothing to say for a while."""
        calls, since = -1, time.monotonic()
        deadline = since + LONGEST_SECONDS
        while time.monotonic() < min(deadline, since + QUIET_SECONDS):
            threading.Event().wait(0.2)
            if len(self.world.slack.calls) != calls:
                calls, since = len(self.world.slack.calls), time.monotonic()

    # ------------------------------------------------------------------ what happens

    def happenings(self) -> list[tuple[Callable[[], None], float]]:
        """Return what happens to the runs, each run's in its order, and how long to pause then."""
        places = [
            (place + BEHIND * number, number, run)
            for place, run in enumerate(self.runs)
            for number in range(len(PAUSES))
        ]
        places.sort(key=lambda one: one[:2])
        return [(self._step(run, number), PAUSES[number]) for _, number, run in places]

    def _step(self, run: WorkflowRun, number: int) -> Callable[[], None]:
        if number < len(HELD):
            return lambda: self.playground.run(self._let(run, HELD[number]))
        return lambda: self._release(run)

    async def _let(self, run: WorkflowRun, title: str) -> None:
        self.runner.turn(run.id, title).set()

    def _release(self, run: WorkflowRun) -> None:
        wait_until(lambda: any(job.status == "waiting" for job in run.present_jobs), 30)
        self.world.github.review_deployment(
            ROSA.github, run.id, "Production", approved=True, comment="fine"
        )

    # ------------------------------------------------------------------ when it was seen

    def told(self, run: WorkflowRun, event: str, status: str) -> float:
        """Return when GitHub sent a webhook of a run (Unix time)."""
        deliveries = self.world.github.hub.webhooks.deliveries
        of_run = (one for one in deliveries if str(run.id).encode() in one.content)
        return next(
            one.delivered_at.timestamp()
            for one in of_run
            if (one.event, one.action) == (event, status)
        )

    def shown(self, words: str, says: str) -> Message:
        """Return the message with these words, if it says this by now."""
        return next(
            message
            for message in reversed(self.talk.ada.visible_messages())
            if words in text_of(message) and says in text_of(message)
        )

    def cards(self) -> list[float]:
        """Return how long each card took to be seen, in milliseconds."""
        return [
            (
                float(self.shown(f"Workflow run: {run.id}", run.repo.name).ts)
                - self.told(run, "workflow_job", "waiting")
            )
            * 1000
            for run in self.runs
        ]

    def ends(self) -> list[float]:
        """Return how long each final state took to be seen, in milliseconds."""
        return [
            (
                float(self.shown(f"Workflow run `{run.id}`", END).edited_ts)
                - self.told(run, "workflow_run", "completed")
            )
            * 1000
            for run in self.runs
        ]

    def used(self) -> int:
        """Return how much of GitHub's hourly budget the bot has used."""
        github = self.world.github
        headers = {"Authorization": f"Bearer {github.installation_token()}"}
        found = requests.get(f"{github.base_url}/rate_limit", headers=headers, timeout=10).json()
        return int(found["resources"]["core"]["used"])


def _copied(session: Session, name: str, other: str) -> ProjectRow:
    """Return a project's row under another name."""
    row = session.exec(select(ProjectRow).where(ProjectRow.name == name)).one()
    return ProjectRow(**{**row.model_dump(), "name": other, "spec": {**row.spec, "name": other}})


def follow_many(directory: Path) -> None:
    """Measure how soon people see what happens to many runs at once, and what that costs."""
    choices = Choices(edit_seconds=3)
    with running(directory, choices, Limits()) as playground:
        fifty = Fifty(playground)
        fifty.begin()
        world = playground.world
        logged = len(world.bot.log.read_text())
        asked, used = world.faults.requests["github"], fifty.used()
        calls, processor, began = (
            len(world.slack.calls),
            cpu_seconds(world.bot.pid),
            time.monotonic(),
        )
        _let_happen(fifty.happenings())
        spent = cpu_seconds(world.bot.pid) - processor
        took = time.monotonic() - began
        fifty.settle()
        say(f"{RUNS} runs followed: webhook to approval card", percentiles(fifty.cards()))
        say(f"{RUNS} runs followed: webhook to final state", percentiles(fifty.ends()))
        _costs(fifty, asked, used, calls, logged)
        say("  processor of the bot meanwhile", f"{spent / took * 100:5.1f} % of a core")


def _let_happen(steps: list[tuple[Callable[[], None], float]]) -> None:
    """Let one thing happen after the other."""
    due = time.monotonic()
    for step, pause in steps:
        threading.Event().wait(max(0.0, due - time.monotonic()))
        step()
        due += pause


def _costs(fifty: Fifty, asked: int, used: int, calls: int, logged: int) -> None:
    world = fifty.world
    requests_made = world.faults.requests["github"] - asked
    counted = fifty.used() - used
    say("  requests to GitHub per run", f"{requests_made / RUNS:5.1f}")
    say("  of which count against the hourly limit", f"{counted / RUNS:5.1f}")
    made = world.slack.calls[calls:]
    methods = Counter(call.method for call in made)
    shown = ", ".join(f"{name} {number / RUNS:.1f}" for name, number in methods.most_common(4))
    say("  calls to Slack per run", shown)
    limited = [call for call in world.slack.calls if call.error == "ratelimited"]
    refused = world.bot.log.read_text()[logged:].count("GitHub answered 4")
    say("  refused for rate limits: by Slack, by GitHub", f"{len(limited)}, {refused}")
