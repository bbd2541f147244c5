"""Known-bad Block Kit, each with the JSON pointer at which Slack finds the fault."""

from typing import Any

Json = dict[str, Any]


def plain(text: str = "words") -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str = "words") -> Json:
    return {"type": "mrkdwn", "text": text}


def section(**more: Any) -> Json:
    return {"type": "section", "text": mrkdwn(), **more}


def button(**more: Any) -> Json:
    return {"type": "button", "action_id": "press", "text": plain("Press"), **more}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def option(value: str = "v", text: str = "t") -> Json:
    return {"text": plain(text), "value": value}


def options(count: int) -> list[Json]:
    return [option(f"v{number}") for number in range(count)]


def select(**more: Any) -> Json:
    return {"type": "static_select", "action_id": "pick", **more}


def rich(*elements: Json) -> Json:
    return {"type": "rich_text", "elements": list(elements)}


def line(*parts: Json) -> Json:
    return {"type": "rich_text_section", "elements": list(parts)}


def task(number: int = 1, **more: Any) -> Json:
    return {
        "type": "task_card",
        "task_id": f"task-{number}",
        "title": "Plan",
        "status": "pending",
        **more,
    }


def plan(*tasks: Json) -> Json:
    return {"type": "plan", "title": "Planning", "tasks": list(tasks)}


def table(rows: int = 1, columns: int = 1, text: str = "x") -> Json:
    row = [{"type": "raw_text", "text": text}] * columns
    return {"type": "table", "rows": [row] * rows}


def entry(element: Json, **more: Any) -> Json:
    return {"type": "input", "label": plain("Name"), "element": element, **more}


def text_input(**more: Any) -> Json:
    return {"type": "plain_text_input", "action_id": "typed", **more}


def modal(*blocks: Json, **more: Any) -> Json:
    return {
        "type": "modal",
        "title": plain("Title"),
        "submit": plain("Go"),
        "blocks": list(blocks),
        **more,
    }


BAD_MESSAGES: dict[str, tuple[list[Any], str]] = {
    "51 blocks": ([{"type": "divider"}] * 51, "/blocks"),
    "not an object": (["hello"], "/blocks/0"),
    "no type": ([{"text": plain()}], "/blocks/0"),
    "unknown type": ([{"type": "marquee"}], "/blocks/0/type"),
    "unknown property": ([section(colour="red")], "/blocks/0"),
    "section without text": ([{"type": "section"}], "/blocks/0"),
    "empty text": ([section(text=mrkdwn(""))], "/blocks/0/text/text"),
    "bare string as text": ([section(text="hello")], "/blocks/0/text"),
    "markdown as text type": (
        [section(text={"type": "markdown", "text": "x"})],
        "/blocks/0/text/type",
    ),
    "section of 3001": ([section(text=mrkdwn("x" * 3001))], "/blocks/0/text/text"),
    "11 fields": ([{"type": "section", "fields": [plain()] * 11}], "/blocks/0/fields"),
    "field of 2001": (
        [{"type": "section", "fields": [plain("x" * 2001)]}],
        "/blocks/0/fields/0/text",
    ),
    "header in mrkdwn": ([{"type": "header", "text": mrkdwn()}], "/blocks/0/text/type"),
    "header of 151": ([{"type": "header", "text": plain("x" * 151)}], "/blocks/0/text/text"),
    "block_id of 256": ([section(block_id="x" * 256)], "/blocks/0/block_id"),
    "same block_id twice": ([section(block_id="a"), section(block_id="a")], "/blocks"),
    "same action_id twice": ([actions(button(), button())], "/blocks"),
    "26 buttons": (
        [actions(*[button(action_id=f"a{n}") for n in range(26)])],
        "/blocks/0/elements",
    ),
    "no buttons": ([actions()], "/blocks/0/elements"),
    "text in actions": ([actions(plain())], "/blocks/0/elements/0/type"),
    "button in mrkdwn": (
        [actions(button(text=mrkdwn()))],
        "/blocks/0/elements/0/text/type",
    ),
    "button of 76": ([actions(button(text=plain("x" * 76)))], "/blocks/0/elements/0/text/text"),
    "button value of 2001": ([actions(button(value="x" * 2001))], "/blocks/0/elements/0/value"),
    "button value as number": ([actions(button(value=7))], "/blocks/0/elements/0/value"),
    "button style": ([actions(button(style="default"))], "/blocks/0/elements/0/style"),
    "button url of 3001": ([actions(button(url="x" * 3001))], "/blocks/0/elements/0/url"),
    "action_id of 256": ([actions(button(action_id="x" * 256))], "/blocks/0/elements/0/action_id"),
    "confirm without deny": (
        [actions(button(confirm={"title": plain(), "text": plain(), "confirm": plain()}))],
        "/blocks/0/elements/0/confirm",
    ),
    "confirm button of 31": (
        [
            actions(
                button(
                    confirm={
                        "title": plain(),
                        "text": plain(),
                        "confirm": plain("x" * 31),
                        "deny": plain(),
                    }
                )
            )
        ],
        "/blocks/0/elements/0/confirm/confirm/text",
    ),
    "select of 101": ([actions(select(options=options(101)))], "/blocks/0/elements/0/options"),
    "select without options": ([actions(select())], "/blocks/0/elements/0"),
    "select with options and groups": (
        [
            actions(
                select(
                    options=options(1), option_groups=[{"label": plain(), "options": options(1)}]
                )
            )
        ],
        "/blocks/0/elements/0",
    ),
    "option of 76": (
        [actions(select(options=[option(text="x" * 76)]))],
        "/blocks/0/elements/0/options/0/text/text",
    ),
    "option value of 151": (
        [actions(select(options=[option("x" * 151)]))],
        "/blocks/0/elements/0/options/0/value",
    ),
    "option in mrkdwn": (
        [actions(select(options=[{"text": mrkdwn(), "value": "v"}]))],
        "/blocks/0/elements/0/options/0/text/type",
    ),
    "option with an empty url": (
        [actions(select(options=[{**option(), "url": ""}]))],
        "/blocks/0/elements/0/options/0",
    ),
    "same option value twice": (
        [actions(select(options=[option(), option(text="u")]))],
        "/blocks/0/elements/0/options",
    ),
    "initial option that is not offered": (
        [actions(select(options=options(2), initial_option=option("other")))],
        "/blocks/0/elements/0/initial_option",
    ),
    "placeholder of 151": (
        [actions(select(options=options(1), placeholder=plain("x" * 151)))],
        "/blocks/0/elements/0/placeholder/text",
    ),
    "6 in an overflow": (
        [section(accessory={"type": "overflow", "action_id": "o", "options": options(6)})],
        "/blocks/0/accessory/options",
    ),
    "11 checkboxes": (
        [actions({"type": "checkboxes", "action_id": "c", "options": options(11)})],
        "/blocks/0/elements/0/options",
    ),
    "a date that is none": (
        [actions({"type": "datepicker", "action_id": "d", "initial_date": "2026-13-01"})],
        "/blocks/0/elements/0/initial_date",
    ),
    "a time that is none": (
        [actions({"type": "timepicker", "action_id": "t", "initial_time": "25:00"})],
        "/blocks/0/elements/0/initial_time",
    ),
    "context of 11": ([{"type": "context", "elements": [plain()] * 11}], "/blocks/0/elements"),
    "button in context": (
        [{"type": "context", "elements": [button()]}],
        "/blocks/0/elements/0/type",
    ),
    "image without alt_text": (
        [{"type": "image", "image_url": "https://a.example/x.png"}],
        "/blocks/0",
    ),
    "image without source": ([{"type": "image", "alt_text": "x"}], "/blocks/0"),
    "input in a message": ([entry(text_input())], "/blocks/0/type"),
    "alert in a message": ([{"type": "alert", "text": plain()}], "/blocks/0/type"),
    "text input in actions": ([actions(text_input())], "/blocks/0/elements/0/type"),
    "task status": ([plan(task(status="done"))], "/blocks/0/tasks/0/status"),
    "task without id": (
        [plan({"type": "task_card", "title": "x", "status": "pending"})],
        "/blocks/0/tasks/0",
    ),
    "same task_id twice": ([plan(task(), task())], "/blocks/0/tasks"),
    "51 tasks": ([plan(*[task(number) for number in range(51)])], "/blocks/0/tasks"),
    "task details as text": ([plan(task(details="why"))], "/blocks/0/tasks/0/details"),
    "plan without title": ([{"type": "plan", "tasks": []}], "/blocks/0"),
    "two tables": ([table(), table()], "/blocks"),
    "101 rows": ([table(rows=101)], "/blocks/0/rows"),
    "21 columns": ([table(columns=21)], "/blocks/0/rows/0"),
    "10,001 characters in tables": ([table(rows=100, text="x" * 101)], "/blocks"),
    "table cell as string": ([{"type": "table", "rows": [["x"]]}], "/blocks/0/rows/0/0"),
    "12,001 characters of markdown": (
        [{"type": "markdown", "text": "x" * 6001}, {"type": "markdown", "text": "x" * 6000}],
        "/blocks",
    ),
    "rich text with empty text": (
        [rich(line({"type": "text", "text": ""}))],
        "/blocks/0/elements/0/elements/0/text",
    ),
    "rich text with a bare part": (
        [rich({"type": "text", "text": "x"})],
        "/blocks/0/elements/0/type",
    ),
    "rich text style": (
        [rich(line({"type": "text", "text": "x", "style": "bold"}))],
        "/blocks/0/elements/0/elements/0/style",
    ),
    "rich list style": (
        [rich({"type": "rich_text_list", "style": "roman", "elements": [line()]})],
        "/blocks/0/elements/0/style",
    ),
    "card of 201": ([{"type": "card", "body": plain("x" * 201)}], "/blocks/0/body/text"),
    "empty card": ([{"type": "card"}], "/blocks/0"),
    "11 cards": (
        [{"type": "carousel", "elements": [{"type": "card", "title": plain()}] * 11}],
        "/blocks/0/elements",
    ),
    "container without title": (
        [{"type": "container", "child_blocks": [section()]}],
        "/blocks/0",
    ),
    "11 in a container": (
        [{"type": "container", "title": plain(), "child_blocks": [section()] * 11}],
        "/blocks/0/child_blocks",
    ),
    "data table with a header only": (
        [{"type": "data_table", "caption": "x", "rows": [[{"type": "raw_text", "text": "x"}]]}],
        "/blocks/0/rows",
    ),
    "three charts": ([{"type": "data_visualization", "title": "x", "chart": {}}] * 3, "/blocks"),
}

BAD_VIEWS: dict[str, tuple[Any, str]] = {
    "no object": ("view", "/view"),
    "no type": ({"blocks": []}, "/view/type"),
    "title of 25": (modal(title=plain("x" * 25)), "/view/title/text"),
    "no title": ({"type": "modal", "blocks": []}, "/view"),
    "submit of 25": (modal(submit=plain("x" * 25)), "/view/submit/text"),
    "close in mrkdwn": (modal(close=mrkdwn()), "/view/close/type"),
    "private_metadata of 3001": (modal(private_metadata="x" * 3001), "/view/private_metadata"),
    "callback_id of 256": (modal(callback_id="x" * 256), "/view/callback_id"),
    "101 blocks": (modal(*[{"type": "divider"}] * 101), "/view/blocks"),
    "input without submit": (
        {"type": "modal", "title": plain(), "blocks": [entry(text_input())]},
        "/view",
    ),
    "input without label": (
        modal({"type": "input", "element": text_input()}),
        "/view/blocks/0",
    ),
    "label in mrkdwn": (modal(entry(text_input(), label=mrkdwn())), "/view/blocks/0/label/type"),
    "button as input": (modal(entry(button())), "/view/blocks/0/element/type"),
    "max_length of 3001": (
        modal(entry(text_input(max_length=3001))),
        "/view/blocks/0/element/max_length",
    ),
    "min above max": (
        modal(entry(text_input(min_length=9, max_length=3))),
        "/view/blocks/0/element",
    ),
    "number without is_decimal_allowed": (
        modal(entry({"type": "number_input", "action_id": "n"})),
        "/view/blocks/0/element",
    ),
    "external select with options": (
        modal(entry({"type": "external_select", "action_id": "e", "options": options(1)})),
        "/view/blocks/0/element",
    ),
    "max_selected_items of 0": (
        modal(entry({"type": "multi_users_select", "action_id": "m", "max_selected_items": 0})),
        "/view/blocks/0/element/max_selected_items",
    ),
    "plan in a modal": (modal(plan(task())), "/view/blocks/0/type"),
    "table in a modal": (modal(table()), "/view/blocks/0/type"),
    "markdown in a modal": (
        modal({"type": "markdown", "text": "x"}),
        "/view/blocks/0/type",
    ),
    "alert level": (
        modal({"type": "alert", "text": plain(), "level": "bad"}),
        "/view/blocks/0/level",
    ),
    "two focused inputs": (
        modal(entry(text_input(focus_on_load=True)), entry(text_input(focus_on_load=True))),
        "/view/blocks",
    ),
    "alert at home": (
        {"type": "home", "blocks": [{"type": "alert", "text": plain()}]},
        "/view/blocks/0/type",
    ),
    "plan at home": ({"type": "home", "blocks": [plan(task())]}, "/view/blocks/0/type"),
    "unknown property": (modal(color="red"), "/view"),
}
