"""Block Kit as Slack checks it: known-bad payloads are refused, valid ones are not."""

import pytest
from slack_sdk.models import blocks as sdk
from slack_sdk.models.blocks.blocks import (
    AlertBlock,
)
from slack_sdk.models.views import View
from slack_standin_bad_blocks import BAD_MESSAGES, BAD_VIEWS, mrkdwn, plain, plan, section, task
from slack_standin_good_blocks import SDK_INPUTS, sdk_messages

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


@pytest.mark.parametrize("name", sdk_messages())
def test_what_the_sdk_makes_is_accepted(name: str) -> None:
    block = sdk_messages()[name].to_dict()
    assert message_problems([block]) == []
    assert message_problems([block | {"block_id": "a"}, block | {"block_id": "b"}]) == [] or (
        name == "table"
    )


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
