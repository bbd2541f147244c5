"""`/sciclops deploy`: begin a deployment, as oneself, up to a stage."""

from commands.command import Answer, Command, Request, Role, Services, required_word, tell
from provisioning.dispatching import MAIN
from provisioning.errors import UserError
from provisioning.project import STAGES
from provisioning.text import quoted

LAST = "production"
MAIN_ONLY = (
    "There is no stage {word}; there are: {stages}. Nothing was started. Stages are deployed from "
    "main only, not from other branches or tags: open a pull request to try out a branch, and to "
    "go back to an earlier release, revert on main."
)


def deploy(request: Request, services: Services) -> Answer:
    """Deploy main: `deploy <project> [stage]`."""
    project = required_word(request, "project", "its name")
    stage = read([word for word in request.words[2:] if word])
    services.dispatching.deploy(project, stage, by=request.who, key=request.key)
    return tell(
        f"GitHub is asked to deploy {MAIN} of {project} up to {stage.capitalize()}. "
        "Its run appears in the channel."
    )


def read(words: list[str]) -> str:
    """Return the stage; whatever else is there is refused, not guessed. `main` may be said."""
    if words and words[0] == MAIN:
        words = words[1:]
    if len(words) > 1:
        stages = ", ".join(STAGES)
        raise UserError(f"Say at most one stage ({stages}). Nothing was started.")
    stage = words[0] if words else LAST
    if stage.lower() not in STAGES:
        raise UserError(MAIN_ONLY.format(word=quoted(stage), stages=", ".join(STAGES)))
    return stage.lower()


COMMAND = Command(
    "deploy",
    "deploy <project> [stage]",
    "Deploy a project's main branch, up to production unless you name a stage.",
    Role.USER,
    deploy,
)
