"""`/sciclops rotate <project> [stage|all]`: new keys for a project, without downtime."""

from commands.command import Answer, Command, Request, Role, Services, Start, required_word, tell
from provisioning.errors import UserError
from provisioning.living import ready
from provisioning.owners import Owners
from provisioning.project import STAGES, ProjectSpec
from provisioning.rotation import ALL, chosen, is_stage, renewing
from provisioning.tables import ProjectRow
from provisioning.text import say

NOTHING_TO_ROTATE = (
    "There is nothing to rotate: workflows of {project} log in to Databricks with GitHub's own "
    "tokens, which live for minutes, and no key exists. "
)


def rotate(request: Request, services: Services) -> Answer:
    """Begin a rotation; where no keys exist, check what stands in for them."""
    project = ready(services.store, required_word(request, "project", "its name"))
    stage = request.word(2).lower() or ALL
    if not is_stage(stage) or len(request.words) > 3:
        stages = ", ".join((*STAGES, ALL))
        raise UserError(f"Say one of {stages}, or nothing for all of them. Nothing was changed.")
    spec = ProjectSpec.model_validate(project.spec)
    owners = Owners(services.store, services.people, services.policy)
    owners.require(spec, request.who, "rotate", "rotates its keys")
    if services.policy.authentication != "secret":
        return federation(project, spec, services)
    names = chosen(services.policy.identities(spec), stage)
    said = say(
        f"New keys for {', '.join(names)} are on their way; the channel shows how it goes. "
        "Deployments go on meanwhile."
    )
    return Start(spec, said, kind="rotate_keys", facts=renewing(names))


def federation(project: ProjectRow, spec: ProjectSpec, services: Services) -> Answer:
    """Say that there is nothing to rotate, and whether exactly GitHub's tokens log in."""
    nothing = NOTHING_TO_ROTATE.format(project=spec.name)
    findings = services.workspaces.federation(spec, project.outputs)
    wrong = [finding for finding in findings if not finding.passed]
    if not wrong:
        many = len(findings)
        return tell(f"{nothing}All {many} federation policies are as they should be.")
    lines = [say(f"{one.check}: {one.detail} {one.remedy}") for one in wrong]
    count = f"{len(wrong)} of {len(findings)} federation policies are not as they should be:"
    return tell(f"{nothing}{count}", *lines)


COMMAND = Command(
    "rotate",
    "rotate <project> [stage|all]",
    "Give a project new keys, without downtime.",
    Role.USER,
    rotate,
)
