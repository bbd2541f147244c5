"""Webhooks shuffled, doubled and half of them forged: in the end every run is shown as it is.

10,000 with `make prove`, fewer by default. The runs happen while the bot is down, and GitHub's
list of deliveries is emptied: what the bot knows, it knows by its door and by what it then asks.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from conversation import Conversation
from played_runs import PlayedRunner
from proofs import write_proof
from shipping import card, run_says
from storms import CANARY, Forger, Shot, Storm, genuine, send, signed
from waiting import wait_until

from playground.cast import GRACE, ORGANISATION, ROSA
from playground.github.runs import WorkflowRun
from playground.github.webhooks import Delivery
from playground.slack.reading import text_of
from playground.world import Choices, Playground, running
from provisioning.clock import SystemClock
from provisioning.database import Database
from provisioning.store import Store
from provisioning.workflow_run import WorkflowRun as Seen

ENDS = ("deployed", "rejected", "cancelled", "failed", "rerun")
"""How the runs end, in turn; the last run of all waits."""
FOLLOWED = ("workflow_run", "workflow_job", "deployment_review")
DELIVERIES_OF_A_RUN = 350
"""For so many deliveries there is one run: about 65 of its own, repeated, and as many forged."""
TITLES = {
    "deployed": "Deployed to Production",
    "rejected": "Rejected",
    "cancelled": "Cancelled",
    "failed": "Failed",
    "rerun": "Deployed to Production",
    "waiting": "Waiting for approval of Production",
}
GITHUBS_PATIENCE = 10
"""Seconds after which GitHub gives a delivery up."""
SECONDS_TO_SETTLE = 240
MEGABYTES = 120
"""By so much the bot may grow at most."""
PER_SECOND = 10
"""So many deliveries a second are the least, on a machine that does other things too."""
LARGEST = 25 * 1024 * 1024


@pytest.fixture
def number(*, prove: bool) -> int:
    """Return how many deliveries are sent."""
    return 10_000 if prove else 600


@pytest.fixture
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    """Return a playground whose runs are played."""
    with running(tmp_path_factory.mktemp("storm"), Choices(edit_seconds=0.3)) as started:
        started.world.github.runner = PlayedRunner(started.world.github.hub.book)
        yield started


@dataclass
class Past:
    """What has happened at GitHub while nobody listened."""

    talk: Conversation
    runs: dict[int, str] = field(default_factory=dict)
    recorded: list[Delivery] = field(default_factory=list)

    @property
    def runner(self) -> PlayedRunner:
        """Return what plays the runs."""
        runner = self.talk.world.github.runner
        assert isinstance(runner, PlayedRunner)
        return runner

    def happen(self, number: int) -> None:
        """Play so many runs, one after the other, and take their deliveries away."""
        hooks = self.talk.world.github.hub.webhooks
        hooks.deliveries = []  # what the bot has heard already
        for place in range(number - 1):
            self._play(ENDS[place % len(ENDS)])
        self._play("waiting")
        self.talk.playground.run(hooks.idle())
        self.recorded, hooks.deliveries = hooks.deliveries, []

    def _play(self, end: str) -> None:
        github = self.talk.world.github
        if end in ("failed", "rerun"):
            self.runner.failing.add("Deploy Testing")
        run = github.dispatch(GRACE.github, self.talk.name, "deploy.yml", {})
        self.runs[run.id] = end
        if end in ("failed", "rerun"):
            wait_until(lambda: run.status == "completed", 30)
            self.runner.failing.clear()
        if end == "rerun":
            github.rerun(GRACE.github, run.id)
        if end != "failed":
            wait_until(lambda: _waits(run), 30)
            self._decide(run, end)

    def _decide(self, run: WorkflowRun, end: str) -> None:
        github = self.talk.world.github
        if end == "waiting":
            return
        if end == "cancelled":
            github.cancel_run(GRACE.github, run.id)
        else:
            github.review_deployment(
                ROSA.github, run.id, "Production", approved=end != "rejected", comment=end
            )
        wait_until(lambda: run.status == "completed", 30)


def _waits(run: WorkflowRun) -> bool:
    return any(job.status == "waiting" for job in run.present_jobs)


def shots(past: Past, number: int, dice: random.Random) -> tuple[list[Shot], Forger, int]:
    """Return deliveries in no order, who forged half of them, and how many differ in their GUID."""
    secret = past.talk.world.github.webhook_secret
    wanted = number // 2
    told = [one for one in past.recorded if one.event in FOLLOWED]
    once = dice.sample(told, min(len(told), wanted * 7 // 10))
    again = dice.choices(once, k=wanted - len(once))
    forger = Forger(secret, past.recorded, dice)
    mixed = [*map(genuine, [*once, *again]), *forger.shots(number - wanted)]
    dice.shuffle(mixed)
    return mixed, forger, len(once)


@pytest.mark.timeout(1800)
def test_whatever_comes_to_the_door_every_run_is_shown_as_it_is(
    playground: Playground, seed: int, number: int, *, prove: bool
) -> None:
    talk = Conversation(playground, "storm-1")
    talk.make()
    reject_the_first(talk)
    bot, github = playground.world.bot, playground.world.github
    playground.run(bot.kill())
    past = Past(talk)
    past.happen(max(len(ENDS) + 1, number // DELIVERIES_OF_A_RUN))
    mixed, forger, distinct = shots(past, number, random.Random(seed))
    playground.run(bot.start(), 100)
    before = counts(github.webhook_url)
    memory = megabytes(bot.pid, "VmRSS")
    storm = asyncio.run(send(github.webhook_url, mixed))
    found = Counter(counts(github.webhook_url)) - Counter(before)
    expected = {"taken": distinct, "known": number - distinct - forger.planted.total()}
    assert storm.wrong == []
    assert found == {**expected, **forger.planted}
    assert storm.statuses[401] == forger.planted["forged"]
    settle(past)
    assert refuses_the_largest(past) == 413
    grown = megabytes(bot.pid, "VmHWM") - memory
    assert grown < MEGABYTES
    assert max(storm.took) < GITHUBS_PATIENCE
    assert storm.seconds < number / PER_SECOND
    assert not [call for call in playground.world.slack.calls if call.error == "ratelimited"]
    nothing_forged_is_kept(past)
    if prove:
        report(seed, number, past, (storm, found, grown))


def nothing_forged_is_kept(past: Past) -> None:
    """Search the bot's database; the search must find something that is there."""
    files = list((past.talk.world.directory / "bot").glob("*.sqlite*"))
    assert holds(files, past.talk.world.github.world.runs[next(iter(past.runs))].sha)
    assert not holds(files, CANARY)


def reject_the_first(talk: Conversation) -> None:
    """Decide on the release that a new project begins with: the storm is of other runs."""
    (run,) = talk.world.github.runs(talk.name)
    card(talk, run)
    talk.world.github.review_deployment(
        ROSA.github, run.id, "Production", approved=False, comment="later"
    )
    card(talk, run, "Rejected by")
    run_says(talk, run, "Rejected")
    talk.playground.run(talk.world.github.hub.webhooks.idle())


def settle(past: Past) -> None:
    """Wait until every run is known and shown as GitHub says, and stays so."""

    def faults() -> list[str]:
        return [*wrong_messages(past), *wrong_states(past)]

    with suppress(AssertionError):
        wait_until(lambda: not faults(), SECONDS_TO_SETTLE)
    assert faults() == []


def wrong_messages(past: Past) -> Iterator[str]:
    """Return which runs have no message, several, or one that does not tell the truth."""
    shown = [text_of(one) for one in past.talk.ada.visible_messages()]
    for run, end in past.runs.items():
        found = [text for text in shown if f"Workflow run `{run}`" in text]
        if len(found) != 1 or f"Deployment · {TITLES[end]}" not in found[0]:
            yield f"{run} {end}: {[text[:90] for text in found]}"


def wrong_states(past: Past) -> Iterator[str]:
    """Return which runs the bot knows otherwise than GitHub's API tells."""
    path = past.talk.world.directory / "bot" / "sciclops.sqlite"
    database = Database(f"sqlite:///{path}")
    store = Store(database, SystemClock())
    try:
        for run in past.runs:
            known = store.workflow_runs.get(run)
            ours = state_of(known.run) if known else set()
            theirs = asked(past, run)
            if ours != theirs:
                yield f"{run}: {sorted(ours - theirs)} but GitHub says {sorted(theirs - ours)}"
    finally:
        database.close()


State = set[tuple[int, str, str]]
"""A run by its attempt, and each of its jobs by its id, with status and conclusion."""


def state_of(run: Seen) -> State:
    """Return how the bot knows a run."""
    jobs = {(job.id, job.status, job.conclusion) for job in run.jobs}
    return {(run.attempt, run.status, run.conclusion), *jobs}


def asked(past: Past, run: int) -> State:
    """Return how GitHub's API tells of a run."""
    github = past.talk.world.github
    url = f"{github.base_url}/repos/{ORGANISATION}/{past.talk.name}/actions/runs/{run}"
    headers = {"Authorization": f"Bearer {github.installation_token()}"}
    found: Any = requests.get(url, headers=headers, timeout=10).json()
    listed: Any = requests.get(f"{url}/jobs?per_page=100", headers=headers, timeout=10).json()
    jobs = {(job["id"], job["status"], job["conclusion"] or "") for job in listed["jobs"]}
    return {(found["run_attempt"], found["status"], found["conclusion"] or ""), *jobs}


def counts(url: str) -> dict[str, int]:
    """Return how the bot has counted deliveries, as `/healthz` tells."""
    found: dict[str, int] = requests.get(
        url.replace("/github/webhooks", "/healthz"), timeout=10
    ).json()["webhooks"]
    return found


def megabytes(pid: int, name: str) -> int:
    """Return a figure of a process's memory: VmRSS now, VmHWM at most so far (proc(5))."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(name))
    return int(line.split()[1]) // 1024


def holds(files: list[Path], text: str) -> bool:
    """Tell whether one of these files holds a text."""
    return any(text.encode() in file.read_bytes() for file in files)


def refuses_the_largest(past: Past) -> int:
    """Send as much as GitHub sends at most, rightly signed; return the status."""
    github = past.talk.world.github
    shot = signed(github.webhook_secret, b" " * LARGEST, past.recorded[0].headers)
    answer = requests.post(
        github.webhook_url, data=shot.body, headers=shot.headers, timeout=GITHUBS_PATIENCE
    )
    return answer.status_code


def report(seed: int, number: int, past: Past, figures: tuple[Storm, dict[str, int], int]) -> None:
    """Write down what was seen."""
    storm, found, grown = figures
    ends = list(past.runs.values())
    rows = [
        *((f"runs that ended as {end}", str(ends.count(end))) for end in TITLES),
        *((f"deliveries counted as {name}", str(count)) for name, count in sorted(found.items())),
        ("deliveries a second", f"{number / storm.seconds:.0f}"),
        ("slowest answer", f"{max(storm.took):.2f} s"),
        ("memory grown by at most", f"{grown} MiB"),
        ("a signed body of 25 MB", "refused with 413"),
    ]
    title = "Webhooks shuffled, doubled and half of them forged"
    write_proof("webhooks", title, seed, ("Figure", "Value"), rows, number)
