"""The parts of a project's form that can be asked again later: its people, its places, its data."""

from commands.command import Field, Services
from provisioning.errors import UserError
from provisioning.policy import Policy
from provisioning.ports import Templates
from provisioning.project import AccessLevel, DataAccess, ProjectSpec
from provisioning.questions import Choice
from provisioning.starter import starter_answers

LEVELS: dict[str, AccessLevel] = {"read": "read", "write": "write"}
OURS = {"project_name": "name", "github_team": "github_team"}
"""Questions of templates that other fields of the form answer."""
FROM_GROUPS = ("targets", "gated_targets", "groups")
"""Questions whose answers follow from the workspace groups."""


def people_fields(policy: Policy) -> tuple[Field, ...]:
    """Return the fields that ask who owns, writes and releases."""
    gates = " and ".join(policy.gated_stages) or "gated stages"
    return (
        Field(
            "owners",
            "Project owners",
            "people",
            hint="They may confirm, cancel, retry and clean up.",
        ),
        Field(
            "managed_group",
            "Managed team AAD group",
            "search",
            hint="The Databricks account group whose members work on the project.",
        ),
        Field(
            "github_team", "GitHub team", "search", hint="The team that writes the code.", live=True
        ),
        Field(
            "reviewers",
            "GitHub reviewers",
            "searches",
            hint=f"Up to 6 teams or people who may release {gates}; one of them suffices.",
            optional=not policy.gated_stages,
        ),
    )


def groups_field(policy: Policy) -> Field:
    """Return the field that asks where the project lives."""
    return Field(
        "workspace_groups",
        "Workspace groups",
        "choices",
        options=tuple(
            Choice(value=name, label=f"{name} · {title}" if title else name)
            for name, title in policy.workspace_groups.items()
        ),
    )


def data_fields(policy: Policy, present: tuple[DataAccess, ...] = ()) -> tuple[Field, ...]:
    """Return the field that asks for data access, where any may be requested or is `present`."""
    offered = data_options(policy)
    known = {choice.value for choice in offered}
    kept = (data_option(one) for one in present)
    options = (*offered, *(choice for choice in kept if choice.value not in known))
    if not options:
        return ()
    few = len(options) <= 100
    return (
        Field(
            "data_access",
            "Data access",
            "choices" if few else "searches",
            hint="The owner of the data is asked before anything is granted.",
            options=options if few else (),
            optional=True,
        ),
    )


def data_options(policy: Policy) -> tuple[Choice, ...]:
    """Return everything that may be requested, one choice for each level."""
    return tuple(
        data_option(DataAccess(securable=entry.securable, level=level))
        for entry in policy.data
        for level in entry.levels
    )


def data_option(access: DataAccess) -> Choice:
    """Return the choice that stands for an access."""
    return Choice(
        value=f"{access.securable}|{access.level}", label=f"{access.securable} · {access.level}"
    )


def read_access(word: str) -> DataAccess:
    """Read `catalog.schema|read`."""
    securable, _, level = word.partition("|")
    if level not in LEVELS:
        raise UserError(f"{word} cannot be requested here.", field="data_access")
    return DataAccess(securable=securable, level=LEVELS[level])


def template_objections(spec: ProjectSpec, policy: Policy, templates: Templates) -> dict[str, str]:
    """Ask the template whether it will do with all that follows from the rest of the form."""
    known = starter_answers(spec, policy.catalogs, policy)
    fields = OURS | dict.fromkeys(FROM_GROUPS, "workspace_groups")
    try:
        templates.check(spec.template, {**spec.answers, **known})
    except UserError as bad:
        return {fields.get(bad.field or "", "template"): str(bad)}
    return {}


def suggest(field: str, query: str, services: Services) -> tuple[Choice, ...]:
    """Return the options of a type-ahead field."""
    if field == "managed_group":
        return services.workspaces.search_groups(query)
    if field == "github_team":
        return services.repositories.search_teams(query)
    if field == "reviewers":
        return services.repositories.search_reviewers(query)
    if field == "data_access":
        found = [o for o in data_options(services.policy) if query.lower() in o.label.lower()]
        return tuple(found[:100])
    return ()
