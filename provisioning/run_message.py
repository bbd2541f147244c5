"""The one message that shows a run: same states, figures and buttons as a Terraform Cloud run.

Pure: an operation and the questions it has open go in, a `Notice` comes out.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from provisioning.operation import CANCELLABLE, STOPPED, TURNS, Operation
from provisioning.run_tasks import STATES, duration, is_applied, tasks
from provisioning.text import (
    Button,
    Fact,
    Frozen,
    Notice,
    Span,
    Table,
    Text,
    bold,
    code,
    link,
    moment,
    person,
    say,
)

YES = "--yes"
"""The word after `cleanup <run>` that a button types once its question is answered."""
STAYS = {
    False: "What was made so far stays until somebody retries or cleans up.",
    True: "What is left stays until somebody cleans up.",
}
"""What a stop leaves, by whether some of it was removed."""


class Question(Frozen):
    """What a run waits for: consent to data, or (`about` is empty) the plan's confirmation."""

    about: str
    approvers: tuple[str, ...]


def run_notice(
    operation: Operation, repository_url: str = "", questions: Sequence[Question] = ()
) -> Notice:
    """Return the message of a run as it stands; `questions` are those still open."""
    state = _state(operation, questions)
    return Notice(
        summary=_summary(operation, state),
        title=f"{operation.project} · {_headline(operation, state)}",
        body=_body(operation, repository_url, questions),
        facts=_facts(operation),
        tasks=tasks(operation),
        footer=_footer(operation),
        buttons=_buttons(operation, questions),
    )


def _state(operation: Operation, questions: Sequence[Question]) -> str:
    only_consent = bool(questions) and all(question.about for question in questions)
    if operation.phase == "waiting" and only_consent:
        return "Waiting for consent"
    if operation.phase == "cancelled" and operation.is_clean_up:
        return "Clean-up cancelled"
    return STATES[operation.phase]


def _headline(operation: Operation, state: str) -> str:
    if operation.phase == "ready" and operation.ended_at:
        return f"Ready in {duration((operation.ended_at - operation.created_at).total_seconds())}"
    if operation.stopping:
        return f"{state} · stopping"
    progress = operation.facts.progress
    if operation.phase in ("applying", "cleaning") and progress:
        return f"{state} · {progress.done} of {progress.total} · {duration(progress.seconds)}"
    if operation.phase in TURNS and operation.facts.queue_position:
        return f"{state} · number {operation.facts.queue_position} in the queue"
    return state


def _summary(operation: Operation, state: str) -> str:
    needs = ""
    if operation.phase == "waiting":
        needs = ": please answer in its message"
    elif operation.may_be_retried:
        cleaning = " or clean up" if operation.may_be_cleaned_up else " if you like"
        needs = f": retry it{cleaning}"
    return f"Project {operation.project}: {state.lower()}{needs}"


def _body(
    operation: Operation, repository_url: str, questions: Sequence[Question]
) -> tuple[Text, ...]:
    trouble = operation.facts.trouble
    if operation.phase == "waiting":
        return tuple(_waits_for(question) for question in questions)
    if operation.phase == "failed" and trouble:
        return tuple(_trouble_lines(operation))
    if operation.phase == "ready" and repository_url:
        return (
            say(
                "The project is ready: ",
                link(repository_url.removeprefix("https://"), repository_url),
                ". Clone it, change it, open a pull request.",
            ),
        )
    if operation.phase in STOPPED:
        return tuple(_what_a_stop_left(operation))
    if operation.phase == "cleaned":
        return (say("Everything that was made is removed, and the name is free again."),)
    return ()


def _what_a_stop_left(operation: Operation) -> Iterator[Text]:
    """Say what exists after somebody's No, and what can be done about it."""
    facts = operation.facts
    if not facts.made:
        yield say("Nothing was made, and the name is free again.")
        return
    if operation.is_clean_up:
        removed = facts.applied.counts.remove if facts.applied else 0
        yield say(f"This clean-up removed {removed or 'no'} resource{'' if removed == 1 else 's'}.")
    yield say(STAYS[facts.unmade])
    if facts.left_behind:
        yield say("Left behind: ", facts.left_behind)


def _waits_for(question: Question) -> Text:
    """Say whose word is missing."""
    what = f"consent to {question.about}" if question.about else "confirmation"
    return say(bold(f"Waiting for {what}"), " by ", *people(question.approvers))


def people(ids: Sequence[str]) -> list[Span | str]:
    """Mention people and groups: `@ada, @grace or @platform`."""
    mentions: list[Span | str] = []
    for number, who in enumerate(ids):
        if number:
            mentions.append(" or " if number == len(ids) - 1 else ", ")
        mentions.append(person(who))
    return mentions


def _trouble_lines(operation: Operation) -> list[Text]:
    trouble = operation.facts.trouble
    if trouble is None:
        return []
    lines = [say(bold(f"{trouble.step} failed: "), trouble.what)]
    if trouble.resource:
        lines.append(say("Resource: ", code(trouble.resource)))
    if trouble.detail:
        lines.append(say(trouble.detail))
    if trouble.left_behind:
        lines.append(say("Left behind: ", trouble.left_behind))
    if trouble.reference:
        lines.append(say("Reference for the platform team: ", code(trouble.reference)))
    return lines


def _facts(operation: Operation) -> tuple[Fact, ...]:
    spec, facts = operation.spec, operation.facts
    shown = [
        Fact(label="Triggered by", value=say(person(operation.requested_by))),
        Fact(label="Workspace groups", value=say(", ".join(spec.workspace_groups))),
        Fact(label="Template", value=say(code(spec.template))),
    ]
    if operation.is_clean_up:
        return tuple(shown)
    counts = facts.applied.counts if is_applied(operation) and facts.applied else None
    if counts is None and facts.plan:
        counts = facts.plan.counts
    if counts:
        label = "Resources changed" if is_applied(operation) else "Resources to be changed"
        shown.append(Fact(label=label, value=say(code(str(counts)))))
    if spec.sandbox_until:
        shown.append(Fact(label="Sandbox until", value=say(spec.sandbox_until.isoformat())))
    return tuple(shown)


def _footer(operation: Operation) -> Text:
    parts: list[str | Span] = ["Run ", code(operation.id), " · requested "]
    parts.append(moment(operation.created_at))
    if operation.facts.plan:
        parts += [" · plan ", code(operation.facts.plan.digest[:12])]
        parts += [f" · Terraform {operation.facts.plan.terraform}"]
    return say(*parts)


def _buttons(operation: Operation, questions: Sequence[Question]) -> tuple[Button, ...]:
    run = operation.id
    if operation.phase == "waiting":
        return tuple(_waiting_buttons(operation, questions))
    if operation.stopping:
        return ()
    if operation.phase in CANCELLABLE:
        stays = STAYS[operation.facts.unmade]
        return (Button(label="Cancel Run", words=("cancel", run), confirm=stays),)
    return tuple(_going_on_buttons(operation))


def _waiting_buttons(operation: Operation, questions: Sequence[Question]) -> Iterator[Button]:
    run, plan = operation.id, operation.facts.plan
    digest = plan.digest[:12] if plan else ""
    if any(not question.about for question in questions):
        yield Button(label="Confirm & Apply", words=("confirm", run, digest), style="primary")
    yield Button(label="Discard", words=("discard", run, digest))
    yield Button(label="Add Comment", words=("comment", run))


def _going_on_buttons(operation: Operation) -> Iterator[Button]:
    if operation.may_be_retried:
        yield Button(label="Retry", words=("retry", operation.id), style="primary")
    if operation.may_be_cleaned_up:
        yield Button(
            label="Clean Up",
            words=("cleanup", operation.id, YES),
            style="danger",
            confirm=removal(operation),
        )


def removal(operation: Operation) -> str:
    """Return what is asked before anything is removed."""
    return f"Remove everything that was made for {operation.project}, and free the name?"


def plan_notice(operation: Operation, confirmers: Sequence[str] = ()) -> Notice:
    """Return the plan in short, for the run's thread: how many of which type.

    Whoever may confirm it is mentioned here: nobody is notified of a message that is edited.
    """
    plan = operation.facts.plan
    if plan is None:
        raise ValueError(f"operation {operation.id} has no plan yet")
    kinds: dict[tuple[str, str], int] = {}
    for change in plan.changes:
        if change.action not in ("no-op", "read"):
            kinds[change.resource_type, change.action] = (
                kinds.get((change.resource_type, change.action), 0) + 1
            )
    rows = tuple(
        (say(code(kind)), say(action), say(str(number)))
        for (kind, action), number in sorted(kinds.items())
    )
    counts = plan.counts
    return Notice(
        summary=f"Plan for {operation.project}: {counts}",
        body=(
            say(
                bold(
                    f"Plan: {counts.add} to add, {counts.change} to change, "
                    f"{counts.remove} to destroy"
                ),
                f" · made in {duration(plan.seconds)}",
            ),
            *((say(*people(confirmers), ": please confirm or discard it."),) if confirmers else ()),
        ),
        table=Table(header=("Resource type", "Action", "How many"), rows=rows) if rows else None,
    )


def elapsed(operation: Operation, now: datetime) -> str:
    """Return how long an operation has taken, or has been going on."""
    return duration(((operation.ended_at or now) - operation.created_at).total_seconds())
