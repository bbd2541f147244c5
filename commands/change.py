"""`/sciclops change <project>`: the form of `new` with what a project has, and what it becomes."""

from collections.abc import Mapping
from dataclasses import replace

from commands.command import (
    STATES,
    Answer,
    Command,
    Field,
    Form,
    Request,
    Role,
    Services,
    Start,
    Value,
    many,
    required,
    required_word,
)
from commands.project_fields import (
    data_fields,
    groups_field,
    people_fields,
    read_access,
    suggest,
    template_objections,
)
from provisioning.errors import UserError
from provisioning.living import known, require_quiet
from provisioning.operation import CHANGE
from provisioning.owners import Owners
from provisioning.project import ProjectSpec, Reviewer
from provisioning.questions import Choice
from provisioning.spec_change import (
    CHANGED_MEANWHILE,
    data_to_ask_for,
    fingerprint,
    groups_objection,
    with_changes,
)
from provisioning.text import bold, say

NOT_READY = "Only a project that is ready can be changed."
Values = Mapping[str, Value]


def change(request: Request, services: Services) -> Answer:
    """Show what a project has, or check and start what was submitted; rights are checked anew."""
    name = required_word(request, "project", "its name")
    before = present(name, services)
    owners = Owners(services.store, services.people, services.policy)
    owners.require(before, request.who, "change", "can change it")
    if request.values is None:
        require_quiet(services.store, name)
        return form(before, values_of(before), services)
    if request.draft:
        return form(before, request.values, services)
    if request.word(2) != fingerprint(before):
        raise UserError(CHANGED_MEANWHILE.format(project=name))
    try:
        wanted = with_changes(before, read(before, request.values))
    except UserError as bad:
        return form(before, request.values, services, {bad.field or "owners": str(bad)})
    if errors := objections(before, wanted, request.who, services):
        return form(before, request.values, services, errors)
    said = say("The change of ", bold(name), " is on its way: its plan comes first.")
    return Start(wanted, said, kind=CHANGE, facts={"before": before.model_dump(mode="json")})


def present(name: str, services: Services) -> ProjectSpec:
    """Return what a project is like now; raises UserError unless there is one that is ready."""
    project = known(services.store, name)
    if project.state != "ready":
        state = STATES.get(project.state, project.state)
        raise UserError(f"{NOT_READY} {name} is {state}. Nothing was changed.")
    return ProjectSpec.model_validate(project.spec)


def values_of(spec: ProjectSpec) -> dict[str, Value]:
    """Return what the form begins with."""
    return {
        "owners": spec.owners,
        "managed_group": spec.managed_group,
        "github_team": spec.github_team,
        "reviewers": tuple(f"{one.kind}:{one.name}" for one in spec.reviewers),
        "workspace_groups": spec.workspace_groups,
        "data_access": tuple(f"{one.securable}|{one.level}" for one in spec.data_access),
    }


def form(
    before: ProjectSpec, values: Values, services: Services, errors: Mapping[str, str] | None = None
) -> Form:
    """Return the form with what has been filled in so far."""
    policy = services.policy
    groups = replace(groups_field(policy), hint="None can be removed: that would destroy its data.")
    fields = (*people_fields(policy), groups, *data_fields(policy, before.data_access))
    return Form(
        title="Change project",
        submit="Plan Change",
        words=("change", before.name, fingerprint(before)),
        intro=say(bold(before.name), " keeps its name, its template and its data."),
        fields=tuple(fill(field, values) for field in fields),
        errors=shown(errors or {}, fields),
    )


def fill(field: Field, values: Values) -> Field:
    """Return the field with the value it had; nothing here follows a draft."""
    filled = replace(field, initial=values.get(field.name, field.initial), live=False)
    if field.name != "reviewers":
        return filled
    return replace(filled, options=tuple(map(reviewer_option, many(values, "reviewers"))))


def reviewer_option(word: str) -> Choice:
    """Return what people read for `team:ml-reviewers`."""
    kind, _, name = word.partition(":")
    return Choice(value=word, label=f"Team {name}" if kind == "team" else name)


def shown(errors: Mapping[str, str], fields: tuple[Field, ...]) -> dict[str, str]:
    """Return the errors by field; what belongs to none of these is said at the first one."""
    names = [field.name for field in fields]
    first = names[0]
    elsewhere = [sentence for name, sentence in errors.items() if name not in names]
    here = {name: sentence for name, sentence in errors.items() if name in names}
    return here | (
        {first: " ".join([*elsewhere, here.get(first, "")]).strip()} if elsewhere else {}
    )


def read(before: ProjectSpec, values: Values) -> ProjectSpec:
    """Turn the form's values into a request; raises UserError on the field that cannot be read."""
    return before.model_copy(
        update={
            "owners": many(values, "owners"),
            "managed_group": required(values, "managed_group", "Choose the group of your team."),
            "github_team": required(values, "github_team", "Choose the team that writes the code."),
            "reviewers": tuple(Reviewer.read(word) for word in many(values, "reviewers")),
            "workspace_groups": many(values, "workspace_groups"),
            "data_access": tuple(read_access(word) for word in many(values, "data_access")),
        }
    )


def objections(
    before: ProjectSpec, wanted: ProjectSpec, who: str, services: Services
) -> dict[str, str]:
    """Return what stands in the way; what a project has already may be kept as it is."""
    policy = services.policy
    new = tuple(data_to_ask_for(before, wanted, policy.catalogs))
    asked = wanted.model_copy(update={"data_access": new})
    today = services.clock.now().date()
    errors = {
        name: sentence
        for name, sentence in policy.objections(asked, today).items()
        if name not in ("name", "sandbox_until")
    }
    if refused := doubled(wanted) or groups_objection(before, wanted):
        errors |= {"data_access" if doubled(wanted) else "workspace_groups": refused}
    errors = services.feasibility.objections_to_change(before, wanted, who) | errors
    return errors or template_objections(wanted, policy, services.templates)


def doubled(spec: ProjectSpec) -> str:
    """Refuse two levels of access to the same data."""
    securables = [access.securable for access in spec.data_access]
    twice = next((one for one in securables if securables.count(one) > 1), "")
    return f"Ask for {twice} once: write includes read." if twice else ""


COMMAND = Command(
    "change",
    "change <project>",
    "Change owners, teams, reviewers, groups or data access.",
    Role.USER,
    change,
    suggest,
)
