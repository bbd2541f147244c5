"""Turns a `Notice` into Block Kit: rich text for everything a person may have typed.

Limits are Slack's (docs.slack.dev/reference/block-kit): 50 blocks in a message, header 150, button
text 75 and value 2,000, 25 elements in actions, 50 tasks in a plan, 100 rows in a table. Above
about 13,200 characters of blocks Slack answers `msg_blocks_too_long`, so long bodies are cut in
the middle at 10,000.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from provisioning.text import Button, Fact, Notice, Span, Table, Task, Text, plain

Block = dict[str, Any]

BODY_LIMIT = 6_000
DATE = "{date_short_pretty} {time}"
"""How Slack shows every moment, in the reader's own time zone."""
SMALL_PRINT = ("plain", "code", "moment", "channel")
"""Styles of which small print is marked up; with another among them all of it is plain."""
SYMBOLS = {
    "pending": "white_circle",
    "in_progress": "hourglass_flowing_sand",
    "complete": "white_check_mark",
    "error": "x",
}
"""Emoji of the classic rendering; the words beside them say the same."""


def blocks(notice: Notice, *, plan_blocks: bool = True) -> list[Block]:
    """Return the blocks of a message, at most 50."""
    made: list[Block] = []
    if notice.title:
        made.append({"type": "header", "text": _plain(notice.title, 150)})
    if notice.body:
        made.append(rich_text(_cut(notice.body)))
    if notice.facts:
        made.append(_facts(notice.facts))
    if notice.tasks:
        made.append(_plan(notice) if plan_blocks else _task_list(notice.tasks))
    if notice.table:
        made.append(_table(notice.table))
    if notice.footer:
        made.append(_context(notice.footer))
    if notice.buttons:
        made.append({"type": "actions", "elements": [_button(b) for b in notice.buttons[:25]]})
    return made


def fallback(notice: Notice) -> str:
    """Return what notifications say: Slack parses it, so that it is escaped."""
    text = notice.summary
    for character, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(character, escaped)
    return text


def rich_text(lines: Iterable[Text]) -> Block:
    """Return lines as one rich_text block: what people typed arrives verbatim."""
    return {
        "type": "rich_text",
        "elements": [
            {"type": "rich_text_section", "elements": elements(line, end="\n")} for line in lines
        ],
    }


def elements(text: Text, end: str = "") -> list[Block]:
    """Return a text as rich text elements; empty texts get a space, since Slack refuses none."""
    made = [_element(span) for span in text if span.text]
    if end and made and made[-1]["type"] == "text" and "style" not in made[-1]:
        made[-1] = made[-1] | {"text": made[-1]["text"] + end}
    elif end:
        made.append({"type": "text", "text": end})
    return made or [{"type": "text", "text": " "}]


def _element(span: Span) -> Block:
    if span.style == "person":
        if span.target.startswith("S"):
            return {"type": "usergroup", "usergroup_id": span.target}
        return {"type": "user", "user_id": span.target}
    if span.style == "channel":
        return {"type": "channel", "channel_id": span.target}
    if span.style == "link":
        return {"type": "link", "url": span.target, "text": span.text}
    if span.style == "moment":
        at = _timestamp(span)
        return {"type": "date", "timestamp": at, "format": DATE, "fallback": span.text}
    made: Block = {"type": "text", "text": span.text}
    return made if span.style == "plain" else made | {"style": {span.style: True}}


def _plain(text: str, limit: int) -> Block:
    shown = text if len(text) <= limit else text[: limit - 1] + "…"
    return {"type": "plain_text", "text": shown or " ", "emoji": False}


def _cut(lines: Sequence[Text]) -> Sequence[Text]:
    """Keep the beginning and the end of a body that is too long; say how much is missing."""
    if sum(len(plain(line)) for line in lines) <= BODY_LIMIT:
        return lines
    half = BODY_LIMIT // 2
    head, tail = _within(lines, half), _within(tuple(reversed(lines)), half)
    missing = len(lines) - len(head) - len(tail)
    note = (Span(text=f"… {missing} lines are left out here …", style="italic"),)
    return (*head, note, *reversed(tail))


def _within(lines: Sequence[Text], limit: int) -> list[Text]:
    kept: list[Text] = []
    for line in lines:
        words = plain(line)
        if len(words) > limit:
            return kept or [(Span(text=words[:limit] + "…"),)]
        limit -= len(words)
        kept.append(line)
    return kept


def _facts(facts: Sequence[Fact]) -> Block:
    return rich_text((Span(text=f"{fact.label}: ", style="bold"), *fact.value) for fact in facts)


def _plan(notice: Notice) -> Block:
    title = notice.title.rpartition(" · ")[2] if notice.title else notice.summary
    return {
        "type": "plan",
        "title": title[:150],
        "tasks": [_task_card(task) for task in notice.tasks[:50]],
    }


def _task_card(task: Task) -> Block:
    card: Block = {
        "type": "task_card",
        "task_id": task.id,
        "title": task.title[:150],
        "status": task.status,
    }
    for part, text in (("details", task.details), ("output", task.output)):
        if text:
            card[part] = {
                "type": "rich_text",
                "elements": [{"type": "rich_text_section", "elements": elements(text)}],
            }
    return card


def _task_list(tasks: Sequence[Task]) -> Block:
    """Return tasks for workspaces without plan blocks: a symbol, the words, the result."""
    sections = []
    for task in tasks:
        line: list[Block] = [{"type": "emoji", "name": SYMBOLS[task.status]}]
        line.append({"type": "text", "text": f" {task.title}", "style": {"bold": True}})
        for text in (task.details, task.output):
            if text:
                line += [{"type": "text", "text": " — "}, *elements(text)]
        line.append({"type": "text", "text": "\n"})
        sections.append({"type": "rich_text_section", "elements": line})
    return {"type": "rich_text", "elements": sections}


def _table(table: Table) -> Block:
    header = [{"type": "raw_text", "text": name} for name in table.header[:20]]
    rows = [[_cell(cell) for cell in row[:20]] for row in table.rows[:99]]
    return {"type": "table", "rows": [header, *rows]}


def _cell(text: Text) -> Block:
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": elements(text)}],
    }


def _context(text: Text) -> Block:
    """Return small print. Context has no rich text, so only our own words may be marked up."""
    if all(span.style in SMALL_PRINT and _harmless(span.text) for span in text):
        words = "".join(_mrkdwn(span) for span in text)
        return {"type": "context", "elements": [{"type": "mrkdwn", "text": words}]}
    return {"type": "context", "elements": [_plain(plain(text), 2000)]}


def _harmless(text: str) -> bool:
    return not set(text) & set("*_~`<>&@#")


def _mrkdwn(span: Span) -> str:
    if span.style == "code":
        return f"`{span.text}`"
    if span.style == "moment":
        return f"<!date^{_timestamp(span)}^{DATE}|{span.text}>"
    if span.style == "channel":
        return f"<#{span.target}>"
    return span.text


def _timestamp(moment: Span) -> int:
    return int(datetime.fromisoformat(moment.target).timestamp())


def _button(button: Button) -> Block:
    made: Block = {
        "type": "button",
        "action_id": ("words:" + "/".join(button.words or (button.label,)))[:240],
        "text": _plain(button.label, 75),
    }
    if button.address:
        made["url"] = button.address
    else:
        made["value"] = json.dumps(button.words)
    if button.style != "default":
        made["style"] = button.style
    if button.confirm:
        made["confirm"] = {
            "title": _plain(button.label, 100),
            "text": _plain(button.confirm, 300),
            "confirm": _plain(button.label, 30),
            "deny": _plain("Keep It", 30),
            "style": "danger" if button.style == "danger" else "primary",
        }
    return made
