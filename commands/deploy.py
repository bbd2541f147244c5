"""`/sciclops deploy`: begin a deployment, as oneself, up to a stage."""

from commands.command import Answer, Command, Request, Role, Services, required_word, tell
from provisioning.project import STAGES

MAIN, LAST = "main", "production"


def deploy(request: Request, services: Services) -> Answer:
    """Deploy a branch or tag: `deploy <project> [ref] [stage]`; the stage may come alone."""
    project = required_word(request, "project", "its name")
    words = [word for word in request.words[2:] if word]
    stage = words.pop().lower() if words and words[-1].lower() in STAGES else LAST
    ref = words[0] if words else MAIN
    services.dispatching.deploy(project, ref, stage, by=request.who, key=request.key)
    return tell(
        f"GitHub is asked to deploy {ref} of {project} up to {stage.capitalize()}. "
        "Its run appears in the channel."
    )


COMMAND = Command(
    "deploy",
    "deploy <project> [branch or tag] [stage]",
    "Deploy a project, up to production unless you name a stage.",
    Role.USER,
    deploy,
)
