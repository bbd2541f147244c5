"""The one message that shows a run: same states, figures and buttons as a Terraform Cloud run.

Pure: an operation and the questions it has open go in, a `Notice` comes out.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from provisioning import upgrade_message
from provisioning.audit import US
from provisioning.change_message import changes, ended
from provisioning.operation import (
    AT_GITHUB,
    CANCELLABLE,
    STOPPED,
    TURNS,
    WORKING,
    Facts,
    Operation,
)
from provisioning.operation_kinds import kind_of
from provisioning.project import ProjectSpec, template_title
from provisioning.rotation_message import rotation_facts
from provisioning.run_tasks import covered, duration, is_applied, tasks
from provisioning.sandbox import end_of
from provisioning.secret_message import secret_body, secret_buttons, secret_facts
from provisioning.stop_message import trouble_lines, trying_line, what_a_stop_left, what_stays
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
    plain,
    say,
)

YES = "--yes"
"""The word after `cleanup <run>` that a button types once its question is answered."""
MOST_LISTED = 12
"""So many owners, reviewers or data a message lists; Slack takes only so long ones."""


class Question(Frozen):
    """What a run waits for: consent to data, or (`about` is empty) the plan's confirmation."""

    about: str
    approvers: tuple[str, ...]


def run_notice(
    operation: Operation, repository_url: str = "", questions: Sequence[Question] = ()
) -> Notice:
    """Return the message of a run as it stands; `questions` are those still open."""
    kind, state = kind_of(operation), _state(operation, questions)
    return Notice(
        summary=_summary(operation, state),
        title=" · ".join(
            filter(None, (operation.project, kind.title, _headline(operation, state)))
        ),
        body=tuple(secret_body(operation)) or _body(operation, repository_url, questions),
        facts=_facts(operation),
        tasks=tasks(operation, state),
        footer=_footer(operation),
        buttons=_buttons(operation, questions),
    )


def _state(operation: Operation, questions: Sequence[Question]) -> str:
    only_consent = bool(questions) and all(question.about for question in questions)
    if operation.phase == "waiting" and only_consent:
        return "Waiting for consent"
    if operation.phase == "cancelled" and operation.is_clean_up:
        return "Clean-up cancelled"
    return kind_of(operation).state(operation.phase)


def _headline(operation: Operation, state: str) -> str:
    deployed_at = operation.facts.finished.get("deploying")
    if operation.phase == "ready" and deployed_at:
        return _ready_in(operation, deployed_at)
    if operation.stopping:
        return f"{state} · stopping"
    progress = operation.facts.progress
    if operation.phase in ("applying", "cleaning") and progress and progress.total:
        return f"{state} · {progress.done} of {progress.total} · {duration(progress.seconds)}"
    if operation.phase in TURNS and operation.facts.queue_position:
        return f"{state} · number {operation.facts.queue_position} in the queue"
    return state


def _ready_in(operation: Operation, deployed_at: datetime) -> str:
    """Say how long the last attempt took us, and how long people."""
    facts = operation.facts
    took = deployed_at - facts.started.get("queued", operation.created_at)
    asked, answered = facts.started.get("waiting"), facts.finished.get("waiting")
    waited = answered - asked if asked and answered else timedelta()
    ours = f"Ready in {duration((took - waited).total_seconds())}"
    if round(waited.total_seconds()) < 1:
        return ours
    return f"{ours} (and {duration(waited.total_seconds())} waiting for confirmation)"


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
        return tuple(trouble_lines(operation))
    if operation.phase == "ready" and repository_url:
        return (
            say(
                "The project is ready: ",
                link(repository_url.removeprefix("https://"), repository_url),
                ". Clone it, change it, open a pull request.",
            ),
        )
    if operation.phase in ("unchanged", "done"):
        return tuple(_closing(operation, repository_url))
    if operation.phase in (*WORKING, *AT_GITHUB):
        return tuple(trying_line(operation))
    if operation.phase in STOPPED:
        return tuple(what_a_stop_left(operation))
    if operation.phase == "cleaned":
        return (say("Everything that was made is removed, and the name is free again."),)
    return ()


def _closing(operation: Operation, repository_url: str) -> Iterator[Text]:
    """Say what there is at the good end of a run about a project that exists."""
    if operation.facts.before:
        yield from ended(operation, repository_url)
    elif operation.facts.upgrade:
        yield from upgrade_message.ended(operation.facts.upgrade)
    elif closing := kind_of(operation).closing:
        yield say(closing)


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


def _what_it_is_about(operation: Operation) -> Iterable[Fact]:
    """Return what only runs of its kind show."""
    facts = operation.facts
    if facts.secret:
        return secret_facts(facts.secret)
    if facts.upgrade:
        return upgrade_message.versions(facts.upgrade)
    if facts.rotation:
        return rotation_facts(facts.rotation)
    if kind_of(operation).removes:
        return ()
    return changes(operation) if facts.before else _rights(operation.spec)


def _facts(operation: Operation) -> tuple[Fact, ...]:
    spec, facts = operation.spec, operation.facts
    shown = [
        Fact(label="Triggered by", value=say(_asker(operation), *_from_github(facts))),
        Fact(label="Workspace groups", value=say(", ".join(spec.workspace_groups))),
        Fact(label="Template", value=say(template_title(spec.template))),
    ]
    if operation.is_clean_up:
        return tuple(shown)
    shown += _what_it_is_about(operation)
    counts = facts.applied.counts if is_applied(operation) and facts.applied else None
    if counts is None and operation.plan:
        counts = operation.plan.counts
    if counts:
        is_past = is_applied(operation) or operation.phase == "unchanged"
        label = "Resources changed" if is_past else "Resources to be changed"
        shown.append(Fact(label=label, value=say(code(str(counts)))))
    if spec.sandbox_until and not facts.before:  # no change is about it, and it may move meanwhile
        shown.append(Fact(label="Sandbox until", value=say(moment(end_of(spec.sandbox_until)))))
    return tuple(shown)


def _asker(operation: Operation) -> Span | str:
    """Name who asked for a run; Slack takes no mention of somebody whom it doesn't know."""
    return "SciCLOps itself" if operation.requested_by == US else person(operation.requested_by)


def _from_github(facts: Facts) -> tuple[str | Span, ...]:
    """Say which merge began a change, and as whom GitHub knows who merged it."""
    merge = facts.from_github
    if merge is None:
        return ()
    return (f" from GitHub, as {merge.login}: ", link(f"merge of #{merge.number}", merge.url))


def unlisted(spec: ProjectSpec) -> str:
    """Return the rights in full, line by line, if a message has no room for them; else nothing."""
    most = max(len(spec.owners), len(spec.reviewers), len(spec.data_access))
    if most <= MOST_LISTED:
        return ""
    facts = _rights(spec, most)
    return "".join(f"{fact.label}: {plain(fact.value)}\n" for fact in facts)


def _rights(spec: ProjectSpec, most: int = MOST_LISTED) -> Iterator[Fact]:
    """Say who gets which rights: whoever confirms a plan confirms these."""
    owners = [person(owner) for owner in spec.owners]
    yield Fact(label="Owners", value=_listed(owners, most))
    yield Fact(label="Managed group", value=say(code(spec.managed_group)))
    yield Fact(label="GitHub team", value=say(code(spec.github_team)))
    reviewers = [say(f"{one.kind} ", code(one.name)) for one in spec.reviewers]
    yield Fact(label="Reviewers of production", value=_listed(reviewers, most))
    if spec.data_access:
        asked = [say(f"{one.level} ", code(one.securable)) for one in spec.data_access]
        yield Fact(label="Data access asked for", value=_listed(asked, most))


def _listed(entries: Sequence[Span | Text], most: int) -> Text:
    """Join entries by commas; of very many, say how many more there are."""
    spans: list[Span | str] = []
    for number, entry in enumerate(entries[:most]):
        parts = (entry,) if isinstance(entry, Span) else entry
        spans += [", " if number else "", *parts]
    if (more := len(entries) - most) > 0:
        spans.append(f" and {more} more")
    return say(*spans)


def _footer(operation: Operation) -> Text:
    parts: list[str | Span] = ["Run ", code(operation.id), " · requested "]
    parts.append(moment(operation.created_at))
    if operation.plan:
        parts += [" · plan ", code(operation.plan.digest[:12])]
        parts += [f" · Terraform {operation.plan.terraform}"]
    return say(*parts)


def _buttons(operation: Operation, questions: Sequence[Question]) -> tuple[Button, ...]:
    run = operation.id
    if operation.phase == "waiting":
        return tuple(_waiting_buttons(operation, questions))
    if operation.stopping:
        return ()
    if operation.phase in CANCELLABLE:
        return (Button(label="Cancel Run", words=("cancel", run), confirm=what_stays(operation)),)
    return (*secret_buttons(operation), *_going_on_buttons(operation))


def _waiting_buttons(operation: Operation, questions: Sequence[Question]) -> Iterator[Button]:
    run, plan = operation.id, operation.facts.plan
    digest = plan.digest[:12] if plan else ""
    if any(not question.about for question in questions):
        yield _confirm_button(operation, digest)
    yield Button(label="Discard", words=("discard", run, digest))
    yield Button(label="Add Comment", words=("comment", run))


def _confirm_button(operation: Operation, digest: str) -> Button:
    words = ("confirm", operation.id, digest)
    if not kind_of(operation).removes:
        return Button(label="Confirm & Apply", words=words, style="primary")
    asked = f"Destroy {operation.project} with all of its data? Nothing brings it back."
    return Button(label="Confirm & Destroy", words=words, style="danger", confirm=asked)


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
            *_whose_turn(operation, confirmers),
        ),
        table=Table(header=("Resource type", "Action", "How many"), rows=rows) if rows else None,
    )


def _whose_turn(operation: Operation, confirmers: Sequence[str]) -> Iterator[Text]:
    if confirmers:
        yield say(*people(confirmers), ": please confirm or discard it.")
    elif operation.facts.covered_by:
        yield say("It is ", *covered(operation), ".")


def elapsed(operation: Operation, now: datetime) -> str:
    """Return how long an operation has taken, or has been going on."""
    return duration(((operation.ended_at or now) - operation.created_at).total_seconds())
