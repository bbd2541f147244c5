"""`/sciclops new`: the form, its checks while typing and at submit, and the request it becomes."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date

from commands import command
from commands.command import (
    Command,
    Field,
    FieldKind,
    Form,
    Request,
    Role,
    Services,
    Start,
    Value,
    many,
    required,
    text,
)
from commands.project_fields import (
    OURS,
    data_fields,
    groups_field,
    people_fields,
    read_access,
    suggest,
    template_objections,
)
from provisioning.errors import UserError
from provisioning.ports import Redactor, Templates
from provisioning.project import ProjectSpec, Reviewer, template_title
from provisioning.questions import Answer, Choice, Question
from provisioning.sandbox_message import AT_THE_END
from provisioning.text import bold, say

LASTING, SANDBOX = "lasting", "sandbox"
ANSWER = "answer."
"""Prefix of the fields that ask a template's questions."""
Check = Callable[[], str]
Values = Mapping[str, Value]


def new(request: Request, services: Services) -> command.Answer:
    """Show the form, follow a draft, or check and start what was submitted."""
    if request.values is None:
        return form({"owners": (request.who,)}, services)
    if request.draft:
        return form(request.values, services, draft_errors(request.values, services))
    asked = shown(request.values, services)
    if secrets := secret_objections(asked, services.redact):
        return form(without(request.values, secrets), services, secrets)
    try:
        spec = read(asked, services)
    except UserError as bad:
        errors = {bad.field or "name": str(bad)} | draft_errors(asked, services)
        return form(request.values, services, errors)
    errors = services.policy.objections(spec, services.clock.now().date())
    errors = services.feasibility.objections(spec, request.who) | errors
    if errors := errors or template_objections(spec, services.policy, services.templates):
        return form(request.values, services, errors)
    return Start(spec, say("Your project ", bold(spec.name), " is on its way."))


def form(values: Values, services: Services, errors: Mapping[str, str] | None = None) -> Form:
    """Return the form with what has been filled in so far."""
    policy = services.policy
    templates = services.templates.names()
    template = text(values, "template") or simplest(services.templates)
    fields = (
        Field(
            "name",
            "Deploy name",
            "text",
            hint=f"{policy.naming.explanation}. It never changes.",
            live=True,
            max_length=100,
        ),
        *people_fields(policy),
        groups_field(policy),
        Field(
            "template",
            "Template",
            "choice",
            options=tuple(Choice(value=name, label=template_title(name)) for name in templates),
            initial=template,
            live=True,
        ),
        *question_fields(template, values, services.templates),
        *data_fields(policy),
        *lifetime_fields(values, services),
    )
    return Form(
        title="New project",
        submit="Create",
        words=("new",),
        fields=tuple(fill(field, values) for field in fields),
        errors=dict(errors or {}),
        kept=kept(values, fields, services.redact),
    )


def simplest(templates: Templates) -> str:
    """Return the template that asks least: what the form begins with."""
    return min(templates.names(), key=lambda name: (len(templates.questions(name)), name))


def kept(values: Values, fields: Iterable[Field], redact: Redactor) -> dict[str, Value]:
    """Return what is in fields that are not shown now, but for what looks like a secret."""
    return without(values, {*(field.name for field in fields), *secret_objections(values, redact)})


def shown(values: Values, services: Services) -> dict[str, Value]:
    """Return the values of what the form asks; others are kept for when it asks again."""
    names = {field.name for field in form(values, services).fields}
    return {name: value for name, value in values.items() if name in names}


def fill(field: Field, values: Values) -> Field:
    """Return the field with the value it had, if it had one."""
    return replace(field, initial=values.get(field.name, field.initial))


def question_fields(template: str, values: Values, templates: Templates) -> tuple[Field, ...]:
    """Return the fields that ask the questions which the answers so far leave open."""
    return tuple(map(question_field, templates.questions(template, answered(values))))


def answered(values: Values) -> dict[str, Answer]:
    """Return the answers to a template's questions as they were typed, ours among them."""
    fields = {name.removeprefix(ANSWER): name for name in values if name.startswith(ANSWER)}
    said = {name: text(values, field) for name, field in (fields | OURS).items()}
    groups = many(values, "workspace_groups")
    said["groups"] = ",".join(groups) if len(groups) > 1 else ""
    return {name: words for name, words in said.items() if words}


def question_field(question: Question) -> Field:
    """Return the field that asks a template's question.

    A choice that begins with its default always has an answer; what else is left empty means the
    default, and the hint says so.
    """
    options = question.options
    initial = "" if question.default is None else str(question.default)
    if question.answer_type == "yes_no":
        options = (Choice(value="yes", label="Yes"), Choice(value="no", label="No"))
        initial = "yes" if question.default is True else "no"
    always_answered = bool(options and initial)
    falls_back = question.optional and initial and not options
    fallback = f" Left empty, it is “{initial.rstrip('.')}”." if falls_back else ""
    kind: FieldKind = "number" if question.answer_type == "whole_number" else "text"
    return Field(
        ANSWER + question.name,
        question.title[:150],
        "choice" if options else kind,
        hint=f"{question.hint}{fallback}".strip(),
        options=options,
        initial=initial or None,
        optional=question.optional and not always_answered,
        live=question.decides,
    )


def lifetime_fields(values: Values, services: Services) -> tuple[Field, ...]:
    """Return the fields about how long the project lives."""
    lifetime = text(values, "lifetime") or LASTING
    options = (
        Choice(value=LASTING, label="Lasting project"),
        Choice(value=SANDBOX, label="Sandbox with an end date"),
    )
    fields = [Field("lifetime", "Lifetime", "choice", options=options, initial=lifetime, live=True)]
    if lifetime == SANDBOX:
        end = services.clock.now().date() + services.policy.sandbox_default
        most = services.policy.sandbox_maximum.days
        hint = f"At most {most} days from today. {AT_THE_END}"
        fields.append(
            Field("sandbox_until", "Sandbox until", "date", hint=hint, initial=end.isoformat())
        )
    return tuple(fields)


def secret_objections(values: Values, redact: Redactor) -> dict[str, str]:
    """Refuse what looks like a secret: answers end up in files, messages and our database."""
    said = {name: value for name, value in values.items() if isinstance(value, str)}
    return {
        name: "This looks like a secret. Never put one into a form; if it is real, revoke it."
        for name, value in said.items()
        if redact(value) != value
    }


def without(values: Values, fields: Collection[str]) -> dict[str, Value]:
    """Return the values without those of some fields."""
    return {name: value for name, value in values.items() if name not in fields}


def draft_errors(values: Values, services: Services) -> dict[str, str]:
    """Check what is known while the form is still being filled: the name, mostly."""
    name = text(values, "name")
    if not name:
        return {}
    objection = services.policy.naming.objection(name) or services.feasibility.taken(name)
    return {"name": objection} if objection else {}


def read(values: Values, services: Services) -> ProjectSpec:
    """Turn the form's values into a request; raises UserError on the field that cannot be read."""
    template = text(values, "template")
    return ProjectSpec(
        name=text(values, "name"),
        owners=many(values, "owners"),
        managed_group=required(values, "managed_group", "Choose the group of your team."),
        github_team=required(values, "github_team", "Choose the team that writes the code."),
        reviewers=tuple(Reviewer.read(word) for word in many(values, "reviewers")),
        workspace_groups=many(values, "workspace_groups"),
        template=template,
        answers=read_answers(template, values, services.templates),
        data_access=tuple(read_access(word) for word in many(values, "data_access")),
        sandbox_until=read_end(values),
    )


def read_answers(template: str, values: Values, templates: Templates) -> dict[str, Answer]:
    """Return the answers to the template's questions; raises UserError on the field of one."""
    known = answered(values)
    questions = templates.questions(template, known)
    fields = {question.name: ANSWER + question.name for question in questions} | OURS
    given: dict[str, Answer] = {}
    try:
        for question in questions:
            if question.name in known or not question.optional:
                given[question.name] = question.read(text(values, ANSWER + question.name))
        templates.check(template, given | {name: known[name] for name in OURS if name in known})
    except UserError as bad:
        raise UserError(str(bad), field=fields.get(bad.field or "", "template")) from bad
    return given


def read_end(values: Values) -> date | None:
    """Return the sandbox's end date, or None for a lasting project."""
    if text(values, "lifetime") != SANDBOX:
        return None
    try:
        return date.fromisoformat(text(values, "sandbox_until"))
    except ValueError:
        raise UserError("A sandbox needs an end date.", field="sandbox_until") from None


COMMAND = Command("new", "new", "Ask for a new project.", Role.USER, new, suggest)
