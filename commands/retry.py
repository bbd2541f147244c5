"""Retry: go on with a failed or cancelled run from what exists."""

from commands.command import Answer, Command, Request, Role, Services, named_run, tell


def retry(request: Request, services: Services) -> Answer:
    """Plan again; what was made before is kept and adopted."""
    run = named_run(request, services)
    services.desk.retry(run, by=request.who)
    return tell(f"Trying {run.project} again from what exists.")


COMMAND = Command("retry", "retry <run>", "Try a failed run again.", Role.ANYBODY, retry)
