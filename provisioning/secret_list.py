"""Which secrets a project has, where, and when they were written: live, without values."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from datetime import datetime
from functools import partial

from provisioning.errors import SciclopsError
from provisioning.project import Environment, ProjectSpec
from provisioning.text import Notice, Table, Text, bold, code, moment, say

Dates = Mapping[str, Mapping[str, datetime | None]]
"""When each secret of an environment was written, by its name and then the vendor's."""
UNKNOWN = "could not be asked for just now"
MOST_ROWS = 99


def secret_list(
    spec: ProjectSpec,
    dates: Callable[[ProjectSpec, Environment], Dates],
    vendors: Executor,
) -> Notice:
    """Ask the vendors about all environments side by side, and return what they say."""
    title = f"Secrets · {spec.name}"
    if not spec.secrets:
        add = code(f"/sciclops secret add {spec.name}")
        words = f"{spec.name} has no secrets of its own"
        return Notice(summary=words, title=title, body=(say(f"{words}. ", add, " adds one."),))
    environments = spec.environments()
    asked = [(each, vendors.submit(_asked, partial(dates, spec, each))) for each in environments]
    found = {each.name: (each, answer.result()) for each, answer in asked}
    rows = [
        (say(code(secret.name)), say(environment.name), _written(known, secret.name))
        for secret in spec.secrets
        for environment, known in found.values()
        if environment.stage in secret.stages
    ]
    number = f"{len(spec.secrets)} secret{'' if len(spec.secrets) == 1 else 's'}"
    return Notice(
        summary=f"{spec.name} has {number}",
        title=title,
        body=tuple(_remarks(number, len(rows))),
        table=Table(header=("Secret", "Environment", "Last written"), rows=tuple(rows[:MOST_ROWS])),
    )


def _remarks(number: str, rows: int) -> Iterator[Text]:
    yield say(bold(number), " · nobody can read a value back; set writes another one.")
    if rows > MOST_ROWS:
        yield say(f"{rows - MOST_ROWS} more places are left out.")


def _asked(ask: Callable[[], Dates]) -> Dates | None:
    try:
        return ask()
    except SciclopsError:
        return None


def _written(known: Dates | None, name: str) -> Text:
    """Say when the last vendor got the value, or which of them lacks it."""
    if known is None:
        return say(UNKNOWN)
    at = known.get(name, {})
    there = [date for date in at.values() if date is not None]
    if not there:
        return say("no value yet")
    lacking = [vendor for vendor, date in at.items() if date is None]
    if lacking:
        return say(bold(f"not at {' and '.join(lacking)}"), " since ", moment(max(there)))
    return say(moment(max(there)))
