"""`/sciclops lock`: keep everybody else's hands off a project, with a reason."""

from commands.command import Answer, Command, Request, Role, Services, required_word, tell
from provisioning.errors import UserError
from provisioning.operation import WORKING
from provisioning.store.locks import held
from provisioning.tables import ProjectLockRow
from provisioning.text import Button, Text, code, say

TAKE_OVER = "--take-over"
STAYS_FREE = (
    "Nobody else begins operations, confirms, deploys or releases from here until you unlock it. "
    "Stopping and rejecting stay free. What begins at GitHub itself is not held up: merges still "
    "deploy, and reviewers may still approve there."
)


def lock(request: Request, services: Services) -> Answer:
    """Lock a project; somebody else's lock is taken over after a second confirmation."""
    project = required_word(request, "project", "its name and the reason")
    over, words = "", request.words[2:]
    if words and words[0] == TAKE_OVER:
        over, words = request.word(3), words[2:]
    if not words:
        typed = code(f"/sciclops lock {project}")
        raise UserError(say("Say why: type ", typed, " and the reason. Nothing was locked."))
    locks = services.locks
    holds = locks.lock(project, " ".join(words), by=request.who, key=request.key, over=over)
    if holds.holder != request.who:
        return offer(holds, ("lock", project, TAKE_OVER, holds.id, *words), services)
    return tell(f"{project} is locked: {holds.reason}.", STAYS_FREE, *under_way(project, services))


def offer(holds: ProjectLockRow, words: tuple[str, ...], services: Services) -> Answer:
    """Say whose lock is in the way, and offer to take it over."""
    return tell(
        say(*held(holds, services.clock.now())),
        say("Take it over? They are told so. Nothing was changed so far."),
        buttons=(Button(label="Take Over", words=words, style="danger"),),
    )


def under_way(project: str, services: Services) -> tuple[Text, ...]:
    """Say what a lock does not stop."""
    working = [
        row
        for row in services.store.operations.of_project(project, active=True)
        if row.phase in WORKING
    ]
    stop = code(f"/sciclops cancel {project}")
    return (say("A run is under way, and goes on: ", stop, " stops it."),) if working else ()


COMMAND = Command(
    "lock",
    "lock <project> <reason>",
    "Keep everybody else's hands off a project.",
    Role.ANYBODY,
    lock,
)
