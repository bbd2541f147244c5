"""Retry: go on with a failed or cancelled run from what exists."""

from commands.command import Answer, Command, Request, Role, Services, tell


def retry(request: Request, services: Services) -> Answer:
    """Plan again; what was made before is kept and adopted."""
    run = services.desk.find(request.word(1))
    services.desk.retry(run, by=request.who)
    return tell(f"Trying {run.project} again from what exists.")


COMMAND = Command("retry", "retry <run>", "Try a failed run again.", Role.ANYBODY, retry)
