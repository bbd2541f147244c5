"""`databricks_template_schema.json`: a template's questions and the answers that it accepts."""

import json
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from provisioning.adapters.bundle_templates import go_regexp
from provisioning.adapters.bundle_templates.bugs import RefusedError, TemplateError
from provisioning.errors import UserError
from provisioning.questions import Answer, AnswerType, Choice, Question

SCHEMA_FILE = "databricks_template_schema.json"
MAXIMUM_ANSWER = 3000

BOT_ANSWERS = frozenset(
    ("project_name", "organisation", "github_team", "platform_repository", "platform_team")
)
"""Properties that the bot answers itself; they never become questions."""

Expand = Callable[[str, Mapping[str, Answer]], str]
"""Renders a default or a description over the answers given so far."""

_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str, "integer": int, "number": (int, float), "boolean": bool,
}  # fmt: skip
_SPOKEN = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "yes or no",
}


class Condition(BaseModel):
    """`skip_prompt_if`: constants that earlier answers are compared with."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    properties: dict[str, dict[Literal["const"], Answer]] = {}
    any_of: tuple["Condition", ...] = Field((), alias="anyOf")
    all_of: tuple["Condition", ...] = Field((), alias="allOf")

    def holds(self, answers: Mapping[str, Answer]) -> bool:
        """Tell whether the answers given so far satisfy the condition."""
        constants = all(
            name in answers and _identical(answers[name], rule["const"])
            for name, rule in self.properties.items()
        )
        some = not self.any_of or any(condition.holds(answers) for condition in self.any_of)
        return constants and some and all(condition.holds(answers) for condition in self.all_of)


class Property(BaseModel):
    """One input variable of a template."""

    model_config = ConfigDict(frozen=True)
    type: Literal["string", "integer", "number", "boolean"]
    description: str = ""
    default: Answer | None = None
    enum: tuple[Answer, ...] = ()
    pattern: str = ""
    pattern_match_failure_message: str = ""
    order: int | None = None
    skip_prompt_if: Condition | None = None

    def accepts_type(self, value: object) -> bool:
        """Tell whether a value has the property's type; truth values are no numbers."""
        is_bool = isinstance(value, bool)
        return isinstance(value, _TYPES[self.type]) and is_bool == (self.type == "boolean")


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
    return schema


def _first_complaint(bad: ValidationError) -> str:
    error = bad.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}"


def _check_property(file: str, name: str, about: Property) -> None:
    if about.default is not None and not about.accepts_type(about.default):
        raise TemplateError(file, 1, f"the default of {name} is not of type {about.type}")
    for option in about.enum:
        if not about.accepts_type(option):
            raise TemplateError(file, 1, f"enum value {option!r} of {name} is no {about.type}")
    try:
        go_regexp.compiled(about.pattern)
    except RefusedError as refusal:
        raise TemplateError(file, 1, f"the pattern of {name} is refused: {refusal}") from refusal


def refuse_unknown(schema: Schema, given: Mapping[str, object]) -> None:
    """Raise `UserError` if there is an answer to a question that is not asked."""
    unknown = sorted(set(given) - set(schema.properties) - BOT_ANSWERS)
    if unknown:
        raise UserError(f"the template asks no question {unknown[0]!r}", field=unknown[0])


def complete(schema: Schema, given: Mapping[str, object], expand: Expand) -> dict[str, Answer]:
    """Check the given answers and add the defaults of the others.

    Answers to questions that are not asked are ignored, as the CLI does: a later version of a
    template may have dropped a question. Raises `UserError` with the question's name as its field.
    """
    answers: dict[str, Answer] = {}
    for name, about in schema.ordered():
        value = given[name] if name in given else _default(name, about, answers, expand)
        answers[name] = check_answer(name, about, value)
    return answers


def _default(name: str, about: Property, answers: Mapping[str, Answer], expand: Expand) -> Answer:
    if about.default is None:
        raise UserError(f"{_title(name, about)}: please answer", field=name)
    return expand(about.default, answers) if isinstance(about.default, str) else about.default


def check_answer(name: str, about: Property, value: object) -> Answer:
    """Return the value if the question accepts it; raises `UserError` with its field."""
    title = _title(name, about)
    if not about.accepts_type(value):
        raise UserError(f"{title}: please give {_SPOKEN[about.type]}", field=name)
    assert isinstance(value, str | int | float)
    if isinstance(value, str):
        _check_text(name, title, value)
    if about.enum and not any(_identical(value, option) for option in about.enum):
        options = ", ".join(str(option) for option in about.enum)
        raise UserError(f"{title}: please choose one of {options}", field=name)
    if isinstance(value, str) and not go_regexp.search(about.pattern, value):
        wish = about.pattern_match_failure_message or f"it must match {about.pattern}"
        raise UserError(f"{title}: {wish}", field=name)
    return float(value) if about.type == "number" else value


def _check_text(name: str, title: str, value: str) -> None:
    if len(value) > MAXIMUM_ANSWER:
        raise UserError(f"{title}: at most {MAXIMUM_ANSWER} characters, please", field=name)
    if any(unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t" for char in value):
        raise UserError(f"{title}: no control characters, please", field=name)


def _identical(value: Answer, constant: Answer) -> bool:
    return value == constant and isinstance(value, bool) == isinstance(constant, bool)


def _title(name: str, about: Property) -> str:
    first = about.description.strip().partition("\n")[0]
    return first or name.replace("_", " ").capitalize()


def questions(schema: Schema, given: Mapping[str, Answer], expand: Expand) -> tuple[Question, ...]:
    """Return what is to be asked, given the answers so far; skipped prompts are left out."""
    answers = dict(given)
    found: list[Question] = []
    for place, (name, about) in enumerate(schema.ordered()):
        default = _shown_default(about, answers, expand)
        is_skipped = about.skip_prompt_if is not None and about.skip_prompt_if.holds(answers)
        if name not in BOT_ANSWERS and not is_skipped:
            found.append(_question(name, about, place, default))
        if default is not None:
            answers.setdefault(name, default)
    return tuple(found)


def _shown_default(about: Property, answers: Mapping[str, Answer], expand: Expand) -> Answer | None:
    if not isinstance(about.default, str):
        return about.default
    try:
        return expand(about.default, answers)
    except TemplateError:
        return None  # It depends on an answer that is not given yet.


def _question(name: str, about: Property, place: int, default: Answer | None) -> Question:
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
    )
