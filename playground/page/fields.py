"""What people type, tick and choose in: Block Kit's inputs as accessible form controls."""

from collections.abc import Callable, Iterable
from typing import Any

from playground.page.html import Attribute, Html, tag, text
from playground.page.place import Place, words_only
from playground.slack import inputs
from playground.slack.entities import Json

GROUPS = frozenset({"checkboxes", "radio_buttons"})
"""Inputs of several controls, which one label can't be `for`."""
Draw = Callable[[Json, Json, Place], Html]
_TEXT_KIND = {
    "plain_text_input": "text",
    "email_text_input": "email",
    "url_text_input": "url",
    "number_input": "text",
    "datepicker": "date",
    "timepicker": "time",
    "datetimepicker": "datetime-local",
}


def described(block: Json, element: Json, place: Place) -> dict[str, Attribute]:
    """Return the attributes that tie a control to its hint and error."""
    dom_id = place.dom_id(block, element)
    wrong = block.get("block_id", "") in place.errors
    about = [f"{dom_id}-hint"] if block.get("hint") else []
    about += [f"{dom_id}-error"] if wrong else []
    outside = block["type"] != "input"
    label = words_only(element.get("placeholder")) or element.get("action_id", "")
    return {
        "id": dom_id,
        "aria_describedby": " ".join(about) or None,
        "aria_invalid": "true" if wrong else None,
        "aria_labelledby": f"{dom_id}-label" if not outside and element["type"] in GROUPS else None,
        "aria_required": "true" if not outside and not block.get("optional") else None,
        "aria_label": element.get("accessibility_label") or (label if outside else None),
        "data_autofocus": bool(element.get("focus_on_load")),
    }


def _text(block: Json, element: Json, place: Place) -> Html:
    value = place.value(block, element)
    shown = "" if value is None else str(value)
    if element["type"] == "datetimepicker" and shown:
        shown = place.reader.local(float(shown)).strftime("%Y-%m-%dT%H:%M")
    attributes = described(block, element, place) | place.hooks(block, element)
    attributes |= {"placeholder": words_only(element.get("placeholder")), "class_": "text"}
    attributes |= {"data_entry": "text", "autocomplete": "off", "spellcheck": "false"}
    if element.get("multiline"):
        return tag("textarea", text(shown), rows=4, **attributes)
    if element["type"] == "number_input":
        attributes["inputmode"] = "decimal" if element.get("is_decimal_allowed") else "numeric"
    return tag("input", type=_TEXT_KIND[element["type"]], value=shown, **attributes)


def _rich_input(block: Json, element: Json, place: Place) -> Html:
    value: Any = place.value(block, element) or {}
    parts = [one for part in value.get("elements", []) for one in part.get("elements", [])]
    shown = "".join(one.get("text", "") for one in parts)
    attributes = described(block, element, place) | place.hooks(block, element)
    return tag("textarea", shown, rows=4, class_="text", data_entry="text", **attributes)


def _static_select(block: Json, element: Json, place: Place) -> Html:
    chosen: Any = place.value(block, element) or {}
    first = words_only(element.get("placeholder")) or "Choose an option"
    options = [tag("option", first, value="", selected=not chosen)]
    options += _options(element.get("options", []), chosen.get("value"))
    for group in element.get("option_groups", []):
        inner = _options(group["options"], chosen.get("value"))
        options.append(tag("optgroup", inner, label=words_only(group["label"])))
    attributes = described(block, element, place) | place.hooks(block, element)
    return tag("select", options, class_="text", data_entry="select", **attributes)


def _options(options: Iterable[Json], chosen: str | None) -> list[Html]:
    return [
        tag("option", words_only(one["text"]), value=one["value"], selected=one["value"] == chosen)
        for one in options
    ]


def _ticks(block: Json, element: Json, place: Place) -> Html:
    many = element["type"] == "checkboxes"
    value: Any = place.value(block, element)
    chosen = {one["value"] for one in value or []} if many else {(value or {}).get("value")}
    about = described(block, element, place)
    rows = [_tick(one, block, element, place, one["value"] in chosen) for one in element["options"]]
    role = "group" if many else "radiogroup"
    hooks = place.hooks(block, element)
    return tag("div", rows, class_="ticks", role=role, data_entry="ticks", **hooks, **about)


def _tick(option: Json, block: Json, element: Json, place: Place, ticked: object) -> Html:
    kind = "checkbox" if element["type"] == "checkboxes" else "radio"
    box = tag(
        "input",
        type=kind,
        name=place.dom_id(block, element),
        value=option["value"],
        checked=bool(ticked),
        data_key=f"{place.key(block, element)}|{option['value']}",
    )
    description = option.get("description")
    below = tag("small", place.words(description)) if description else None
    return tag("label", box, tag("span", place.words(option["text"]), below), class_="tick")


def _combobox(block: Json, element: Json, place: Place) -> Html:
    """Return a type-ahead field; its suggestions come from the server as the person types."""
    many = inputs.is_many(element["type"])
    chosen = chosen_options(block, element, place)
    dom_id = place.dom_id(block, element)
    about = described(block, element, place)
    placeholder = words_only(element.get("placeholder")) or "Type to search"
    box = tag(
        "input",
        class_="search",
        role="combobox",
        type="text",
        value="" if many or not chosen else chosen[0][1],
        placeholder=placeholder,
        autocomplete="off",
        spellcheck="false",
        aria_expanded="false",
        aria_autocomplete="list",
        aria_controls=f"{dom_id}-list",
        **about,
    )
    chips = [_chip(value, label) for value, label in chosen] if many else []
    popup = tag("ul", role="listbox", id=f"{dom_id}-list", class_="options", hidden=True)
    hooks = place.hooks(block, element)
    hooks |= {"data_many": many, "data_value": chosen[0][0] if chosen and not many else None}
    least = element.get("min_query_length", 3) if "external" in element["type"] else 0
    face = tag("div", tag("span", chips, class_="chips"), box, class_="text face")
    return tag(
        "div", face, popup, class_="combobox", data_entry="combobox", data_least=least, **hooks
    )


def _chip(value: str, label: str) -> Html:
    remove = tag("button", "×", type="button", aria_label=f"Remove {label}")
    return tag("span", label, remove, class_="chip", data_value=value)


def chosen_options(block: Json, element: Json, place: Place) -> list[tuple[str, str]]:
    """Return (value, label) of what is chosen."""
    value: Any = place.value(block, element)
    chosen = value if isinstance(value, list) else [] if value is None else [value]
    return [_labelled(one, place) for one in chosen]


def _labelled(one: Json | str, place: Place) -> tuple[str, str]:
    if isinstance(one, dict):
        return one["value"], words_only(one["text"])
    reader = place.reader
    channel = reader.channels.get(one)
    return one, f"#{channel}" if channel else reader.people.get(one, one)


def _not_here(_: Json, element: Json, __: Place) -> Html:
    return tag("p", f"{element['type']} is not available in the playground.", class_="muted")


FIELDS: dict[str, Draw] = {
    **dict.fromkeys(_TEXT_KIND, _text),
    "rich_text_input": _rich_input,
    "static_select": _static_select,
    "checkboxes": _ticks,
    "radio_buttons": _ticks,
    "file_input": _not_here,
    **dict.fromkeys(
        [
            "external_select",
            "users_select",
            "channels_select",
            "conversations_select",
            "multi_static_select",
            "multi_external_select",
            "multi_users_select",
            "multi_channels_select",
            "multi_conversations_select",
        ],
        _combobox,
    ),
}
