"""`/sciclops reconcile <project>`: plan back what has drifted; nothing is applied unasked."""

from commands.command import Answer, Command, Request, Role, Services, Start, required_word
from provisioning.operation_kinds import RECONCILE
from provisioning.text import say


def reconcile(request: Request, services: Services) -> Answer:
    """Begin the run; who may stop the project's runs may begin this one."""
    project = required_word(request, "project", "its name")
    spec = services.drift.may_reconcile(project, request.who)
    said = f"Terraform plans {project} back to what was asked for. Its run appears in the channel."
    return Start(spec, say(said), kind=RECONCILE.name)


COMMAND = Command(
    "reconcile",
    "reconcile <project>",
    "Plan back what has drifted, and apply it once that is confirmed.",
    Role.USER,
    reconcile,
)
