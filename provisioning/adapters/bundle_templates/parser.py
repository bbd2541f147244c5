"""Builds the tree of a Go template and finds its mistakes before anything is rendered."""

from collections.abc import Callable
from typing import TypeVar

from provisioning.adapters.bundle_templates import constants, tree
from provisioning.adapters.bundle_templates.bugs import RefusedError, TemplateError
from provisioning.adapters.bundle_templates.lexer import KEYWORDS, Token, tokens

_BRANCHES = ("if", "with", "range")
_ROOT_VARIABLE = "$"
_Value = TypeVar("_Value")


def parse(file: str, source: str, functions: frozenset[str]) -> tree.Parsed:
    """Return the tree of a template; `file` is named in every complaint."""
    return _Parser(file, list(tokens(file, source)), functions).parse()


class _Parser:
    def __init__(self, file: str, found: list[Token], functions: frozenset[str]) -> None:
        self.file = file
        self.tokens = found
        self.functions = functions
        self.position = 0
        self.variables = [_ROOT_VARIABLE]
        self.ranges = 0
        self.defined: dict[str, tree.Template] = {}

    def parse(self) -> tree.Parsed:
        nodes: list[tree.Node] = []
        while self._peek().kind != "end":
            if self._at_word("define"):
                self._define()
            else:
                nodes.extend(self._node())
        return tree.Parsed(tree.Template(self.file, tuple(nodes)), self.defined)

    # Moving through the tokens

    def _peek(self) -> Token:
        return self.tokens[self.position]

    def _next(self) -> Token:
        token = self.tokens[self.position]
        self.position += token.kind != "end"
        return token

    def _next_solid(self) -> Token:
        self._skip_space()
        return self._next()

    def _peek_solid(self) -> Token:
        self._skip_space()
        return self._peek()

    def _skip_space(self) -> None:
        while self._peek().kind == "space":
            self.position += 1

    def _bug(self, token: Token, what: str) -> TemplateError:
        return TemplateError(self.file, token.line, what)

    def _unexpected(self, token: Token, context: str) -> TemplateError:
        shown = "end of template" if token.kind == "end" else f"{token.text!r}"
        return self._bug(token, f"unexpected {shown} in {context}")

    def _expect_right(self, context: str) -> None:
        token = self._next_solid()
        if token.kind != "right":
            raise self._unexpected(token, context)

    def _at_word(self, *words: str) -> bool:
        if self._peek().kind != "left":
            return False
        following = self.tokens[self.position + 1 : self.position + 3]
        solid = next((token for token in following if token.kind != "space"), None)
        return solid is not None and solid.kind == "name" and solid.text in words

    # Bodies and actions

    def _node(self) -> list[tree.Node]:
        token = self._next()
        if token.kind == "text":
            return [tree.Text(token.text)]
        word = self._peek_solid()
        if word.kind != "name" or word.text not in KEYWORDS:
            return [self._action()]
        self._next()
        return self._keyword(word)

    def _keyword(self, word: Token) -> list[tree.Node]:
        known: dict[str, Callable[[Token], tree.Node]] = {
            **dict.fromkeys(_BRANCHES, self._branch),
            **dict.fromkeys(("break", "continue"), self._jump),
            "template": self._call,
            "block": self._block,
        }
        make = known.get(word.text)
        if make is None:
            where = "must be at the top level" if word.text == "define" else "has no beginning"
            raise self._bug(word, f"{{{{{word.text}}}}} {where}")
        return [make(word)]

    def _action(self) -> tree.Node:
        return tree.Action(self._pipe("command", "right"))

    def _body(self, opening: Token, *ends: str) -> tuple[tree.Nodes, Token]:
        nodes: list[tree.Node] = []
        while not self._at_word(*ends):
            if self._peek().kind == "end":
                raise self._bug(opening, f"{{{{{opening.text}}}}} has no {{{{end}}}}")
            nodes.extend(self._node())
        self._next()
        return tuple(nodes), self._next_solid()

    def _branch(self, word: Token) -> tree.Node:
        scope = len(self.variables)
        pipe = self._pipe(word.text, "right")
        self.ranges += word.text == "range"
        body, end = self._body(word, "else", "end")
        self.ranges -= word.text == "range"
        otherwise: tree.Nodes = ()
        if end.text == "else":
            otherwise = self._else(word)
        else:
            self._expect_right("end")
        del self.variables[scope:]
        return tree.Branch(word.text, pipe, body, otherwise)

    def _else(self, word: Token) -> tree.Nodes:
        token = self._peek_solid()
        if token.kind == "name" and token.text == word.text and word.text in ("if", "with"):
            return (self._branch(self._next()),)
        self._expect_right("else")
        nodes, _ = self._body(word, "end")
        self._expect_right("end")
        return nodes

    def _jump(self, word: Token) -> tree.Node:
        self._expect_right(word.text)
        if not self.ranges:
            raise self._bug(word, f"{{{{{word.text}}}}} outside {{{{range}}}}")
        return tree.Jump(word.text)

    def _call(self, word: Token) -> tree.Node:
        name = self._template_name("template clause")
        pipe = None
        if self._peek_solid().kind == "right":
            self._next()
        else:
            pipe = self._pipe("template clause", "right")
        return tree.Call(name, pipe, word.line)

    def _block(self, word: Token) -> tree.Node:
        name = self._template_name("block clause")
        pipe = self._pipe("block clause", "right")
        self._define_body(word, name)
        return tree.Call(name, pipe, word.line)

    def _define(self) -> None:
        self._next()
        word = self._next_solid()
        name = self._template_name("define clause")
        self._expect_right("define clause")
        self._define_body(word, name)

    def _define_body(self, word: Token, name: str) -> None:
        outer, self.variables = self.variables, [_ROOT_VARIABLE]
        ranges, self.ranges = self.ranges, 0
        body, _ = self._body(word, "end")
        self._expect_right("end")
        self.variables, self.ranges = outer, ranges
        new = tree.Template(self.file, body)
        old = self.defined.get(name)
        if old is not None and not old.is_empty() and not new.is_empty():
            raise self._bug(word, f"multiple definition of template {name!r}")
        if old is None or old.is_empty():
            self.defined[name] = new

    def _template_name(self, context: str) -> str:
        token = self._next_solid()
        if token.kind != "string":
            raise self._unexpected(token, context)
        return self._literal(token, constants.unquote)

    # Pipelines

    def _pipe(self, context: str, end: str) -> tree.Pipe:
        line = self._peek_solid().line
        variables, assigns = self._declaration(context)
        commands: list[tree.Command] = []
        while True:
            token = self._next_solid()
            if token.kind == end or token.text == end:
                self._check_commands(token, context, commands)
                return tree.Pipe(tuple(commands), line, variables, assigns)
            self.position -= 1
            commands.append(self._command(context))

    def _declaration(self, context: str) -> tuple[tuple[str, ...], bool]:
        start = self.position
        names = [self._next_solid()]
        if context == "range" and self._peek_solid().text == ",":
            self._next()
            names.append(self._next_solid())
        operator = self._next_solid()
        is_declaration = operator.text in (":=", "=") and operator.kind == "symbol"
        if not is_declaration or any(name.kind != "variable" for name in names):
            self.position = start
            return (), False
        if operator.text == ":=":
            self.variables.extend(name.text for name in names)
        else:
            for name in names:
                self._known_variable(name)
        return tuple(name.text for name in names), operator.text == "="

    def _check_commands(self, end: Token, context: str, commands: list[tree.Command]) -> None:
        if not commands:
            raise self._bug(end, f"missing value for {context}")
        for number, command in enumerate(commands[1:], start=2):
            if isinstance(command.operands[0], tree.Constant | tree.Dot | tree.Nil):
                raise self._bug(end, f"non executable command in pipeline stage {number}")

    def _command(self, context: str) -> tree.Command:
        line = self._peek_solid().line
        operands: list[tree.Operand] = []
        while _starts_operand(self._peek_solid()):
            operands.append(self._operand(context))
            if self._peek().kind != "space":
                break
        token = self._peek_solid()
        if token.text == "|":
            self._next()
        elif token.kind != "right" and token.text != ")":
            raise self._unexpected(token, "operand")
        if not operands:
            raise self._bug(token, f"missing value for {context}")
        return tree.Command(tuple(operands), line)

    # Operands

    def _operand(self, context: str) -> tree.Operand:
        token = self._next_solid()
        term = self._term(token, context)
        fields: list[str] = []
        while self._peek().kind == "field":
            fields.append(self._next().text[1:])
        if not fields:
            return term
        match term:
            case tree.Field(names):
                return tree.Field((*names, *fields))
            case tree.Variable(name):
                return tree.Variable(name, tuple(fields))
            case tree.Pipe():
                return tree.Chain(term, tuple(fields))
            case tree.Function():
                return tree.Chain(term, tuple(fields))
            case _:
                raise self._bug(token, f"unexpected .{fields[0]} after term {token.text!r}")

    def _term(self, token: Token, context: str) -> tree.Operand:
        literals: dict[str, Callable[[str], int | float | str]] = {
            "string": constants.unquote,
            "number": constants.number,
            "char": constants.character,
        }
        if token.kind in literals:
            return tree.Constant(self._literal(token, literals[token.kind]))
        if token.kind == "field":
            return tree.Field((token.text[1:],))
        if token.kind == "variable":
            return tree.Variable(self._known_variable(token))
        if token.kind == "dot":
            return tree.Dot()
        if token.kind == "name":
            return self._name(token, context)
        if token.text == "(":
            return self._pipe("parenthesized pipeline", ")")
        raise self._unexpected(token, context)

    def _name(self, token: Token, context: str) -> tree.Operand:
        if token.text in ("true", "false"):
            return tree.Constant(token.text == "true")
        if token.text == "nil":
            return tree.Nil()
        if token.text in KEYWORDS:
            raise self._unexpected(token, context)
        if token.text not in self.functions:
            raise self._bug(token, f"function {token.text!r} not defined")
        return tree.Function(token.text)

    def _known_variable(self, token: Token) -> str:
        if token.text not in self.variables:
            raise self._bug(token, f"undefined variable {token.text!r}")
        return token.text

    def _literal(self, token: Token, read: Callable[[str], _Value]) -> _Value:
        try:
            return read(token.text)
        except RefusedError as refusal:
            raise self._bug(token, str(refusal)) from refusal


def _starts_operand(token: Token) -> bool:
    return token.text == "(" or token.kind in (
        "field", "variable", "dot", "string", "number", "char", "name",
    )  # fmt: skip
