"""What the bot answers itself of a template's questions: all that follows from the project's form.

What is the same for every project of an installation, e.g. its organisation, the `Templates` port
knows by itself.
"""

from collections.abc import Mapping

from provisioning.delivery import Delivery
from provisioning.project import STAGES, ProjectSpec
from provisioning.questions import Answer

USUAL = Delivery()


def starter_answers(
    spec: ProjectSpec,
    catalogs: Mapping[str, Mapping[str, str]],
    delivery: Delivery = USUAL,
) -> dict[str, Answer]:
    """Return the answers by question; a bundle target is an environment's name in small letters.

    `catalogs` are those of each group's stages. Its order is that of deployments: groups that were
    chosen in another order travel in this one, and groups that it doesn't have are left out.
    """
    groups = [group for group in catalogs if group in spec.workspace_groups]
    environments = sorted(
        (each for each in spec.environments() if each.group in groups),
        key=lambda each: (STAGES.index(each.stage), groups.index(each.group)),
    )
    targets = {each.name.lower(): catalogs[each.group][each.stage] for each in environments}
    gated = [each.name.lower() for each in environments if each.stage in delivery.gated_stages]
    return {
        "project_name": spec.name,
        "github_team": spec.github_team,
        "targets": ",".join(f"{target}={catalog}" for target, catalog in targets.items()),
        "gated_targets": ",".join(gated),
        "groups": ",".join(groups) if len(groups) > 1 else "",
        "gated_stages": ",".join(stage for stage in STAGES if stage in delivery.gated_stages),
        "authentication": delivery.authentication,
    }
