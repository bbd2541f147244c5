"""`/sciclops help`: what can be said."""

from collections.abc import Sequence

from commands.command import Answer, Command, Reply, Request, Role, Services
from provisioning.text import Notice, code, quoted, say


def help_for(commands: Sequence[Command]) -> Command:
    """Return the help command for a list of commands."""

    def show(request: Request, services: Services) -> Answer:
        del services
        unknown = request.words and request.words[0] not in ("help", *(c.name for c in commands))
        first = f"I don't know {quoted(request.words[0])}. " if unknown else ""
        lines = [say(f"{first}You can say:")]
        for command in (*commands, this):
            if not command.hidden:
                lines.append(say(code(f"/sciclops {command.usage}"), f"  {command.summary}"))
        return Reply(
            Notice(summary=f"{first}What you can say to SciCLOps", title="", body=tuple(lines))
        )

    this = Command("help", "help", "Show what you can say.", Role.ANYBODY, show)
    return this
