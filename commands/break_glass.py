"""`/sciclops break-glass`: let a deployment in though approvals are missing, with a reason."""

from commands.command import (
    Answer,
    Command,
    Field,
    Form,
    Request,
    Role,
    Services,
    required_word,
    tell,
    text,
)
from provisioning.release import Release
from provisioning.text import bold, code, say

SHORTEST_REASON = 10
LONGEST_REASON = 1000


def break_glass(request: Request, services: Services) -> Answer:
    """Ask for the reason and the project's name, then let it in; rights are asked both times."""
    named = required_word(request, "release", "its id, which the card shows")
    found = services.breaking_glass.find(named, request.who)
    if request.values is None:
        return form(found)
    reason, typed = text(request.values, "reason"), text(request.values, "project")
    errors = {
        "reason": "" if len(reason) >= SHORTEST_REASON else "Please say why, in a few words.",
        "project": "" if typed == found.project else f"Type {found.project} to confirm.",
    }
    if any(errors.values()):
        return form(found, errors)
    artefact = request.word(2) or found.artefact
    services.breaking_glass.break_glass(named, artefact, by=request.who, reason=reason)
    return tell("Glass is broken: GitHub is being told, and so are the owners and the channel.")


def form(found: Release, errors: dict[str, str] | None = None) -> Form:
    """Return the dialog: what is let in, and what everybody will hear."""
    missing = found.card.needed - len(found.given)
    return Form(
        title="Break glass",
        submit="Break Glass",
        words=("break-glass", found.id, found.artefact),
        intro=say(
            bold(f"{found.project} · {found.environment}"),
            ", commit ",
            code(found.sha[:8]),
            f". It is let in though {missing} of {found.card.needed} approvals are missing. "
            "The owners and the channel are told at once, with your name and reason.",
        ),
        fields=(
            Field(
                "reason",
                "Reason",
                "long_text",
                hint="It is kept in the audit trail and at GitHub. Never paste a secret here.",
                max_length=LONGEST_REASON,
            ),
            Field("project", f"Type {found.project} to confirm", "text", max_length=100),
        ),
        errors={field: error for field, error in (errors or {}).items() if error},
    )


COMMAND = Command(
    "break-glass",
    "break-glass <release>",
    "Let a deployment in without the approvals it lacks, with a reason.",
    Role.ANYBODY,
    break_glass,
    checks_first=True,
)
