"""Cancel Run: stop a run while it waits for its turn, or while Terraform works on it."""

from commands.command import Answer, Command, Request, Role, Services, tell


def cancel(request: Request, services: Services) -> Answer:
    """Ask a run to stop; Terraform finishes the calls it has begun."""
    run = services.desk.find(request.word(1))
    services.desk.cancel(run, by=request.who)
    if services.desk.find(run.id).phase == "cancelled":
        return tell(f"The run of {run.project} is cancelled.")
    return tell(f"The run of {run.project} stops as soon as the calls under way have ended.")


COMMAND = Command("cancel", "cancel <run>", "Stop a run.", Role.ANYBODY, cancel)
