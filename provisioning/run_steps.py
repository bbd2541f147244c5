"""What every step of a run needs: load it, enter a phase, show it, end it truthfully."""

import logging
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from provisioning.attempts import Setback
from provisioning.board import Board, read_operation
from provisioning.clock import Clock
from provisioning.desk import Desk
from provisioning.errors import PermanentError, RunEnded, SciclopsError
from provisioning.operation import STOPPABLE, STOPPED, WRITING, Operation, Phase, Trouble, Trying
from provisioning.operation_kinds import kind_of, left_behind
from provisioning.policy import Policy
from provisioning.ports import Redactor, Terraform
from provisioning.runs import Diagnostic, Outcome, Progress
from provisioning.store import Attachment, Message, Store
from provisioning.text import Notice

log = logging.getLogger(__name__)

MOST_NAMED = 8
"""So many leftover resources are named one by one."""
LONGEST_REASON = 150
"""So many characters of a reason are shown while something is tried again."""

NOTHING_MADE = "nothing was made; the name stays reserved until somebody cleans up"


@dataclass(frozen=True)
class RunSteps:
    """The common ground of all steps; each method may be repeated after a crash."""

    store: Store
    desk: Desk
    clock: Clock
    policy: Policy
    terraform: Terraform
    redact: Redactor

    def load(self, run: str) -> Operation:
        """Return the run as it stands."""
        row = self.store.operations.get(run)
        if row is None:
            raise PermanentError(f"There is no run {run}.")
        return read_operation(row)

    def enter(self, run: str, expected: Collection[Phase], to: Phase, **facts: Any) -> Operation:
        """Be in phase `to`, and show it; raises RunEnded if the run went another way.

        A run that somebody asked to stop ends here.
        """
        operation = self.load(run)
        started = {name: at.isoformat() for name, at in operation.facts.started.items()}
        started.setdefault(to, self.clock.now().isoformat())
        row = self.store.operations.reach(run, expected, to, {"started": started, **facts})
        if row is None:
            self._end_if_stopping(self.load(run))
            raise RunEnded
        self.desk.show(run)
        if to not in WRITING:
            self.desk.admit()
        return read_operation(row)

    def _end_if_stopping(self, operation: Operation) -> None:
        if operation.stopping:
            self.cancelled(operation)

    def finish(self, run: str, step: str) -> None:
        """Note when a step was finished, the first time, and show it."""
        operation = self.load(run)
        finished = {name: at.isoformat() for name, at in operation.facts.finished.items()}
        finished.setdefault(step, self.clock.now().isoformat())
        self.store.operations.remember(run, finished=finished, trying=None)
        self.desk.show(run)

    def remember(self, run: str, **facts: Any) -> None:
        """Store facts of the run and show them."""
        self.store.operations.remember(run, **facts)
        self.desk.show(run)

    def trying(self, run: str, setback: Setback | None) -> None:
        """Show what a step waits for that is tried again; with None it waits no more."""
        row = self.store.operations.get(run)
        if row is None:
            return  # a sweep, which has no message
        operation = read_operation(row)
        if setback is None and operation.facts.trying is None:
            return
        shown = _trying(operation, setback, self.redact) if setback else None
        self.remember(run, trying=shown.model_dump(mode="json") if shown else None)

    def tell(self, operation: Operation, key: str, content: Notice | Attachment) -> None:
        """Put a message or a file into the run's thread; the same key again replaces it."""
        if not operation.channel:
            return  # it has no message of its own
        self.store.messages.show(
            Message(
                key=f"{operation.message}:{key}",
                channel=operation.channel,
                thread_of=operation.message,
                content=content,
            )
        )

    def attach_log(self, operation: Operation, terraform_run: str, command: str) -> None:
        """Put Terraform's log of a run up to now, redacted, into the run's thread."""
        text = self.terraform.log(operation.project, terraform_run)
        name = f"{command}-log-{terraform_run}.txt"
        self.tell(operation, f"log:{command}:{terraform_run}", Attachment(name=name, text=text))

    def watch(self, run: str) -> "RunWatch":
        """Return what follows a Terraform command of this run."""
        return RunWatch(self, run)

    @property
    def board(self) -> Board:
        """Return where runs and questions are shown."""
        return Board(self.store)

    # ------------------------------------------------------------------ endings

    @contextmanager
    def truthful(self, run: str, step: str) -> Iterator[None]:
        """End the run as failed, with the reason, when a step of it raises."""
        try:
            yield
        except RunEnded:
            raise
        except SciclopsError as error:
            self.fail(run, Trouble(step=step, what=self.redact(str(error))))
            raise RunEnded from error
        except Exception as error:
            reference = uuid4().hex[:8]
            log.exception("run %s failed unexpectedly, reference %s", run, reference)
            what = "Something unexpected happened; the platform team finds it by the reference."
            self.fail(run, Trouble(step=step, what=what, reference=reference))
            raise RunEnded from error

    def fail(self, run: str, trouble: Trouble) -> None:
        """End the run as failed; say what went wrong and what is left behind."""
        operation = self.load(run)
        full = trouble.model_copy(update={"left_behind": self._left_behind(operation)})
        self.store.operations.end(run, "failed", {"trouble": full.model_dump(mode="json")})
        if failed := kind_of(operation).failed:
            self.store.projects.become(operation.project, failed)
        self.desk.show(run)
        self.call(operation, full)
        self.desk.admit()

    def call(self, operation: Operation, trouble: Trouble) -> None:
        """Tell whoever it concerns in the thread: nobody is notified of an edited message."""
        self.board.tell_failure(operation, trouble.step)

    def _left_behind(self, operation: Operation) -> str:
        if said := left_behind(operation):
            return said
        if not operation.facts.made:
            return NOTHING_MADE
        unmade = operation.facts.unmade
        try:
            made = self.terraform.addresses(operation.project)
        except SciclopsError:
            unknown = "what was made so far exists, Terraform could not be asked what that is"
            return f"{unknown}; {going_on(unmade=unmade, makes=operation.makes_project)}"
        ways = going_on(unmade=unmade, number=len(made), makes=operation.makes_project)
        return f"{_in_words(made)}; {ways}"

    def note_left_behind(self, run: str) -> None:
        """Note what a run has left that ended between two steps, where nobody asked Terraform."""
        operation = self.load(run)
        facts = operation.facts
        if operation.phase in STOPPED and facts.made and not facts.left_behind:
            self.remember(run, left_behind=self._left_behind(operation))

    def cancelled(self, operation: Operation) -> None:
        """End the run as cancelled by whoever asked for it; raises RunEnded.

        It is only over once all is tidy: a crash before that leaves the rest to a sweep.
        """
        by = operation.cancel_requested_by
        left = {"left_behind": self._left_behind(operation)} if operation.facts.made else {}
        decided = self.desk.decided(operation, by, "Cancelled")
        self.store.operations.move(
            operation.id, STOPPABLE, "cancelled", by=by, facts=lambda known: decided(known) | left
        )
        self.desk.tidy(operation.id)
        raise RunEnded

    def require_success(self, run: str, step: str, outcome: Outcome) -> None:
        """Go on after success or a kill; otherwise end the run with Terraform's own words."""
        if outcome.ending == "cancelled":
            self.cancelled(self.load(run))
        if outcome.ending == "failed":
            self.fail(run, _trouble(step, outcome.diagnostics))
            raise RunEnded


class RunWatch:
    """Shows a Terraform command's progress in the run's message, and hears of its cancellation."""

    def __init__(self, steps: RunSteps, run: str) -> None:
        self._steps = steps
        self._run = run

    def progress(self, progress: Progress) -> None:
        """Show where the command stands."""
        self._steps.remember(self._run, progress=progress.model_dump(mode="json"))

    def cancelled(self) -> bool:
        """Tell whether somebody pressed Cancel."""
        return bool(self._steps.load(self._run).cancel_requested_by)


def going_on(*, unmade: bool, number: int = 1, makes: bool = True) -> str:
    """Say what can be done about so many resources; `unmade` means that some were removed.

    Only what a run that `makes` a project has made can be cleaned up.
    """
    if not makes:
        return "Retry goes on from there"
    if not number:
        return "Clean Up frees the name" if unmade else "Retry goes on, Clean Up frees the name"
    if unmade:
        return "Clean Up removes the rest and frees the name"
    return f"Retry goes on from there, Clean Up removes {'it' if number == 1 else 'them'}"


def _in_words(addresses: Collection[str]) -> str:
    """Count resources, and name them if they are few."""
    if not addresses:
        return "nothing that Terraform knows of"
    count = "1 resource exists" if len(addresses) == 1 else f"{len(addresses)} resources exist"
    few = len(addresses) <= MOST_NAMED
    return f"{count} ({', '.join(sorted(addresses))})" if few else count


def _trying(operation: Operation, setback: Setback, redact: Redactor) -> Trying:
    """Keep the beginning of the error, which is ours; what the vendor said comes after it."""
    ours = re.split(r"[:;.] ", redact(str(setback.error)), maxsplit=1)[0].rstrip(".")
    return Trying(
        reason=ours[:LONGEST_REASON],
        phase=operation.phase,
        since=setback.since,
        at=setback.at,
        again=setback.again,
    )


def _trouble(step: str, diagnostics: tuple[Diagnostic, ...]) -> Trouble:
    """Return the last meaningful error: one that names a resource, if there is any."""
    errors = [diagnostic for diagnostic in diagnostics if diagnostic.severity == "error"]
    named = [error for error in errors if error.address]
    if not errors:
        return Trouble(step=step, what="Terraform failed without saying why; see the log.")
    last = (named or errors)[-1]
    return Trouble(step=step, what=last.summary, resource=last.address, detail=last.detail[:1500])
