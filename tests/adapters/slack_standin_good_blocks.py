"""Valid Block Kit, made by the model classes of Slack's own SDK."""

from typing import Any

from slack_sdk.models import blocks as sdk
from slack_sdk.models.blocks.basic_components import FeedbackButtonObject, RawTextObject
from slack_sdk.models.blocks.block_elements import FileInputElement
from slack_sdk.models.blocks.block_elements import RichTextElementParts as Parts
from slack_sdk.models.blocks.blocks import (
    CardBlock,
    CarouselBlock,
    ContainerBlock,
    PlanBlock,
    TableBlock,
    TaskCardBlock,
)


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
