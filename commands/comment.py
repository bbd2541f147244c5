"""Add Comment: leave feedback in a run's thread."""

from commands.command import (
    Answer,
    Command,
    Field,
    Form,
    Request,
    Role,
    Services,
    named_run,
    tell,
)
from provisioning.text import bold, say


def comment(request: Request, services: Services) -> Answer:
    """Ask for the comment, or store it."""
    run = named_run(request, services)
    said = (request.values or {}).get("comment")
    if not isinstance(said, str) or not said.strip():
        return Form(
            title="Add comment",
            submit="Add",
            words=("comment", run.id),
            intro=say("About the run of ", bold(run.project), ". Never paste a secret here."),
            fields=(Field("comment", "Comment", "long_text", max_length=2000),),
            errors={"comment": "Please write something."} if request.values is not None else {},
        )
    services.desk.comment(run, text=said.strip(), by=request.who, key=request.key)
    return tell("Your comment is in the run's thread.")


COMMAND = Command(
    "comment", "comment <run>", "Comment on a run.", Role.ANYBODY, comment, hidden=True
)
