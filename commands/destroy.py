"""`/sciclops destroy <project>`: show what is lost, have the name typed, and begin to remove it."""

from commands.command import (
    Answer,
    Command,
    Field,
    Form,
    Reply,
    Request,
    Role,
    Services,
    Start,
    required_word,
    tell,
    text,
)
from provisioning.errors import UserError
from provisioning.living import GOING, GONE, known, require_quiet
from provisioning.operation import DESTROY
from provisioning.owners import Owners
from provisioning.policy import needs_another, nobody_confirms
from provisioning.project import ProjectSpec
from provisioning.run_message import people
from provisioning.text import Button, Span, Text, bold, say

LOST = "Nothing brings this back:"


def destroy(request: Request, services: Services) -> Answer:
    """Ask for the project's name, typed; rights are checked when it opens and at submit."""
    name = required_word(request, "project", "its name")
    project = known(services.store, name)
    if project.state == GONE:
        return tell(f"{name} is gone already: nothing of it is left but its archived repository.")
    spec = ProjectSpec.model_validate(project.spec)
    owners = Owners(services.store, services.people, services.policy)
    owners.require(spec, request.who, "destroy")
    if project.state != "ready":
        return unready(name, project.state, services)
    require_possible(spec, request.who, services)
    typed = text(request.values or {}, "project")
    if request.values is None or request.draft:
        services.store.locks.require_open(name, request.who, "destroy")
        return form(spec, request.who, services, services.losses.of(spec))
    if typed != name:
        return form(spec, request.who, services, error=f"That is not its name: type {name}.")
    said = say("The destruction of ", bold(name), " is planned; its message shows how it goes.")
    return Start(spec, said, kind=DESTROY)


def require_possible(spec: ProjectSpec, who: str, services: Services) -> None:
    """Refuse while another run is under way, and where nobody could confirm."""
    require_quiet(services.store, spec.name)
    policy = services.policy
    if policy.confirmer(DESTROY, spec) != "nobody":
        able = services.people.active(policy.confirmers(spec, who, DESTROY), at_most=2)
        alone = needs_another(DESTROY, spec)
        confirmer = policy.confirmer(DESTROY, spec)
        if why := nobody_confirms(confirmer, able=able, requested_by=who, needs_another=alone):
            raise UserError(why)


def unready(name: str, state: str, services: Services) -> Reply:
    """Say how a project is removed that isn't ready, or goes already."""
    run = services.desk.find(name)
    if state == GOING:
        button = Button(label="Retry", words=("retry", run.id), style="primary")
        if run.may_be_retried:
            return tell(f"The destruction of {name} has stopped; Retry goes on.", buttons=(button,))
        return tell(f"{name} is being destroyed already; its message shows how it goes.")
    if run.may_be_cleaned_up:
        button = Button(label="Clean Up", words=("cleanup", run.id), style="danger")
        never = f"{name} never became ready: Clean Up removes what was made and frees the name."
        return tell(never, buttons=(button,))
    return tell(f"{name} is being made. Cancel its run, or wait for its end, and ask again.")


def form(
    spec: ProjectSpec, who: str, services: Services, lost: tuple[str, ...] = (), error: str = ""
) -> Form:
    """Return the dialog: what is lost, who has to confirm, and an input for the name."""
    return Form(
        title="Destroy project",
        submit="Destroy",
        words=("destroy", spec.name),
        intro=intro(spec, who, services, lost),
        fields=(Field("project", f"Type {spec.name} to confirm", "text", max_length=100),),
        errors={"project": error} if error else {},
    )


def intro(spec: ProjectSpec, who: str, services: Services, lost: tuple[str, ...]) -> Text:
    """Say what is lost, line by line, and what comes next."""
    parts: list[str | Span] = [bold(f"Destroy {spec.name}? {LOST}")]
    parts += [f"\n• {line}" for line in lost]
    asked = services.policy.confirmers(spec, who, DESTROY)
    if asked:
        parts += ["\nThe plan is shown first, and confirmed by ", *people(asked), "."]
    else:
        parts.append("\nIt begins at once.")
    return say(*parts)


COMMAND = Command(
    "destroy",
    "destroy <project>",
    "Destroy a project: what is deployed, its data, its environments; its repository is archived.",
    Role.ANYBODY,
    destroy,
    checks_first=True,
)
