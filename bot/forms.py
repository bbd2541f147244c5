"""Forms to modals and back. Block ids and action ids are the fields' names.

Slack's limits: 24 characters for title and buttons, 75 for an option's text and 150 for its value,
100 options in a select, 3,000 in `private_metadata` and in a text input.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from pydantic import SecretStr

from bot.render import rich_text
from commands.command import Field, Form, Value
from provisioning.ports import Choice
from provisioning.text import Text, plain, say

Block = dict[str, Any]

TEXT_LIMIT = 3000
METADATA_LIMIT = 3000
NOTE = ":error"
"""How the block ids end of notes about what is wrong."""
FORM = "form"
"""What a note about a whole form is about, instead of a field."""
PARTS = (
    "type",
    "callback_id",
    "title",
    "submit",
    "close",
    "notify_on_close",
    "private_metadata",
)
"""What we may send of a view; Slack adds more when it hands one back."""
INITIAL = {
    "value": "initial_value",
    "selected_date": "initial_date",
    "selected_option": "initial_option",
    "selected_options": "initial_options",
    "selected_users": "initial_users",
}
"""What is entered in a view's state, and how a block says it."""


def view(form: Form, channel: str, before: Mapping[str, Any] | None = None) -> Block:
    """Return the modal of a form; `channel` is where its request came from.

    `before` is how the modal looked: what was picked there keeps its label.
    """
    blocks: list[Block] = [rich_text([form.intro])] if form.intro else []
    picked = _picked((before or {}).get("state", {}).get("values", {}))
    for field in form.fields:
        if field.kind in ("search", "searches"):
            field = replace(field, options=(*field.options, *picked[field.name]))
        blocks.append(_input(field))
        if error := form.errors.get(field.name):
            blocks.append(_error_note(field.name, error))
    return {
        "type": "modal",
        "callback_id": "form",
        "title": _text(form.title, 24),
        "submit": _text(form.submit, 24),
        "close": _text("Cancel", 24),
        "notify_on_close": False,
        "private_metadata": _metadata(form, channel),
        "blocks": blocks,
    }


def _picked(
    state: Mapping[str, Mapping[str, Mapping[str, Any]]],
) -> Mapping[str, tuple[Choice, ...]]:
    """Return what is picked in a view's state, as it reads there, by field name."""
    found: dict[str, tuple[Choice, ...]] = defaultdict(tuple)
    for block in state.values():
        for name, element in block.items():
            one, many = element.get("selected_option"), element.get("selected_options") or ()
            found[name] = tuple(
                Choice(value=option["value"], label=option["text"]["text"])
                for option in (one, *many)
                if option
            )
    return found


def _metadata(form: Form, channel: str) -> str:
    """Return what the modal hands back; the longest of what is kept goes where room is lacking."""
    kept = {name: value for name, value in form.kept.items() if value}
    while True:
        words = {"words": form.words, "channel": channel, "kept": kept}
        if secrets := [field.name for field in form.fields if field.kind == "secret"]:
            words["hidden"] = secrets
        metadata = json.dumps(words, ensure_ascii=False)
        if len(metadata) <= METADATA_LIMIT or not kept:
            return metadata
        del kept[max(kept, key=lambda name: len(json.dumps(kept[name], ensure_ascii=False)))]


def metadata_of(view: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a modal hands back; nothing of one that is not ours."""
    try:
        found = json.loads(view.get("private_metadata") or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def hidden(metadata: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the fields that take secrets."""
    return frozenset(metadata.get("hidden", ()))


def closed(inputs: Mapping[str, Value], secrets: frozenset[str]) -> dict[str, Value]:
    """Return inputs in which secrets are neither printed nor stored by mistake."""
    return {
        name: SecretStr(value) if name in secrets and isinstance(value, str) else value
        for name, value in inputs.items()
    }


def kept(metadata: Mapping[str, Any]) -> dict[str, Value]:
    """Return what was entered into fields that the modal does not show now."""
    return {n: tuple(v) if isinstance(v, list) else v for n, v in metadata.get("kept", {}).items()}


def message_view(title: str, words: Text, metadata: str = "") -> Block:
    """Return a modal that only says something."""
    return {
        "type": "modal",
        "callback_id": "message",
        "title": _text(title, 24),
        "close": _text("Close", 24),
        "private_metadata": metadata,
        "blocks": [_paragraph(words)],
    }


def again(view: Mapping[str, Any], words: Text) -> Block:
    """Return a submitted modal with its input, and above it what keeps it from being taken.

    Secrets have to be entered again: they are never sent to Slack.
    """
    state = view.get("state", {}).get("values", {})
    kept = [block for block in view["blocks"] if not block["block_id"].endswith(NOTE)]
    secrets = hidden(metadata_of(view))
    blocks = [_refilled(b, {} if b["block_id"] in secrets else state) for b in kept]
    note = _paragraph(say("⚠ ", *words)) | {"block_id": f"{FORM}{NOTE}"}
    return {part: view[part] for part in PARTS if part in view} | {"blocks": [note, *blocks]}


def notes(view: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """Return the notes that a modal shows: block ids, and the words of those about fields."""
    return frozenset(
        (block["block_id"], block["elements"][0].get("text", ""))
        for block in view.get("blocks", ())
        if str(block.get("block_id")).endswith(NOTE)
    )


def notes_of(errors: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """Return the notes that say these errors."""
    return notes({"blocks": [_error_note(name, words) for name, words in errors.items()]})


def _refilled(block: Block, state: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Block:
    if block["type"] != "input":
        return block
    element = {part: of for part, of in block["element"].items() if not part.startswith("initial_")}
    now = state.get(block["block_id"], {}).get(element["action_id"], {})
    entered = {INITIAL[part]: of for part, of in now.items() if of and part in INITIAL}
    return block | {"element": element | entered}


def values(state: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, Value]:
    """Return a view's inputs by field name."""
    return {name: _value(element) for block in state.values() for name, element in block.items()}


def too_long(inputs: Mapping[str, Value]) -> dict[str, str]:
    """Return the fields that hold more than any real client lets through."""
    return {
        name: f"Please keep this under {TEXT_LIMIT} characters."
        for name, value in inputs.items()
        if any(len(text) > TEXT_LIMIT for text in _texts(value))
    }


def _texts(value: Value) -> tuple[str, ...]:
    if isinstance(value, SecretStr):
        return (value.get_secret_value(),)
    return (value,) if isinstance(value, str) else value or ()


def options(choices: tuple[Choice, ...]) -> list[Block]:
    """Return choices as select options, at most 100."""
    return [_option(choice) for choice in choices[:100]]


def _value(element: Mapping[str, Any]) -> Value:
    kind = element.get("type")
    if kind in ("static_select", "external_select", "radio_buttons"):
        picked = element.get("selected_option")
        return str(picked["value"]) if picked else None
    if kind in ("multi_static_select", "multi_external_select", "checkboxes"):
        return tuple(str(option["value"]) for option in element.get("selected_options") or ())
    if kind == "multi_users_select":
        return tuple(str(user) for user in element.get("selected_users") or ())
    if kind == "datepicker":
        return element.get("selected_date")
    value = element.get("value")
    return None if value is None else str(value)


def _text(words: str, limit: int) -> Block:
    shown = words if len(words) <= limit else words[: limit - 1] + "…"
    return {"type": "plain_text", "text": shown or " ", "emoji": False}


def _error_note(name: str, words: str) -> Block:
    return _note(f"⚠ {words}", f"{name}{NOTE}")


def _paragraph(words: Text) -> Block:
    whole = plain(words)
    fits = len(whole) <= TEXT_LIMIT
    return rich_text((words if fits else say(whole[: TEXT_LIMIT - 1] + "…"),))


def _note(words: str, block_id: str) -> Block:
    return {"type": "context", "block_id": block_id[:255], "elements": [_text(words, 2000)]}


def _input(field: Field) -> Block:
    block: Block = {
        "type": "input",
        "block_id": field.name,
        "label": _text(field.label, 2000),
        "optional": field.optional,
        "element": {"action_id": field.name, **_ELEMENTS[field.kind](field)},
    }
    if field.hint:
        block["hint"] = _text(field.hint, 2000)
    if field.live:
        block["dispatch_action"] = True
    if field.focused:
        block["element"]["focus_on_load"] = True
    return block


def _option(choice: Choice) -> Block:
    return {"text": _text(choice.label, 75), "value": choice.value[:150]}


def _text_input(field: Field) -> Block:
    element: Block = {
        "type": "plain_text_input",
        "multiline": field.kind in ("long_text", "secret"),
        "max_length": min(field.max_length, TEXT_LIMIT),
    }
    return element | _at_every_character(field) | _initial_text(field)


def _at_every_character(field: Field) -> Block:
    if field.live:
        return {"dispatch_action_config": {"trigger_actions_on": ["on_character_entered"]}}
    return {}


def _initial_text(field: Field) -> Block:
    if isinstance(field.initial, str) and field.initial and field.kind != "secret":
        return {"initial_value": field.initial[:TEXT_LIMIT]}
    return {}


def _number_input(field: Field) -> Block:
    element: Block = {"type": "number_input", "is_decimal_allowed": False}
    return element | _at_every_character(field) | _initial_text(field)


def _datepicker(field: Field) -> Block:
    try:
        day = date.fromisoformat(field.initial if isinstance(field.initial, str) else "")
    except ValueError:
        return {"type": "datepicker"}
    return {"type": "datepicker", "initial_date": day.isoformat()}


def _chosen(field: Field) -> list[Block]:
    """Return what is selected now; type-ahead values of unknown label are their own."""
    one = (field.initial,) if isinstance(field.initial, str) else ()
    picked = field.initial if isinstance(field.initial, tuple) else one
    labels = {choice.value: choice for choice in field.options}
    known = [labels.get(value) or Choice(value=value, label=value) for value in picked if value]
    if field.kind in ("choice", "choices"):
        known = [choice for choice in known if choice.value in labels]
    return [_option(choice) for choice in known]


def _select(field: Field) -> Block:
    element: Block = {"type": "static_select", "options": options(field.options)}
    if field.kind == "search":
        element = {"type": "external_select", "min_query_length": 0}
    chosen = _chosen(field)
    return element | ({"initial_option": chosen[0]} if chosen else {})


def _multi_select(field: Field) -> Block:
    element: Block = {"type": "multi_static_select", "options": options(field.options)}
    if field.kind == "searches":
        element = {"type": "multi_external_select", "min_query_length": 0}
    chosen = _chosen(field)
    return element | ({"initial_options": chosen} if chosen else {})


def _people(field: Field) -> Block:
    users = field.initial if isinstance(field.initial, tuple) else ()
    return {"type": "multi_users_select"} | ({"initial_users": list(users)} if users else {})


_ELEMENTS = {
    "text": _text_input,
    "long_text": _text_input,
    "secret": _text_input,
    "number": _number_input,
    "date": _datepicker,
    "choice": _select,
    "search": _select,
    "choices": _multi_select,
    "searches": _multi_select,
    "people": _people,
}


def same_shape(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two views show the same inputs and notes, whatever is filled in."""
    return _shape(one) == _shape(other)


def _shape(form: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (block["block_id"], block["elements"][0]["text"] if block["type"] == "context" else "")
        for block in form["blocks"]
        if block["type"] in ("input", "context")
    ]
