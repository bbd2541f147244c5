"""`/sciclops extend`: put off the end of a sandbox."""

from datetime import date

from commands.command import (
    Answer,
    Command,
    Field,
    Form,
    Reply,
    Request,
    Role,
    Services,
    required_word,
    tell,
    text,
)
from provisioning.errors import UserError
from provisioning.extending import UNTIL
from provisioning.sandbox import Sandbox, counted
from provisioning.sandbox_message import AT_THE_END, when
from provisioning.text import bold, code, say


def extend(request: Request, services: Services) -> Answer:
    """Ask for the new end date, if none is given, and extend; rights are asked both times."""
    name = required_word(request, "sandbox", "its name")
    if typed := request.word(2):
        return done(services.extending.extend(name, read(typed), by=request.who), services)
    if request.values is None:
        return form(services.extending.find(name, request.who), services)
    until = read(text(request.values, UNTIL))
    return done(services.extending.extend(name, until, by=request.who), services)


def read(typed: str) -> date:
    """Return a date; raises UserError on its field."""
    try:
        return date.fromisoformat(typed)
    except ValueError:
        example = code("2031-12-24")
        raise UserError(
            say("Give the new end date as year, month and day: ", example, "."), field=UNTIL
        ) from None


def form(sandbox: Sandbox, services: Services) -> Form:
    """Return the dialog: when it ends now, and how far it may go."""
    extending = services.extending
    proposed = extending.proposed(sandbox)
    if objection := extending.objection(sandbox, proposed):
        raise UserError(objection)
    maximum = services.policy.sandbox_maximum.days
    return Form(
        title="Extend sandbox",
        submit="Extend",
        words=("extend", sandbox.project),
        intro=say(bold(sandbox.project), " ends ", when(sandbox), ". ", left(sandbox, services)),
        fields=(
            Field(
                UNTIL,
                "Sandbox until",
                "date",
                hint=f"At most {maximum} days from today. {AT_THE_END}",
                initial=proposed.isoformat(),
            ),
        ),
    )


def done(sandbox: Sandbox, services: Services) -> Reply:
    """Say until when it lives now."""
    return tell(
        say(bold(sandbox.project), " lives until ", when(sandbox), "."),
        say("Its owners are warned again before. ", left(sandbox, services)),
    )


def left(sandbox: Sandbox, services: Services) -> str:
    """Say how often it may still be extended, and by whom."""
    times = services.extending.left(sandbox)
    if not times:
        return "From now on only the platform team can extend it."
    return f"Owners can extend it {counted(times, 'more time')}."


COMMAND = Command(
    "extend",
    "extend <project> [date]",
    "Put off the end of a sandbox.",
    Role.ANYBODY,
    extend,
    checks_first=True,
)
