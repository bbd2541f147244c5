"""Slack's mrkdwn as HTML. Text arrives with `&`, `<` and `>` escaped and leaves escaped."""

import re

from playground.page.emoji import emoji
from playground.page.html import Child, Html, join, tag, text
from playground.page.reader import Reader

_FENCE = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)
_QUOTE = re.compile(r"^(?:&gt;|>) ?")
_TOKEN = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|<(?P<reference>[^<>\n]+)>"
    r"|(?P<url>https?://[^\s<>|]*[^\s<>|.,;:!?)\]}'\"*_~])"
    r"|:(?P<emoji>[a-z0-9_+'-]+(?:::skin-tone-[2-6])?):"
    r"|(?<![\w*])\*(?P<bold>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])"
    r"|(?<!\w)_(?P<italic>[^\s_](?:[^\n]*?[^\s])?)_(?!\w)"
    r"|(?<![\w~])~(?P<strike>[^\s~](?:[^~\n]*[^\s~])?)~(?![\w~])"
)


def unescape(words: str) -> str:
    """Undo Slack's escaping of the three characters it escapes."""
    return words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def mrkdwn(words: str, reader: Reader) -> Html:
    """Return mrkdwn as HTML: code blocks, quotes and inline marks."""
    pieces: list[Child] = []
    for number, part in enumerate(_FENCE.split(words)):
        if number % 2:
            pieces.append(tag("pre", unescape(_without_references(part))))
        elif part.strip("\n"):
            pieces.append(_lines(part.strip("\n") if len(words) > len(part) else part, reader))
    return join(pieces)


def _without_references(code: str) -> str:
    return re.sub(r"<([^<>|\n]+)(?:\|([^<>\n]*))?>", lambda m: m[2] or m[1], code)


def _lines(words: str, reader: Reader) -> Html:
    """Group lines into quotes and text; `>>>` quotes all that follows."""
    groups: list[tuple[bool, list[str]]] = []
    rest_is_quoted = False
    for line in words.split("\n"):
        if not rest_is_quoted and (opening := re.match(r"^(?:&gt;|>){3} ?", line)):
            rest_is_quoted, line = True, line[opening.end() :]
            quoted = True
        else:
            quoted = rest_is_quoted or bool(_QUOTE.match(line))
            line = line if rest_is_quoted else _QUOTE.sub("", line)
        if not groups or groups[-1][0] != quoted:
            groups.append((quoted, []))
        groups[-1][1].append(line)
    return join(_group(lines, reader, quoted=quoted) for quoted, lines in groups)


def _group(lines: list[str], reader: Reader, *, quoted: bool) -> Html:
    inner = Html("<br>".join(inline(line, reader) for line in lines))
    return tag("blockquote", inner) if quoted else inner


def inline(words: str, reader: Reader) -> Html:
    """Return one line's marks, references and emoji as HTML."""
    pieces: list[Child] = []
    position = 0
    for found in _TOKEN.finditer(words):
        pieces += [unescape(words[position : found.start()]), _token(found, reader)]
        position = found.end()
    return join([*pieces, unescape(words[position:])])


_MARKS = {"bold": "strong", "italic": "em", "strike": "del"}


def _token(found: re.Match[str], reader: Reader) -> Html:
    kind = found.lastgroup or ""
    content = found[kind]
    if kind == "code":
        return tag("code", unescape(_without_references(content)))
    if kind == "reference":
        return reference(content, reader)
    if kind == "url":
        return reader.link(unescape(content), unescape(content))
    if kind == "emoji":
        return emoji(content) or text(found[0])
    return tag(_MARKS[kind], inline(content, reader))


def reference(content: str, reader: Reader) -> Html:
    """Return what stands between `<` and `>`: a mention, a date, a link."""
    target, _, label = content.partition("|")
    if target.startswith("@"):
        return reader.person(target[1:])
    if target.startswith("#"):
        return reader.channel(target[1:])
    if target.startswith("!"):
        return _special(target[1:], unescape(label), reader)
    if re.match(r"(https?://|mailto:)", target):
        shown = inline(label, reader) if label else text(unescape(target).removeprefix("mailto:"))
        return reader.link(unescape(target), shown)
    return text(f"<{unescape(content)}>")


def _special(target: str, label: str, reader: Reader) -> Html:
    if target in ("here", "channel", "everyone"):
        return tag("span", f"@{target}", class_="mention me")
    if target.startswith("subteam^"):
        return reader.group(target.removeprefix("subteam^"))
    if target.startswith("date^"):
        return _date(target.split("^"), label, reader)
    return text(label or f"<!{target}>")


def _date(parts: list[str], fallback: str, reader: Reader) -> Html:
    """Return `<!date^seconds^format^link|fallback>`; the fallback if it makes no sense."""
    if len(parts) < 3 or not parts[1].isdigit():
        return text(fallback)
    shown = reader.date(int(parts[1]), parts[2])
    return reader.link(unescape(parts[3]), shown) if len(parts) > 3 else shown
