"""`databricks_template_schema.json`: a template's questions and the answers that it accepts."""

import json
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from provisioning.adapters.bundle_templates import go_regexp
from provisioning.adapters.bundle_templates.bugs import RefusedError, TemplateError
from provisioning.adapters.bundle_templates.conditions import (
    Condition,
    PropertyType,
    identical,
    is_of_type,
)
from provisioning.errors import UserError
from provisioning.questions import Answer, AnswerType, Choice, Question

SCHEMA_FILE = "databricks_template_schema.json"
MAXIMUM_ANSWER = 3000

BOT_ANSWERS = frozenset(
    (
        *("project_name", "organisation", "github_team", "platform_repository", "platform_team"),
        *("targets", "gated_targets", "groups", "gated_stages", "authentication"),
    )
)
"""Properties that the bot answers itself; they never become questions."""

Expand = Callable[[str, Mapping[str, Answer]], str]
"""Renders a default or a description over the answers given so far."""

_NO_CONDITION = (
    "databricks bundle init takes no notice of this; a condition has properties, required, anyOf "
    "and additionalProperties, an answer's rule has type, const, enum and pattern"
)
_SPOKEN = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "yes or no",
}


class Property(BaseModel):
    """One input variable of a template."""

    model_config = ConfigDict(frozen=True)
    type: PropertyType
    description: str = ""
    default: Answer | None = None
    enum: tuple[Answer, ...] = ()
    pattern: str = ""
    pattern_match_failure_message: str = ""
    order: int | None = None
    skip_prompt_if: Condition | None = None

    def is_needless(self, answers: Mapping[str, Answer]) -> bool:
        """Tell whether the answers so far make the question needless."""
        return self.skip_prompt_if is not None and self.skip_prompt_if.holds(answers)


class Schema(BaseModel):
    """A template's schema file; unknown keys are left to newer versions of the CLI."""

    model_config = ConfigDict(frozen=True)
    properties: dict[str, Property] = {}
    template_dir: str = ""
    welcome_message: str = ""
    success_message: str = ""
    min_databricks_cli_version: str = ""

    def ordered(self) -> list[tuple[str, Property]]:
        """Return the properties in the order they are asked: by `order`, then by name."""
        return sorted(
            self.properties.items(),
            key=lambda item: (item[1].order is None, item[1].order or 0, item[0]),
        )


def read_schema(folder: Path) -> Schema:
    """Read and check the schema of a template; raises `TemplateError`."""
    file = f"{folder.name}/{SCHEMA_FILE}"
    try:
        schema = Schema.model_validate(json.loads((folder / SCHEMA_FILE).read_text("utf-8")))
    except json.JSONDecodeError as broken:
        raise TemplateError(file, broken.lineno, f"not valid JSON: {broken.msg}") from broken
    except ValidationError as bad:
        raise TemplateError(file, 1, _first_complaint(bad)) from bad
    except (OSError, UnicodeDecodeError) as broken:
        raise TemplateError(file, 1, f"cannot be read: {broken}") from broken
    for name, about in schema.properties.items():
        _check_property(file, name, about)
    _check_conditions(file, schema)
    return schema


def _first_complaint(bad: ValidationError) -> str:
    error = bad.errors(include_url=False, include_input=False)[0]
    what = _NO_CONDITION if error["type"] == "extra_forbidden" else error["msg"]
    return f"{'.'.join(str(part) for part in error['loc'])}: {what}"


def _check_property(file: str, name: str, about: Property) -> None:
    if about.default is not None and not is_of_type(about.type, about.default):
        raise TemplateError(file, 1, f"the default of {name} is not of type {about.type}")
    for option in about.enum:
        if not is_of_type(about.type, option):
            raise TemplateError(file, 1, f"enum value {option!r} of {name} is no {about.type}")
    try:
        go_regexp.compiled(about.pattern)
    except RefusedError as refusal:
        raise TemplateError(file, 1, f"the pattern of {name} is refused: {refusal}") from refusal


def _check_conditions(file: str, schema: Schema) -> None:
    earlier: dict[str, PropertyType] = {}
    for name, about in schema.ordered():
        if about.skip_prompt_if and about.default is None:
            raise TemplateError(file, 1, f"{name} has a skip_prompt_if, but no default")
        if about.skip_prompt_if and (why := about.skip_prompt_if.objection(earlier)):
            raise TemplateError(file, 1, f"the skip_prompt_if of {name}: {why}")
        earlier[name] = about.type


def refuse_unknown(schema: Schema, given: Mapping[str, object]) -> None:
    """Raise `UserError` if there is an answer to a question that is not asked."""
    unknown = sorted(set(given) - set(schema.properties) - BOT_ANSWERS)
    if unknown:
        raise UserError(f"the template asks no question {unknown[0]!r}", field=unknown[0])


def complete(schema: Schema, given: Mapping[str, object], expand: Expand) -> dict[str, Answer]:
    """Check the given answers and add the defaults of the others.

    Answers to questions that are not asked are ignored, as the CLI does: a later version of a
    template may have dropped a question. What is given stands even where the question is needless,
    and a needless question's default is not checked: nobody could mend it. Raises `UserError` with
    the question's name as its field.
    """
    answers: dict[str, Answer] = {}
    for name, about in schema.ordered():
        if name in given:
            answers[name] = check_answer(name, about, given[name])
            continue
        value = _default(name, about, answers, expand)
        unasked = about.is_needless(answers)
        answers[name] = _typed(about, value) if unasked else check_answer(name, about, value)
    return answers


def _default(name: str, about: Property, answers: Mapping[str, Answer], expand: Expand) -> Answer:
    if about.default is None:
        raise UserError(f"{_title(name, about)}: please answer", field=name)
    return expand(about.default, answers) if isinstance(about.default, str) else about.default


def check_answer(name: str, about: Property, value: object) -> Answer:
    """Return the value if the question accepts it; raises `UserError` with its field."""
    title = _title(name, about)
    if not is_of_type(about.type, value):
        raise UserError(f"{title}: please give {_SPOKEN[about.type]}", field=name)
    assert isinstance(value, str | int | float)
    if isinstance(value, str):
        _check_text(name, title, value)
    if about.enum and not any(identical(value, option) for option in about.enum):
        options = ", ".join(str(option) for option in about.enum)
        raise UserError(f"{title}: please choose one of {options}", field=name)
    if isinstance(value, str) and not go_regexp.search(about.pattern, value):
        wish = about.pattern_match_failure_message or f"it must match {about.pattern}"
        raise UserError(f"{title}: {wish}", field=name)
    return _typed(about, value)


def _typed(about: Property, value: Answer) -> Answer:
    return float(value) if about.type == "number" else value


def _check_text(name: str, title: str, value: str) -> None:
    if len(value) > MAXIMUM_ANSWER:
        raise UserError(f"{title}: at most {MAXIMUM_ANSWER} characters, please", field=name)
    if any(unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t" for char in value):
        raise UserError(f"{title}: no control characters, please", field=name)


def _title(name: str, about: Property) -> str:
    first = about.description.strip().partition("\n")[0]
    return first or name.replace("_", " ").capitalize()


def questions(schema: Schema, given: Mapping[str, Answer], expand: Expand) -> tuple[Question, ...]:
    """Return what is to be asked, given the answers so far; needless questions are left out.

    A needless question has its default, whatever was answered while it was asked. Texts are read
    in the question's type; what cannot be read is as good as no answer.
    """
    deciding = _deciding(schema)
    answers: dict[str, Answer] = {}
    found: list[Question] = []
    for place, (name, about) in enumerate(schema.ordered()):
        default = _shown_default(about, answers, expand)
        question = _question(name, about, place, default, decides=name in deciding)
        is_needless = name not in BOT_ANSWERS and about.is_needless(answers)
        if name not in BOT_ANSWERS and not is_needless:
            found.append(question)
        answer = None if is_needless else _understood(question, given.get(name))
        if (known := default if answer is None else answer) is not None:
            answers[name] = known
    return tuple(found)


def _deciding(schema: Schema) -> frozenset[str]:
    """Return the questions whose answers decide whether another is asked.

    Where one of them has a default made of other answers, these may decide as well.
    """
    conditions = [about.skip_prompt_if for about in schema.properties.values()]
    names = frozenset[str]().union(*(each.names() for each in conditions if each))
    ordered = [name for name, _ in schema.ordered()]
    made = [ordered.index(name) for name in names if "{{" in str(schema.properties[name].default)]
    return names.union(ordered[: max(made, default=0)])


def _understood(question: Question, given: Answer | None) -> Answer | None:
    if not isinstance(given, str):
        return given
    try:
        return question.read(given)
    except UserError:
        return None


def _shown_default(about: Property, answers: Mapping[str, Answer], expand: Expand) -> Answer | None:
    if not isinstance(about.default, str):
        return about.default
    try:
        return expand(about.default, answers)
    except TemplateError:
        return None  # It depends on an answer that is not given yet.


def _question(
    name: str, about: Property, place: int, default: Answer | None, *, decides: bool
) -> Question:
    types: dict[str, AnswerType] = {
        "string": "text",
        "integer": "whole_number",
        "number": "number",
        "boolean": "yes_no",
    }
    rest = about.description.strip().partition("\n")[2].strip()
    return Question(
        name=name,
        title=_title(name, about),
        answer_type=types[about.type],
        options=tuple(Choice(value=str(each), label=str(each)) for each in about.enum),
        default=default,
        optional=about.default is not None,
        pattern=about.pattern,
        hint=rest or about.pattern_match_failure_message,
        order=place,
        decides=decides,
    )
