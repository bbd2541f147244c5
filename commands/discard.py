"""Discard: say no to a plan, and hear what that leaves."""

from commands.command import Answer, Command, Request, Role, Services, named_run, tell
from provisioning.operation import Operation


def discard(request: Request, services: Services) -> Answer:
    """Discard a run's plan."""
    run = named_run(request, services)
    services.desk.discard(run, by=request.who)
    return tell(f"Discarded. {left(run)}")


def left(run: Operation) -> str:
    """Say what there is after somebody's No."""
    if not run.makes_project and run.facts.undeploying_in:
        return "What was removed before is gone; Retry removes the rest."
    if not run.makes_project:
        return f"Nothing was changed: {run.project} stays as it is."
    if run.facts.made:
        return "What was made before stays until somebody cleans up."
    return f"Nothing was made, and the name {run.project} is free again."


COMMAND = Command(
    "discard", "discard <run>", "Discard the plan of a run.", Role.ANYBODY, discard, hidden=True
)
