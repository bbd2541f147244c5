"""Plain views of the world behind the chat, drawn from what each stand-in says of itself.

The snapshots are plain JSON whose shape belongs to the stand-ins, so nothing here depends on it:
flat rows become tables, deeper things cards that fold, texts with several lines files to open.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from playground.page.html import Html, join, tag

NAMES = {"github": "GitHub"}
TITLES = ("full_name", "name", "display_name", "title", "path", "slug", "login", "key", "id")
SIGNS = {True: "Yes", False: "No", None: "—"}
MOST_COLUMNS = 8
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
    parts = [_section(name, value) for name, value in snapshot.items() if not is_plain(value)]
    return join([_facts(facts) if facts else None, parts])


def world_name(name: str) -> str:
    """Return a world's name as people write it."""
    return NAMES.get(name, name.title())


def is_plain(value: object) -> bool:
    """Return whether a value fits on one line."""
    if isinstance(value, str):
        return "\n" not in value and len(value) <= 200
    return value is None or isinstance(value, bool | int | float)


def words(name: str) -> str:
    """Return a key as people read it: `service_principals` is "Service principals"."""
    spaced = name.replace("_", " ").strip()
    shown = spaced[:1].upper() + spaced[1:]
    return " ".join(ACRONYMS.get(word, word) for word in shown.split(" "))


def _section(name: str, value: Any) -> Html:
    count = (
        len(value) if isinstance(value, Sequence | Mapping) and not isinstance(value, str) else None
    )
    badge = tag("span", count, class_="count") if count is not None else None
    title = tag("h2", words(name), badge)
    return tag("section", title, _value(name, value), class_="panel", id=f"world-{name}")


def _value(name: str, value: Any, path: str = "") -> Html:
    here = f"{path}/{name}"
    if is_plain(value):
        return _plain(value)
    if isinstance(value, str):
        return tag("pre", value)
    if not value:
        return tag("span", "none", class_="muted")
    if isinstance(value, Mapping):
        return _mapping(name, value, here)
    return _sequence(list(value), here)


def _plain(value: object) -> Html:
    if value is None or isinstance(value, bool):
        return tag("span", SIGNS[value], class_="sign-value")
    return join([str(value)])


def _mapping(name: str, value: Mapping[str, Any], here: str) -> Html:
    if name in FILES and all(isinstance(one, str) for one in value.values()):
        return tag(
            "div", [_file(path, text, here) for path, text in sorted(value.items())], class_="tree"
        )
    if all(is_plain(one) for one in value.values()):
        return _facts(value)
    if all(isinstance(one, Mapping) for one in value.values()):
        return _sequence([{"name": key} | dict(one) for key, one in value.items()], here)
    return _card_body(value, here)


def _facts(value: Mapping[str, Any]) -> Html:
    pairs = [
        tag("div", tag("dt", words(key)), tag("dd", _plain(one))) for key, one in value.items()
    ]
    return tag("dl", pairs, class_="facts")


def _file(path: str, content: str, here: str) -> Html:
    size = tag("span", f"{len(content.splitlines())} lines", class_="muted")
    head = tag("summary", tag("code", path), size)
    return tag("details", head, tag("pre", content), class_="leaf", data_key=f"{here}/{path}")


def _sequence(items: list[Any], here: str) -> Html:
    if all(is_plain(one) for one in items):
        return tag("ul", [tag("li", _plain(one)) for one in items], class_="tags")
    rows = [one for one in items if isinstance(one, Mapping)]
    if len(rows) == len(items) and _is_table(rows):
        return _table(rows)
    alone = len(items) == 1
    return join(_card(one, here, at, opened=alone) for at, one in enumerate(items))


def _is_table(rows: Sequence[Mapping[str, Any]]) -> bool:
    flat = all(is_plain(value) or _is_short_list(value) for row in rows for value in row.values())
    return flat and len(_columns(rows)) <= MOST_COLUMNS


def _is_short_list(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= 6 and all(is_plain(one) for one in value)


def _columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(key for row in rows for key in row))


def _table(rows: Sequence[Mapping[str, Any]]) -> Html:
    columns = _columns(rows)
    head = tag("tr", [tag("th", words(one), scope="col") for one in columns])
    body = [tag("tr", [tag("td", _cell(row.get(one))) for one in columns]) for row in rows]
    return tag("div", tag("table", tag("thead", head), tag("tbody", body)), class_="table-frame")


def _cell(value: Any) -> Html:
    if isinstance(value, list):
        return (
            join([", ".join(str(one) for one in value)])
            if value
            else tag("span", "—", class_="muted")
        )
    return _plain(value)


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
    facts = {key: value for key, value in item.items() if is_plain(value)}
    deeper = [
        tag("div", tag("h3", words(key)), _value(key, value, here), class_="deeper")
        for key, value in item.items()
        if not is_plain(value)
    ]
    return tag("div", _facts(facts) if facts else None, deeper, class_="card-body")
