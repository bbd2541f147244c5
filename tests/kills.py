"""Killing the bot, with or without its Terraform, and what must be true afterwards.

Whatever is judged here is read from the vendors' worlds and from what people see, never from the
bot's own tables.
"""

import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from conversation import PRINCIPALS, Conversation
from waiting import wait_until

from playground.crash import STEPS
from playground.databricks.state import ServicePrincipal
from playground.slack.entities import Message
from playground.slack.reading import text_of
from playground.world import Playground

SECONDS = 120
"""How long a run may take, restart included, on a machine that does other things too."""


@dataclass(frozen=True)
class Trial:
    """One kill: at a step's boundary, or `delay` seconds into planning or applying."""

    name: str
    point: str = ""
    phase: str = ""
    resources: int = 0
    with_terraform: bool = False

    def __str__(self) -> str:
        """Return the trial in words."""
        where = self.point or f"{self.phase}, after {self.resources} resources"
        return f"{where}{', Terraform too' if self.with_terraform else ''}"


def terraform_processes(directory: Path) -> Iterator[int]:
    """Return the Terraform processes of a world, by their command lines' paths."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):
            line = (entry / "cmdline").read_bytes().decode(errors="replace")
            if str(directory / "bot" / "terraform") in line:
                yield int(entry.name)


class Killer:
    """Kills the bot of one playground and starts it again."""

    def __init__(self, playground: Playground, dice: random.Random) -> None:
        self.playground = playground
        self.world = playground.world
        self.dice = dice
        self.killed_terraforms = 0

    def kill(self, *, with_terraform: bool) -> None:
        """SIGKILL, from outside; nobody gets a chance to tidy up."""
        self.playground.run(self.world.bot.kill())
        if with_terraform:
            for pid in list(terraform_processes(self.world.directory)):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    self.killed_terraforms += 1

    def restart(self) -> None:
        """Start the bot again, on what it left."""
        self.playground.run(self.world.bot.start())

    def run_trial(self, trial: Trial) -> str:
        """Make a project, kill during it, and return how its message ended."""
        talk = Conversation(self.playground, trial.name)
        if trial.point:
            self.playground.run(self.world.bot.hold_at(trial.point))
        talk.ask()
        if trial.point:
            self._kill_at_boundary(talk, trial)
        else:
            self._kill_within(talk, trial)
        self.restart()
        self._see_it_through(talk)
        return text_of(self.message(talk))

    def _kill_at_boundary(self, talk: Conversation, trial: Trial) -> None:
        step = trial.point.split(" ", 1)[1]
        if step not in STEPS[: STEPS.index("ask") + 1]:
            talk.run_message("Waiting for confirmation", timeout=SECONDS)
            talk.ada.press("Confirm & Apply")
        self.playground.run(self.world.bot.held(), timeout=SECONDS)
        self.kill(with_terraform=trial.with_terraform)

    def _kill_within(self, talk: Conversation, trial: Trial) -> None:
        if trial.phase == "applying":
            talk.run_message("Waiting for confirmation", timeout=SECONDS)
            self.world.providers.delay("*", 0.05)
            talk.ada.press("Confirm & Apply")
            wait_until(lambda: self._made(trial.name) >= trial.resources, SECONDS)
        else:
            wait_until(lambda: any(terraform_processes(self.world.directory)), SECONDS)
        self.kill(with_terraform=trial.with_terraform)
        self.world.providers.clear()

    def _made(self, name: str) -> int:
        """Return how many principals and environments of a project exist at the vendors."""
        principals = sum(p.display_name.startswith(f"{name}-") for p in self.principals())
        repository = self.world.github.repos.get(name)
        return principals + (len(repository.environments) if repository else 0)

    def _see_it_through(self, talk: Conversation) -> None:
        """Confirm if that is still to do, and wait for an end."""
        ends = (f"{talk.name} · Ready in", f"{talk.name} · Failed")
        waiting = f"{talk.name} · Waiting for confirmation"

        def look() -> str | None:
            text = text_of(self.message(talk)) if self.messages(talk) else ""
            return next((word for word in (*ends, waiting) if word in text), None)

        found = talk.ada.wait_until(look, timeout=SECONDS)
        if found == waiting:
            talk.ada.press("Confirm & Apply")
            found = talk.ada.wait_until(lambda: look() if look() in ends else None, timeout=SECONDS)
        if found == ends[0]:
            news = f"New project {talk.name}"
            talk.sam.wait_for_message(news, channel="C0COMMUNITY", timeout=SECONDS)

    # ------------------------------------------------------------------ what people see

    def messages(self, talk: Conversation) -> list[Message]:
        """Return the channel messages that show the project's run."""
        return [message for message in talk.run_messages() if not message.reader]

    def message(self, talk: Conversation) -> Message:
        """Return the one message that shows the run."""
        found = self.messages(talk)
        assert len(found) == 1, [text_of(m)[:80] for m in found]
        return found[0]

    def principals(self) -> list[ServicePrincipal]:
        """Return Databricks' principals."""
        return list(self.world.databricks.principals)

    def faults_of(self, talk: Conversation) -> list[str]:
        """Return everything that is not as it must be after a run that ended ready."""
        wrong = list(self._doubles(talk))
        announced = [
            m
            for m in talk.sam.visible_messages("C0COMMUNITY")
            if f"New project {talk.name}" in text_of(m)
        ]
        if len(announced) != 1:
            wrong.append(f"announced {len(announced)} times")
        commits = self.world.github.commits(talk.name)
        starters = [commit for commit in commits if "Start from the template" in str(commit)]
        if len(starters) != 1:
            wrong.append(f"{len(starters)} starter commits")
        return wrong

    def _doubles(self, talk: Conversation) -> Iterator[str]:
        names = Counter(
            p.display_name for p in self.principals() if p.display_name.startswith(f"{talk.name}-")
        )
        if len(names) != PRINCIPALS:
            yield f"principals of {len(names)} environments"
        yield from (f"{number} principals {name}" for name, number in names.items() if number > 1)
        if talk.name not in self.world.github.repos:
            yield "no repository"
