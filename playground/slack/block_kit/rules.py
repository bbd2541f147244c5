"""The small language in which Block Kit's rules are written.

A check takes a value and its JSON pointer, and yields a problem for each thing Slack would refuse.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple


class Problem(NamedTuple):
    """What is wrong, and where."""

    pointer: str
    text: str

    def __str__(self) -> str:
        return f"[ERROR] {self.text} [json-pointer:{self.pointer}]"


Problems = Iterator[Problem]
Check = Callable[[Any, str], Problems]


def string(most: int | None = None, least: int = 1) -> Check:
    """Accept text of `least` to `most` characters."""

    def check(value: Any, at: str) -> Problems:
        if not isinstance(value, str):
            yield Problem(at, "must be a string")
        elif len(value) < least:
            yield Problem(at, f"must be more than {least - 1} characters")
        elif most is not None and len(value) > most:
            yield Problem(at, f"must be less than {most + 1} characters")

    return check


def pattern(expression: str, what: str) -> Check:
    """Accept text that matches all of `expression`."""

    def check(value: Any, at: str) -> Problems:
        if not isinstance(value, str) or not re.fullmatch(expression, value):
            yield Problem(at, f"must be {what}")

    return check


def boolean(value: Any, at: str) -> Problems:
    """Accept true and false."""
    if not isinstance(value, bool):
        yield Problem(at, "must be a boolean")


def integer(low: int | None = None, high: int | None = None) -> Check:
    """Accept a whole number in a range."""

    def check(value: Any, at: str) -> Problems:
        if not isinstance(value, int) or isinstance(value, bool):
            yield Problem(at, "must be an integer")
        elif low is not None and value < low:
            yield Problem(at, f"must be greater than or equal to {low}")
        elif high is not None and value > high:
            yield Problem(at, f"must be less than or equal to {high}")

    return check


def number(value: Any, at: str) -> Problems:
    """Accept any number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        yield Problem(at, "must be a number")


def anything(_value: Any, _at: str) -> Problems:
    """Accept what Slack's reference does not describe."""
    return iter(())


def choice(*values: str) -> Check:
    """Accept one of the given words."""

    def check(value: Any, at: str) -> Problems:
        if value not in values:
            yield Problem(at, f"must be one of: {', '.join(values)}")

    return check


def items(each: Check, most: int | None = None, least: int = 1) -> Check:
    """Accept a list of `least` to `most` items that pass `each`."""

    def check(value: Any, at: str) -> Problems:
        if not isinstance(value, list):
            yield Problem(at, "must be an array")
            return
        if len(value) < least:
            yield Problem(at, f"no fewer than {least} items allowed")
        if most is not None and len(value) > most:
            yield Problem(at, f"no more than {most} items allowed")
        for index, one in enumerate(value):
            yield from each(one, f"{at}/{index}")

    return check


def shape(
    required: Mapping[str, Check] | None = None,
    optional: Mapping[str, Check] | None = None,
    *also: Check,
) -> Check:
    """Accept an object with these fields and no others, that passes the checks in `also`."""
    needed = dict(required or {})
    known = needed | dict(optional or {}) | {"type": string()}

    def check(value: Any, at: str) -> Problems:
        if not isinstance(value, dict):
            yield Problem(at, "must provide an object")
            return
        found = [*_fields(value, at, needed, known)]
        yield from found
        if not found:
            for rule in also:
                yield from rule(value, at)

    return check


def _fields(
    value: Any, at: str, needed: Mapping[str, Check], known: Mapping[str, Check]
) -> Problems:
    for name in needed:
        if name not in value:
            yield Problem(at, f"missing required field: {name}")
    for name, one in value.items():
        if name in known:
            yield from known[name](one, f"{at}/{name}")
        else:
            yield Problem(at, f"invalid additional property: {name}")


def tagged(kinds: Mapping[str, Check]) -> Check:
    """Accept an object whose `type` is among `kinds` and which passes that kind's check."""

    def check(value: Any, at: str) -> Problems:
        if not isinstance(value, dict):
            yield Problem(at, "must provide an object")
        elif "type" not in value:
            yield Problem(at, "missing required field: type")
        elif not isinstance(value["type"], str) or value["type"] not in kinds:
            yield Problem(f"{at}/type", f"unsupported type: {value['type']}")
        else:
            yield from kinds[value["type"]](value, at)

    return check


def exactly_one_of(*names: str) -> Check:
    """Accept an object that has one of these fields, and not two."""

    def check(value: Any, at: str) -> Problems:
        there = [name for name in names if name in value]
        if not there:
            yield Problem(at, f"missing required field: {' or '.join(names)}")
        elif len(there) > 1:
            yield Problem(at, f"only one of these fields is allowed: {', '.join(there)}")

    return check


def any_of(*names: str) -> Check:
    """Accept an object that has at least one of these fields."""

    def check(value: Any, at: str) -> Problems:
        if not any(name in value for name in names):
            yield Problem(at, f"missing required field: {' or '.join(names)}")

    return check
