"""The markdown block: a safe subset of Markdown. Raw HTML stays text."""

import re
from collections.abc import Callable, Iterator

from playground.page.emoji import emoji
from playground.page.html import Child, Html, join, tag, text
from playground.page.reader import Reader

_INLINE = re.compile(
    r"(?P<ticks>`+)(?P<code>.+?)(?P=ticks)"
    r"|\[(?P<label>[^\]\n]+)\]\((?P<url>[^)\s]+)\)"
    r"|<(?P<auto>https?://[^\s<>]+)>"
    r"|\*\*(?P<bold>\S(?:.*?\S)?)\*\*"
    r"|__(?P<bold2>\S(?:.*?\S)?)__"
    r"|~~(?P<strike>\S(?:.*?\S)?)~~"
    r"|(?<![\w*])\*(?P<italic>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])"
    r"|(?<!\w)_(?P<italic2>[^\s_](?:[^_\n]*[^\s_])?)_(?!\w)"
    r"|:(?P<emoji>[a-z0-9_+-]+):"
    r"|\\(?P<escaped>[\\`*_{}\[\]()#+.!~>|-])"
)
_MARKS = {"bold": "strong", "bold2": "strong", "strike": "del", "italic": "em", "italic2": "em"}
_ITEM = re.compile(r"^(?P<indent>\s*)(?P<mark>[-*+]|\d+[.)])\s+(?P<rest>.*)$")
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$")
_RULE = re.compile(r"^\s*([-*_])(\s*\1){2,}\s*$")
_TABLE_RULE = re.compile(r"^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")
_TASK = re.compile(r"^\[([ xX])\]\s+")


def markdown(words: str, reader: Reader) -> Html:
    """Return headings, lists, quotes, code, tables and paragraphs as HTML."""
    return join(_blocks(words.replace("\r\n", "\n").split("\n"), reader))


def _blocks(lines: list[str], reader: Reader) -> Iterator[Html]:
    while lines:
        if not lines[0].strip():
            lines = lines[1:]
            continue
        shown, used = _block(lines, reader)
        yield shown
        lines = lines[used:]


def _block(lines: list[str], reader: Reader) -> tuple[Html, int]:
    """Return the block that starts here and how many lines it took."""
    first = lines[0]
    if first.lstrip().startswith("```"):
        return _fence(lines)
    if heading := _HEADING.match(first):
        return tag(f"h{min(len(heading[1]) + 2, 6)}", marks(heading[2], reader)), 1
    if _RULE.match(first):
        return tag("hr"), 1
    if first.lstrip().startswith(">"):
        quoted = _while(lines, lambda line: line.lstrip().startswith(">"))
        inner = [re.sub(r"^\s*> ?", "", line) for line in quoted]
        return tag("blockquote", list(_blocks(inner, reader))), len(quoted)
    if _ITEM.match(first):
        items = _while(lines, lambda line: bool(_ITEM.match(line)))
        return _list(items, reader), len(items)
    if len(lines) > 1 and "|" in first and _TABLE_RULE.match(lines[1]):
        rows = _while(lines, lambda line: "|" in line)
        return _table(rows, reader), len(rows)
    prose = [first, *_while(lines[1:], _is_prose)]
    return tag("p", _broken(prose, reader)), len(prose)


def _is_prose(line: str) -> bool:
    special = _HEADING.match(line) or _ITEM.match(line) or _RULE.match(line)
    return bool(line.strip()) and not special and not line.lstrip().startswith((">", "```"))


def _while(lines: list[str], fits: Callable[[str], bool]) -> list[str]:
    taken = []
    for line in lines:
        if not fits(line):
            break
        taken.append(line)
    return taken


def _fence(lines: list[str]) -> tuple[Html, int]:
    code = _while(lines[1:], lambda line: not line.lstrip().startswith("```"))
    return tag("pre", "\n".join(code)), len(code) + 2


def _list(items: list[str], reader: Reader) -> Html:
    """Return one list; deeper items are indented by class, not nested."""
    found = [match for line in items if (match := _ITEM.match(line))]
    ordered = found[0]["mark"][0].isdigit()
    shown = [
        tag("li", _item(one["rest"], reader), class_=f"indent{min(len(one['indent']) // 2, 8)}")
        for one in found
    ]
    return tag("ol" if ordered else "ul", shown, class_="rich")


def _item(rest: str, reader: Reader) -> list[Child]:
    task = _TASK.match(rest)
    if not task:
        return [marks(rest, reader)]
    done = "☑ " if task[1] != " " else "☐ "
    return [done, marks(rest[task.end() :], reader)]


def _table(rows: list[str], reader: Reader) -> Html:
    cells = [[one.strip() for one in row.strip().strip("|").split("|")] for row in rows]
    head = tag("tr", [tag("th", marks(one, reader), scope="col") for one in cells[0]])
    body = [tag("tr", [tag("td", marks(one, reader)) for one in row]) for row in cells[2:]]
    return tag("div", tag("table", tag("thead", head), tag("tbody", body)), class_="table-frame")


def _broken(lines: list[str], reader: Reader) -> Html:
    return Html("<br>".join(marks(line.strip(), reader) for line in lines))


def marks(words: str, reader: Reader) -> Html:
    """Return one line with its inline marks."""
    pieces: list[Child] = []
    position = 0
    for found in _INLINE.finditer(words):
        pieces += [words[position : found.start()], _mark(found, reader)]
        position = found.end()
    return join([*pieces, words[position:]])


def _mark(found: re.Match[str], reader: Reader) -> Html:
    if found["code"] is not None:
        return tag("code", found["code"].strip())
    if found["url"]:
        return reader.link(found["url"], marks(found["label"], reader))
    if found["auto"]:
        return reader.link(found["auto"], found["auto"])
    if found["emoji"]:
        return emoji(found["emoji"]) or text(found[0])
    if found["escaped"]:
        return text(found["escaped"])
    kind = next(name for name in _MARKS if found[name] is not None)
    return tag(_MARKS[kind], marks(found[kind], reader))
