"""Link: prove which GitHub account is yours, by a code that you enter at GitHub."""

from commands.command import Answer, Command, Request, Role, Services, tell
from provisioning.tables import DeviceLinkRow
from provisioning.text import Button, bold, code, moment, say

ENTERED, ANOTHER = "entered", "another"
YOURS = (
    "Enter a code only if you have just asked for it yourself: whoever gave you another one would "
    "act at GitHub as you."
)
OVER = "That code has had its answer or has run out. If you were not told more, type "


def link(request: Request, services: Services) -> Answer:
    """Show a code to enter; whoever is linked already is asked before it is replaced."""
    if request.word(1) == ENTERED:
        return look(request, services)
    held = services.linking.identity_of(request.who)
    works = held is not None and services.linking.works(request.who)
    if held and works and request.word(1) != ANOTHER:
        return linked(request, services)
    begun = services.linking.begin(request.who, replaces=held.login if held else "")
    return show(begun, "Open GitHub's page, sign in as yourself, and enter this code:")


def look(request: Request, services: Services) -> Answer:
    """Look whether the code was entered; the ending comes as a direct message, too."""
    waiting = services.linking.pending(request.who)
    if waiting is not None:
        services.linking.look(waiting)
        waiting = services.linking.pending(request.who)
    if waiting is not None:
        return show(waiting, "GitHub has not told me yet. I go on asking, and write to you. Code:")
    if services.linking.login_of(request.who):
        return linked(request, services)
    return tell(say(OVER, code("/sciclops link"), "."))


def show(waiting: DeviceLinkRow, first: str) -> Answer:
    """Return the code and where it belongs."""
    return tell(
        say(first),
        say(code(waiting.user_code), "  until ", moment(waiting.deadline)),
        say(YOURS),
        title="Link your GitHub account",
        buttons=(
            Button(label="Open GitHub", address=waiting.address, style="primary"),
            Button(label="I Have Entered It", words=("link", ENTERED)),
        ),
    )


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
