"""What a parsed template consists of. Every node is immutable and knows nothing of execution."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Dot:
    """`.`, the value that the template is about."""


@dataclass(frozen=True)
class Nil:
    """`nil`, untyped."""


@dataclass(frozen=True)
class Constant:
    """A number, a character (an integer, in Go), a string or a truth value."""

    value: bool | int | float | str


@dataclass(frozen=True)
class Field:
    """`.a.b`: a path from dot."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Variable:
    """`$x` or `$x.a.b`; the name includes the dollar sign."""

    name: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Function:
    """The name of a function."""

    name: str


@dataclass(frozen=True)
class Chain:
    """`(pipeline).a.b`."""

    start: "Operand"
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Command:
    """An operand with the arguments that follow it."""

    operands: tuple["Operand", ...]
    line: int


@dataclass(frozen=True)
class Pipe:
    """Commands whose results flow into one another; `variables` receive the last one."""

    commands: tuple[Command, ...]
    line: int
    variables: tuple[str, ...] = ()
    assigns: bool = False


Operand = Dot | Nil | Constant | Field | Variable | Function | Chain | Pipe


@dataclass(frozen=True)
class Text:
    """Text between actions."""

    text: str


@dataclass(frozen=True)
class Action:
    """`{{pipeline}}`."""

    pipe: Pipe


@dataclass(frozen=True)
class Branch:
    """`{{if}}`, `{{with}}` or `{{range}}` with its optional `{{else}}`."""

    word: str
    pipe: Pipe
    body: "Nodes"
    otherwise: "Nodes"


@dataclass(frozen=True)
class Call:
    """`{{template "name" pipeline}}`."""

    name: str
    pipe: Pipe | None
    line: int


@dataclass(frozen=True)
class Jump:
    """`{{break}}` or `{{continue}}`."""

    word: str


Node = Text | Action | Branch | Call | Jump
Nodes = tuple[Node, ...]


@dataclass(frozen=True)
class Template:
    """A body and the file it was written in."""

    file: str
    body: Nodes

    def is_empty(self) -> bool:
        """Tell whether it is nothing but white space (comments leave no node)."""
        return all(isinstance(node, Text) and not node.text.strip() for node in self.body)


@dataclass(frozen=True)
class Parsed:
    """A file: its own body and the templates that it defines."""

    main: Template
    defined: dict[str, Template] = field(default_factory=dict)
