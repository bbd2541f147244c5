"""Consent and Refuse: a data owner's answer to a request for their data."""

from commands.command import Answer, Command, Field, Form, Request, Role, Services, tell
from provisioning.errors import UserError
from provisioning.text import code, say

YES, NO = "yes", "no"
USAGE = ", the question's id, and yes or no. The id is at the end of the question's message."
STILL_OPEN = ", if the run is confirmed and nobody refuses"


def consent(request: Request, services: Services) -> Answer:
    """Settle one question about data access; a refusal needs its reason."""
    approval, answer = request.word(1), request.word(2).lower()
    if answer not in (YES, NO):
        raise UserError(say("Type ", code("/sciclops consent"), USAGE))
    run = services.desk.question(approval, by=request.who)
    if answer == NO and request.values is None:
        return refusal(approval)
    reason = (request.values or {}).get("reason")
    comment = reason.strip() if isinstance(reason, str) else ""
    if answer == NO and not comment:
        form = refusal(approval)
        return Form(**{**form.__dict__, "errors": {"reason": "Please say why."}})
    services.desk.answer(approval, granted=answer == YES, by=request.who, comment=comment)
    if answer == NO:
        return tell("Refused.")
    waits = services.desk.find(run.id).phase == "waiting"
    return tell(f"Thank you. The access is granted with this run{STILL_OPEN if waits else ''}.")


def refusal(approval: str) -> Form:
    """Return the form that asks why."""
    return Form(
        title="Refuse access",
        submit="Refuse",
        words=("consent", approval, NO),
        intro=say("The requester reads your reason."),
        fields=(Field("reason", "Reason", "long_text", max_length=1000),),
    )


COMMAND = Command(
    "consent",
    "consent <question> yes|no",
    "Answer a request for your data.",
    Role.ANYBODY,
    consent,
    hidden=True,
)
