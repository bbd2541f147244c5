"""Messages: who said what and when, with blocks, files, reactions and the way into the thread."""

from collections.abc import Callable, Sequence

from playground.page.blocks import blocks
from playground.page.emoji import emoji
from playground.page.html import EMPTY, Html, classes, join, tag, text
from playground.page.mrkdwn import mrkdwn
from playground.page.place import Place, place_of, surface_name
from playground.page.reader import Reader
from playground.slack.entities import SLACKBOT, File, Message
from playground.slack.state import State

SAME_BREATH = 300
"""Seconds within which a person's messages follow under one name."""
PREVIEW_LINES = 8
Draw = Callable[[Message, Reader], Html]
Listed = list[tuple[str, Html]]
"""Keyed pieces of HTML, in order."""


class Drawn:
    """Remembers how messages look, since a change to one of a hundred is the usual one."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], tuple[object, Html]] = {}

    def __call__(self, one: Message, reader: Reader) -> Html:
        """Return a message's content, drawn anew if anything about it is different."""
        at = (reader.viewer, one.channel, one.ts)
        version = _version(one, reader)
        known = self._known.get(at)
        if known is None or known[0] != version:
            known = (version, content(one, reader))
            self._known[at] = known
        return known[1]


def _version(one: Message, reader: Reader) -> object:
    """Return what differs when a message looks different; dates may say how long ago it is."""
    minute = reader.now.replace(second=0, microsecond=0)
    seen = (one.edits, one.deleted, reader.viewer in one.warned, len(one.files), minute)
    return (*seen, one.text, str(one.reactions), str(one.values), len(one.attachments))


def message_list(
    state: State, found: Sequence[Message], reader: Reader, channel: str, draw: Draw
) -> Listed:
    """Return a channel's messages with a line between days."""
    listed: Listed = []
    before: Message | None = None
    for one in found:
        day = reader.local(float(one.ts)).date()
        if before is None or reader.local(float(before.ts)).date() != day:
            words = reader.date(float(one.ts), "{day_divider_pretty}")
            listed.append((f"day-{day}", tag("div", words, class_="day", id=f"day-{day}")))
            before = None
        follows = before is not None and _same_breath(before, one)
        shown = message(
            one, reader, draw=draw, foot=_thread_foot(state, one, reader, channel), follows=follows
        )
        listed.append((f"m-{one.ts}", shown))
        before = one
    return listed


def thread_list(found: Sequence[Message], reader: Reader, draw: Draw) -> Listed:
    """Return a thread's messages; ids differ from those in the channel beside it.

    No lines between days are there: what is of another day than today has its date.
    """
    return [(f"t-{one.ts}", message(one, reader, in_thread=True, draw=draw)) for one in found]


def _dated(one: Message, reader: Reader) -> str:
    """Return how a message's moment is written where no line tells its day."""
    is_today = reader.local(float(one.ts)).date() == reader.now.astimezone(reader.zone).date()
    return "{time}" if is_today else "{date_short_pretty} at {time}"


def _same_breath(before: Message, one: Message) -> bool:
    quick = float(one.ts) - float(before.ts) < SAME_BREATH
    return quick and before.user == one.user and before.reader == one.reader and not before.deleted


def message(
    one: Message,
    reader: Reader,
    *,
    draw: Draw,
    foot: Html = EMPTY,
    follows: bool = False,
    in_thread: bool = False,
) -> Html:
    """Return one message as its reader sees it."""
    name = author(one, reader)
    private = one.reader is not None
    whisper = tag("div", "Only visible to you", class_="whisper") if private else None
    time = reader.time(one.ts, _dated(one, reader) if in_thread else "{time}")
    badge = tag("span", "APP", class_="app-badge") if one.by_bot or one.user == SLACKBOT else None
    head = None if follows else tag("div", tag("b", name), badge, time, class_="head")
    aside = tag("div", time, class_="aside") if follows else avatar(one.user, name)
    body = tag("div", whisper, head, draw(one, reader), foot, class_="body")
    return tag(
        "article",
        aside,
        body,
        id=f"{'t' if in_thread else 'm'}-{one.ts}",
        class_=classes("message", "follows" if follows else "", "private" if private else ""),
        data_surface=surface_name(one),
        data_ts=one.ts,
        data_author=one.user,
        aria_label=f"{name}, {moment_label(one, reader)}",
    )


def moment_label(one: Message, reader: Reader) -> str:
    """Return a message's time for screen readers."""
    return f"{reader.local(float(one.ts)):%H:%M}"


def author(one: Message, reader: Reader) -> str:
    """Return who wrote a message."""
    return "Slackbot" if one.user == SLACKBOT else reader.people.get(one.user, one.user)


def avatar(user: str, name: str) -> Html:
    """Return a person's initials on a colour of their own."""
    letters = "".join(word[0] for word in name.split()[:2]).upper()
    colour = int.from_bytes(user.encode(), "big") % 19 % 8
    robot = user.startswith("U0SCICLOPS")
    inner = "S" if robot else letters
    return tag(
        "div", inner, class_=f"avatar {'bot' if robot else f'c{colour}'}", aria_hidden="true"
    )


def content(one: Message, reader: Reader) -> Html:
    """Return what a message says, without who said it and when."""
    if one.deleted:
        return tag("p", one.text, class_="muted")
    place = place_of(one, reader)
    words = blocks(one.blocks, place) if one.blocks else mrkdwn(one.text, reader)
    edited = tag("span", "(edited)", class_="edited") if one.edited_ts else None
    warned = reader.viewer in one.warned
    trouble = "This app did not respond in time. Try again." if warned else None
    return join(
        [
            tag("div", words, None if one.blocks else edited, class_="content"),
            tag("div", edited, class_="edited-line") if one.blocks and edited else None,
            [_attachment(each, place) for each in one.attachments],
            [file_card(each, reader) for each in one.files],
            tag("p", "⚠ ", trouble, class_="warned", role="alert") if trouble else None,
            _reactions(one),
        ]
    )


def _attachment(attachment: dict[str, object], place: Place) -> Html:
    words = str(attachment.get("text") or attachment.get("fallback") or "")
    inner = attachment.get("blocks")
    shown = blocks(inner, place) if isinstance(inner, list) else mrkdwn(words, place.reader)
    return tag("div", shown, class_="attachment")


def _reactions(one: Message) -> Html | None:
    if not one.reactions:
        return None
    shown = [
        tag("span", emoji(name) or f":{name}:", " ", len(users), class_="reaction")
        for name, users in one.reactions.items()
    ]
    return tag("div", shown, class_="reactions")


def file_card(file: File, reader: Reader) -> Html:
    """Return a file with its first lines, and the ways to read or keep all of it."""
    address = f"/as/{reader.viewer}/file/{file.id}"
    first = file.content.decode("utf-8", "replace").splitlines()
    preview = tag("pre", "\n".join(first[:PREVIEW_LINES])) if first else None
    more = len(first) - PREVIEW_LINES
    rest = tag("a", f"{more} more lines", href=address, class_="more") if more > 0 else None
    name = tag("a", file.title or file.name, href=address, class_="name")
    size = tag("span", readable_size(file.size), class_="muted")
    keep = tag(
        "a",
        "Download",
        href=f"{address}/download",
        download=file.name,
        class_="button small",
        aria_label=f"Download {file.name}",
    )
    head = tag("div", tag("span", "▤", aria_hidden="true"), name, size, keep, class_="file-head")
    return tag("div", head, preview, rest, class_="file")


def readable_size(size: int) -> str:
    """Return a size as people say it."""
    if size < 1000:
        return f"{size} bytes"
    return f"{size / 1000:.1f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def _thread_foot(state: State, one: Message, reader: Reader, channel: str) -> Html:
    """Return the link to a message's thread: always offered, prominent once there are replies."""
    if one.reader is not None or one.deleted:
        return EMPTY
    replies = state.thread(channel, one.ts, reader.viewer)[1:]
    address = f"/as/{reader.viewer}/c/{channel}?thread={one.thread_ts or one.ts}"
    if not replies:
        label = f"Reply in thread to {author(one, reader)}"
        return tag("a", "Reply in thread", href=address, class_="reply", aria_label=label)
    faces = [avatar(user, reader.people.get(user, user)) for user in _writers(replies)]
    count = f"{len(replies)} {'reply' if len(replies) == 1 else 'replies'}"
    last = tag("span", "last ", reader.time(replies[-1].ts, "{ago}"), class_="muted")
    return tag("a", faces, tag("b", text(count)), last, href=address, class_="thread-link")


def _writers(replies: Sequence[Message]) -> list[str]:
    return list(dict.fromkeys(one.user for one in replies))[:4]
