"""What the app's acks do: a command's reply, options, and what becomes of a submitted modal."""

from typing import Any

from playground.cast import BOT_USER_ID
from playground.slack.blocks import message_problems, view_problems
from playground.slack.entities import Delivery, Json, Message, Refused, View
from playground.slack.state import State

FAILURES = {"late": "operation_timeout", "unreachable": "dispatch_failed"}
MOST_OPTIONS = 100


def failure(delivery: Delivery) -> str:
    """Return the word with which Slack tells a person that a command failed."""
    return FAILURES.get(delivery.answer.outcome, "dispatch_failed")


def command_answer(state: State, delivery: Delivery, channel: str) -> None:
    """Show what came with a slash command's ack."""
    ack = delivery.ack
    body: Json = {"text": ack} if isinstance(ack, str) else ack or {}
    blocks = body.get("blocks") or []
    if not body.get("text") and not blocks:
        return
    if message_problems(blocks, plan_blocks=state.plan_blocks):
        return
    reader = None if body.get("response_type") == "in_channel" else delivery.user
    state.add(
        Message(channel, "", BOT_USER_ID, body.get("text") or "", blocks=blocks, reader=reader)
    )


def suggested_options(delivery: Delivery) -> list[Json]:
    """Return the options of a suggestion's ack, groups flattened; Slack shows at most 100."""
    ack = delivery.ack if isinstance(delivery.ack, dict) else {}
    options = list(ack.get("options") or [])
    for group in ack.get("option_groups") or []:
        options += group["options"]
    return options[:MOST_OPTIONS]


def submission_answer(state: State, view: View, ack: Json | str | None) -> bool:
    """Do what an ack asks for; return False for what Slack can't make sense of."""
    if ack in (None, "", {}):
        _leave(state, view)
        return True
    if not isinstance(ack, dict):
        return False
    action = ack.get("response_action")
    if action == "clear":
        state.stacks[view.user].clear()
        return True
    if action == "errors":
        return _errors(view, ack.get("errors"))
    if action in ("update", "push"):
        return _show(state, view, ack.get("view"), push=action == "push")
    return False


def _leave(state: State, view: View) -> None:
    stack = state.stacks[view.user]
    if view in stack:
        del stack[stack.index(view) :]


def _errors(view: View, errors: Any) -> bool:
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not set(errors) <= inputs:
        return False
    view.errors = {block_id: str(text) for block_id, text in errors.items()}
    return True


def _show(state: State, view: View, content: Any, *, push: bool) -> bool:
    if not isinstance(content, dict) or view_problems(content):
        return False
    try:
        if push:
            state.open_view(view.user, content)
        else:
            state.update_view(view, content)
    except Refused:
        return False
    return True
