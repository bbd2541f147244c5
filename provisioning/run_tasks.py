"""The steps of a run, as the tasks of its message: what each is called and how it stands."""

from collections.abc import Sequence
from typing import Literal

from provisioning.operation import IDLE, STOPPED, Decision, Operation, Phase
from provisioning.operation_kinds import kind_of
from provisioning.rotation_message import rotation_output
from provisioning.runs import Progress
from provisioning.secret_message import stored_output
from provisioning.text import Span, Task, Text, code, link, moment, person, say

Status = Literal["pending", "in_progress", "complete", "error"]


def duration(seconds: float) -> str:
    """Return a length of time as people say it: `42 s`, `3 min 5 s`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def is_applied(operation: Operation) -> bool:
    """Tell whether the plan was applied to its end."""
    applied = operation.facts.applied
    return applied is not None and applied.ending == "succeeded"


def _clean_up_task(operation: Operation) -> Task:
    status, title = {
        "to_clean": ("pending", "Clean up"),
        "cleaning": ("in_progress", "Cleaning up"),
        "freeing": ("in_progress", "Cleaning up"),
        "cleaned": ("complete", "Cleaned up"),
        "cancelled": ("pending", "Clean-up cancelled"),
    }.get(operation.phase, ("error", "Couldn't clean up"))
    progress = operation.facts.progress
    known = progress is not None and progress.total
    done = say(_count(progress)) if progress and known else ()
    words = _decisions(operation, "cleaning")
    return Task.model_validate(
        {"id": "cleaning", "title": title, "status": status, "details": words, "output": done}
    )


def tasks(operation: Operation, state: str) -> tuple[Task, ...]:
    """Return a line for each step of a run; `state` is what its title says."""
    if operation.is_clean_up:
        return (_clean_up_task(operation),)
    kind = kind_of(operation)
    first: tuple[Task, ...] = ()
    if "planning" in kind.steps:
        cost = () if kind.removes else (_cost_task(operation),)
        first = (_task(operation, "planning"), *cost, _confirm_task(operation, state))
    if operation.phase == "unchanged":
        return first[:1]
    later = (step for step in kind.steps if step not in ("planning", "waiting"))
    return (*first, *(_task(operation, step) for step in later))


def _reached(operation: Operation) -> str:
    """Return the step that a run is in or stopped in."""
    steps = kind_of(operation).steps
    if operation.phase in steps:
        return operation.phase
    return next((step for step in steps if step not in operation.facts.finished), "")


def _status(operation: Operation, step: str) -> Status:
    if step in operation.facts.finished or operation.phase == kind_of(operation).ended:
        return "complete"
    if _reached(operation) != step:
        return "pending"
    if operation.phase in ("failed", *STOPPED):
        return "error"
    return "pending" if operation.phase in (*IDLE, "entering", "unchanged") else "in_progress"


def _task(operation: Operation, step: Phase) -> Task:
    status = _status(operation, step)
    before, during, after = kind_of(operation).step(step)
    title = {"pending": before, "in_progress": during, "complete": after}.get(
        status, f"Couldn't {_in_a_sentence(before)}"
    )
    if status == "error" and operation.phase == "cancelled":
        # Somebody wanted it so: nothing failed, and nothing else of Slack's comes nearer.
        status, title = "pending", _cancelled(operation, step, during)
    return Task(
        id=step,
        title=title + _took(operation, step, status),
        status=status,
        details=_decisions(operation, step),
        output=_output(operation, step, status),
    )


def _cancelled(operation: Operation, step: str, doing: str) -> str:
    when = "while" if step in operation.facts.started else "before"
    return f"Cancelled {when} {_in_a_sentence(doing)}"


def _in_a_sentence(words: str) -> str:
    return words[0].lower() + words[1:]


def _took(operation: Operation, step: str, status: Status) -> str:
    started = operation.facts.started.get(step)
    finished = operation.facts.finished.get(step)
    if status == "complete" and started and finished:
        return f" · {duration((finished - started).total_seconds())}"
    return ""


def _output(operation: Operation, step: str, status: Status) -> Text:
    facts = operation.facts
    if step == "planning" and operation.plan and status == "complete":
        counts = operation.plan.counts
        adopted = f", {counts.adopt} to adopt" if counts.adopt else ""
        return say(
            f"{counts.add} to add, {counts.change} to change, {counts.remove} to destroy{adopted}"
        )
    if facts.secret and step == "storing":
        return stored_output(facts.secret)
    if facts.rotation:
        return rotation_output(step, facts.rotation)
    if step == "applying":
        return _apply_output(operation, status)
    if step == "verifying" and facts.findings:
        passed = sum(finding.passed for finding in facts.findings)
        plural = "" if len(facts.findings) == 1 else "s"
        return say(f"{passed} of {len(facts.findings)} check{plural} passed")
    if step in ("deploying", "undeploying"):
        return _at_github(operation)
    return ()


def _at_github(operation: Operation) -> Text:
    """Say which stages are done with, and where the workflow run is that is waited for."""
    facts = operation.facts
    done = [one.stage.capitalize() for one in facts.undeployments if one.done]
    parts: list[str | Span] = [f"removed from {', '.join(done)}"] if done else []
    if facts.workflow_run:
        parts += [" · " if parts else "", link("workflow run", facts.workflow_run)]
    return say(*parts)


def _apply_output(operation: Operation, status: Status) -> Text:
    facts = operation.facts
    if status == "complete" and facts.applied:
        counts = facts.applied.counts
        return say(
            f"{counts.add} added, {counts.change} changed, {counts.remove} destroyed",
        )
    if status == "in_progress" and facts.progress and facts.progress.total:
        current = facts.progress.current
        return say(
            _count(facts.progress),
            *((" · ", code(current)) if current else ()),
        )
    return ()


def _count(progress: Progress) -> str:
    return f"{progress.done} of {progress.total} resource{'' if progress.total == 1 else 's'}"


def _cost_task(operation: Operation) -> Task:
    plan = operation.plan
    if plan is None:
        return Task(id="cost", title="Cost")
    total = len([change for change in plan.changes if change.action == "create"])
    return Task(
        id="cost",
        title="Cost",
        status="complete",
        output=say(
            f"not estimated ({total - plan.priced} of {total} {_resources(total)} no price)"
            if total
            else "nothing is added"
        ),
    )


def _resources(number: int) -> str:
    return "resource has" if number == 1 else "resources have"


def _confirm_task(operation: Operation, state: str) -> Task:
    status = _status(operation, "waiting")
    titles = {
        "pending": "Confirm",
        "in_progress": state,
        "complete": "Confirmed" if _was_asked(operation) else "No confirmation needed",
        "error": kind_of(operation).state(operation.phase),
    }
    is_covered = status == "complete" and bool(operation.facts.covered_by)
    lines = list(_decisions(operation, "waiting", of_all_attempts=is_covered))
    if is_covered and not _is_the_plan_itself(operation):
        lines += say("\n" if lines else "", "This plan is ", *covered(operation))
    title = titles[status]
    if status == "error" and operation.phase == "cancelled":
        status, title = "pending", "Cancelled before confirmation"
    return Task(id="waiting", title=title, status=status, output=tuple(lines))


def _was_asked(operation: Operation) -> bool:
    """Tell whether somebody's word let the run go on, in whichever attempt."""
    said = any(_place(operation, one) == "waiting" for one in operation.facts.decisions)
    return said or bool(operation.facts.covered_by)


def _is_the_plan_itself(operation: Operation) -> bool:
    """Tell whether planning again has brought just what was confirmed."""
    plan = operation.plan
    return plan is not None and plan.digest == operation.facts.covered_by


def covered(operation: Operation) -> Text:
    """Say by which confirmation a plan is covered that nobody was asked about."""
    digest = operation.facts.covered_by[:12]
    return say("covered by the confirmation of plan ", code(digest))


def _decisions(operation: Operation, step: str, *, of_all_attempts: bool = False) -> Text:
    """Return what people decided while a run was in a step, a line for each."""
    lines: list[str | Span] = []
    for decision in operation.facts.decisions:
        is_due = of_all_attempts or decision.attempt == operation.attempt
        if is_due and _place(operation, decision) == step:
            lines += ["\n" if lines else "", *_decision(decision)]
    return say(*lines)


def _place(operation: Operation, decision: Decision) -> str:
    """Return the step that a decision belongs to; what ended a run stands where it ended."""
    phase = decision.phase
    cancels = operation.phase == "cancelled" and decision is operation.facts.decisions[-1]
    if cancels and not operation.is_clean_up:
        return _reached(operation)
    if phase == "queued":
        return kind_of(operation).steps[0]
    if phase == "confirmed":
        return "applying"
    return "cleaning" if phase in ("to_clean", "freeing") else phase


def _decision(decision: Decision) -> Sequence[str | Span]:
    said = (": ", decision.comment) if decision.comment else ()
    by = (" by ", person(decision.by)) if decision.by else ()
    return (decision.what, *by, " ", moment(decision.at), *said)
