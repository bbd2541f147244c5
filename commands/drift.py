"""`/sciclops drift <project>`: look whether somebody has changed it outside Terraform."""

from commands.command import Answer, Command, Request, Role, Services, required_word, tell


def look(request: Request, services: Services) -> Answer:
    """Begin to look; the result comes directly, and drift is shown in the channel."""
    project = required_word(request, "project", "its name")
    services.drift.ask(project, by=request.who, key=request.key)
    return tell(f"Terraform looks at {project}; I send you the result directly.")


COMMAND = Command(
    "drift",
    "drift <project>",
    "Look for what somebody has changed outside Terraform.",
    Role.USER,
    look,
)
