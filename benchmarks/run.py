"""Figures of the bot, all made in one run on one machine: compare them with each other only.

`make bench` prints a table: acknowledgements (idle, loaded, stalled) beside a bare
Bolt app, what the bot itself adds to Terraform between submit and ready, start-up, idle cost, Slack
calls per run, how soon people see what happens to fifty workflow runs at once, and how soon
somebody has a list of 10,000 projects. Absolute times depend on the machine; the ratios are what is
claimed.
"""

import asyncio
import json
import os
import sys
import tempfile
import threading
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from conversation import Conversation
from figures import cpu_seconds, percentiles, say, seconds, status
from following import follow_many
from overview import overview
from played_runs import playing

from playground.faults import Fault, Faults
from playground.slack.server import Slack
from playground.world import Choices, Playground
from provisioning.clock import SystemClock

COMMANDS = 200
PER_SECOND = 20
STALL_SECONDS = 30
SETTLING_SECONDS = 5
"""After a start a bot still imports what it may need."""
LATENCIES = (0.0, 0.25)


async def type_commands(slack: Slack, number: int, per_second: float) -> list[float]:
    """Type commands at a rate; return how long each acknowledgement took, in milliseconds."""

    async def one() -> float:
        began = time.perf_counter()
        await slack.workspace.slash("U0ADA", "C0SCICLOPS", "/sciclops list")
        return (time.perf_counter() - began) * 1000

    tasks = []
    for _ in range(number):
        tasks.append(asyncio.create_task(one()))
        await asyncio.sleep(1 / per_second)
    return list(await asyncio.gather(*tasks))


class BareBolt:
    """The least that a Slack app can be, with a Slack of its own in the playground's loop.

    What slows it down slows everybody down: the machine, or the stand-ins that we measure with.
    """

    def __init__(self, playground: Playground) -> None:
        self._playground = playground
        self.slack = Slack(SystemClock(), Faults())
        self.slack.limits.strict = False

    def __enter__(self) -> Self:
        """Start both."""
        self._process = self._playground.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        """Stop both."""
        self._playground.run(self._stop())

    async def _start(self) -> Process:
        url = await self.slack.start()
        command = [str(Path(__file__).with_name("bare_bolt.py")), f"{url}/api/"]
        process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=PIPE)
        assert process.stdout is not None
        await process.stdout.readline()
        return process

    async def _stop(self) -> None:
        self._process.kill()
        await self._process.wait()
        await self.slack.stop()


def acknowledgements(playground: Playground) -> None:
    """Measure acknowledgements while idle, while runs go on, and while vendors are stalled.

    Each beside a bare Bolt app that gets as many commands at the same moments.
    """
    ours = playground.world.slack
    ours.limits.strict = False

    def measure(what: str) -> None:
        both = at_once(ours, bare.slack)
        times, floor = playground.run(both, timeout=120)
        say(f"ack, {what}", percentiles(times))
        say("  a bare Bolt app at the same moments", percentiles(floor))

    with BareBolt(playground) as bare:
        measure("idle")
        talks = [Conversation(playground, f"bench-load-{number}") for number in range(4)]
        for talk in talks:
            talk.ask()
        measure("four projects being made")
        for talk in talks:
            talk.run_message("Ready in")
        for door in ("github", "databricks"):
            fault = Fault(door, "delay", times=100_000, seconds=STALL_SECONDS)  # type: ignore[arg-type]
            playground.world.faults.add(fault)
        measure(f"GitHub and Databricks stalled {STALL_SECONDS} s")
    playground.world.faults.clear()
    ours.limits.strict = True


async def at_once(one: Slack, other: Slack) -> list[list[float]]:
    """Type the same commands in two workspaces."""
    typing = (type_commands(slack, COMMANDS, PER_SECOND) for slack in (one, other))
    return await asyncio.gather(*typing)


Span = tuple[float, float]
"""From when to when, in Unix time."""


def terraform_spans(playground: Playground, name: str) -> list[Span]:
    """Return when Terraform's own commands ran for a project, by its own notes."""
    runs = playground.world.directory / "bot" / "terraform" / "projects" / name / "runs"
    spans = []
    for file in runs.rglob("ended.json"):
        began = json.loads(file.with_name("started.json").read_text())["at"]
        spans.append((began, began + json.loads(file.read_text())["seconds"]))
    return spans


def covered(spans: Iterable[Span]) -> float:
    """Return how many seconds at least one of the spans covers."""
    seconds, until = 0.0, 0.0
    for began, ended in sorted(spans):
        seconds += max(0.0, ended - max(began, until))
        until = max(until, ended)
    return seconds


def warm_up(playground: Playground) -> None:
    """Make one project unmeasured: the first one copies modules and fills directories."""
    talk = Conversation(playground, "warm-up-1")
    talk.ask()
    talk.run_message("Ready in")


def submit_to_ready(directory: Path, latency: float) -> None:
    """Measure what the bot adds to Terraform and to waiting for vendors; nobody has to confirm."""
    choices = Choices(confirm="nobody")
    with playing(directory, choices, latency=latency) as playground:
        warm_up(playground)
        talk = Conversation(playground, "bench-1")
        talk.fill()
        calls = playground.world.slack.calls
        before, waits = Counter(call.method for call in calls), playground.world.faults.waits
        began = time.time()
        assert talk.ada.submit() is None
        talk.run_message("Ready in")
        ended = time.time()
        terraform = terraform_spans(playground, "bench-1")
        vendors = [span for span in waits if began <= span[0] and span[1] <= ended]
        not_ours = covered([*terraform, *vendors])
        say(
            f"submit to ready, {round(latency * 1000)} ms at every vendor call",
            seconds(ended - began),
        )
        say("  of which Terraform's own time", seconds(covered(terraform)))
        say("  of which waiting for vendors besides", seconds(not_ours - covered(terraform)))
        say("  the rest: ours", seconds(ended - began - not_ours))
        made = Counter(call.method for call in calls) - before
        say("  Slack calls of the run", ", ".join(f"{m} {n}" for m, n in made.most_common()))


def start_up(playground: Playground) -> None:
    """Measure the time from start to the first acknowledged command."""
    playground.run(playground.world.bot.kill())
    began = time.perf_counter()
    playground.run(playground.world.bot.start(), timeout=120)
    Conversation(playground, "none").ada.type("/sciclops help")
    say("start-up to the first acknowledgement", f"{time.perf_counter() - began:5.1f} s")


def idle_cost(playground: Playground, seconds: float = 20) -> None:
    """Measure memory and processor time of the bot while nobody wants anything."""
    pid = playground.world.bot.pid
    threading.Event().wait(SETTLING_SECONDS)
    before = cpu_seconds(pid)
    threading.Event().wait(seconds)
    say("idle processor", f"{(cpu_seconds(pid) - before) / seconds * 100:5.1f} % of a core")
    resident = next(value for name, value in status(pid) if name == "VmRSS")
    say("idle memory", f"{int(resident.split()[0]) // 1024} MiB")


def main() -> None:
    """Measure everything."""
    print(f"load average at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    with tempfile.TemporaryDirectory() as folder:
        with playing(Path(folder) / "acks", Choices(confirm="nobody")) as playground:
            acknowledgements(playground)
            start_up(playground)
            idle_cost(playground)
        overview(Path(folder) / "overview")
        follow_many(Path(folder) / "following")
        for latency in LATENCIES:
            submit_to_ready(Path(folder) / f"latency-{latency}", latency)


if __name__ == "__main__":
    main()
