"""The modal on top of a person's stack, and App Home."""

from collections.abc import Sequence

from playground.page.blocks import blocks
from playground.page.html import EMPTY, Html, tag
from playground.page.place import place_of, words_only
from playground.page.reader import Reader
from playground.slack.entities import View


def modal(stack: Sequence[View], reader: Reader) -> Html:
    """Return the dialog for the top of a stack, or nothing."""
    if not stack:
        return EMPTY
    view = stack[-1]
    content = tag(
        "div", _trouble(view), blocks(view.blocks, place_of(view, reader)), class_="sheet"
    )
    form = tag("form", _head(view, len(stack)), content, _foot(view), novalidate=True)
    return tag(
        "dialog",
        form,
        class_="modal",
        id=f"modal-{view.id}",
        data_key=view.id,
        data_surface=f"view:{view.id}",
        data_busy=view.busy,
        aria_labelledby="modal-title",
        aria_busy="true" if view.busy else None,
    )


def _head(view: View, depth: int) -> Html:
    back = (
        tag("button", "‹", type="button", class_="quiet", data_close="one", aria_label="Back")
        if depth > 1
        else tag("span", "S", class_="avatar bot", aria_hidden="true")
    )
    cross = tag("button", "✕", type="button", class_="quiet", data_close="all", aria_label="Close")
    return tag("header", back, tag("h2", view.title, id="modal-title"), cross)


def _trouble(view: View) -> Html | None:
    if not view.trouble:
        return None
    mark = tag("span", "!", class_="mark", aria_hidden="true")
    return tag("div", mark, tag("div", view.trouble), class_="banner error", role="alert")


def _foot(view: View) -> Html:
    content = view.content
    close = tag(
        "button",
        words_only(content.get("close")) or "Cancel",
        type="button",
        class_="button",
        data_close="one",
    )
    if not content.get("submit"):
        return tag("footer", close)
    label = tag("span", words_only(content["submit"]), class_="label")
    waiting = view.busy or bool(content.get("submit_disabled"))
    submit = tag(
        "button", label, type="submit", class_="button primary", disabled=waiting, data_submit=True
    )
    return tag("footer", close, submit)


def home(view: View | None, reader: Reader) -> Html:
    """Return App Home, or what a person sees before the app has published one."""
    if view is None:
        words = tag(
            "p", "Nothing here yet. SciCLOps fills this page when it hears that you opened it."
        )
        return tag("div", tag("h2", "Home is on its way"), words, class_="empty")
    inner = blocks(view.blocks, place_of(view, reader))
    return tag("div", inner, class_="home", data_surface=f"view:{view.id}", data_key=view.id)
