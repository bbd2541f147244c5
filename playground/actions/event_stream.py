"""act's `--json` output of one job, brought into the book as GitHub would show it."""

import json
from dataclasses import dataclass, field
from typing import cast

from playground.actions.masking import Masks
from playground.actions.rewriting import STUB
from playground.github.runs import Conclusion, Job, RunBook
from playground.github.world import Json
from provisioning.clock import Clock

SET_UP, COMPLETE = "Set up job", "Complete job"
_ANNOTATIONS = ("error", "warning", "notice")


@dataclass
class EventStream:
    """Reads the events of the job `job_id`, whose steps are `steps` as written."""

    book: RunBook
    job: Job
    job_id: str
    steps: list[Json]
    masks: Masks
    clock: Clock
    result: Conclusion | None = None
    _seen: list[int] = field(default_factory=list)
    _complained: str = ""

    def begin(self) -> None:
        """Note the first step, which is GitHub's own."""
        self.book.set_step(self.job, SET_UP, "in_progress", None)
        self.say(f"Job name: {self.job.name}")

    def take(self, line: bytes) -> None:
        """Read one line of act's output; what is no event of the job says nothing."""
        try:
            event = json.loads(line)
        except ValueError:
            return
        if not isinstance(event, dict) or event.get("jobID") != self.job_id:
            return
        if str(event.get("job", "")).endswith(f"/{STUB}"):
            return
        if "jobResult" in event:
            self.result = cast("Conclusion", event["jobResult"])
        self._speak(event)
        self._step(event)

    def end(self, conclusion: Conclusion) -> None:
        """Note the steps that never began, and the last one."""
        if not self._seen:
            self.book.set_step(self.job, SET_UP, "completed", conclusion)
        self._skip_until(len(self.steps))
        self.book.set_step(self.job, COMPLETE, "completed", "success")

    def say(self, text: str) -> None:
        """Append lines to the job's log, each with its time, nothing secret among them."""
        stamp = self.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
        lines = self.masks.apply(text.rstrip("\n")).split("\n")
        self.book.add_log(self.job, "".join(f"{stamp} {line}\n" for line in lines))

    # Steps

    def _step(self, event: Json) -> None:
        ids = cast("list[str]", event.get("stepID") or [])
        position = self._position(ids[0]) if len(ids) == 1 else None
        if position is None or event.get("stage") != "Main":
            return
        name = self._name(position, event)
        ended = cast("Conclusion | None", event.get("stepResult"))
        if position not in self._seen:
            self._start(position, name)
        if ended is not None:
            forgiven = self.steps[position].get("continue-on-error") is True
            shown: Conclusion = "success" if forgiven and ended == "failure" else ended
            self.book.set_step(self.job, name, "completed", shown)

    def _start(self, position: int, name: str) -> None:
        if not self._seen:
            self.book.set_step(self.job, SET_UP, "completed", "success")
        self._skip_until(position)
        self._seen.append(position)
        self._complained = ""
        self.book.set_step(self.job, name, "in_progress", None)
        self.say(f"##[group]{_spoken(self.steps[position])}\n##[endgroup]")

    def _skip_until(self, position: int) -> None:
        for other in range(position):
            if other not in self._seen:
                self._seen.append(other)
                name = self._name(other, {})
                self.book.set_step(self.job, name, "completed", "skipped")

    def _position(self, step_id: str) -> int | None:
        for position, step in enumerate(self.steps):
            if str(step.get("id") or position) == step_id:
                return position
        return None

    def _name(self, position: int, event: Json) -> str:
        step = self.steps[position]
        if not step.get("name"):
            return _spoken(step)
        return self.masks.apply(str(event.get("step") or step["name"]))

    # Log

    def _speak(self, event: Json) -> None:
        text, command = str(event.get("msg", "")), str(event.get("command", ""))
        if command == "add-mask":
            self.masks.add(str(event.get("arg", "")))
        elif command in (*_ANNOTATIONS, "group", "endgroup"):
            self.say(f"##[{command}]{event.get('arg', '')}")
        elif event.get("raw_output"):
            self.say(text)
        elif event.get("level") == "error" and text != self._complained:
            self._complained = text  # a composite action's complaint comes twice
            self.say(f"##[error]{_complaint(text)}")


def _spoken(step: Json) -> str:
    """Return how GitHub names a step that has no name: by what it runs."""
    told = str(step.get("uses") or step.get("run") or "").strip()
    return f"Run {told.splitlines()[0] if told else ''}"


def _complaint(text: str) -> str:
    code = text.removeprefix("exit status ")
    return f"Process completed with exit code {code}." if code.isdigit() else text.strip()
