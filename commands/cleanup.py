"""Clean Up: remove what a failed or cancelled run has made, and free the name."""

from commands.command import Answer, Command, Request, Role, Services, tell

WAITS = {"to_clean": " when it is its turn at GitHub"}
"""When it begins, by the phase that the run is in after the request; else at once."""


def clean_up(request: Request, services: Services) -> Answer:
    """Remove a half-made project."""
    run = services.desk.find(request.word(1))
    services.desk.clean_up(run, by=request.who)
    waits = WAITS.get(services.desk.find(run.id).phase, "")
    return tell(f"Removing what was made for {run.project}{waits}.")


COMMAND = Command(
    "cleanup", "cleanup <run>", "Remove what a failed run has made.", Role.ANYBODY, clean_up
)
