"""Confirm & Apply: agree to exactly the plan that was seen."""

from commands.command import Answer, Command, Request, Role, Services, tell


def confirm(request: Request, services: Services) -> Answer:
    """Confirm a run's plan, bound to the digest that the button carries."""
    run = services.desk.find(request.word(1))
    services.desk.confirm(run, plan=request.word(2), by=request.who)
    return tell(f"Confirmed. Applying the plan of {run.project} now.")


COMMAND = Command(
    "confirm",
    "confirm <run> <plan>",
    "Confirm and apply the plan of a run.",
    Role.USER,
    confirm,
    hidden=True,
)
