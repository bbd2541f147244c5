"""Cancel Run: stop a run while it waits for its turn or for people, or while Terraform works."""

from commands.command import Answer, Command, Request, Role, Services, named_run, tell
from provisioning.operation import STOPPED


def cancel(request: Request, services: Services) -> Answer:
    """Ask a run to stop; Terraform finishes the calls it has begun."""
    run = named_run(request, services)
    services.desk.cancel(run, by=request.who)
    phase = services.desk.find(run.id).phase
    if phase in STOPPED:
        return tell(f"The run of {run.project} is {phase}.")
    return tell(f"The run of {run.project} stops as soon as the calls under way have ended.")


COMMAND = Command(
    "cancel", "cancel <run>", "Stop a run, or discard its plan.", Role.ANYBODY, cancel
)
