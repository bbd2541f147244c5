"""`/sciclops unlock`: give a project free, or let go of a lock of Terraform's that is stuck."""

from commands.command import Answer, Command, Request, Role, Services, required_word, tell
from provisioning.project_locks import ONLY_PLATFORM
from provisioning.state_locks import StateLock
from provisioning.store.locks import held
from provisioning.tables import ProjectLockRow
from provisioning.text import Button, code, say

TAKE_OVER, TERRAFORM = "--take-over", "--terraform"


def unlock(request: Request, services: Services) -> Answer:
    """Unlock a project; where nobody holds it, look at Terraform's own lock on its state."""
    project = required_word(request, "project", "its name")
    if request.word(2) == TERRAFORM:
        return release(request, project, services)
    over = request.word(3) if request.word(2) == TAKE_OVER else ""
    was_locked = services.store.locks.of(project) is not None
    in_the_way = services.locks.unlock(project, by=request.who, over=over)
    if in_the_way is not None:
        return offer(in_the_way, services)
    if was_locked:
        return tell(f"{project} is unlocked.")
    stuck = services.locks.stuck(project)
    return tell(f"{project} is not locked.") if stuck is None else show(request, stuck, services)


def offer(holds: ProjectLockRow, services: Services) -> Answer:
    """Say whose lock is in the way, and offer to take it over."""
    words = ("unlock", holds.project, TAKE_OVER, holds.id)
    return tell(
        say(*held(holds, services.clock.now())),
        say("Take it over and unlock? They are told so. Nothing was changed so far."),
        buttons=(Button(label="Take Over", words=words, style="danger"),),
    )


def show(request: Request, stuck: StateLock, services: Services) -> Answer:
    """Show who holds Terraform's lock, and offer to release it if that is safe."""
    project = request.word(1)
    lines = [say(f"Nobody has locked {project}, but Terraform's state is: ", *stuck.described())]
    if hindrance := services.locks.hindrance(project, stuck):
        return tell(*lines, say(f"It is not released: {hindrance}."))
    if not services.locks.is_platform(request.who):
        return tell(*lines, ONLY_PLATFORM)
    return tell(
        *lines,
        say("Nothing that can be seen holds it. Release the lock ", code(stuck.id), "?"),
        buttons=(
            Button(
                label="Release This Lock",
                words=("unlock", project, TERRAFORM, stuck.id),
                style="danger",
            ),
        ),
    )


def release(request: Request, project: str, services: Services) -> Answer:
    """Let go of the lock of Terraform's that was shown."""
    gone = services.locks.release_state(project, request.word(3), by=request.who)
    if gone is None:
        return tell(f"Terraform's lock on {project} is gone already.")
    return tell(say(f"Terraform's lock on {project} is released: ", *gone.described()))


COMMAND = Command(
    "unlock",
    "unlock <project>",
    "Unlock a project, or release a lock of Terraform's that is stuck.",
    Role.ANYBODY,
    unlock,
)
