"""Slack's rich_text as HTML. User text lives here: it is shown verbatim, never parsed."""

from collections.abc import Callable

from playground.page.emoji import emoji
from playground.page.html import EMPTY, Html, join, lines, tag, text
from playground.page.reader import Reader
from playground.slack.entities import Json

_STYLES = (
    ("code", "code"),
    ("strike", "del"),
    ("underline", "u"),
    ("italic", "em"),
    ("bold", "strong"),
)


def rich_text(block: Json, reader: Reader) -> Html:
    """Return a rich_text block (also when it is a task's details or a table's cell)."""
    return join(_part(part, reader) for part in block.get("elements", []))


def _part(part: Json, reader: Reader) -> Html:
    kind = part.get("type")
    if kind == "rich_text_list":
        return _list(part, reader)
    inner = join(_inline(one, reader) for one in part.get("elements", []))
    bordered = " bordered" if part.get("border") else ""
    if kind == "rich_text_preformatted":
        words = "".join(one.get("text", one.get("url", "")) for one in part.get("elements", []))
        return tag("pre", words, class_=f"rich{bordered}")
    if kind == "rich_text_quote":
        return tag("blockquote", inner)
    return tag("div", inner, class_="rich")


def _list(part: Json, reader: Reader) -> Html:
    ordered = part.get("style") == "ordered"
    items = [tag("li", _part(item, reader)) for item in part.get("elements", [])]
    indent = min(int(part.get("indent", 0)), 8)
    start = int(part.get("offset", 0)) + 1 if ordered and part.get("offset") else None
    return tag("ol" if ordered else "ul", items, class_=f"rich indent{indent}", start=start)


def _inline(one: Json, reader: Reader) -> Html:
    draw = _INLINE.get(one.get("type", ""))
    shown = draw(one, reader) if draw else EMPTY
    style = one.get("style") or {}
    for name, element in _STYLES:
        if style.get(name):
            shown = tag(element, shown)
    return shown


def _date(one: Json, reader: Reader) -> Html:
    if not isinstance(one.get("timestamp"), int):
        return text(one.get("fallback", ""))
    shown = reader.date(one["timestamp"], one.get("format", "{date}"))
    return reader.link(one["url"], shown) if one.get("url") else shown


def _color(one: Json, _: Reader) -> Html:
    return tag("code", one.get("value", ""))


_INLINE: dict[str, Callable[[Json, Reader], Html]] = {
    "text": lambda one, _: lines(one.get("text", "")),
    "link": lambda one, reader: reader.link(one.get("url", ""), one.get("text") or one["url"]),
    "user": lambda one, reader: reader.person(one.get("user_id", "")),
    "channel": lambda one, reader: reader.channel(one.get("channel_id", "")),
    "usergroup": lambda one, reader: reader.group(one.get("usergroup_id", "")),
    "emoji": lambda one, _: emoji(one.get("name", "")) or text(f":{one.get('name', '')}:"),
    "broadcast": lambda one, _: tag("span", f"@{one.get('range', '')}", class_="mention me"),
    "team": lambda one, _: tag("span", one.get("team_id", ""), class_="mention"),
    "date": _date,
    "color": _color,
}
