"""Runs a parsed template: Go's scoping, pipelines and branches, with `missingkey=error`."""

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence

from provisioning.adapters.bundle_templates import tree
from provisioning.adapters.bundle_templates.bugs import RefusedError, TemplateError
from provisioning.adapters.bundle_templates.functions import Function
from provisioning.adapters.bundle_templates.printing import show
from provisioning.adapters.bundle_templates.values import Record, Value, is_true, kind, type_name

MAXIMUM_DEPTH = 100
MAXIMUM_STEPS = 200_000
MAXIMUM_OUTPUT = 1_000_000
LAZY = frozenset(("and", "or"))
_NOTHING = object()


class Evaluator:
    """Executes one template of a set over one value; `functions` by name, `and` and `or` apart."""

    def __init__(
        self, templates: Mapping[str, tree.Template], functions: Mapping[str, Function]
    ) -> None:
        self.templates = templates
        self.functions = functions
        self.output: list[str] = []
        self.size = 0
        self.steps = 0
        self.depth = 0
        self.file = ""
        self.line = 0
        self.variables: list[tuple[str, Value]] = []

    def run(self, template: tree.Template, data: Value) -> str:
        """Return the rendered text; raises `TemplateError`, or what a function raised."""
        self._template(template, data)
        return "".join(self.output)

    def _bug(self, what: str) -> TemplateError:
        return TemplateError(self.file, self.line, what)

    # Nodes

    def _template(self, template: tree.Template, data: Value) -> None:
        outer = self.file, self.variables, self.depth
        self.file, self.variables, self.depth = template.file, [("$", data)], self.depth + 1
        if self.depth > MAXIMUM_DEPTH:
            raise self._bug("templates call each other more than 100 levels deep")
        self._nodes(template.body, data)
        self.file, self.variables, self.depth = outer

    def _nodes(self, nodes: tree.Nodes, dot: Value) -> str:
        """Run the nodes; return the word of the jump that ended them early, or nothing."""
        for node in nodes:
            if jump := self._node(node, dot):
                return jump
        return ""

    def _node(self, node: tree.Node, dot: Value) -> str:
        self._count_step()
        match node:
            case tree.Text(text):
                self._write(text)
            case tree.Action(pipe):
                value = self._pipe(pipe, dot)
                if not pipe.variables:
                    self._write(self._shown(value))
            case tree.Branch():
                return self._branch(node, dot)
            case tree.Call():
                self._call(node, dot)
            case tree.Jump(word):
                return word
        return ""

    def _count_step(self) -> None:
        self.steps += 1
        if self.steps > MAXIMUM_STEPS:
            raise self._bug(f"more than {MAXIMUM_STEPS} steps: this would never end")

    def _write(self, text: str) -> None:
        self.size += len(text)
        if self.size > MAXIMUM_OUTPUT:
            raise self._bug(f"more than {MAXIMUM_OUTPUT} characters")
        self.output.append(text)

    def _shown(self, value: Value) -> str:
        try:
            return show(value)
        except RefusedError as refusal:
            raise self._bug(str(refusal)) from refusal

    def _call(self, node: tree.Call, dot: Value) -> None:
        self.line = node.line
        template = self.templates.get(node.name)
        if template is None:
            raise self._bug(f'template "{node.name}" not defined')
        value = None if node.pipe is None else self._pipe(node.pipe, dot)
        self._template(template, value)

    def _branch(self, node: tree.Branch, dot: Value) -> str:
        scope = len(self.variables)
        if node.word == "range":
            jump = self._range(node, dot)
        else:
            value = self._pipe(node.pipe, dot)
            inner = value if node.word == "with" and is_true(value) else dot
            jump = self._nodes(node.body if is_true(value) else node.otherwise, inner)
        del self.variables[scope:]
        return jump

    def _range(self, node: tree.Branch, dot: Value) -> str:
        value = self._pipe(node.pipe, dot, declare=False)
        is_empty = True
        scope = len(self.variables)
        for key, item in self._items(value, node.pipe.variables):
            is_empty = False
            self._count_step()
            self._set_range_variables(node.pipe, key, item)
            jump = self._nodes(node.body, item)
            del self.variables[scope:]
            if jump == "break":
                break
        return self._nodes(node.otherwise, dot) if is_empty else ""

    def _set_range_variables(self, pipe: tree.Pipe, key: Value, item: Value) -> None:
        values = (item,) if len(pipe.variables) == 1 else (key, item)
        for name, value in zip(pipe.variables, values, strict=False):
            self._set(name, value, assigns=pipe.assigns)

    def _items(self, value: Value, names: Sequence[str]) -> Iterable[tuple[Value, Value]]:
        if isinstance(value, Mapping):
            return [(key, value[key]) for key in sorted(value)]
        if isinstance(value, int) and not isinstance(value, bool):
            if len(names) > 1:
                raise self._bug(f"can't use {value} to iterate over more than one variable")
            return ((number, number) for number in range(value))
        if isinstance(value, Sequence) and not isinstance(value, str):
            return list(enumerate(value))
        if value is None:
            return []
        raise self._bug(f"range can't iterate over {self._shown(value)}")

    def _set(self, name: str, value: Value, *, assigns: bool) -> None:
        if not assigns:
            self.variables.append((name, value))
            return
        for place in reversed(range(len(self.variables))):
            if self.variables[place][0] == name:
                self.variables[place] = (name, value)
                return

    # Pipelines

    def _pipe(self, pipe: tree.Pipe, dot: Value, *, declare: bool = True) -> Value:
        value: Value = _NOTHING
        for command in pipe.commands:
            self.line = command.line
            value = self._command(command, dot, value)
        if declare:
            for name in pipe.variables:
                self._set(name, value, assigns=pipe.assigns)
        return value

    def _command(self, command: tree.Command, dot: Value, final: Value) -> Value:
        self._count_step()
        first, *arguments = command.operands
        extra = arguments or final is not _NOTHING
        match first:
            case tree.Function(name):
                return self._function(name, arguments, dot, final)
            case tree.Field() | tree.Chain() | tree.Variable(fields=(_, *_)):
                start, names = self._start(first, dot)
                return self._path(start, names, self._values(arguments, dot, final))
            case tree.Nil():
                raise self._bug("nil is not a command")
            case _:
                pass
        if extra:
            raise self._bug("can't give argument to non-function")
        return self._operand(first, dot)

    def _values(self, operands: Sequence[tree.Operand], dot: Value, final: Value) -> list[Value]:
        values = [self._operand(operand, dot) for operand in operands]
        return values if final is _NOTHING else [*values, final]

    def _operand(self, operand: tree.Operand, dot: Value) -> Value:
        match operand:
            case tree.Dot():
                return dot
            case tree.Nil():
                return None
            case tree.Constant(value):
                return value
            case tree.Function(name):
                return self._function(name, [], dot, _NOTHING)
            case tree.Pipe():
                return self._pipe(operand, dot)
            case _:
                start, names = self._start(operand, dot)
                return self._path(start, names, [])

    def _start(
        self, operand: tree.Field | tree.Variable | tree.Chain, dot: Value
    ) -> tuple[Value, Sequence[str]]:
        match operand:
            case tree.Field(names):
                return dot, names
            case tree.Variable(name, names):
                return self._variable(name), names
            case tree.Chain(start, names):
                return self._operand(start, dot), names

    def _variable(self, name: str) -> Value:
        return next(value for known, value in reversed(self.variables) if known == name)

    # Fields and functions

    def _path(self, value: Value, names: Sequence[str], arguments: list[Value]) -> Value:
        for number, name in enumerate(names, start=1):
            value = self._field(value, name, arguments if number == len(names) else [])
        return value

    def _field(self, value: Value, name: str, arguments: list[Value]) -> Value:
        if isinstance(value, Record) and name in value.methods:
            return self._invoke(name, value.methods[name], arguments)
        if arguments:
            raise self._bug(f"{name} has arguments but cannot be invoked as function")
        if isinstance(value, Record) and name in value.fields:
            return value.fields[name]
        if isinstance(value, Mapping):
            if name not in value:
                raise self._bug(f'map has no entry for key "{name}"')
            return value[name]
        if value is None:
            raise self._bug(f'nil data; no entry for key "{name}"')
        raise self._bug(f"can't evaluate field {name} in type {type_name(value)}")

    def _function(
        self, name: str, arguments: Sequence[tree.Operand], dot: Value, final: Value
    ) -> Value:
        if name in LAZY:
            return self._lazy(name, arguments, dot, final)
        values = self._values(arguments, dot, final)
        return self._invoke(name, self.functions[name], values)

    def _lazy(
        self, name: str, arguments: Sequence[tree.Operand], dot: Value, final: Value
    ) -> Value:
        if not arguments and final is _NOTHING:
            raise self._bug(f"wrong number of args for {name}: want at least 1 got 0")
        value: Value = None
        for value in self._one_by_one(arguments, dot, final):
            if is_true(value) == (name == "or"):
                break
        return value

    def _one_by_one(
        self, operands: Sequence[tree.Operand], dot: Value, final: Value
    ) -> Iterator[Value]:
        for operand in operands:
            yield self._operand(operand, dot)
        if final is not _NOTHING:
            yield final

    def _invoke(self, name: str, function: Function, values: list[Value]) -> Value:
        try:
            inspect.signature(function).bind(*values)
        except TypeError as bad:
            raise self._bug(f"wrong number of args for {name}: got {len(values)}") from bad
        try:
            value = function(*values)
            kind(value)
        except RefusedError as refusal:
            raise self._bug(f"error calling {name}: {refusal}") from refusal
        return value


def render(
    parsed: tree.Parsed,
    templates: Mapping[str, tree.Template],
    functions: Mapping[str, Function],
    data: Value,
) -> str:
    """Return what a parsed file renders to; its own definitions come before those given."""
    everything = dict(templates)
    for name, template in parsed.defined.items():
        if name not in everything or not template.is_empty():
            everything[name] = template
    return Evaluator(everything, functions).run(parsed.main, data)
