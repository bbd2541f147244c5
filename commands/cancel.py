"""Cancel Run: stop a run while it waits for its turn or for people, or while Terraform works."""

from commands.command import Answer, Command, Request, Role, Services, named_run, tell
from provisioning.operation import STOPPED
from provisioning.operation_kinds import kind_of


def cancel(request: Request, services: Services) -> Answer:
    """Ask a run to stop; Terraform finishes the calls it has begun."""
    run = named_run(request, services)
    services.desk.cancel(run, by=request.who)
    now = services.desk.find(run.id)
    if now.phase in STOPPED:
        return tell(f"The run of {run.project} is {kind_of(now).state(now.phase).lower()}.")
    return tell(f"The run of {run.project} stops as soon as the calls under way have ended.")


COMMAND = Command(
    "cancel", "cancel <run>", "Stop a run, or discard its plan.", Role.ANYBODY, cancel
)
