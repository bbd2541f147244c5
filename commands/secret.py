"""`/sciclops secret add|set|remove|list <project> <NAME>`: a project's own secrets.

A value is entered in a dialog and nowhere else: what is typed into a command is in Slack's history.
"""

from collections.abc import Callable, Mapping

from pydantic import SecretStr

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
    many,
    tell,
    text,
)
from provisioning.errors import UserError
from provisioning.operation import Operation
from provisioning.operation_kinds import ADD_SECRET, REMOVE_SECRET
from provisioning.ports import Choice
from provisioning.project import STAGES, ProjectSecret, ProjectSpec
from provisioning.project_secrets import (
    MOST_CHARACTERS,
    begun,
    environments_of,
    objection_in,
    secret_of,
    with_secret,
    without_values,
)
from provisioning.secret_list import secret_list
from provisioning.secret_message import NEVER_KEPT, listed
from provisioning.text import Text, bold, code, say

NAME, STAGES_FIELD, VALUE = "name", "stages", "value"
USAGE = "secret add|set|remove|list <project> [NAME]"
LEAKED = (
    "Nothing was done. After the project comes one name, in capital letters, digits and "
    "underscores, and nothing else. If what you typed there is a value, consider it leaked: Slack "
    "has it. Change it where it comes from, and enter the new one in the dialog. None of it was "
    "kept here. The command is: "
)
IN_EVERY_STAGE = "is in every stage already; set gives it another value."
FORGOTTEN = (
    "I was restarted before the value was written everywhere, and values are never kept here. "
    "Please enter it again."
)


def secret(request: Request, services: Services) -> Answer:
    """Do what the second word says; rights are checked when a form opens and at submit."""
    usage = code(f"/sciclops {USAGE}")
    if "" in without_values(request.words):
        raise UserError(say(LEAKED, usage, "."))
    if not request.word(2):
        raise UserError(say("Say what to do and with which project: ", usage, "."))
    return DOING[request.word(1).lower()](request, services)


# ---------------------------------------------------------------------- add


def add(request: Request, services: Services) -> Answer:
    """Ask where the secret is wanted, and plan its places there."""
    spec = services.secrets.changeable(request.word(2), request.who)
    if request.values is None:
        missing = missing_stages(spec, request.word(3))
        if not missing:
            raise UserError(f"{request.word(3)} {IN_EVERY_STAGE}")
        return add_form(spec, request.word(3), missing)
    name, stages = text(request.values, NAME), many(request.values, STAGES_FIELD)
    if errors := objections(spec, name, stages):
        return add_form(spec, name, stages, errors)
    known = secret_of(spec, name)
    there = tuple(each for each in STAGES if each in (*stages, *(known.stages if known else ())))
    new = environments_of(spec, stages)
    said = say("The place of ", code(name), " in ", bold(spec.name), " is planned. You enter the ")
    said += say("value once it is made: its message has a button for that.")
    facts = begun(name, [each for each in STAGES if each in stages], new)
    return Start(with_secret(spec, name, there), said, kind=ADD_SECRET.name, facts=facts)


def missing_stages(spec: ProjectSpec, name: str) -> tuple[str, ...]:
    """Return the stages that don't have a secret yet."""
    known = secret_of(spec, name)
    return tuple(each for each in STAGES if known is None or each not in known.stages)


def objections(spec: ProjectSpec, name: str, stages: tuple[str, ...]) -> dict[str, str]:
    """Return what stands in the way of a new secret, by field."""
    missing = missing_stages(spec, name)
    found = {
        NAME: objection_in(spec, name) or ("" if missing else f"{name} {IN_EVERY_STAGE}"),
        STAGES_FIELD: "" if stages else "Choose at least one stage.",
    }
    if missing and (had := [each.capitalize() for each in stages if each not in missing]):
        found[STAGES_FIELD] = f"{name} is in {listed(had)} already; set gives it another value."
    return {field: sentence for field, sentence in found.items() if sentence}


def add_form(
    spec: ProjectSpec, name: str, stages: tuple[str, ...], errors: Mapping[str, str] | None = None
) -> Form:
    """Return the dialog that asks for a name and stages: no value is asked for yet."""
    hint = "Capital letters, digits and underscores: jobs and workflows ask for it by this name."
    return Form(
        title="Add secret",
        submit="Plan Secret",
        words=("secret", "add", spec.name),
        intro=say(
            bold(spec.name),
            " gets a place for it in Databricks and at GitHub. The plan comes first; once it is "
            "applied, you enter the value.",
        ),
        fields=(
            Field(NAME, "Name", "text", hint=hint, initial=name or None, max_length=100),
            stages_field(STAGES, stages),
        ),
        errors=errors or {},
    )


def stages_field(possible: tuple[str, ...], chosen: tuple[str, ...]) -> Field:
    """Return the field that asks for stages."""
    options = tuple(Choice(value=each, label=each.capitalize()) for each in possible)
    return Field(STAGES_FIELD, "Stages", "choices", options=options, initial=chosen)


# ---------------------------------------------------------------------- set


def set_value(request: Request, services: Services) -> Answer:
    """Ask for a value, and write it: what is submitted is never stored."""
    spec = services.secrets.changeable(request.word(2), request.who)
    known = services.secrets.find(spec, required_name(request, spec))
    waiting = services.secrets.waiting(spec.name, known.name)
    if request.values is None:
        return value_form(spec, known, lacking_stages(spec, known, waiting))
    stages, value = many(request.values, STAGES_FIELD), request.values.get(VALUE)
    if not isinstance(value, SecretStr):
        raise UserError(FORGOTTEN)
    entered = SecretStr(value.get_secret_value().strip())
    errors = {
        VALUE: "" if entered.get_secret_value() else "Enter a value: there is none but spaces.",
        STAGES_FIELD: "" if set(stages) <= {*known.stages} and stages else "Choose its stages.",
    }
    if wrong := {field: sentence for field, sentence in errors.items() if sentence}:
        return value_form(spec, known, stages, wrong)
    key, who = request.key, request.who
    run = services.secrets.put(spec, known.name, stages, entered, by=who, key=key)
    return tell(*outcome(run))


def required_name(request: Request, spec: ProjectSpec) -> str:
    """Return the name that was typed, or raise UserError with those there are."""
    if name := request.word(3):
        return name
    known = ", ".join(each.name for each in spec.secrets) or "it has none yet"
    raise UserError(f"Which secret of {spec.name}? Type its name, too: {known}.")


def lacking_stages(
    spec: ProjectSpec, known: ProjectSecret, waiting: Operation | None
) -> tuple[str, ...]:
    """Return the stages that wait for a value, or all that have the secret."""
    work = waiting.facts.secret if waiting else None
    lacking = work.lacking if work else ()
    stages = {each.stage for each in spec.environments() if each.name in lacking}
    return tuple(each for each in known.stages if each in stages) or known.stages


def value_form(
    spec: ProjectSpec,
    known: ProjectSecret,
    stages: tuple[str, ...],
    errors: Mapping[str, str] | None = None,
) -> Form:
    """Return the dialog that asks for a value, and for the stages that get it."""
    hint = f"At most {MOST_CHARACTERS} characters; spaces and line breaks around it are left out."
    return Form(
        title="Enter value",
        submit="Store Value",
        words=("secret", "set", spec.name, known.name),
        intro=say(code(known.name), " of ", bold(spec.name), f". {NEVER_KEPT}"),
        fields=(
            stages_field(known.stages, stages),
            Field(VALUE, "Value", "secret", hint=hint, focused=True, max_length=MOST_CHARACTERS),
        ),
        errors=errors or {},
    )


def outcome(run: Operation) -> tuple[Text, ...]:
    """Say where the value is now, for whoever entered it."""
    work = run.facts.secret
    if work is None:
        return (say("Its message says how it stands."),)
    if work.trouble:
        again = code(f"/sciclops secret set {run.project} {work.name}")
        return (say(bold("Not stored everywhere. "), work.trouble), say("That is ", again, "."))
    stored = say(code(work.name), f" is stored in {listed(work.written)}, and forgotten here.")
    rest = f"{listed(work.lacking)} still wait for a value." if work.lacking else ""
    return (stored, say(rest)) if rest else (stored,)


# ---------------------------------------------------------------------- remove and list


def remove(request: Request, services: Services) -> Answer:
    """Plan the removal of a secret's places, and with them of its values."""
    spec = services.secrets.changeable(request.word(2), request.who)
    known = services.secrets.find(spec, required_name(request, spec))
    said = say("The removal of ", code(known.name), " is planned. Its values go with it, and ")
    said += say("nobody has them here.")
    facts = begun(known.name, known.stages, environments_of(spec, known.stages))
    wanted = with_secret(spec, known.name, ())
    return Start(wanted, said, kind=REMOVE_SECRET.name, facts=facts)


def show(request: Request, services: Services) -> Reply:
    """List names, stages and when values were written, as the vendors say now."""
    spec = services.secrets.spec(request.word(2))
    return Reply(secret_list(spec, services.secrets.dates, services.vendors))


DOING: Mapping[str, Callable[[Request, Services], Answer]] = {
    "add": add,
    "set": set_value,
    "remove": remove,
    "list": show,
}

COMMAND = Command(
    "secret",
    USAGE,
    "Give a project secrets of its own; values are entered in a dialog.",
    Role.USER,
    secret,
    keeps=without_values,
)
