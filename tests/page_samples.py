"""Block Kit as the bot sends it, and as others might: what the page must show."""

from typing import Any

Json = dict[str, Any]


def text(words: str) -> Json:
    """Return a plain_text object."""
    return {"type": "plain_text", "text": words}


def mrkdwn(words: str) -> Json:
    """Return a mrkdwn object."""
    return {"type": "mrkdwn", "text": words}


def option(words: str, value: str, about: str = "") -> Json:
    """Return an option."""
    return {"text": text(words), "value": value} | ({"description": text(about)} if about else {})


def rich(*words: str | Json) -> Json:
    """Return a rich_text block with one section; strings become text elements."""
    elements = [{"type": "text", "text": one} if isinstance(one, str) else one for one in words]
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}


def button(label: str, action: str, value: str = "", **more: Any) -> Json:
    """Return a button."""
    return {"type": "button", "text": text(label), "action_id": action, "value": value} | more


def input_block(label: str, block: str, element: Json, **more: Any) -> Json:
    """Return an input block."""
    return {"type": "input", "block_id": block, "label": text(label), "element": element} | more


def task(name: str, title: str, status: str, details: str = "", output: str = "") -> Json:
    """Return a plan's task."""
    body: Json = {"type": "task_card", "task_id": name, "title": title, "status": status}
    if details:
        body["details"] = rich(details)
    return body | ({"output": rich(output)} if output else {})


def plan(title: str, *tasks: Json) -> Json:
    """Return a plan block."""
    return {"type": "plan", "block_id": "plan", "title": title, "tasks": list(tasks)}


APPLYING = plan(
    "Applying · 42 s",
    task("reserve", "Reserved the name ada-forecast", "complete"),
    task("render", "Rendered the job template", "complete", "14 files"),
    task("plan", "Planned", "complete", "+83 ~0 -0 · cost not estimated (0 of 83)"),
    task("confirm", "Confirmed by Grace Hopper", "complete"),
    task("apply", "Apply the plan", "in_progress", "51 of 83 resources"),
    task("code", "Push the starter code", "pending"),
    task("verify", "Verify with GitHub and Databricks", "pending"),
)
READY = plan("Ready in 3 min 12 s", *[one | {"status": "complete"} for one in APPLYING["tasks"]])
FAILED = plan(
    "Couldn't create ada-forecast",
    task("plan", "Planned", "complete", "+83 ~0 -0"),
    task(
        "apply",
        "Couldn't apply the plan",
        "error",
        'databricks_grants.read["gbx1_prod"]',
        "User does not have MANAGE on Catalog 'gbx1_prod'.",
    ),
)
RUN_HEAD: list[Json] = [
    {"type": "header", "block_id": "head", "text": text("ada-forecast")},
    {
        "type": "section",
        "block_id": "facts",
        "fields": [
            mrkdwn("*Requested by*\n<@U0ADA>"),
            mrkdwn("*Template*\njob"),
            mrkdwn("*Workspace groups*\ngbx1"),
            mrkdwn("*Engine*\nTerraform 1.13 · local"),
        ],
    },
]
CONFIRM: list[Json] = [
    {
        "type": "section",
        "block_id": "ask",
        "text": mrkdwn(
            "*Confirm the plan of* `ada-forecast`: 83 to add, 0 to change, 0 to destroy."
        ),
    },
    {
        "type": "actions",
        "block_id": "confirm-v1",
        "elements": [
            button("Confirm & Apply", "confirm", "op-1", style="primary"),
            button(
                "Discard",
                "discard",
                "op-1",
                style="danger",
                confirm={
                    "title": text("Discard this plan?"),
                    "text": mrkdwn("*ada-forecast* keeps its name for a day."),
                    "confirm": text("Discard It"),
                    "deny": text("Keep It"),
                    "style": "danger",
                },
            ),
            button("Add Comment", "comment", "op-1"),
            {
                "type": "overflow",
                "action_id": "more",
                "options": [option("Show the plan", "plan"), option("Cancel the run", "cancel")],
            },
        ],
    },
    {
        "type": "context",
        "block_id": "who",
        "elements": [
            mrkdwn(
                "Platform engineers may confirm · "
                "expires <!date^1795600000^{date_short_pretty} at {time}|soon>"
            )
        ],
    },
]
TABLE: Json = {
    "type": "table",
    "block_id": "table",
    "column_settings": [{"is_wrapped": True}, {"align": "right"}, None],
    "rows": [
        [{"type": "raw_text", "text": one} for one in ("Project", "Resources", "State")],
        [
            {"type": "raw_text", "text": "ada-forecast"},
            {"type": "raw_number", "value": 83, "text": "83"},
            rich({"type": "emoji", "name": "large_green_circle"}, " ready"),
        ],
        [
            {"type": "raw_text", "text": "<b>grace</b>-churn"},
            {"type": "raw_text", "text": "166"},
            rich({"type": "text", "text": "applying", "style": {"bold": True}}),
        ],
    ],
}
HOSTILE = "<script>alert(1)</script> <!channel> *bold* &amp; ${x} \u202eevil :tada"


def new_project(checking: str = "", *, name_block: str = "name") -> Json:
    """Return a modal with every input that the bot uses, and those it might."""
    blocks: list[Json] = [
        input_block(
            "Project name",
            name_block,
            {
                "type": "plain_text_input",
                "action_id": "value",
                "max_length": 40,
                "placeholder": text("ada-forecast"),
                "dispatch_action_config": {"trigger_actions_on": ["on_character_entered"]},
            },
            hint=text("Small letters, digits and dashes. It can't be changed later."),
            dispatch_action=True,
        ),
        input_block(
            "Owners",
            "owners",
            {"type": "multi_users_select", "action_id": "value", "initial_users": ["U0ADA"]},
        ),
        input_block(
            "GitHub team",
            "team",
            {
                "type": "external_select",
                "action_id": "value",
                "min_query_length": 0,
                "placeholder": text("Search teams"),
            },
        ),
        input_block(
            "Reviewers",
            "reviewers",
            {
                "type": "multi_external_select",
                "action_id": "value",
                "min_query_length": 1,
                "max_selected_items": 6,
            },
            optional=True,
        ),
        input_block(
            "Template",
            "template",
            {
                "type": "static_select",
                "action_id": "value",
                "options": [option("Job", "job"), option("Machine learning", "ml")],
                "initial_option": option("Job", "job"),
            },
        ),
        input_block(
            "Workspace groups",
            "groups",
            {
                "type": "checkboxes",
                "action_id": "value",
                "options": [
                    option("gbx1", "gbx1", "General"),
                    option("gbxphil", "gbxphil", "Restricted data"),
                ],
                "initial_options": [option("gbx1", "gbx1", "General")],
            },
        ),
        input_block(
            "Kind",
            "kind",
            {
                "type": "radio_buttons",
                "action_id": "value",
                "options": [option("Lasting", "lasting"), option("Sandbox", "sandbox")],
                "initial_option": option("Lasting", "lasting"),
            },
        ),
        input_block("Ends on", "ends", {"type": "datepicker", "action_id": "value"}, optional=True),
        input_block("Runs at", "at", {"type": "timepicker", "action_id": "value"}, optional=True),
        input_block(
            "Workers",
            "workers",
            {
                "type": "number_input",
                "action_id": "value",
                "is_decimal_allowed": False,
                "min_value": "1",
                "max_value": "8",
            },
            optional=True,
        ),
        input_block(
            "Tell", "tell", {"type": "channels_select", "action_id": "value"}, optional=True
        ),
        input_block(
            "Contact", "mail", {"type": "email_text_input", "action_id": "value"}, optional=True
        ),
        input_block(
            "Why",
            "why",
            {"type": "plain_text_input", "action_id": "value", "multiline": True},
            optional=True,
        ),
    ]
    if checking:
        blocks.insert(
            0, {"type": "alert", "block_id": "alert", "level": "info", "text": text(checking)}
        )
    return {
        "type": "modal",
        "callback_id": "new",
        "title": text("New Project"),
        "submit": text("Create Plan"),
        "close": text("Cancel"),
        "notify_on_close": True,
        "blocks": blocks,
    }
