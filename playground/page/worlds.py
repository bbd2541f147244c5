"""Plain views of the world behind the chat, drawn from what each stand-in says of itself.

The snapshots are plain JSON whose shape belongs to the stand-ins, so nothing here depends on it:
flat rows become tables, deeper things cards that fold, texts with several lines files to open.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from playground import cast
from playground.page.html import Html, join, tag

FIRST = ("runs", "repositories", "service_principals", "workspaces", "securables")
"""Sections that one came to see; the others follow in the stand-in's own order."""
NAMES = {"github": "GitHub"}
TITLES = ("full_name", "name", "display_name", "title", "path", "slug", "login", "key", "id")
SIGNS = {True: "Yes", False: "No", None: "—"}
MOST_COLUMNS = 7
MOST_IN_CELL = 8
MOST_ROWS = 20
"""Of a longer table the rows that hold nothing but a name are folded away."""
NAMED = frozenset(
    {"assignments", "grants", "members", "properties", "tags", "teams", "variables", "acls"}
)
"""What maps names that people have given, which keep their spelling."""
FIELD = re.compile(r"[a-z][a-z0-9_ ]*")
STAGES = [stage.title() for stage in cast.STAGES]
FILES = frozenset({"files", "tree", "contents"})
ACRONYMS = {
    "Id": "ID",
    "Url": "URL",
    "Oidc": "OIDC",
    "Github": "GitHub",
    "Api": "API",
    "Acl": "ACL",
}


def world(snapshot: Mapping[str, Any]) -> Html:
    """Return a world's snapshot as a page of sections."""
    facts = {name: value for name, value in snapshot.items() if is_plain(value)}
    deeper = [name for name, value in snapshot.items() if not is_plain(value)]
    ordered = sorted(deeper, key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))
    parts = [_section(name, snapshot[name]) for name in ordered]
    return join([_facts(facts) if facts else None, parts])


def world_name(name: str) -> str:
    """Return a world's name as people write it."""
    return NAMES.get(name.lower(), name[:1].upper() + name[1:])


def is_plain(value: object) -> bool:
    """Return whether a value fits on one line."""
    if isinstance(value, Html):
        return True
    if isinstance(value, str):
        return "\n" not in value and len(value) <= 200
    return value is None or isinstance(value, bool | int | float)


def words(name: str) -> str:
    """Return a key as people read it: `service_principals` is "Service principals".

    What is no field's name, such as `data-science`, stays as it is.
    """
    if not FIELD.fullmatch(name):
        return name
    spaced = name.replace("_", " ").strip()
    shown = spaced[:1].upper() + spaced[1:]
    return " ".join(ACRONYMS.get(word, word) for word in shown.split(" "))


def _section(name: str, value: Any) -> Html:
    badge = tag("span", len(value), class_="count") if _is_countable(value) else None
    title = tag("h2", words(name), badge)
    return tag("section", title, _value(name, value), class_="panel", id=f"world-{name}")


def _is_countable(value: Any) -> bool:
    if isinstance(value, Mapping):
        return not all(is_plain(one) for one in value.values())
    return isinstance(value, list | tuple)


def _value(name: str, value: Any, path: str = "") -> Html:
    here = f"{path}/{name}"
    if is_plain(value):
        return _plain(value)
    if isinstance(value, str):
        return tag("pre", value)
    if not value:
        return tag("span", "Nothing yet.", class_="muted")
    if isinstance(value, Mapping):
        return _mapping(name, value, here)
    return _sequence(name, list(value), here)


def _plain(value: object) -> Html:
    if isinstance(value, Html):
        return value
    if value is None or isinstance(value, bool):
        return tag("span", SIGNS[value], class_="sign-value")
    return join([str(value)])


def _mapping(name: str, value: Mapping[str, Any], here: str) -> Html:
    if name in FILES and all(isinstance(one, str) for one in value.values()):
        files = [_file(path, text, here) for path, text in sorted(value.items())]
        return tag("div", files, class_="tree")
    if all(is_plain(one) for one in value.values()):
        return _facts(value, named=name in NAMED)
    if all(isinstance(one, Mapping) for one in value.values()):
        return _sequence(name, [{"name": key} | dict(one) for key, one in value.items()], here)
    if all(_fits_cell(one) for one in value.values()):
        return _table([{name: key, "has": one} for key, one in value.items()], here)
    return _card_body(value, here)


def _facts(value: Mapping[str, Any], *, named: bool = False) -> Html:
    pairs = [
        tag("div", tag("dt", key if named else words(key)), tag("dd", _plain(one)))
        for key, one in value.items()
    ]
    return tag("dl", pairs, class_="facts")


def _file(path: str, content: str, here: str) -> Html:
    size = tag("span", f"{len(content.splitlines())} lines", class_="muted")
    head = tag("summary", tag("code", path), size)
    return tag("details", head, tag("pre", content), class_="leaf", data_key=f"{here}/{path}")


def _sequence(name: str, items: list[Any], here: str) -> Html:
    if all(is_plain(one) for one in items):
        return tag("ul", [tag("li", _plain(one)) for one in items], class_="tags")
    rows = [one for one in items if isinstance(one, Mapping)]
    if len(rows) == len(items):
        items = rows = _by_stage(rows)
    if len(rows) == len(items) and all("kind" in row for row in rows):
        return join(_kind(kind, rows, here) for kind in dict.fromkeys(str(r["kind"]) for r in rows))
    if len(rows) == len(items) and _is_table(rows):
        return _table(rows, here)
    opened = len(items) == 1 or (len(rows) == len(items) and _are_stages(rows))
    return join(_card(one, f"{here}/{name}", at, opened=opened) for at, one in enumerate(items))


def _by_stage(rows: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return things that are called like the stages in the stages' order, others as they are."""
    return sorted(rows, key=lambda row: STAGES.index(title_of(row))) if _are_stages(rows) else rows


def _are_stages(rows: Sequence[Mapping[str, Any]]) -> bool:
    return all(title_of(row) in STAGES for row in rows)


def _kind(kind: str, rows: Sequence[Mapping[str, Any]], here: str) -> Html:
    """Return the things of one kind under a heading of their own."""
    mine = [
        {key: value for key, value in row.items() if key != "kind"}
        for row in rows
        if str(row.get("kind")) == kind
    ]
    title = tag("h3", words(kind), " ", tag("span", len(mine), class_="count"))
    return tag("div", title, _sequence(kind, mine, here), class_="deeper")


def _is_table(rows: Sequence[Mapping[str, Any]]) -> bool:
    fits = all(_fits_cell(value) for row in rows for value in row.values())
    return fits and len(_columns(rows)) <= MOST_COLUMNS


def _fits_cell(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) <= MOST_IN_CELL and all(is_plain(one) for one in value)
    if isinstance(value, Mapping):
        return len(value) <= MOST_IN_CELL and all(
            is_plain(one) or (isinstance(one, list) and _fits_cell(one)) for one in value.values()
        )
    return is_plain(value)


def _columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(key for row in rows for key in row))


def _table(rows: Sequence[Mapping[str, Any]], here: str) -> Html:
    columns = _columns(rows)
    bare = [row for row in rows if _holds_nothing(row)] if len(rows) > MOST_ROWS else []
    shown = [row for row in rows if row not in bare]
    if not bare or not shown:
        return _rows(columns, rows)
    head = tag("summary", f"{len(bare)} more with nothing in them")
    folded = tag("details", head, _rows(columns, bare), class_="leaf", data_key=f"{here}/more")
    return join([_rows(columns, shown), folded])


def _holds_nothing(row: Mapping[str, Any]) -> bool:
    deeper = [value for value in row.values() if isinstance(value, list | Mapping)]
    return bool(deeper) and not any(deeper)


def _rows(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Html:
    head = tag("tr", [tag("th", words(one), scope="col") for one in columns])
    body = [tag("tr", [tag("td", _cell(row.get(one))) for one in columns]) for row in rows]
    inner = tag("table", tag("thead", head), tag("tbody", body))
    return tag("div", inner, class_="table-frame long", tabindex="0")


def _cell(value: Any) -> Html:
    if isinstance(value, Mapping) and value:
        lines = [tag("div", tag("b", key), " ", _cell(one)) for key, one in value.items()]
        return join(lines)
    if isinstance(value, list | Mapping):
        return join(_commas(list(value))) if value else tag("span", "—", class_="muted")
    return _plain(value)


def _commas(values: Sequence[Any]) -> Iterator[Html]:
    for number, one in enumerate(values):
        yield join([", " if number else "", _plain(one)])


def title_of(item: Mapping[str, Any]) -> str:
    """Return what a thing is called, from the keys that things are usually called by."""
    found = next((item[key] for key in TITLES if item.get(key) not in (None, "")), "")
    return str(found)


def _card(item: Any, here: str, at: int, *, opened: bool) -> Html:
    if not isinstance(item, Mapping):
        return tag("div", _value(str(at), item, here), class_="leaf")
    title = title_of(item) or f"No. {at + 1}"
    key = f"{here}/{title}"
    head = tag("summary", tag("b", title), _summary(item, title))
    return tag(
        "details", head, _card_body(item, key), class_="leaf card-leaf", data_key=key, open=opened
    )


def _summary(item: Mapping[str, Any], title: str) -> Html:
    """Return a line about a folded card: how many of what it holds, and its state."""
    counts = [
        tag("span", f"{words(key)}: {len(value)}", class_="tag")
        for key, value in item.items()
        if isinstance(value, Mapping | list) and value
    ]
    states = [
        tag("span", str(item[key]), class_=f"tag state {item[key]}")
        for key in ("status", "state", "visibility")
        if isinstance(item.get(key), str) and item[key] != title
    ]
    return tag("span", states, counts[:5], class_="tag-row")


def _card_body(item: Mapping[str, Any], here: str) -> Html:
    """Return a card's facts, with what is empty among them, then what is deeper."""
    facts = {key: value or None for key, value in item.items() if _is_empty(value)}
    facts = {key: value for key, value in item.items() if is_plain(value)} | facts
    deeper = [
        tag("div", tag("h3", words(key)), _value(key, value, here), class_="deeper")
        for key, value in item.items()
        if key not in facts
    ]
    return tag("div", _facts(facts) if facts else None, deeper, class_="card-body")


def _is_empty(value: Any) -> bool:
    return isinstance(value, list | Mapping) and not value
