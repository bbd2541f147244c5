"""Clean Up: remove what a failed or cancelled run has made, and free the name."""

from commands.command import Answer, Command, Request, Role, Services, named_run, tell
from provisioning.run_message import YES, removal
from provisioning.text import Button

WAITS = {"to_clean": " when it is its turn at GitHub"}
"""When it begins, by the phase that the run is in after the request; else at once."""


def clean_up(request: Request, services: Services) -> Answer:
    """Remove a half-made project, once that is asked for with a Yes."""
    run = named_run(request, services)
    if request.word(2) != YES:
        services.desk.require_clean_up(run, by=request.who)
        button = Button(label="Clean Up", words=("cleanup", run.id, YES), style="danger")
        return tell(removal(run), buttons=(button,))
    services.desk.clean_up(run, by=request.who)
    waits = WAITS.get(services.desk.find(run.id).phase, "")
    return tell(f"Removing what was made for {run.project}{waits}.")


COMMAND = Command(
    "cleanup", "cleanup <run>", "Remove what a failed run has made.", Role.ANYBODY, clean_up
)
