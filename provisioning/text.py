"""The language messages are written in: spans, buttons, tables; the edge turns them into blocks.

Whatever a person typed goes into a `Span`, which arrives verbatim: it is never parsed as markup.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

OURSELVES = "sciclops"
"""Who acts when nobody asked for it in person."""
LONGEST_QUOTE = 60
"""Characters of what somebody typed that are repeated to them."""

Style = Literal["plain", "bold", "italic", "code", "person", "channel", "link", "moment"]


class Frozen(BaseModel):
    """A value: immutable, compared by content, stored as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Span(Frozen):
    """A stretch of text. `target` is the id or address of a person, channel, link or moment."""

    text: str
    style: Style = "plain"
    target: str = ""


Text = tuple[Span, ...]


def bold(text: str) -> Span:
    """Return emphasised text."""
    return Span(text=text, style="bold")


def code(text: str) -> Span:
    """Return text in a fixed-width font: names, ids, figures."""
    return Span(text=text, style="code")


def person(user_id: str) -> Span:
    """Return a mention of a chat user, or of a user group; where nobody asked it was us."""
    if user_id == OURSELVES:
        return Span(text="SciCLOps")
    return Span(text=user_id, style="person", target=user_id)


def channel(channel_id: str) -> Span:
    """Return a mention of a channel."""
    return Span(text=channel_id, style="channel", target=channel_id)


def link(text: str, url: str) -> Span:
    """Return a link."""
    return Span(text=text, style="link", target=url)


def moment(at: datetime) -> Span:
    """Return a point in time, shown in each reader's own time zone."""
    return Span(text=at.strftime("%Y-%m-%d %H:%M UTC"), style="moment", target=at.isoformat())


def say(*parts: str | Span) -> Text:
    """Join strings and spans into one text."""
    return tuple(Span(text=part) if isinstance(part, str) else part for part in parts)


def quoted(typed: str) -> str:
    """Return what somebody typed between quotation marks, cut if it is long."""
    is_long = len(typed) > LONGEST_QUOTE
    return f"“{typed[: LONGEST_QUOTE - 1]}…”" if is_long else f"“{typed}”"


def plain(text: Text) -> str:
    """Return the words alone, for notifications, logs and screen readers."""
    return "".join(span.text for span in text)


class Button(Frozen):
    """A button types words: pressing it and typing them is the same request.

    `confirm` is asked before the words are sent. `label` is at most 75 characters (Slack).
    One with an `address` opens that page and types nothing.
    """

    label: str
    words: tuple[str, ...] = ()
    style: Literal["default", "primary", "danger"] = "default"
    confirm: str = ""
    address: str = ""


class Task(Frozen):
    """One line of a run's progress, in the words of Slack's `task_card`."""

    id: str
    title: str
    status: Literal["pending", "in_progress", "complete", "error"] = "pending"
    details: Text = ()
    output: Text = ()


class Table(Frozen):
    """Rows under a header, at most 100 rows by 20 columns (Slack)."""

    header: tuple[str, ...]
    rows: tuple[tuple[Text, ...], ...]


class Fact(Frozen):
    """A labelled value in a message."""

    label: str
    value: Text


class Notice(Frozen):
    """A whole message: what it is about, its facts, its tasks and what can be done.

    Every part but `summary` may be absent. `summary` is also what notifications and screen readers
    say, so it names the state and the action that is needed.
    """

    summary: str
    title: str = ""
    body: tuple[Text, ...] = ()
    facts: tuple[Fact, ...] = ()
    tasks: tuple[Task, ...] = ()
    table: Table | None = None
    footer: Text = ()
    buttons: tuple[Button, ...] = ()
