"""Clean Up: remove what a failed or cancelled run has made, and free the name."""

from commands.command import Answer, Command, Request, Role, Services, tell


def clean_up(request: Request, services: Services) -> Answer:
    """Remove a half-made project."""
    run = services.desk.find(request.word(1))
    services.desk.clean_up(run, by=request.who)
    return tell(f"Removing what was made for {run.project}.")


COMMAND = Command(
    "cleanup", "cleanup <run>", "Remove what a failed run has made.", Role.ANYBODY, clean_up
)
