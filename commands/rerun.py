"""Rerun: run again, as oneself, what failed of a workflow run."""

from commands.command import Answer, Command, Request, Role, Services, required_word, tell


def rerun(request: Request, services: Services) -> Answer:
    """Begin another attempt of what failed."""
    run = required_word(request, "workflow run", "its number")
    project = services.dispatching.rerun(run, request.word(2), by=request.who, key=request.key)
    return tell(f"GitHub is asked to run this workflow of {project} again.")


COMMAND = Command(
    "rerun", "rerun <workflow run>", "Run again what failed.", Role.USER, rerun, hidden=True
)
