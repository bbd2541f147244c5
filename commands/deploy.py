"""`/sciclops deploy`: begin a deployment, as oneself, up to a stage."""

from commands.command import Answer, Command, Request, Role, Services, required_word, tell
from provisioning.errors import UserError
from provisioning.project import STAGES
from provisioning.text import quoted

MAIN, LAST = "main", "production"


def deploy(request: Request, services: Services) -> Answer:
    """Deploy a branch or tag: `deploy <project> [ref] [stage]`; the stage may come alone."""
    project = required_word(request, "project", "its name")
    ref, stage = read([word for word in request.words[2:] if word])
    services.dispatching.deploy(project, ref, stage, by=request.who, key=request.key)
    return tell(
        f"GitHub is asked to deploy {ref} of {project} up to {stage.capitalize()}. "
        "Its run appears in the channel."
    )


def read(words: list[str]) -> tuple[str, str]:
    """Return the branch or tag and the stage; whatever else is there is refused, not guessed."""
    stages = ", ".join(STAGES)
    if len(words) > 2:
        raise UserError(f"Say at most a branch or tag and a stage ({stages}). Nothing was started.")
    if len(words) == 2 and words[1].lower() not in STAGES:
        raise UserError(
            f"There is no stage {quoted(words[1])}; there are: {stages}. Nothing was started."
        )
    stage = words.pop().lower() if words and words[-1].lower() in STAGES else LAST
    return (words[0] if words else MAIN), stage


COMMAND = Command(
    "deploy",
    "deploy <project> [branch or tag] [stage]",
    "Deploy a project, up to production unless you name a stage.",
    Role.USER,
    deploy,
)
