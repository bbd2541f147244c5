"""Unlink: make the bot forget your GitHub account, and your tokens worthless."""

from commands.command import Answer, Command, Request, Role, Services, tell
from provisioning.text import Button, bold, link, say

YES = "yes"


def unlink(request: Request, services: Services) -> Answer:
    """Forget an account, once that is asked for with a Yes."""
    held = services.linking.identity_of(request.who)
    if held is None and services.linking.pending(request.who) is None:
        return tell("You have linked no GitHub account.")
    if request.word(1) != YES:
        button = Button(label="Unlink", words=("unlink", YES), style="danger")
        question = say("Unlink ", bold(held.login if held else "the account that you are linking"))
        then = "? Until you link one again, you can neither approve nor deploy from here."
        return tell((*question, *say(then)), buttons=(button,))
    services.linking.unlink(request.who)
    page = services.linking.settings_page
    return tell(
        "Unlinked. Your tokens are deleted here, and GitHub is told to revoke them; it writes you "
        "an e-mail about that.",
        say("What you once let the App do is withdrawn at ", link("GitHub's own page", page), "."),
    )


COMMAND = Command("unlink", "unlink", "Unlink your GitHub account.", Role.ANYBODY, unlink)
