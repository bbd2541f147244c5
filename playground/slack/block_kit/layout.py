"""Layout blocks: their fields and limits, and the surfaces that show them."""

from typing import Any

from playground.slack.block_kit import elements
from playground.slack.block_kit.objects import (
    formatted,
    plain,
    rich_text,
    rich_text_parts,
    slack_file,
    some_id,
    url,
)
from playground.slack.block_kit.rules import (
    Check,
    Problem,
    Problems,
    any_of,
    anything,
    boolean,
    choice,
    exactly_one_of,
    integer,
    items,
    number,
    shape,
    string,
    tagged,
)

_id: dict[str, Check] = {"block_id": some_id}


def _same_width(value: Any, at: str) -> Problems:
    widths = {len(row) for row in value["rows"]}
    if len(widths) > 1:
        yield Problem(f"{at}/rows", "all rows must have the same number of cells")


def _plain_header(value: Any, at: str) -> Problems:
    for index, cell in enumerate(value["rows"][0]):
        if cell["type"] == "rich_text":
            yield Problem(f"{at}/rows/0/{index}", "header cells can't be rich_text")


def _task_ids_differ(value: Any, at: str) -> Problems:
    seen = [task["task_id"] for task in value.get("tasks", [])]
    if len(set(seen)) < len(seen):
        yield Problem(f"{at}/tasks", "task_id must be unique")


def _collapsible(value: Any, at: str) -> Problems:
    if value.get("is_collapsible") and value.get("has_header_divider"):
        yield Problem(at, "has_header_divider can't be set when is_collapsible is true")
    if value.get("default_collapsed") and not value.get("is_collapsible"):
        yield Problem(at, "default_collapsed requires is_collapsible")


_cells: dict[str, Check] = {
    "raw_text": shape({"text": string()}),
    "raw_number": shape({"value": number}, {"text": string()}),
    "rich_text": shape({"elements": items(rich_text_parts, least=0)}, _id),
}
_column = shape({}, {"align": choice("left", "center", "right"), "is_wrapped": boolean})


def _column_or_null(value: Any, at: str) -> Problems:
    return iter(()) if value is None else _column(value, at)


table = shape(
    {"rows": items(items(tagged(_cells), 20), 100)},
    {**_id, "column_settings": items(_column_or_null, 20, 0)},
)
data_table = shape(
    {
        "rows": items(items(tagged({**_cells, "action_cell": anything}), 20), 201, 2),
        "caption": string(),
    },
    {**_id, "page_size": integer(1, 100), "row_header_column_index": integer(0)},
    _same_width,
    _plain_header,
)
task_card = shape(
    {
        "task_id": string(),
        "title": string(),
        "status": choice("pending", "in_progress", "complete", "error"),
    },
    {
        **_id,
        "details": rich_text,
        "output": rich_text,
        "sources": items(tagged({"url": shape({"url": url, "text": string()})}), least=0),
    },
)


def _task(value: Any, at: str) -> Problems:
    # Slack's own examples leave the type of a plan's tasks out.
    if isinstance(value, dict) and value.get("type", "task_card") != "task_card":
        yield Problem(f"{at}/type", f"unsupported type: {value['type']}")
    yield from task_card(value, at)


plan = shape(
    {"title": string()},
    {**_id, "tasks": items(_task, 50, 0)},
    _task_ids_differ,
)
image = shape(
    {"alt_text": string(2000)},
    {**_id, "image_url": url, "slack_file": slack_file, "title": plain(2000)},
    exactly_one_of("image_url", "slack_file"),
)
card = shape(
    {},
    {
        **_id,
        "hero_image": tagged({"image": elements.image}),
        "icon": tagged({"image": elements.image}),
        "slack_icon": anything,
        "title": formatted(150),
        "subtitle": formatted(150),
        "body": formatted(200),
        "actions": items(tagged({"button": elements.button}), 5),
    },
    any_of("hero_image", "title", "actions", "body"),
)
section = shape(
    {},
    {
        **_id,
        "text": formatted(3000),
        "fields": items(formatted(2000), 10),
        "accessory": elements.in_section,
        "expand": boolean,
    },
    any_of("text", "fields"),
)
BLOCKS: dict[str, Check] = {
    "section": section,
    "divider": shape({}, _id),
    "image": image,
    "header": shape({"text": plain(150)}, {**_id, "level": integer(1, 6)}),
    "actions": shape({"elements": items(elements.in_actions, 25)}, _id),
    "context": shape({"elements": items(elements.in_context, 10)}, _id),
    "context_actions": shape({"elements": items(elements.in_context_actions, 5)}, _id),
    "input": shape(
        {"label": plain(2000), "element": elements.in_input},
        {**_id, "hint": plain(2000), "optional": boolean, "dispatch_action": boolean},
    ),
    "file": shape({"external_id": string(), "source": choice("remote")}, _id),
    "video": shape(
        {"alt_text": string(), "title": plain(199), "video_url": url, "thumbnail_url": url},
        {
            **_id,
            "title_url": url,
            "description": plain(200),
            "author_name": string(49),
            "provider_name": string(),
            "provider_icon_url": url,
        },
    ),
    "markdown": shape({"text": string(12_000)}, _id),
    "rich_text": shape({"elements": items(rich_text_parts, least=0)}, _id),
    "table": table,
    "data_table": data_table,
    "data_visualization": shape({"title": string(50), "chart": anything}, _id),
    "plan": plan,
    "task_card": task_card,
    "alert": shape(
        {"text": formatted(3000)},
        {**_id, "level": choice("default", "info", "warning", "error", "success")},
    ),
    "card": card,
    "carousel": shape({"elements": items(tagged({"card": card}), 10)}, _id),
    "call": shape(
        {"call_id": string()}, {**_id, "api_decoration_available": boolean, "call": anything}
    ),
}
_NOT_INSIDE = ("input", "alert")
BLOCKS["container"] = shape(
    {
        "child_blocks": items(
            tagged({kind: check for kind, check in BLOCKS.items() if kind not in _NOT_INSIDE}), 10
        )
    },
    {
        **_id,
        "title": plain(150),
        "rich_text_title": rich_text,
        "subtitle": formatted(150),
        "width": choice("narrow", "standard", "wide", "full"),
        "icon": tagged({"image": elements.image}),
        "is_collapsible": boolean,
        "default_collapsed": boolean,
        "has_header_divider": boolean,
    },
    any_of("title", "rich_text_title"),
    _collapsible,
)
block = tagged(BLOCKS)

_EVERYWHERE = {"section", "divider", "image", "header", "actions", "context", "rich_text", "video"}
SURFACES = {
    "message": _EVERYWHERE
    | {"context_actions", "file", "markdown", "table", "data_table", "data_visualization", "plan"}
    | {"task_card", "card", "carousel", "container", "call"},
    "modal": _EVERYWHERE | {"input", "alert", "card"},
    "home": _EVERYWHERE
    | {"input", "table", "data_table", "data_visualization", "card", "carousel", "container"},
}
