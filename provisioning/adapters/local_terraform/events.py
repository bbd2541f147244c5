"""Reads Terraform's own account of a run (`-json` lines): every figure shown derives from it.

Pure: bytes in, facts out. Types of lines it doesn't know are ignored, since newer versions of
Terraform add some; lines that are no JSON (a panic, a refused flag) are kept as the last words.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from provisioning.runs import Change, Counts, Diagnostic, Progress

LAST_WORDS = 12
"""How many lines of free text are kept to explain a failure without a diagnostic."""

OPERATIONS = {"create": 1, "update": 1, "delete": 1, "replace": 2}
"""How many operations complete a planned action; imports and reads leave no `apply_complete`."""

TALLY = {"create": "add", "update": "change", "delete": "remove"}


class Story:
    """What the lines read so far say.

    `offset` is where the first line begins that is not complete yet; `read_bytes` counts all that
    was taken in. `planned` is what a saved plan does: its apply repeats that only after a while.
    """

    def __init__(self, planned: Iterable[Change] = ()) -> None:
        self.offset = 0
        self.read_bytes = 0
        self.terraform = ""
        self._tail = b""
        self._summary: Counts | None = None
        self._tally: Counter[str] = Counter()
        self._awaited = {
            change.address: OPERATIONS[change.action]
            for change in planned
            if change.action in OPERATIONS
        }
        self._working: dict[str, None] = {}
        self._begun: dict[str, None] = {}
        self._diagnostics: Counter[Diagnostic] = Counter()
        self._last_words: list[str] = []

    def read(self, more: bytes) -> None:
        """Take in what was appended since; an unfinished last line waits for its rest."""
        self.read_bytes += len(more)
        *lines, self._tail = (self._tail + more).split(b"\n")
        for line in lines:
            self.offset += len(line) + 1
            self._read_line(line.decode(errors="replace"))

    def counts(self) -> Counts:
        """Return Terraform's own summary; before there is one, what has been completed."""
        return self._summary or Counts.model_validate(dict(self._tally))

    def progress(self, seconds: float) -> Progress:
        """Return where the apply stands; `current` is the resource begun last.

        Until it is known what will be done the total is 0.
        """
        done = sum(left <= 0 for left in self._awaited.values())
        current = next(reversed(self._working), "")
        return Progress(done=done, total=len(self._awaited), current=current, seconds=seconds)

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Return each distinct diagnostic once, in order, with how often it came."""
        return tuple(
            told if times == 1 else told.model_copy(update={"detail": _often(told.detail, times)})
            for told, times in self._diagnostics.items()
        )

    def last_words(self) -> str:
        """Return the last lines of free text, e.g. of a panic."""
        return "\n".join(self._last_words)

    def begun(self) -> frozenset[str]:
        """Return the addresses whose creation was begun, whether or not it was finished."""
        return frozenset(self._begun)

    def _read_line(self, line: str) -> None:
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        if not isinstance(event, dict):
            self._last_words = [*self._last_words, line.strip()][-LAST_WORDS:]
            return
        take = {
            "version": self._take_version,
            "planned_change": self._take_plan,
            "change_summary": self._take_summary,
            "apply_start": self._take_start,
            "apply_complete": self._take_completion,
            "apply_errored": self._take_error,
            "diagnostic": self._take_diagnostic,
        }.get(str(event.get("type")))
        if take:
            take(event)

    def _take_version(self, event: dict[str, Any]) -> None:
        self.terraform = event.get("terraform", "")

    def _take_plan(self, event: dict[str, Any]) -> None:
        change = event["change"]
        if operations := OPERATIONS.get(change["action"]):
            self._awaited.setdefault(change["resource"]["addr"], operations)

    def _take_summary(self, event: dict[str, Any]) -> None:
        figures = event["changes"]
        self._summary = Counts(
            add=figures.get("add", 0),
            change=figures.get("change", 0),
            remove=figures.get("remove", 0),
            adopt=figures.get("import", 0),
        )

    def _take_start(self, event: dict[str, Any]) -> None:
        hook = event["hook"]
        self._working[hook["resource"]["addr"]] = None
        if hook["action"] == "create":
            self._begun[hook["resource"]["addr"]] = None

    def _take_completion(self, event: dict[str, Any]) -> None:
        hook = event["hook"]
        address, action = hook["resource"]["addr"], hook["action"]
        self._working.pop(address, None)
        if address in self._awaited:
            self._awaited[address] -= 1
        if action in TALLY:
            self._tally[TALLY[action]] += 1

    def _take_error(self, event: dict[str, Any]) -> None:
        self._working.pop(event["hook"]["resource"]["addr"], None)

    def _take_diagnostic(self, event: dict[str, Any]) -> None:
        told = event["diagnostic"]
        self._diagnostics[
            Diagnostic(
                severity="error" if told["severity"] == "error" else "warning",
                summary=told["summary"],
                detail=told.get("detail", ""),
                address=told.get("address", ""),
            )
        ] += 1


def readable(log: str) -> str:
    """Return a log as people read it: when, and what was said; errors with all that explains them.

    Lines that are no events stay as they are.
    """
    return "".join(f"{_readable(line)}\n" for line in log.splitlines())


def _readable(line: str) -> str:
    try:
        event = json.loads(line)
        said, at = str(event["@message"]), str(event["@timestamp"])
    except (ValueError, TypeError, KeyError):
        return line
    if "diagnostic" in event:
        said = "\n".join([said, *_explained(event["diagnostic"])])
    return f"{at[:19]}Z  {said}".rstrip().replace("\n", "\n    ")


def _explained(told: dict[str, Any]) -> Iterator[str]:
    """Yield what a diagnostic says beyond its summary, as Terraform prints it."""
    if address := told.get("address"):
        yield f"with {address},"
    if place := told.get("range"):
        snippet = told.get("snippet") or {}
        context = f", in {snippet['context']}" if snippet.get("context") else ""
        yield f"on {place['filename']} line {place['start']['line']}{context}:"
        if code := snippet.get("code"):
            yield code
        for value in snippet.get("values") or ():
            yield f"{value['traversal']} {value['statement']}"
    yield told.get("detail", "")


def _often(detail: str, times: int) -> str:
    return f"{detail} ({times} times)".strip()
