"""Block elements: buttons, menus, pickers and inputs, and where each may stand."""

from typing import Any

from playground.slack.block_kit.objects import (
    confirm,
    conversation_filter,
    date,
    dispatch_config,
    formatted,
    initials_are_offered,
    option,
    option_group,
    plain,
    rich_text,
    slack_file,
    some_id,
    time,
    url,
    values_differ,
)
from playground.slack.block_kit.rules import (
    Check,
    Problem,
    Problems,
    boolean,
    choice,
    exactly_one_of,
    integer,
    items,
    pattern,
    shape,
    string,
    tagged,
)
from playground.slack.block_kit.rules import (
    anything as described_elsewhere,
)

_action = {"action_id": some_id}
_common: dict[str, Check] = {**_action, "confirm": confirm}
_focus: dict[str, Check] = {**_common, "focus_on_load": boolean}
_field: dict[str, Check] = {**_focus, "placeholder": plain(150)}
_typed: dict[str, Check] = {
    **_field,
    "initial_value": string(3000, 0),
    "dispatch_action_config": dispatch_config,
}
_label = {"accessibility_label": string(75)}
_offered: dict[str, Check] = {
    "options": items(option(), 100),
    "option_groups": items(option_group(), 100),
}
_many: dict[str, Check] = {"max_selected_items": integer(1)}
_query: dict[str, Check] = {"min_query_length": integer(0)}
_ids = items(string(), least=0)


def _bounds(low: str, high: str) -> Check:
    def check(value: Any, at: str) -> Problems:
        if low in value and high in value and float(value[low]) > float(value[high]):
            yield Problem(at, f"{low} must be less than or equal to {high}")

    return check


_decimal = pattern(r"-?\d+(\.\d+)?", "a number as text")
image = shape(
    {"alt_text": string(2000)},
    {"image_url": url, "slack_file": slack_file},
    exactly_one_of("image_url", "slack_file"),
)
button = shape(
    {"text": plain(75)},
    {
        **_common,
        **_label,
        "url": url,
        "value": string(2000, 0),
        "style": choice("primary", "danger"),
        "agent_prompt": string(4000),
        "agent_prompt_display": string(),
        "visible_to_user_ids": _ids,
    },
)
workflow_button = shape(
    {"text": plain(75), "workflow": described_elsewhere},
    {**_action, **_label, "style": choice("primary", "danger")},
)
_feedback = shape({"text": plain(75), "value": string(2000)}, _label)
_boxes = items(option(formatted(75), description=formatted(75)), 10)
_box = option(formatted(75), description=formatted(75))

BUTTONS: dict[str, Check] = {
    "button": button,
    "workflow_button": workflow_button,
    "overflow": shape({"options": items(option(url=url), 5)}, _common, values_differ),
}
PICKERS: dict[str, Check] = {
    "datepicker": shape({}, {**_field, "initial_date": date}),
    "timepicker": shape({}, {**_field, "initial_time": time, "timezone": string()}),
    "datetimepicker": shape(
        {}, {**_focus, "initial_date_time": integer(1_000_000_000, 9_999_999_999)}
    ),
    "checkboxes": shape(
        {"options": _boxes},
        {**_focus, "initial_options": items(_box)},
        initials_are_offered,
        values_differ,
    ),
    "radio_buttons": shape(
        {"options": _boxes}, {**_focus, "initial_option": _box}, initials_are_offered, values_differ
    ),
}
SELECTS: dict[str, Check] = {
    "static_select": shape(
        {},
        {**_field, **_offered, "initial_option": option()},
        exactly_one_of("options", "option_groups"),
        initials_are_offered,
        values_differ,
    ),
    "external_select": shape({}, {**_field, **_query, "initial_option": option()}),
    "users_select": shape({}, {**_field, "initial_user": string()}),
    "channels_select": shape(
        {}, {**_field, "initial_channel": string(), "response_url_enabled": boolean}
    ),
    "conversations_select": shape(
        {},
        {
            **_field,
            "initial_conversation": string(),
            "default_to_current_conversation": boolean,
            "response_url_enabled": boolean,
            "filter": conversation_filter,
        },
    ),
}
MULTI_SELECTS: dict[str, Check] = {
    "multi_static_select": shape(
        {},
        {**_field, **_offered, **_many, "initial_options": items(option(), 100)},
        exactly_one_of("options", "option_groups"),
        initials_are_offered,
        values_differ,
    ),
    "multi_external_select": shape(
        {}, {**_field, **_query, **_many, "initial_options": items(option(), 100)}
    ),
    "multi_users_select": shape({}, {**_field, **_many, "initial_users": _ids}),
    "multi_channels_select": shape({}, {**_field, **_many, "initial_channels": _ids}),
    "multi_conversations_select": shape(
        {},
        {
            **_field,
            **_many,
            "initial_conversations": _ids,
            "default_to_current_conversation": boolean,
            "filter": conversation_filter,
        },
    ),
}
TYPED: dict[str, Check] = {
    "plain_text_input": shape(
        {},
        {
            **_typed,
            "multiline": boolean,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
        },
        _bounds("min_length", "max_length"),
    ),
    "email_text_input": shape({}, _typed),
    "url_text_input": shape({}, _typed),
    "number_input": shape(
        {"is_decimal_allowed": boolean},
        {**_typed, "min_value": _decimal, "max_value": _decimal},
        _bounds("min_value", "max_value"),
    ),
    "rich_text_input": shape(
        {},
        {
            **_field,
            "initial_value": rich_text,
            "dispatch_action_config": dispatch_config,
            "min_lines": integer(1),
            "max_lines": integer(1),
        },
    ),
    "file_input": shape({}, {**_action, "filetypes": items(string()), "max_files": integer(1, 10)}),
}
CONTEXT_ACTIONS: dict[str, Check] = {
    "feedback_buttons": shape(
        {"positive_button": _feedback, "negative_button": _feedback}, _action
    ),
    "icon_button": shape(
        {"icon": string(), "text": plain(75)},
        {**_common, **_label, "value": string(2000), "visible_to_user_ids": _ids},
    ),
}

in_section = tagged({"image": image, **BUTTONS, **PICKERS, **SELECTS, **MULTI_SELECTS})
in_actions = tagged(
    {
        **BUTTONS,
        **PICKERS,
        **SELECTS,
        **MULTI_SELECTS,
        "rich_text_input": TYPED["rich_text_input"],
    }
)
in_input = tagged({**PICKERS, **SELECTS, **MULTI_SELECTS, **TYPED})
in_context_actions = tagged(CONTEXT_ACTIONS)
in_context = tagged(
    {
        "image": image,
        "mrkdwn": shape({"text": string(3000)}, {"verbatim": boolean}),
        "plain_text": shape({"text": string(3000)}, {"emoji": boolean}),
    }
)
