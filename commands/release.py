"""Approve and Reject: a reviewer's decision on a deployment that waits, with a comment."""

from commands.command import Answer, Command, Field, Form, Request, Role, Services, tell, text
from provisioning.errors import UserError
from provisioning.release import Release
from provisioning.text import bold, code, say

APPROVE, REJECT = "approve", "reject"
LONGEST_COMMENT = 1000
UNNAMED = "Press Approve or Reject on the card, or see what waits: "
CONSEQUENCES = {
    APPROVE: "It is deployed as soon as GitHub has heard of it.",
    REJECT: "The run ends as rejected; its author reads your reason.",
}


def release(request: Request, services: Services) -> Answer:
    """Ask for the comment, then settle; rights are checked both times, live, and once each time."""
    named, artefact, verb = request.word(1), request.word(2), request.word(3).lower()
    if not artefact or verb not in CONSEQUENCES:
        raise UserError(say(UNNAMED, code("/sciclops approvals"), ". Nothing was decided."))
    found = services.releasing.find(named, artefact)
    if request.values is None:
        services.releasing.require(found, request.who, approving=verb == APPROVE)
        return form(found, verb)
    comment = text(request.values, "comment")
    if verb == REJECT and not comment:
        return form(found, verb, error="Please say why.")
    decided = services.releasing.decide(
        named, artefact, approved=verb == APPROVE, by=request.who, comment=comment
    )
    if decided.state == "open":
        more = f"{len(decided.given)} of {decided.card.needed} approvals are there"
        return tell(f"Approved. {more}; the card shows who still may.")
    done = "Approved" if verb == APPROVE else "Rejected"
    return tell(f"{done}. GitHub is being told; the card shows how it went.")


def form(found: Release, verb: str, error: str = "") -> Form:
    """Return the dialog of a decision."""
    return Form(
        title=f"{verb.capitalize()} release",
        submit=verb.capitalize(),
        words=("release", found.id, found.artefact, verb),
        intro=say(
            bold(f"{found.project} · {found.environment}"),
            ", commit ",
            code(found.sha[:8]),
            f". {CONSEQUENCES[verb]}",
        ),
        fields=(
            Field(
                "comment",
                "Comment",
                "long_text",
                hint="It is kept at GitHub. Never paste a secret here.",
                optional=verb == APPROVE,
                max_length=LONGEST_COMMENT,
            ),
        ),
        errors={"comment": error} if error else {},
    )


COMMAND = Command(
    "release",
    "release <release> <artefact> approve|reject",
    "Decide on a deployment that waits.",
    Role.ANYBODY,
    release,
    hidden=True,
    checks_first=True,
)
