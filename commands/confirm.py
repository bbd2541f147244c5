"""Confirm & Apply: agree to exactly the plan that was seen."""

from commands.command import Answer, Command, Request, Role, Services, named_run, tell
from provisioning.desk import SHORT_DIGEST
from provisioning.errors import UserError
from provisioning.text import code, say

UNREAD = "The plan's digest belongs after the run, so that you confirm the plan that you have read."
NEXT = {
    "waiting": "Others still have to answer; the run's message says who.",
    "confirmed": "It is applied when it is its turn at GitHub.",
    "undeploying": "What is deployed is removed first, then everything else.",
}
"""What comes next, by the phase that the run is in after the decision."""


def confirm(request: Request, services: Services) -> Answer:
    """Confirm a run's plan, bound to the digest that the button carries."""
    run = named_run(request, services)
    if not request.word(2) and run.phase == "waiting" and run.facts.plan:
        plan = run.facts.plan.digest[:SHORT_DIGEST]
        typed = code(f"/sciclops confirm {request.word(1)} {plan}")
        raise UserError(say(f"{UNREAD} Type ", typed, ". Nothing was applied."))
    services.desk.confirm(run, plan=request.word(2), by=request.who)
    applying = f"Applying the plan of {run.project} now."
    return tell(f"Confirmed. {NEXT.get(services.desk.find(run.id).phase, applying)}")


COMMAND = Command(
    "confirm",
    "confirm <run> <plan>",
    "Confirm and apply the plan of a run.",
    Role.ANYBODY,
    confirm,
    hidden=True,
)
