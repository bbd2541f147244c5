"""How a Terraform type acts on its vendor: five verbs, mostly declared as paths and fields."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from playground.terraform.values import Attributes, Value
from playground.terraform.vendor import Api, Json, VendorError

Body = Callable[[Attributes], Json]
Facts = Callable[[Json, Attributes], Attributes]


class Resource(Protocol):
    """One resource type. Every verb returns what the vendor says, as attributes.

    `read` and `create` get attributes with `id`; `read` returns None for what is gone.
    """

    def create(self, api: Api, planned: Attributes) -> Attributes:
        """Make it."""

    def read(self, api: Api, state: Attributes) -> Attributes | None:
        """Look at it."""

    def update(self, api: Api, prior: Attributes, planned: Attributes) -> Attributes:
        """Change it in place."""

    def delete(self, api: Api, state: Attributes) -> None:
        """Remove it."""

    def identify(self, import_id: str) -> Attributes:
        """Return the attributes that an import id stands for."""


@dataclass(frozen=True)
class Call:
    """A request: method, path template over attributes, and how to make its body."""

    method: str
    path: str
    body: Body | None = None

    def send(self, api: Api, attributes: Attributes) -> Json:
        """Send it with these attributes."""
        body = self.body(attributes) if self.body else None
        return api.call(self.method, api.path(self.path, attributes), body)


@dataclass(frozen=True)
class Rest:
    """A resource type whose vendor has one path per verb.

    `id` is a template over attributes and, unless `import_id` differs, how imports are written.
    Where the answers to writes are not the whole truth (`complete` False), it is read back.
    """

    make: Call
    look: str
    facts: Facts
    id: str
    remove: Call
    change: Call | None = None
    import_id: str = ""
    complete: bool = False

    def create(self, api: Api, planned: Attributes) -> Attributes:
        """Make it."""
        return self._written(api, planned, self.make.send(api, planned))

    def read(self, api: Api, state: Attributes) -> Attributes | None:
        """Look at it."""
        answer = api.find(api.path(self.look, state))
        return None if answer is None else self._with_id(self.facts(answer, state), state)

    def update(self, api: Api, prior: Attributes, planned: Attributes) -> Attributes:
        """Change it in place."""
        if self.change is None:
            raise VendorError("doesn't support update")
        return self._written(api, planned, self.change.send(api, {**planned, "id": prior["id"]}))

    def delete(self, api: Api, state: Attributes) -> None:
        """Remove it; what is gone already is fine."""
        unless_gone(lambda: self.remove.send(api, state))

    def identify(self, import_id: str) -> Attributes:
        """Return the attributes that an import id stands for."""
        return parsed_id(self.import_id or self.id, import_id)

    def _written(self, api: Api, planned: Attributes, answer: Json) -> Attributes:
        facts = self.facts(answer, planned) if isinstance(answer, dict) else {}
        known = {**planned, **facts}
        if self.complete:
            return self._with_id(facts, known)
        return self.read(api, known) or vanished()

    def _with_id(self, facts: Attributes, state: Attributes) -> Attributes:
        return {**facts, "id": self.id.format_map({**state, **facts})}


def vanished() -> Attributes:
    """Refuse to go on with something that was made and cannot be seen."""
    raise VendorError("the object was written but cannot be read")


def unless_gone(act: Callable[[], object]) -> None:
    """Do something to an object unless it is gone."""
    try:
        act()
    except VendorError as error:
        if error.status != 404:
            raise


def parsed_id(template: str, given: str) -> Attributes:
    """Return the fields of an id, e.g. `{repository}:{environment}`, or say how it is written."""
    names = re.findall(r"\{(\w+)\}", template)
    pattern = re.escape(template)
    for at, name in enumerate(names):
        group = "(.+)" if at == len(names) - 1 else "(.+?)"
        pattern = pattern.replace(re.escape("{" + name + "}"), group)
    match = re.fullmatch(pattern, given)
    if match is None:
        raise VendorError(f"unexpected ID format ({given}), expected {template}")
    return {"id": given, **dict(zip(names, match.groups(), strict=True))}


def fields(*names: str, **renamed: str) -> Body:
    """Make bodies of the attributes that are set: same names, or `vendor_name=attribute`."""
    pairs = {**{name: name for name in names}, **renamed}

    def body(attributes: Attributes) -> Json:
        chosen = {key: attributes.get(name) for key, name in pairs.items()}
        return {key: value for key, value in chosen.items() if value is not None}

    return body


def told(*names: str, **renamed: str) -> Facts:
    """Read attributes from an answer: same names, or `attribute=vendor_name`."""
    pairs = {**{name: name for name in names}, **renamed}

    def facts(answer: Json, _state: Attributes) -> Attributes:
        return {name: answer[key] for name, key in pairs.items() if key in answer}

    return facts


def given(state: Mapping[str, Value], names: Iterable[str]) -> dict[str, Any]:
    """Return the attributes that are set, among `names`."""
    return {name: state[name] for name in names if state.get(name) is not None}


def blocks(state: Mapping[str, Value], name: str) -> list[Attributes]:
    """Return the blocks of a name, as a list however many there are."""
    value = state.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def block(state: Mapping[str, Value], name: str) -> Attributes | None:
    """Return the only block of a name, or None."""
    found = blocks(state, name)
    return found[0] if found else None


def texts(value: Value) -> list[str]:
    """Return a list or set attribute as strings."""
    return [str(each) for each in value] if isinstance(value, list) else []
