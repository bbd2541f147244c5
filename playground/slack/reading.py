"""What a person can read on a message or a view, as plain text."""

from typing import Any

from playground.slack.entities import Json, Message, Surface
from playground.slack.inputs import elements

READABLE = ("title", "text", "label", "hint", "fields", "subtitle", "body", "caption", "rows")
NESTED = ("elements", "tasks", "details", "output", "child_blocks", "actions", "alt_text")
PARTS = (*READABLE, *NESTED, "accessory", "element", "options", "placeholder", "url", "name")


def text_of(surface: Surface) -> str:
    """Return everything written on a message or view, one piece a line."""
    pieces: list[str] = []
    if isinstance(surface, Message):
        pieces += [surface.text, *(file.title for file in surface.files)]
    else:
        pieces += [surface.title, surface.trouble, *surface.errors.values()]
    for block in surface.blocks:
        _read(block, pieces)
    return "\n".join(piece for piece in pieces if piece)


def text_of_block(block: Json) -> str:
    """Return everything written on one block."""
    pieces: list[str] = []
    _read(block, pieces)
    return "\n".join(pieces).strip()


def _read(value: Any, pieces: list[str]) -> None:
    if isinstance(value, str):
        pieces.append(value)
    elif isinstance(value, list):
        _read_list(value, pieces)
    elif isinstance(value, dict):
        for name in PARTS:
            if name in value:
                _read(value[name], pieces)
        for name in ("user_id", "usergroup_id", "channel_id", "status", "value"):
            if name in value and value.get("type") in (
                "user",
                "usergroup",
                "channel",
                "task_card",
                "raw_number",
            ):
                pieces.append(str(value[name]))


def _read_list(value: list[Any], pieces: list[str]) -> None:
    inline = value and all(isinstance(one, dict) and _is_inline(one) for one in value)
    if not inline:
        for one in value:
            _read(one, pieces)
        return
    line: list[str] = []
    for one in value:
        _read(one, line)
    pieces.append("".join(line))


def _is_inline(value: Json) -> bool:
    return value.get("type") in (
        "text",
        "link",
        "emoji",
        "user",
        "usergroup",
        "channel",
        "date",
        "broadcast",
    )


def buttons(surface: Surface) -> dict[str, tuple[str, str]]:
    """Return each button's label with its (action id, block id)."""
    return {
        element["text"]["text"]: (element["action_id"], block["block_id"])
        for block, element in elements(surface.blocks)
        if element["type"] == "button"
    }
