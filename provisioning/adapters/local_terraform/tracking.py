"""Follows a job and tells how it went: the link between its processes and `Outcome`."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from provisioning.adapters.local_terraform.events import Story
from provisioning.adapters.local_terraform.jobs import Ending, Job
from provisioning.adapters.local_terraform.places import private_folder, write_private
from provisioning.ports import Redactor, Watch
from provisioning.runs import Change, Diagnostic, Outcome, Progress

TELL_SECONDS = 1.0
STALE = (
    "Saved plan is stale",
    "plan files cannot be transferred between different Terraform versions",
)


@dataclass(frozen=True)
class Tracker:
    """One job of a run. The environment is asked for only when the job is started."""

    folder: Path
    root: Path
    environment: Callable[[], Mapping[str, str]]
    grace: float
    redact: Redactor

    def is_new(self) -> bool:
        """Tell whether nobody has started it, nor cancelled it before."""
        return self._job.state() == "new"

    def is_running(self) -> bool:
        """Tell whether its processes live."""
        return self._job.state() == "running"

    def run(
        self, commands: Sequence[Sequence[str]], watch: Watch, planned: Sequence[Change] = ()
    ) -> Outcome:
        """Start the job unless it has been started, follow it to its end, tell how it ended.

        `planned` is what the plan does that it applies.
        """
        if self.is_new() and watch.cancelled():
            self._job.cancel_unless_started()
        else:
            private_folder(self.folder)
            self._job.start(commands, self.root, self.environment)
        story = Story(planned)
        ending = self._job.follow(_Ticker(self._job, story, watch).tick)
        self._take_news(story)
        watch.progress(story.progress(ending.seconds))
        self._scrub()
        return _outcome(ending, story, self.redact)

    def log(self) -> str:
        """Return what the job wrote so far, secrets redacted."""
        return _redacted_lines(self._job.log().decode(errors="replace"), self.redact)

    def _take_news(self, story: Story) -> None:
        story.read(self._job.log(story.read_bytes))

    def _scrub(self) -> None:
        """Take secrets out of the log that stays on disk; once is enough."""
        done = self.folder / "scrubbed"
        if self._job.events.exists() and not done.exists():
            write_private(self._job.events, self.log())
            done.touch(mode=0o600)

    @cached_property
    def _job(self) -> Job:
        return Job(self.folder, self.grace)


@dataclass(frozen=True)
class Unseen:
    """The watch of a preparation: it may be cancelled, but its progress interests nobody."""

    watch: Watch

    def progress(self, progress: Progress) -> None:
        """Tell nobody."""

    def cancelled(self) -> bool:
        """Ask whoever watches the whole."""
        return self.watch.cancelled()


class _Ticker:
    """Tells the watch about news and asks it for its wishes, each about once a second."""

    def __init__(self, job: Job, story: Story, watch: Watch) -> None:
        self._job = job
        self._story = story
        self._watch = watch
        self._told = 0.0

    def tick(self) -> None:
        """Do so if it is time."""
        now = time.monotonic()
        if now - self._told < TELL_SECONDS:
            return
        self._told = now
        self._story.read(self._job.log(self._story.read_bytes))
        self._watch.progress(self._story.progress(self._job.seconds()))
        if self._watch.cancelled():
            self._job.stop()


def _outcome(ending: Ending, story: Story, redact: Redactor) -> Outcome:
    told = story.diagnostics()
    failed = ending.status is not None and ending.status > 0
    if failed and not any(diagnostic.severity == "error" for diagnostic in told):
        told = (*told, _unexplained(ending, story))
    clean = tuple(_redacted(diagnostic, redact) for diagnostic in told)
    return Outcome(
        ending=_word(ending),
        counts=story.counts(),
        diagnostics=clean,
        seconds=ending.seconds,
        stale=any(phrase in each.summary + each.detail for each in clean for phrase in STALE),
    )


def _word(ending: Ending) -> Any:
    if ending.state == "cancelled":
        return "cancelled"
    if ending.status is None or ending.status < 0:
        return "killed"
    if ending.status == 0:
        return "succeeded"
    return "cancelled" if ending.interrupted else "failed"


def _unexplained(ending: Ending, story: Story) -> Diagnostic:
    return Diagnostic(
        severity="error",
        summary=f"Terraform ended with status {ending.status} and gave no reason as data",
        detail=story.last_words(),
    )


def _redacted(diagnostic: Diagnostic, redact: Redactor) -> Diagnostic:
    return diagnostic.model_copy(
        update={"summary": redact(diagnostic.summary), "detail": redact(diagnostic.detail)}
    )


def _redacted_lines(text: str, redact: Redactor) -> str:
    """Redact JSON lines inside their strings, so that they stay JSON, and other lines as text."""
    lines: list[str] = []
    loose: list[str] = []
    once = cache(redact)  # events say the same words again and again
    for line in text.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            loose.append(line)  # a secret may span several lines of free text
            continue
        lines += redact("\n".join(loose)).splitlines()
        loose = []
        lines.append(json.dumps(_redacted_strings(event, once), separators=(",", ":")))
    lines += redact("\n".join(loose)).splitlines()
    return "".join(f"{line}\n" for line in lines)


def _redacted_strings(value: Any, redact: Redactor) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [_redacted_strings(part, redact) for part in value]
    if isinstance(value, dict):
        return {key: _redacted_strings(part, redact) for key, part in value.items()}
    return value
