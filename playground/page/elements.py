"""What people press: buttons and overflow menus; and images. Inputs are in `fields`."""

from playground.page.fields import FIELDS, Draw
from playground.page.html import Html, classes, tag
from playground.page.place import LOOPBACK_IMAGE, Place, words_only
from playground.slack.entities import Json


def _button(block: Json, element: Json, place: Place) -> Html:
    style = element.get("style")
    return tag(
        "button",
        tag("span", place.words(element.get("text")), class_="label"),
        type="button",
        class_=classes("button", style),
        aria_label=element.get("accessibility_label"),
        data_press="button",
        data_url=_safe_url(element.get("url"), place),
        **place.hooks(block, element),
    )


def _safe_url(url: str | None, place: Place) -> str | None:
    if not url:
        return None
    if here := place.reader.follow(url):
        return f"/as/{place.reader.viewer}/{here}"
    return url if url.startswith(("https://", "http://")) else None


def _icon_button(block: Json, element: Json, place: Place) -> Html:
    glyph = {"trash": "🗑"}.get(element.get("icon", ""), "•")
    label = words_only(element.get("text")) or element.get("icon", "")
    hooks = place.hooks(block, element)
    return tag(
        "button", glyph, type="button", class_="button", data_press="button", title=label, **hooks
    )


def _overflow(block: Json, element: Json, place: Place) -> Html:
    menu_id = f"{place.dom_id(block, element)}-menu"
    items = [
        tag(
            "button",
            place.words(one["text"]),
            type="button",
            role="menuitem",
            tabindex="-1",
            data_choice=one["value"],
        )
        for one in element["options"]
    ]
    opener = tag(
        "button",
        "⋯",
        type="button",
        class_="button opener",
        aria_haspopup="menu",
        aria_expanded="false",
        aria_controls=menu_id,
        aria_label=element.get("accessibility_label") or "More actions",
    )
    menu = tag("div", items, role="menu", id=menu_id, class_="menu", hidden=True)
    hooks = place.hooks(block, element)
    return tag("div", opener, menu, class_="overflow", data_press="overflow", **hooks)


def image(element: Json, class_: str) -> Html:
    """Return an image from this machine; of others only the description is shown."""
    url = element.get("image_url", "")
    alt = element.get("alt_text", "")
    if LOOPBACK_IMAGE.match(url):
        return tag("img", src=url, alt=alt, class_=class_)
    return tag("span", alt or "image", class_=f"{class_} missing", role="img", aria_label=alt)


def _image(_: Json, element: Json, __: Place) -> Html:
    return image(element, "thumbnail")


_ELEMENTS: dict[str, Draw] = {
    **FIELDS,
    "button": _button,
    "workflow_button": _button,
    "icon_button": _icon_button,
    "overflow": _overflow,
    "image": _image,
}


def element(block: Json, one: Json, place: Place) -> Html:
    """Return one element of a block."""
    draw = _ELEMENTS.get(one.get("type", ""))
    if draw is None:
        return tag("span", f"[{one.get('type')}]", class_="muted")
    return draw(block, one, place)
