"""An audit trail for other eyes: a row for each deed, as CSV or as lines of JSON."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any, Literal, Protocol, get_args

from provisioning.audit import Trail
from provisioning.store.locks import OURSELVES
from provisioning.tables import AuditRow
from provisioning.text import Span, Text, person, say

Format = Literal["csv", "jsonl"]
FORMATS: tuple[Format, ...] = get_args(Format)
COLUMNS = (
    "project",
    "sequence",
    "time",
    "who",
    "name",
    "github_login",
    "decision",
    "artefact",
    "detail",
    "previous",
    "hash",
)
ARTEFACTS = ("artefact", "plan", "commit")
"""Where an entry names the hash of what was decided on, the most exact first."""
UNTOLD = {
    *ARTEFACTS,
    *("login", "operation", "attempt", "request", "release", "run", "gate", "lock", "since"),
}
"""Facts that have a column of their own, or say little to people."""
PEOPLE = ("holder", "by", "from")
"""Facts that may name somebody by their id."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would compute."""
LONGEST = 120


class Logins(Protocol):
    """Knows people's accounts at GitHub."""

    def login_of(self, person: str) -> str | None:
        """Return the login that somebody has proved to be theirs."""


class Names(Protocol):
    """Knows what people are called."""

    def name(self, user: str) -> str:
        """Return somebody's name."""


def is_person(who: str) -> bool:
    """Tell whether somebody is a chat user, and neither us nor a login of GitHub."""
    return who[:1] in ("U", "W") and who.isalnum() and who.isupper()


def login(row: AuditRow, logins: Logins) -> str:
    """Return the GitHub login of who did it: as noted then, else as linked now; may be empty."""
    return str(row.detail.get("login") or logins.login_of(row.who) or "")


def artefact(row: AuditRow) -> str:
    """Return the hash of what was decided on; empty where nothing was."""
    return next((str(row.detail[name]) for name in ARTEFACTS if row.detail.get(name)), "")


def summary(row: AuditRow) -> Text:
    """Return the rest of an entry in short, for people, who read names instead of ids."""
    parts: list[str | Span] = []
    room = LONGEST
    for name, value in _facts(row):
        label = f"{', ' if parts else ''}{name}: "
        if name in PEOPLE and is_person(value):
            parts += [label, person(value)]
            continue
        said = f"{label}{value}"
        parts.append(said if len(said) <= room else f"{said[: max(room, 1) - 1]}…")
        room -= len(said)
        if room <= 0:
            break
    return say(*parts)


def _facts(row: AuditRow) -> Iterator[tuple[str, str]]:
    """Return what is left to tell; of a lock that was taken over, from whom and what for."""
    taken = row.detail.get("from")
    told = row.detail | ({"from": taken["holder"]} if isinstance(taken, dict) else {})
    if told.get("holder") == row.who:
        del told["holder"]
    for name, value in told.items():
        if name not in UNTOLD and value not in ("", None) and not isinstance(value, dict):
            yield name, str(value)


def actor(row: AuditRow) -> Span | str:
    """Return who did it, for people: the bot goes by one name, whichever part of it acted."""
    if is_person(row.who):
        return person(row.who)
    return "SciCLOps" if row.who in OURSELVES else row.who


def export(trail: Trail, form: Format, names: Names, logins: Logins) -> str:
    """Return the trail as a text file, oldest first, with the hashes that prove it."""
    called = {who: names.name(who) for who in {row.who for row in trail.rows} if is_person(who)}
    rows = [_values(row, called.get(row.who, ""), logins) for row in trail.rows]
    if form == "jsonl":
        return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    written = io.StringIO()
    writer = csv.DictWriter(written, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        detail = json.dumps(row["detail"], ensure_ascii=False)
        writer.writerow({name: _cell(value) for name, value in (row | {"detail": detail}).items()})
    return written.getvalue()


def _values(row: AuditRow, name: str, logins: Logins) -> dict[str, Any]:
    return {
        "project": row.project,
        "sequence": row.sequence,
        "time": row.at.isoformat(),
        "who": row.who,
        "name": name,
        "github_login": login(row, logins),
        "decision": row.what,
        "artefact": artefact(row),
        "detail": row.detail,
        "previous": row.previous,
        "hash": row.hash,
    }


def _cell(value: object) -> str:
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA) else text
