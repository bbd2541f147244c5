"""Confirm & Apply: agree to exactly the plan that was seen."""

from commands.command import Answer, Command, Request, Role, Services, tell

NEXT = {
    "waiting": "Others still have to answer; the run's message says who.",
    "confirmed": "It is applied when it is its turn at GitHub.",
}
"""What comes next, by the phase that the run is in after the decision."""


def confirm(request: Request, services: Services) -> Answer:
    """Confirm a run's plan, bound to the digest that the button carries."""
    run = services.desk.find(request.word(1))
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
