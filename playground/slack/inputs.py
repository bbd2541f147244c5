"""What a person enters into Block Kit elements, in the form that Slack reports it."""

import re
from collections.abc import Iterator
from typing import Any

from playground.slack.entities import Json, NotPossible, Surface

TEXT = {"plain_text_input", "email_text_input", "url_text_input", "number_input"}
ONE_OPTION = {"static_select", "external_select", "radio_buttons", "overflow"}
MANY_OPTIONS = {"multi_static_select", "multi_external_select", "checkboxes"}
PLAIN_KEY = {
    **dict.fromkeys(TEXT, "value"),
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "multi_users_select": "selected_users",
    "multi_conversations_select": "selected_conversations",
    "multi_channels_select": "selected_channels",
    "rich_text_input": "rich_text_value",
    "file_input": "files",
}
INITIAL_KEY = {
    **dict.fromkeys(TEXT, "initial_value"),
    "rich_text_input": "initial_value",
    **dict.fromkeys(ONE_OPTION, "initial_option"),
    **dict.fromkeys(MANY_OPTIONS, "initial_options"),
    "datepicker": "initial_date",
    "timepicker": "initial_time",
    "datetimepicker": "initial_date_time",
    "users_select": "initial_user",
    "conversations_select": "initial_conversation",
    "channels_select": "initial_channel",
    "multi_users_select": "initial_users",
    "multi_conversations_select": "initial_conversations",
    "multi_channels_select": "initial_channels",
}
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def elements(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Yield every interactive element with the block that holds it."""
    for block in blocks:
        kind = block["type"]
        if kind == "input":
            yield block, block["element"]
        elif kind == "section" and "accessory" in block:
            yield block, block["accessory"]
        elif kind in ("actions", "context_actions"):
            yield from ((block, element) for element in block["elements"])
        elif kind == "card":
            yield from ((block, element) for element in block.get("actions", []))
        elif kind == "carousel":
            yield from elements(block["elements"])
        elif kind == "container":
            yield from elements(block.get("child_blocks") or [])


def find(surface: Surface, action_id: str, block_id: str = "") -> tuple[Json, Json]:
    """Return (block, element), or raise `NotPossible` if it is not there (any more)."""
    for block, element in elements(surface.blocks):
        if element.get("action_id") == action_id and block_id in ("", block["block_id"]):
            return block, element
    raise NotPossible(f"there is no element {action_id!r} (block {block_id or 'any'!r}) here")


def value_key(kind: str) -> str | None:
    """Return where Slack reports an element's value; None for what holds no value."""
    if kind in ONE_OPTION - {"overflow"}:
        return "selected_option"
    if kind in MANY_OPTIONS:
        return "selected_options"
    return PLAIN_KEY.get(kind)


def is_many(kind: str) -> bool:
    """Return whether the element takes several values."""
    return kind.startswith("multi_") or kind == "checkboxes"


def initial_state(blocks: list[Json]) -> dict[str, dict[str, Json]]:
    """Return `state.values` of a view that nobody has touched yet."""
    values: dict[str, dict[str, Json]] = {}
    for block, element in elements(blocks):
        key = value_key(element["type"])
        if key is None:
            continue
        empty: Any = [] if is_many(element["type"]) else None
        initial = element.get(INITIAL_KEY.get(element["type"], ""), empty)
        state = {"type": element["type"], key: initial}
        values.setdefault(block["block_id"], {})[element["action_id"]] = state
    return values


def carried_over(blocks: list[Json], entered: dict[str, dict[str, Json]]) -> Any:
    """Return the state after an update: entries stay where block, action and type are the same."""
    values = initial_state(blocks)
    for block_id, actions in values.items():
        for action_id, state in actions.items():
            old = entered.get(block_id, {}).get(action_id)
            if old is not None and old["type"] == state["type"]:
                actions[action_id] = old
    return values


def entered_state(element: Json, value: Any, offered: list[Json]) -> Json:
    """Return the state for what a person entered: text, an id, an option's value, or a list.

    Refuses, as Slack's client does, an option that is not offered.
    """
    kind = element["type"]
    key = value_key(kind)
    if key is None:
        raise NotPossible(f"nothing can be entered into a {kind}")
    if key == "selected_option":
        return {"type": kind, key: None if value is None else _option(element, value, offered)}
    if key == "selected_options":
        return {"type": kind, key: [_option(element, one, offered) for one in value]}
    return {"type": kind, key: list(value) if is_many(kind) else _plain(kind, value)}


def _plain(kind: str, value: Any) -> Any:
    if kind == "datepicker" and value and not DATE.fullmatch(value):
        raise NotPossible(f"{value!r} is not a date (YYYY-MM-DD)")
    return value if value != "" else None


def overflow_choice(element: Json, value: str) -> Json:
    """Return the state of an overflow menu in which `value` was chosen."""
    return {"selected_option": _option(element, value, [])}


def options_of(element: Json) -> list[Json]:
    """Return an element's own options, of all groups, and those it starts with."""
    groups = element.get("option_groups", [])
    options = [*element.get("options", []), *(one for group in groups for one in group["options"])]
    if element["type"].endswith("external_select"):
        first = element.get("initial_option")
        options += ([first] if first else []) + element.get("initial_options", [])
    return options


def _option(element: Json, value: str, offered: list[Json]) -> Json:
    for option in [*options_of(element), *offered]:
        if option.get("value") == value or option["text"]["text"] == value:
            return {"text": option["text"], "value": option["value"]}
    raise NotPossible(f"{value!r} is not among the options of {element.get('action_id')!r}")


def complaints(blocks: list[Json], values: dict[str, dict[str, Json]]) -> dict[str, str]:
    """Return what Slack's own client says, by block id, before it sends a submission."""
    found: dict[str, str] = {}
    for block in blocks:
        if block["type"] != "input":
            continue
        element = block["element"]
        state = values[block["block_id"]][element["action_id"]]
        value = state[value_key(element["type"]) or ""]
        if complaint := _complaint(block, element, value):
            found[block["block_id"]] = complaint
    return found


def _complaint(block: Json, element: Json, value: Any) -> str | None:
    if value in (None, "", []):
        return None if block.get("optional") else "Please complete this required field."
    if element["type"] == "number_input":
        return _number_complaint(element, str(value))
    if element["type"] == "email_text_input" and not EMAIL.fullmatch(str(value)):
        return "Please enter a valid email address."
    if element["type"] == "url_text_input" and "://" not in str(value):
        return "Please enter a valid URL."
    if element["type"] == "plain_text_input":
        return _length_complaint(element, str(value))
    limit = element.get("max_selected_items")
    return f"Please choose at most {limit}." if limit and len(value) > limit else None


def _length_complaint(element: Json, value: str) -> str | None:
    if len(value) < element.get("min_length", 0):
        return f"Please enter at least {element['min_length']} characters."
    if len(value) > element.get("max_length", 3000):
        return f"Please enter at most {element.get('max_length', 3000)} characters."
    return None


def _number_complaint(element: Json, value: str) -> str | None:
    pattern = r"-?\d+(\.\d+)?" if element.get("is_decimal_allowed") else r"-?\d+"
    if not re.fullmatch(pattern, value):
        return "Please enter a valid number."
    low, high = element.get("min_value"), element.get("max_value")
    too_low = low is not None and float(value) < float(low)
    too_high = high is not None and float(value) > float(high)
    return f"Please enter a number from {low} to {high}." if too_low or too_high else None
