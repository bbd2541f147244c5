"""What owners are told of their sandbox's end: pure."""

from datetime import datetime

from provisioning.sandbox import Sandbox, time_left
from provisioning.text import Button, Notice, Span, Text, bold, code, moment, person, say

AT_THE_END = "The sandbox and everything in it is destroyed at the end of that day (UTC)."
EVERYTHING = (
    "The sandbox and everything in it is destroyed then: what is deployed, its schemas and their "
    "data. Copy what is worth keeping, or extend it."
)


def warning_notice(sandbox: Sandbox, now: datetime) -> Notice:
    """Warn the owners: when it ends, what that means and what they can do."""
    left = time_left(sandbox.ends, now)
    name = sandbox.project
    return Notice(
        summary=f"Sandbox {name} ends in {left}: extend it, or let it go",
        body=(
            say(*owners(sandbox), *_named(sandbox), " ends in ", bold(left), ": ", when(sandbox)),
            say(EVERYTHING),
        ),
        buttons=(
            Button(label="Extend", words=("extend", name), style="primary"),
            Button(label="Destroy Now", words=("destroy", name), style="danger"),
        ),
    )


def over_notice(sandbox: Sandbox, run: str) -> Notice:
    """Tell the owners that the end has come, and where its destruction is shown."""
    return Notice(
        summary=f"Sandbox {sandbox.project} has ended and is being destroyed",
        body=(
            say(*owners(sandbox), *_named(sandbox), " has ended: ", when(sandbox), "."),
            say("It is being destroyed; the message of run ", code(run), " shows how far it is."),
        ),
    )


def extended(notice: Notice, sandbox: Sandbox, by: str) -> Notice:
    """Return a warning as it reads once somebody has extended the sandbox."""
    return _settled(notice, say(bold("Extended"), " by ", person(by), ": ", when(sandbox), "."))


def ended(notice: Notice) -> Notice:
    """Return a warning as it reads once the end has come."""
    return _settled(notice, say(bold("The end has come.")))


def _settled(notice: Notice, line: Text) -> Notice:
    return notice.model_copy(update={"body": (*notice.body[:1], line), "buttons": ()})


def owners(sandbox: Sandbox) -> tuple[Span | str, ...]:
    """Mention every owner: nobody is notified otherwise."""
    return tuple(part for one in sandbox.spec.owners for part in (person(one), " "))


def when(sandbox: Sandbox) -> Span:
    """Return the end, in each reader's own time zone."""
    return moment(sandbox.ends)


def _named(sandbox: Sandbox) -> tuple[Span | str, ...]:
    return ("the sandbox ", bold(sandbox.project))
