"""`/sciclops help`: what can be said; and what somebody hears who said something else."""

from collections.abc import Sequence
from difflib import get_close_matches

from commands.command import Answer, Command, Reply, Request, Role, Services, tell
from provisioning.text import Notice, Text, code, quoted, say


def help_for(commands: Sequence[Command]) -> Command:
    """Return the help command for a list of commands."""

    def show(request: Request, services: Services) -> Answer:
        del services
        spoken_of = [command for command in (*commands, this) if not command.hidden]
        if request.words and request.words[0] != this.name:
            return tell(unknown(request.words[0], [command.name for command in spoken_of]))
        lines = [say("You can say:")]
        for command in spoken_of:
            lines.append(say(code(f"/sciclops {command.usage}"), f"  {command.summary}"))
        return Reply(Notice(summary="What you can say to SciCLOps", title="", body=tuple(lines)))

    this = Command("help", "help", "Show what you can say.", Role.ANYBODY, show)
    return this


def unknown(typed: str, names: Sequence[str]) -> Text:
    """Say that there is no such command, which one may have been meant, and how to get help."""
    near = get_close_matches(typed.lower(), names, n=1)
    meant = ("Did you mean ", code(near[0]), "? ") if near else ()
    everything = ("Type ", code("/sciclops help"), " to see everything that you can say.")
    return say(f"There is no command {quoted(typed)}. ", *meant, *everything)
