"""Link: prove which GitHub account is yours, by a code that you enter at GitHub."""

from commands.command import Answer, Command, Request, Role, Services, tell
from provisioning.linking import ENTERED
from provisioning.text import Button, bold, code, say

ANOTHER = "another"
OVER = "That code has had its answer or has run out. If you were not told more, type "


def link(request: Request, services: Services) -> Answer:
    """Show a code to enter; whoever is linked already is asked before it is replaced."""
    if request.words[:2] == ENTERED:
        return look(request, services)
    held = services.linking.identity_of(request.who)
    works = held is not None and services.linking.works(request.who)
    if held and works and request.word(1) != ANOTHER:
        return linked(request, services)
    services.linking.begin(request.who, replaces=held.login if held else "")
    return tell("The code to enter at GitHub is in my direct message to you.")


def look(request: Request, services: Services) -> Answer:
    """Look whether the code was entered; the message that shows it tells the ending, too."""
    waiting = services.linking.pending(request.who)
    if waiting is not None:
        services.linking.look(waiting)
        waiting = services.linking.pending(request.who)
    if waiting is not None:
        return tell(
            "GitHub has not told me yet. I go on asking; the message with the code will say how "
            "it ended."
        )
    if services.linking.login_of(request.who):
        return linked(request, services)
    return tell(say(OVER, code("/sciclops link"), "."))


def linked(request: Request, services: Services) -> Answer:
    """Say which account somebody has linked, and what can be done about it."""
    login = services.linking.login_of(request.who) or ""
    return tell(
        say("At GitHub you are ", bold(login), ". The link works."),
        buttons=(
            Button(label="Link Another Account", words=("link", ANOTHER)),
            Button(label="Unlink", words=("unlink",)),
        ),
    )


COMMAND = Command("link", "link", "Link your GitHub account.", Role.ANYBODY, link)
