"""The questions that a bundle template asks, as a form shows them."""

from typing import Literal

from provisioning.errors import UserError
from provisioning.ports import Choice
from provisioning.text import Frozen

Answer = str | int | float | bool
QuestionKind = Literal["text", "choice", "yes_no", "whole_number", "number"]

_YES_NO = {"yes": True, "true": True, "no": False, "false": False}


class Question(Frozen):
    """One question. An optional one may stay unanswered, then the template's default holds.

    `default` is what the form shows at first; it is None where it depends on other answers.
    `pattern` is a regular expression in Go's syntax, `hint` says in words what is allowed.
    """

    name: str
    title: str
    kind: QuestionKind = "text"
    options: tuple[Choice, ...] = ()
    default: Answer | None = None
    optional: bool = False
    pattern: str = ""
    hint: str = ""
    order: int = 0

    def read(self, text: str) -> Answer:
        """Return the answer that somebody typed or picked, in its type; raises `UserError`."""
        if self.kind in ("text", "choice"):
            return text
        if self.kind == "yes_no" and text.strip().lower() in _YES_NO:
            return _YES_NO[text.strip().lower()]
        try:
            if self.kind == "whole_number":
                return int(text)
            if self.kind == "number":
                return float(text)
        except ValueError:
            pass
        wanted = {"whole_number": "a whole number", "number": "a number"}.get(
            self.kind, "yes or no"
        )
        raise UserError(f"{self.title}: please give {wanted}", field=self.name)
