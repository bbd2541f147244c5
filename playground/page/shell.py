"""The document: sidebar, what is looked at, the thread beside it, and where modals appear."""

from collections.abc import Mapping, Sequence

from playground.page.address import Address
from playground.page.html import EMPTY, Html, join, tag
from playground.page.messages import Listed

Region = Html | Listed
Hints = Sequence[tuple[str, str]]
"""What can be typed, and what it does."""
LISTS = ("messages", "thread", "entries")
NEWS = tag("button", "New messages ↓", type="button", class_="news", hidden=True)
"""What says that there is more below than somebody sees who has scrolled up."""


def document(regions: Mapping[str, Region], at: Address, title: str, hints: Hints) -> Html:
    """Return the whole page."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{title} · SciCLOps playground"),
        tag("link", rel="icon", href="/static/icon.svg", type="image/svg+xml"),
        tag("link", rel="stylesheet", href="/static/page.css"),
        tag("link", rel="stylesheet", href="/static/blocks.css"),
        tag("script", type="module", src="/static/page.js"),
    )
    body = tag("body", _body(regions, at, hints), data_viewer=at.viewer, data_at=str(at))
    return Html(f"<!doctype html>{tag('html', head, body, lang='en')}")


def _body(regions: Mapping[str, Region], at: Address, hints: Hints) -> Html:
    shown = {name: region(name, content) for name, content in regions.items()}
    main = tag(
        "main",
        _main(shown, at, hints),
        id="main",
        tabindex="-1",
        data_key=f"main|{at.kind}|{at.name}",
    )
    beside = _thread(shown, at, hints) if at.thread else None
    side = tag("nav", shown.get("sidebar"), class_="sidebar", id="sidebar", aria_label="Workspace")
    return join(
        [
            tag("a", "Skip to the content", href="#main", class_="skip"),
            tag("div", side, main, beside, class_="app with-thread" if beside else "app", id="app"),
            shown.get("modal"),
            tag("div", id="notice", role="status", aria_live="polite"),
            tag("div", "Connection lost. Trying again…", id="offline", role="alert", hidden=True),
        ]
    )


def region(name: str, content: Region) -> Html:
    """Return a part of the page that is replaced when its content changes."""
    inner = join(one for _, one in content) if isinstance(content, list) else content
    live = "log" if name in ("messages", "thread") else None
    return tag("div", inner, id=f"region-{name}", class_=f"region {name}", role=live)


def _main(shown: Mapping[str, Html], at: Address, hints: Hints) -> Html:
    opener = tag(
        "button",
        "☰",
        type="button",
        id="open-sidebar",
        class_="quiet",
        aria_label="Show the sidebar",
    )
    head = tag("header", opener, shown.get("header"), class_="top")
    content = [shown[name] for name in ("content", "entries", "messages") if name in shown]
    scroll = tag(
        "div", content, class_="scroll", id="scroll", tabindex="0", data_key=f"s|{at.name}"
    )
    writing = composer(at, hints) if at.kind == "channel" else None
    return join([head, scroll, NEWS if writing else None, writing])


def _thread(shown: Mapping[str, Html], at: Address, hints: Hints) -> Html:
    back = Address(at.viewer, at.kind, at.name)
    close = tag("a", "✕", href=str(back), class_="quiet", aria_label="Close the thread")
    head = tag("header", tag("h1", "Thread"), close, class_="top")
    scroll = tag("div", shown.get("thread"), class_="scroll", tabindex="0", id="scroll-thread")
    label = "Thread"
    parts = [head, scroll, NEWS, composer(at, hints, in_thread=True)]
    return tag(
        "aside", parts, class_="thread-pane", aria_label=label, data_key=f"thread|{at.thread}"
    )


def composer(at: Address, hints: Hints, *, in_thread: bool = False) -> Html:
    """Return where a person writes, with what can be typed after a slash."""
    key = f"composer|{at.viewer}|{at.name}|{at.thread if in_thread else ''}"
    box_id = "reply-box" if in_thread else "message-box"
    words = "Reply…" if in_thread else "Write a message, or / for commands"
    box = tag(
        "textarea",
        id=box_id,
        rows=1,
        placeholder=words,
        aria_label="Reply" if in_thread else "Message",
        aria_controls=f"{box_id}-hints",
        autocomplete="off",
        data_key=key,
    )
    send = tag("button", "➤", type="submit", class_="send", aria_label="Send")
    rows = EMPTY if in_thread else join(_hint(words, about) for words, about in hints)
    popup = tag(
        "ul",
        rows,
        id=f"{box_id}-hints",
        class_="hints",
        role="listbox",
        hidden=True,
        aria_label="Commands",
    )
    return tag(
        "form",
        popup,
        tag("div", box, send, class_="box-row"),
        class_="composer",
        data_channel=at.name,
        data_thread=at.thread if in_thread else "",
    )


def _hint(words: str, about: str) -> Html:
    inner = [tag("b", words), tag("span", about)]
    return tag("li", inner, role="option", data_words=words, aria_selected="false")
