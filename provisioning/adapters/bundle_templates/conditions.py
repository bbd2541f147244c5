"""`skip_prompt_if`: the JSON Schema that the answers so far are compared with.

`databricks bundle init` understands a few keywords and takes no notice of others, so a condition
written with `allOf` or `not` would hold always. What it overlooks is an error here.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from provisioning.adapters.bundle_templates import go_regexp
from provisioning.adapters.bundle_templates.bugs import RefusedError
from provisioning.questions import Answer

PropertyType = Literal["string", "integer", "number", "boolean"]

_TYPES: dict[PropertyType, type | tuple[type, ...]] = {
    "string": str, "integer": int, "number": (int, float), "boolean": bool,
}  # fmt: skip


def is_of_type(kind: PropertyType, value: object) -> bool:
    """Tell whether a value has a property's type; truth values are no numbers."""
    return isinstance(value, _TYPES[kind]) and isinstance(value, bool) == (kind == "boolean")


def identical(value: Answer, constant: Answer) -> bool:
    """Tell whether two answers are the same; yes is not 1."""
    return value == constant and isinstance(value, bool) == isinstance(constant, bool)


class Rule(BaseModel):
    """What a condition asks of one answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    type: PropertyType | None = None
    const: Answer | None = None
    enum: tuple[Answer, ...] | None = None
    pattern: str = ""

    def accepts(self, value: Answer) -> bool:
        """Tell whether an answer is as the rule wants it."""
        if self.const is not None and not identical(value, self.const):
            return False
        if self.enum is not None and not any(identical(value, each) for each in self.enum):
            return False
        return not self.pattern or go_regexp.search(self.pattern, str(value))

    def objection(self, kind: PropertyType) -> str:
        """Return why no answer of a type could ever be accepted, or an empty string."""
        if self.type not in (None, kind):
            return f"is of type {kind}, not {self.type}"
        if self.pattern and kind != "string":
            return f"is of type {kind}, which has no pattern"
        for constant in (*([] if self.const is None else [self.const]), *(self.enum or ())):
            if kind == "integer":
                return "is a whole number, which databricks bundle init finds equal to no constant"
            if not is_of_type(kind, constant):
                return f"is of type {kind}, so it is never {constant!r}"
        return _pattern_objection(self.pattern)


class Condition(BaseModel):
    """A condition: it holds if all of its parts do."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    properties: dict[str, Rule] = {}
    required: tuple[str, ...] = ()
    any_of: tuple["Condition", ...] | None = Field(None, alias="anyOf", min_length=1)
    additional: Literal[False] | None = Field(None, alias="additionalProperties")

    def holds(self, answers: Mapping[str, Answer]) -> bool:
        """Tell whether the answers given so far satisfy the condition.

        What is not answered yet satisfies nothing: `bundle init` would not have come that far.
        """
        return (
            all(
                name in answers and rule.accepts(answers[name])
                for name, rule in self.properties.items()
            )
            and answers.keys() >= set(self.required)
            and (self.any_of is None or any(one.holds(answers) for one in self.any_of))
            and (self.additional is None or answers.keys() <= self.properties.keys())
        )

    def names(self) -> frozenset[str]:
        """Return the questions whose answers decide."""
        inner = (one.names() for one in self.any_of or ())
        return frozenset(self.properties).union(self.required, *inner)

    def objection(self, earlier: Mapping[str, PropertyType]) -> str:
        """Return why the condition cannot work after the earlier questions, or an empty string."""
        for name in sorted(self.names() - earlier.keys()):
            return f"{name} is not asked before"
        for name, rule in self.properties.items():
            if why := rule.objection(earlier[name]):
                return f"{name} {why}"
        return next((why for one in self.any_of or () if (why := one.objection(earlier))), "")


def _pattern_objection(pattern: str) -> str:
    try:
        go_regexp.compiled(pattern)
    except RefusedError as refusal:
        return f"has a pattern that is refused: {refusal}"
    return ""
