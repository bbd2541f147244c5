"""Block Kit as Slack checks it: known-bad payloads are refused, valid ones are not."""

from typing import Any

import pytest
from slack_sdk.models import blocks as sdk
from slack_sdk.models.blocks.basic_components import FeedbackButtonObject, RawTextObject
from slack_sdk.models.blocks.block_elements import FileInputElement
from slack_sdk.models.blocks.block_elements import RichTextElementParts as Parts
from slack_sdk.models.blocks.blocks import (
    AlertBlock,
    CardBlock,
    CarouselBlock,
    ContainerBlock,
    PlanBlock,
    TableBlock,
    TaskCardBlock,
)
from slack_sdk.models.views import View
from slack_standin_bad_blocks import BAD_MESSAGES, BAD_VIEWS, mrkdwn, plain, plan, section, task

from playground.slack.blocks import message_problems, too_long, view_problems
from playground.slack.state import with_ids


@pytest.mark.parametrize("name", BAD_MESSAGES)
def test_a_bad_message_is_refused_where_it_is_bad(name: str) -> None:
    blocks, pointer = BAD_MESSAGES[name]
    problems = message_problems(blocks)
    assert len(problems) >= 1
    assert any(one.endswith(f"[json-pointer:{pointer}]") for one in problems), problems
    assert all(one.startswith("[ERROR] ") for one in problems)


@pytest.mark.parametrize("name", BAD_VIEWS)
def test_a_bad_view_is_refused_where_it_is_bad(name: str) -> None:
    view, pointer = BAD_VIEWS[name]
    problems = view_problems(view)
    assert any(one.endswith(f"[json-pointer:{pointer}]") for one in problems), problems


def test_enough_bad_payloads_are_known() -> None:
    assert len(BAD_MESSAGES) + len(BAD_VIEWS) >= 50


def test_length_errors_are_worded_as_slack_words_them() -> None:
    [problem] = message_problems([section(text=mrkdwn("x" * 3001))])
    assert problem == "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"


def test_an_old_workspace_knows_no_plan() -> None:
    assert message_problems([plan(task())]) == []
    [problem] = message_problems([plan(task())], plan_blocks=False)
    assert problem == "[ERROR] unsupported type: plan [json-pointer:/blocks/0/type]"


def test_all_blocks_together_may_not_be_too_long() -> None:
    just_right = [section(text=mrkdwn("x" * 2900)) for _ in range(4)]
    assert not too_long(just_right)
    assert too_long([*just_right, section(text=mrkdwn("x" * 2900))])


def sdk_messages() -> dict[str, sdk.Block]:
    choice = sdk.Option(text="One", value="1")
    styled = Parts.Text(text="bold", style=Parts.TextStyle(bold=True))
    lines = sdk.RichTextSectionElement(elements=[styled, Parts.User(user_id="U0ADA")])
    code = sdk.RichTextPreformattedElement(elements=[Parts.Text(text="+ add")])
    listed = sdk.RichTextListElement(style="bullet", elements=[lines])
    quote = sdk.RichTextQuoteElement(elements=[Parts.Link(url="https://a.example")])
    text = sdk.RichTextBlock(elements=[lines, code, listed, quote])
    image = sdk.ImageElement(image_url="https://a.example/i.png", alt_text="a picture")
    confirm = sdk.ConfirmObject(title="Sure?", text="Really", confirm="Yes", deny="No")
    press = sdk.ButtonElement(
        text="Press", action_id="b", value="v", style="danger", confirm=confirm
    )
    pickers: list[Any] = [
        sdk.StaticSelectElement(options=[choice], action_id="s", initial_option=choice),
        sdk.ExternalDataSelectElement(action_id="e", min_query_length=0),
        sdk.UserSelectElement(action_id="u", initial_user="U0ADA"),
        sdk.ConversationSelectElement(action_id="c", default_to_current_conversation=True),
        sdk.ChannelSelectElement(action_id="ch"),
        sdk.DatePickerElement(action_id="d", initial_date="2026-11-23"),
        sdk.TimePickerElement(action_id="t", initial_time="09:30"),
        sdk.DateTimePickerElement(action_id="dt", initial_date_time=1_700_000_000),
        sdk.CheckboxesElement(action_id="cb", options=[choice], initial_options=[choice]),
        sdk.RadioButtonsElement(action_id="r", options=[choice], initial_option=choice),
        sdk.OverflowMenuElement(action_id="o", options=[choice, sdk.Option(text="B", value="2")]),
        sdk.StaticMultiSelectElement(action_id="ms", options=[choice], max_selected_items=2),
        sdk.UserMultiSelectElement(action_id="mu", initial_users=["U0ADA"]),
    ]
    cells: Any = [[RawTextObject(text="Name"), RawTextObject(text="n")]]
    card = CardBlock(title="Demo", body="ready", actions=[press], hero_image=image)
    step = TaskCardBlock(task_id="1", title="Plan", status="in_progress", details=text, output=text)
    return {
        "section": sdk.SectionBlock(text="hello", fields=["a", "b"], accessory=press),
        "image in a section": sdk.SectionBlock(text="hello", accessory=image),
        "divider": sdk.DividerBlock(),
        "header": sdk.HeaderBlock(text="Title"),
        "image": sdk.ImageBlock(image_url="https://a.example/i.png", alt_text="x", title="t"),
        "actions": sdk.ActionsBlock(elements=[press, *pickers]),
        "context": sdk.ContextBlock(elements=[image, sdk.MarkdownTextObject(text="*x*")]),
        "feedback": sdk.ContextActionsBlock(
            elements=[
                sdk.FeedbackButtonsElement(
                    action_id="f",
                    positive_button=FeedbackButtonObject(text="Good", value="1"),
                    negative_button=FeedbackButtonObject(text="Bad", value="0"),
                )
            ]
        ),
        "markdown": sdk.MarkdownBlock(text="**hello**"),
        "rich text": text,
        "table": TableBlock(rows=cells, column_settings=[{"align": "right"}, None]),
        "plan": PlanBlock(title="Applying", tasks=[step]),
        "task card": step,
        "card": card,
        "carousel": CarouselBlock(elements=[card]),
        "container": ContainerBlock(
            title="More", child_blocks=[sdk.SectionBlock(text="x")], is_collapsible=True
        ),
        "video": sdk.VideoBlock(
            alt_text="x",
            title="t",
            video_url="https://a.example/v",
            thumbnail_url="https://a.example/t",
        ),
    }


@pytest.mark.parametrize("name", sdk_messages())
def test_what_the_sdk_makes_is_accepted(name: str) -> None:
    block = sdk_messages()[name].to_dict()
    assert message_problems([block]) == []
    assert message_problems([block | {"block_id": "a"}, block | {"block_id": "b"}]) == [] or (
        name == "table"
    )


SDK_INPUTS: dict[str, Any] = {
    "text": sdk.PlainTextInputElement(action_id="a", multiline=True, min_length=1, max_length=9),
    "email": sdk.EmailInputElement(action_id="a"),
    "url": sdk.UrlInputElement(action_id="a", placeholder="https://"),
    "number": sdk.NumberInputElement(action_id="a", is_decimal_allowed=False, min_value="1"),
    "file": FileInputElement(action_id="a", filetypes=["csv"], max_files=2),
    "rich text": sdk.RichTextInputElement(action_id="a"),
    "external": sdk.ExternalDataSelectElement(action_id="a", placeholder="Type"),
    "many external": sdk.ExternalDataMultiSelectElement(action_id="a", max_selected_items=6),
    "users": sdk.UserMultiSelectElement(action_id="a"),
    "date": sdk.DatePickerElement(action_id="a"),
}


@pytest.mark.parametrize("name", SDK_INPUTS)
def test_what_the_sdk_makes_for_forms_is_accepted(name: str) -> None:
    block = sdk.InputBlock(
        label="Label", element=SDK_INPUTS[name], hint="Hint", optional=True, dispatch_action=True
    )
    alert = AlertBlock(text="Careful", level="warning")
    view = View(
        type="modal",
        title="Title",
        submit="Go",
        close="Cancel",
        callback_id="form",
        private_metadata="{}",
        notify_on_close=True,
        blocks=[alert, block],
    )
    assert view_problems(view.to_dict()) == []


def test_tasks_of_a_plan_need_no_type() -> None:
    bare = {key: value for key, value in task().items() if key != "type"}
    assert message_problems([plan(bare)]) == []
    [filled] = with_ids([plan(bare)])
    assert filled["tasks"][0]["type"] == "task_card"


def test_an_empty_home_and_a_form_without_inputs_are_fine() -> None:
    assert view_problems({"type": "home", "blocks": []}) == []
    assert view_problems({"type": "modal", "title": plain(), "blocks": [section()]}) == []
