"""The questions that a bundle template asks, as a form shows them."""

from collections.abc import Callable
from typing import Literal

from provisioning.errors import UserError
from provisioning.text import Frozen

Answer = str | int | float | bool
AnswerType = Literal["text", "whole_number", "number", "yes_no"]
QuestionKind = Literal["choice", "text", "whole_number", "number", "yes_no"]

_YES_NO = {"yes": True, "true": True, "no": False, "false": False}
_READERS: dict[AnswerType, Callable[[str], Answer]] = {
    "text": str,
    "whole_number": int,
    "number": float,
    "yes_no": lambda text: _YES_NO[text.strip().lower()],
}
_WANTED: dict[AnswerType, str] = {
    "text": "text",
    "whole_number": "a whole number",
    "number": "a number",
    "yes_no": "yes or no",
}


class Choice(Frozen):
    """Something that can be picked in a form: `value` is stored, `label` is read."""

    value: str
    label: str


class Question(Frozen):
    """One question. An optional one may stay unanswered, then the template's default holds.

    One with `options` is answered by picking one of them. `default` is what the form shows at
    first; it is None where it depends on other answers. `pattern` is a regular expression in Go's
    syntax, `hint` says in words what is allowed. What is asked besides may depend on the answer of
    one that `decides`.
    """

    name: str
    title: str
    answer_type: AnswerType = "text"
    options: tuple[Choice, ...] = ()
    default: Answer | None = None
    optional: bool = False
    pattern: str = ""
    hint: str = ""
    order: int = 0
    decides: bool = False

    @property
    def kind(self) -> QuestionKind:
        """Return what the form shows: the type's input, or a choice where there are options."""
        return "choice" if self.options else self.answer_type

    def read(self, text: str) -> Answer:
        """Return the answer that somebody typed or picked, in its type; raises `UserError`."""
        try:
            return _READERS[self.answer_type](text)
        except (KeyError, ValueError):
            wanted = _WANTED[self.answer_type]
            raise UserError(f"{self.title}: please give {wanted}", field=self.name) from None
