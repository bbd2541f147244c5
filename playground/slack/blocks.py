"""Slack's own check of Block Kit: what it answers `invalid_blocks` to, with JSON pointers.

The rules of each block are in `block_kit/`; here are the rules about a whole message or view.
Sources: docs.slack.dev/reference/block-kit and the model classes of Slack's Python SDK.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal

from playground.slack import inputs
from playground.slack.block_kit import layout
from playground.slack.block_kit.objects import plain
from playground.slack.block_kit.rules import Problem, Problems, boolean, choice, shape, string
from playground.slack.entities import Json

Surface = Literal["message", "modal", "home"]

MOST_BLOCKS = {"message": 50, "modal": 100, "home": 100}
ONLY_ONE = ("table",)
MOST_CHARTS = 2
MOST_MARKDOWN = 12_000
MOST_TABLE_TEXT = {"table": 10_000, "data_table": 20_000}
LONGEST_BLOCKS = 13_200
"""Undocumented; where real workspaces begin to answer msg_blocks_too_long."""
LONGEST_VIEW = 250_000
"""Where views.open answers view_too_large."""

_modal = shape(
    {"title": plain(24), "blocks": lambda _value, _at: iter(())},
    {
        "type": choice("modal"),
        "submit": plain(24),
        "close": plain(24),
        "private_metadata": string(3000, 0),
        "callback_id": string(255, 0),
        "external_id": string(255, 0),
        "clear_on_close": boolean,
        "notify_on_close": boolean,
        "submit_disabled": boolean,
    },
)
_home = shape(
    {"blocks": lambda _value, _at: iter(())},
    {
        "type": choice("home"),
        "private_metadata": string(3000, 0),
        "callback_id": string(255, 0),
        "external_id": string(255, 0),
        "title": plain(24),
        "submit": plain(24),
        "close": plain(24),
    },
)


def message_problems(blocks: Any, *, plan_blocks: bool = True) -> list[str]:
    """Return what Slack refuses in a message's blocks; an old workspace has no `plan`."""
    refused = () if plan_blocks else ("plan", "task_card")
    return [str(one) for one in _blocks(blocks, "message", "/blocks", refused)]


def view_problems(view: Any) -> list[str]:
    """Return what Slack refuses in a modal or an App Home view."""
    if not isinstance(view, dict):
        return [str(Problem("/view", "must provide an object"))]
    kind = view.get("type")
    if kind not in ("modal", "home"):
        return [str(Problem("/view/type", "must be one of: modal, home"))]
    fields = _modal if kind == "modal" else _home
    found = [*fields(view, "/view")]
    if "blocks" in view:
        found += _blocks(view["blocks"], kind, "/view/blocks", ())
    if not found and kind == "modal":
        found += _submit_is_there(view)
    return [str(one) for one in found]


def too_long(blocks: list[Json]) -> bool:
    """Return whether a message's blocks are more than Slack takes (msg_blocks_too_long)."""
    return len(json.dumps(blocks, separators=(",", ":"), ensure_ascii=False)) > LONGEST_BLOCKS


def view_too_large(view: Json) -> bool:
    """Return whether a view is more than Slack takes."""
    return len(json.dumps(view)) > LONGEST_VIEW


def _blocks(blocks: Any, surface: Surface, at: str, refused: tuple[str, ...]) -> Problems:
    if not isinstance(blocks, list):
        yield Problem(at, "must be an array")
        return
    if len(blocks) > MOST_BLOCKS[surface]:
        yield Problem(at, f"no more than {MOST_BLOCKS[surface]} items allowed")
    found: list[Problem] = []
    for index, block in enumerate(blocks):
        found += _one(block, surface, f"{at}/{index}", refused)
    yield from found
    if not found:
        yield from _together(blocks, at)


def _one(block: Any, surface: Surface, at: str, refused: tuple[str, ...]) -> Problems:
    kind = block.get("type") if isinstance(block, dict) else None
    known = isinstance(kind, str) and kind in layout.BLOCKS
    if known and (kind not in layout.SURFACES[surface] or kind in refused):
        yield Problem(f"{at}/type", f"unsupported type: {kind}")
        return
    yield from layout.block(block, at)


def _together(blocks: list[Json], at: str) -> Problems:
    yield from _unique(blocks, at)
    yield from _counted(blocks, at)
    if sum(bool(one.get("focus_on_load")) for _, one in inputs.elements(blocks)) > 1:
        yield Problem(at, "focus_on_load can be true for only one element")
    markdown = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    if markdown > MOST_MARKDOWN:
        yield Problem(at, f"markdown blocks must be less than {MOST_MARKDOWN + 1} characters")
    for kind, most in MOST_TABLE_TEXT.items():
        if sum(_cell_text(block) for block in blocks if block["type"] == kind) > most:
            yield Problem(at, f"{kind} cells must be less than {most + 1} characters")


def _counted(blocks: list[Json], at: str) -> Problems:
    kinds = Counter(block["type"] for block in blocks)
    for kind in ONLY_ONE:
        if kinds[kind] > 1:
            yield Problem(at, f"only one {kind} block is allowed")
    if kinds["data_visualization"] > MOST_CHARTS:
        yield Problem(at, f"no more than {MOST_CHARTS} data_visualization blocks allowed")


def _unique(blocks: list[Json], at: str) -> Problems:
    ids = Counter(block["block_id"] for block in _every(blocks) if "block_id" in block)
    for block_id, times in ids.items():
        if times > 1:
            yield Problem(at, f"block_id already exists: {block_id}")
    for block in _every(blocks):
        yield from _unique_actions(block, at)


def _unique_actions(block: Json, at: str) -> Problems:
    if block.get("type", "task_card") in ("carousel", "container", "task_card"):
        return
    held = [element.get("action_id") for _, element in inputs.elements([block])]
    for action_id, times in Counter(held).items():
        if action_id is not None and times > 1:
            yield Problem(at, f"action_id already exists: {action_id}")


def _every(blocks: list[Json]) -> Iterator[Json]:
    for block in blocks:
        yield block
        yield from _every(block.get("child_blocks", []))
        yield from block.get("tasks", [])
        if block["type"] == "carousel":
            yield from block["elements"]


def _cell_text(table: Json) -> int:
    return sum(_text_length(cell) for row in table["rows"] for cell in row)


def _text_length(value: Any) -> int:
    if isinstance(value, dict):
        own = len(value["text"]) if isinstance(value.get("text"), str) else 0
        return own + sum(_text_length(one) for key, one in value.items() if key != "text")
    return sum(_text_length(one) for one in value) if isinstance(value, list) else 0


def _submit_is_there(view: Json) -> Problems:
    if "submit" not in view and any(block["type"] == "input" for block in view["blocks"]):
        yield Problem("/view", "missing required field: submit")
