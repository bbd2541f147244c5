"""What a sub-command is: a value with a name, a role and a function from request to answer.

Commands know no chat system. They return `Reply`, `Form` or `Start`; the edge sends it.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from pydantic import SecretStr

from provisioning.breaking_glass import BreakingGlass
from provisioning.checking import Checking
from provisioning.clock import Clock
from provisioning.desk import Desk
from provisioning.dispatching import Dispatching
from provisioning.drift import Drift
from provisioning.errors import UserError
from provisioning.extending import Extending
from provisioning.feasibility import Feasibility
from provisioning.fleet import Fleet
from provisioning.key_ages import KeyAges
from provisioning.linking import Linking
from provisioning.losses import Losses
from provisioning.operation import CREATE, Operation
from provisioning.policy import Policy
from provisioning.ports import Choice, People, Redactor, Repositories, Templates, Workspaces
from provisioning.project import ProjectSpec
from provisioning.project_locks import ProjectLocks
from provisioning.releasing import Releasing
from provisioning.requesting import Requesting
from provisioning.secret_values import SecretValues
from provisioning.store import Store
from provisioning.text import Button, Notice, Text, code, plain, say
from provisioning.upgrading import Upgrading


class Role(Enum):
    """Who may use a command. Rights over one project are decided where it is known.

    `ANYBODY` is for decisions: who is asked for one may answer, whatever group they are in.
    """

    ANYBODY = "anybody"
    USER = "user"
    PLATFORM = "platform"


STATES = {
    "reserved": "being made",
    "ready": "ready",
    "failed": "failed",
    "going": "being destroyed",
    "gone": "gone",
}
"""What is said of a project's state."""

Value = str | tuple[str, ...] | SecretStr | None
"""What is in a field; of a secret nothing is ever stored or shown again."""


@dataclass(frozen=True)
class Request:
    """What somebody typed, pressed or submitted; `words` come after `/sciclops`.

    `values` are a form's inputs by field name; `draft` means that it is still being filled.
    `key` is the same however often the same request arrives.
    """

    who: str
    channel: str
    words: tuple[str, ...]
    key: str
    values: Mapping[str, Value] | None = None
    draft: bool = False

    def word(self, position: int) -> str:
        """Return the word at a position after the command's name, or an empty string."""
        return self.words[position] if position < len(self.words) else ""


@dataclass(frozen=True)
class Reply:
    """An answer for the asking person alone."""

    notice: Notice


@dataclass(frozen=True)
class Start:
    """An operation to store, acknowledge and begin; `facts` are what it has to know from then."""

    spec: ProjectSpec
    said: Text
    kind: str = CREATE
    facts: Mapping[str, Any] = field(default_factory=dict)


FieldKind = Literal[
    "text",
    "long_text",
    "secret",
    "number",
    "date",
    "choice",
    "choices",
    "search",
    "searches",
    "people",
]


@dataclass(frozen=True)
class Field:
    """An input of a form. `live` fields send the draft whenever they change.

    The cursor stands in the `focused` one when the form opens, or in the first one.
    """

    name: str
    label: str
    kind: FieldKind
    hint: str = ""
    options: tuple[Choice, ...] = ()
    initial: Value = None
    optional: bool = False
    live: bool = False
    focused: bool = False
    max_length: int = 3000
    note: Text = ()


@dataclass(frozen=True)
class Form:
    """A dialog; submitting it sends `words` with the values. `errors` belong to fields.

    `kept` is what was entered into fields that are not shown now; it comes back with the values.
    """

    title: str
    submit: str
    words: tuple[str, ...]
    fields: tuple[Field, ...]
    intro: Text = ()
    errors: Mapping[str, str] = field(default_factory=dict)
    kept: Mapping[str, Value] = field(default_factory=dict)


Answer = Reply | Form | Start


@dataclass(frozen=True)
class Services:
    """Everything a command may ask. `vendors` runs calls to vendors side by side."""

    policy: Policy
    clock: Clock
    store: Store
    requesting: Requesting
    desk: Desk
    people: People
    repositories: Repositories
    workspaces: Workspaces
    templates: Templates
    vendors: Executor
    redact: Redactor
    linking: Linking
    releasing: Releasing
    dispatching: Dispatching
    breaking_glass: BreakingGlass
    locks: ProjectLocks
    checking: Checking
    drift: Drift
    key_ages: KeyAges
    losses: Losses
    extending: Extending
    secrets: SecretValues
    upgrading: Upgrading
    fleet: Fleet

    @property
    def feasibility(self) -> Feasibility:
        """Return the checks on requests that ask vendors."""
        return Feasibility(
            self.policy,
            self.store,
            self.people,
            self.repositories,
            self.workspaces,
            self.vendors,
        )


@dataclass(frozen=True)
class Command:
    """A sub-command: `usage` is shown by help; `suggest` feeds its forms' type-ahead fields.

    `checks_first` says that it asks vendors before it answers with its form. `keeps` returns what
    may be stored of the words that somebody typed.
    """

    name: str
    usage: str
    summary: str
    role: Role
    run: Callable[[Request, Services], Answer]
    suggest: Callable[[str, str, Services], tuple[Choice, ...]] | None = None
    hidden: bool = False
    checks_first: bool = False
    keeps: Callable[[tuple[str, ...]], tuple[str, ...]] = tuple


def required_word(request: Request, what: str, its_name: str) -> str:
    """Return the first word after the command's name, or raise UserError asking for it."""
    if word := request.word(1):
        return word
    typed = code(f"/sciclops {request.word(0)}")
    raise UserError(say(f"Which {what}? Type ", typed, f" and {its_name}."))


def named_run(request: Request, services: Services) -> Operation:
    """Return the run that somebody names by its id or its project; raises UserError."""
    return services.desk.find(required_word(request, "run", "the project's name"))


def required(values: Mapping[str, Value], name: str, otherwise: str) -> str:
    """Return a text value or raise UserError on its field."""
    value = text(values, name)
    if not value:
        raise UserError(otherwise, field=name)
    return value


def text(values: Mapping[str, Value], name: str) -> str:
    """Return a single value, stripped; empty if absent."""
    value = values.get(name)
    return value.strip() if isinstance(value, str) else ""


def many(values: Mapping[str, Value], name: str) -> tuple[str, ...]:
    """Return several values; empty if absent."""
    value = values.get(name)
    return value if isinstance(value, tuple) else ()


def tell(*lines: Text | str, title: str = "", buttons: Iterable[Button] = ()) -> Reply:
    """Return a reply of a few lines."""
    body = tuple(say(line) if isinstance(line, str) else line for line in lines)
    words = " ".join(plain(line) for line in body)
    return Reply(
        Notice(summary=words[:150] or title, title=title, body=body, buttons=tuple(buttons))
    )
