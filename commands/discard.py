"""Discard: say no to a plan; nothing has been made, and the name is free again."""

from commands.command import Answer, Command, Request, Role, Services, named_run, tell
from provisioning.operation_kinds import left_standing


def discard(request: Request, services: Services) -> Answer:
    """Discard a run's plan."""
    run = named_run(request, services)
    services.desk.discard(run, by=request.who)
    if not run.makes_project:
        left = left_standing(services.desk.find(run.id))
        return tell(f"Discarded: {left}.")
    if services.desk.find(run.id).facts.made:
        return tell("Discarded. What was made before stays until somebody cleans up.")
    return tell(f"Discarded. Nothing was made, and the name {run.project} is free again.")


COMMAND = Command(
    "discard", "discard <run>", "Discard the plan of a run.", Role.ANYBODY, discard, hidden=True
)
