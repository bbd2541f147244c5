"""Block Kit as HTML, without side effects: the same blocks and reader give the same text."""

from collections.abc import Callable, Iterable

from playground.page.cards import alert, card, container_head, plan, table, task_card
from playground.page.elements import element, image
from playground.page.fields import GROUPS
from playground.page.html import Html, join, tag
from playground.page.markdown import markdown
from playground.page.place import Place
from playground.page.rich_text import rich_text
from playground.slack.entities import Json

Draw = Callable[[Json, Place], Html]


def blocks(content: Iterable[Json], place: Place) -> Html:
    """Return a surface's blocks."""
    return join(one_block(block, place) for block in content)


def one_block(block: Json, place: Place) -> Html:
    """Return one block; a kind that this page does not know is named, not dropped."""
    kind = block.get("type", "")
    draw = _BLOCKS.get(kind)
    shown = draw(block, place) if draw else tag("p", f"[{kind} block]", class_="muted")
    key = f"block|{place.surface}|{block.get('block_id', '')}"
    return tag("div", shown, class_=f"block {kind}", data_key=key)


def _header(block: Json, place: Place) -> Html:
    return tag("h3", place.words(block["text"]))


def _section(block: Json, place: Place) -> Html:
    words = tag("div", place.words(block["text"]), class_="words") if block.get("text") else None
    fields = [tag("div", place.words(one), class_="words") for one in block.get("fields", [])]
    grid = tag("div", fields, class_="fields") if fields else None
    accessory = block.get("accessory")
    beside = tag("div", element(block, accessory, place), class_="accessory") if accessory else None
    return tag("div", tag("div", words, grid, class_="body"), beside, class_="columns")


def _context(block: Json, place: Place) -> Html:
    shown = [
        image(one, "icon") if one.get("type") == "image" else tag("span", place.words(one))
        for one in block.get("elements", [])
    ]
    return join(shown)


def _actions(block: Json, place: Place) -> Html:
    return join(element(block, one, place) for one in block.get("elements", []))


def _input(block: Json, place: Place) -> Html:
    inner = block["element"]
    dom_id = place.dom_id(block, inner)
    optional = tag("span", "(optional)", class_="optional") if block.get("optional") else None
    words = [place.words(block["label"]), optional]
    if inner["type"] in GROUPS:
        label = tag("div", words, class_="label", id=f"{dom_id}-label")
    else:
        label = tag("label", words, class_="label", for_=dom_id)
    problem = place.errors.get(block.get("block_id", ""))
    error = (
        tag("p", problem, class_="error", id=f"{dom_id}-error", role="alert") if problem else None
    )
    hint = block.get("hint")
    below = tag("p", place.words(hint), class_="hint", id=f"{dom_id}-hint") if hint else None
    return tag(
        "div",
        label,
        element(block, inner, place),
        error,
        below,
        class_="field",
        data_wrong=bool(problem),
    )


def _image(block: Json, place: Place) -> Html:
    title = block.get("title")
    caption = tag("figcaption", place.words(title)) if title else None
    return tag("figure", caption, image(block, "picture"))


def _container(block: Json, place: Place) -> Html:
    inner = blocks(block.get("child_blocks", []), place)
    head = container_head(block, place)
    if not block.get("is_collapsible"):
        return tag("section", tag("div", head, class_="head"), inner, class_="box")
    opened = not block.get("default_collapsed")
    return tag("details", tag("summary", head), inner, class_="box", open=opened)


def _carousel(block: Json, place: Place) -> Html:
    return tag("div", blocks(block.get("elements", []), place), class_="track")


_BLOCKS: dict[str, Draw] = {
    "header": _header,
    "section": _section,
    "context": _context,
    "actions": _actions,
    "context_actions": _actions,
    "input": _input,
    "image": _image,
    "container": _container,
    "carousel": _carousel,
    "divider": lambda _, __: tag("hr"),
    "rich_text": lambda block, place: rich_text(block, place.reader),
    "markdown": lambda block, place: markdown(block.get("text", ""), place.reader),
    "table": table,
    "plan": plan,
    "task_card": task_card,
    "alert": alert,
    "card": card,
}
