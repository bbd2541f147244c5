"""Killing the bot, with or without its Terraform, while an operation of any kind is at work.

What must be true afterwards is read from the vendors' worlds and from what people see, never from
the bot's own tables. What differs between kinds stands in `killed_kinds.py`.
"""

import os
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import ClassVar, Literal

from conversation import Conversation
from waiting import wait_until

from playground.faults import Door, Fault
from playground.slack.entities import Message
from playground.slack.reading import buttons, text_of
from playground.world import Playground

SECONDS = 180
"""How long an operation may take, restart included, on a machine that does other things too."""
SETTLING_SECONDS = 30
"""How long what is still under way may take to come to rest: messages, files, other looks."""
LAST_STEPS_SECONDS = 3
"""How long a step that comes once all is told may keep us waiting; a bot that was to hold there and
never came is killed all the same, since it might still."""
SLOWER = 0.03
"""So many seconds each answer of a vendor takes while requests are counted."""
ALWAYS = 1_000_000
SWEEP = "before sweep"
DOORS: tuple[Door, ...] = ("github", "databricks")

Answers = Mapping[str, tuple[str, str]]
"""What a message says, who then answers, and which button they press."""


@dataclass(frozen=True)
class Kill:
    """One kill: at a step's boundary, or once so many requests have come to the vendors."""

    point: str = ""
    requests: int = 0
    with_terraform: bool = False

    def __str__(self) -> str:
        """Return the kill in words."""
        where = self.point or f"after {self.requests} requests to vendors"
        return f"{where}{', Terraform too' if self.with_terraform else ''}"


class Killed:
    """An operation of some kind that is to be killed, as people see it.

    `ends` is what its message says in the end. `requests` is about how many it sends to vendors.
    """

    name: ClassVar[str] = ""
    ends: ClassVar[str] = ""
    requests: ClassVar[int] = 100
    answers: ClassVar[Answers] = {}
    left: ClassVar[frozenset[str]] = frozenset()
    """Buttons that its message has in the end."""
    runs_terraform: ClassVar[bool] = True
    project: ClassVar[Literal["kept", "taken", "new"]] = "kept"
    """What it is about: a living project that lives on or is gone after it, or a new name."""
    goes_on: ClassVar[bool] = False
    """Whether its message is one that was there before."""
    gives_up_after: ClassVar[timedelta] = timedelta()
    """How long what a dead process was doing is waited for, where nobody else can go on with it."""

    def __init__(self, talk: Conversation) -> None:
        self.talk = talk
        self._before = 0

    def prepare(self) -> None:
        """Make the project as it has to be before."""

    def begin(self) -> None:
        """Do what begins the operation, as people do."""
        raise NotImplementedError

    def messages(self) -> list[Message]:
        """Return the messages that show operations of this kind, oldest first."""
        return [one for one in self.talk.run_messages() if not one.reader]

    def faults(self) -> Iterator[str]:
        """Return everything that is not as it must be at the vendors."""
        raise NotImplementedError

    def pressed(self, label: str) -> None:
        """Do what people do in the dialog that a button opens, if it opens one."""

    def is_part(self, operation: str) -> bool:
        """Tell whether a durable workflow is of this kind, by the id of what it is about."""
        return bool(operation) and not operation.startswith("look-")

    # ------------------------------------------------------------------ what is the same for all

    def note_before(self) -> None:
        """Note which messages there are already."""
        self._before = len(self.messages()) - (1 if self.goes_on else 0)

    def shown(self) -> list[Message]:
        """Return the messages of this very operation: one, if all is well."""
        return self.messages()[self._before :]

    def text(self) -> str:
        """Return what its message says."""
        return "\n".join(text_of(one) for one in self.shown()[-1:])

    def has_ended(self) -> bool:
        """Tell whether it has come to an end, good or bad."""
        return self.ends in self.text() or self.has_failed()

    def has_failed(self) -> bool:
        """Tell whether it has ended otherwise than it should."""
        return any(f"· {word}" in self.text() for word in ("Failed", "Timed out", "Cancelled"))

    def all_faults(self) -> list[str]:
        """Return everything that is wrong, at the vendors and in Slack."""
        return [*self.faults(), *self._wrong_messages(), *self._unanswered_calls()]

    def _wrong_messages(self) -> Iterator[str]:
        shown = self.shown()
        if len(shown) != 1:
            yield f"{len(shown)} messages"
        for message in shown:
            if surplus := set(buttons(message)) - self.left:
                yield f"live buttons {sorted(surplus)}"
            yield from doubles(self.talk, message)

    def _unanswered_calls(self) -> Iterator[str]:
        world = self.talk.world
        yield from (f"GitHub knows no {call}" for call in world.github.unknown_calls)
        yield from (f"Databricks knows no {call}" for call in world.databricks.unknown_calls)


def doubles(talk: Conversation, message: Message) -> Iterator[str]:
    """Return what was posted twice: messages anywhere by their keys, and a thread's files."""
    every = talk.world.slack.workspace.messages
    keys = Counter(one.metadata["event_payload"]["key"] for one in every if one.metadata)
    yield from (f"posted {number} times: {key}" for key, number in keys.items() if number > 1)
    files = Counter(file.name for reply in talk.ada.thread(message) for file in reply.files)
    yield from (f"{number} files {name}" for name, number in files.items() if number > 1)


def terraform_processes(directory: Path) -> Iterator[int]:
    """Return the Terraform processes of a world: they work in its folders, or are told of them."""
    folder = str(directory / "bot" / "terraform")
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):
            line = (entry / "cmdline").read_bytes().decode(errors="replace")
            if folder in line or str((entry / "cwd").readlink()).startswith(folder):
                yield int(entry.name)


class Killer:
    """Kills the bot of one playground and starts it again."""

    def __init__(self, playground: Playground) -> None:
        self.playground = playground
        self.world = playground.world
        self.killed_terraforms = 0
        self._pressed: set[tuple[str, int]] = set()

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
        self.playground.run(self.world.bot.start(), timeout=SECONDS)

    def rehearse(self, work: Killed) -> tuple[list[str], int]:
        """See an operation through unharmed; return its steps and its number of requests.

        Nothing may be wrong in the end, or else nobody could tell what a kill has done.
        """
        work.prepare()
        work.note_before()
        since, before = len(self.world.bot.points), self._requests()
        work.begin()
        wrong = self._see_it_through(work)
        assert not wrong, f"unharmed: {wrong}"
        steps = [
            point.removeprefix("before ")
            for operation, point in self.world.bot.points[since:]
            if work.is_part(operation) and point.startswith("before ") and point != SWEEP
        ]
        return list(dict.fromkeys(steps)), self._requests() - before

    def run_trial(self, work: Killed, kill: Kill) -> tuple[str, list[str]]:
        """Begin an operation, kill the bot during it, and see it through.

        Return where the bot was killed, which is nowhere if the operation had ended before, and
        what was wrong in the end.
        """
        work.prepare()
        work.note_before()
        where = self._kill_during(work, kill)
        return where, self._see_it_through(work)

    def _kill_during(self, work: Killed, kill: Kill) -> str:
        bot, requests = self.world.bot, self._requests() + kill.requests
        if kill.point:
            self.playground.run(bot.hold_at(kill.point))
        else:
            self._slow_down()
        since = len(bot.points)
        work.begin()

        def is_there() -> bool:
            return bot.is_held if kill.point else self._requests() >= requests

        wait_until(lambda: self._answer(work) or is_there() or work.has_ended(), SECONDS)
        if kill.point:  # the last steps come after the message that tells of the end
            with suppress(AssertionError):
                wait_until(is_there, LAST_STEPS_SECONDS)
        reached = is_there() and (bool(kill.point) or not work.has_ended())
        self.world.faults.clear()
        place = _place(bot.points[since:]) if reached else ""
        if reached or kill.point:
            self.kill(with_terraform=kill.with_terraform)
            self.restart()
            self.world.clock.advance(work.gives_up_after)
        return place

    def _slow_down(self) -> None:
        for door in DOORS:
            self.world.faults.add(Fault(door, "delay", times=ALWAYS, seconds=SLOWER))

    def _requests(self) -> int:
        return sum(self.world.faults.requests[door] for door in DOORS)

    def _see_it_through(self, work: Killed) -> list[str]:
        """Answer what is asked, wait for an end, and until all has come to rest.

        Return what is wrong then.
        """
        wait_until(lambda: self._answer(work) or work.has_ended(), SECONDS)
        self.world.slack.workspace.stacks.clear()
        if work.has_failed():
            return [work.text()]
        try:
            wait_until(lambda: not self.faults_of(work), SETTLING_SECONDS)
        except AssertionError:
            return self.faults_of(work)
        return []

    def faults_of(self, work: Killed) -> list[str]:
        """Return everything that is not as it must be once an operation has ended."""
        running = list(terraform_processes(self.world.directory))
        return [*work.all_faults(), *(f"Terraform runs on as {pid}" for pid in running)]

    def _answer(self, work: Killed) -> bool:
        """Press what people press, once in each of the bot's lives; never an end in itself."""
        for message in work.shown():
            for words, (person, label) in work.answers.items():
                pressing = (f"{message.ts} {label}", self.world.bot.lives)
                live = words in text_of(message) and label in buttons(message)
                if live and pressing not in self._pressed:
                    self._pressed.add(pressing)
                    getattr(work.talk, person).press(label, on=message)
                    work.pressed(label)
        return False


def _place(points: list[tuple[str, str]]) -> str:
    """Return where the bot was: at a step's boundary, or within a step."""
    steps = [point for operation, point in points if operation and not point.endswith(" sweep")]
    if not steps:
        return "before the first step"
    moment, _, step = steps[-1].partition(" ")
    return f"within or before {step}" if moment == "before" else f"after {step}"
