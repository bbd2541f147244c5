"""Slack's payloads as requests, and requests as rows."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import SecretStr

from bot import forms
from commands.command import Request


def words_of(value: str | None) -> tuple[str, ...]:
    """Return the words that a button types; none if it is not one of ours."""
    try:
        words = json.loads(value or "null")
    except ValueError:
        return ()
    return tuple(str(word) for word in words) if isinstance(words, list) else ()


def key_of(body: Mapping[str, Any]) -> str:
    """Return the key of the request that a payload makes."""
    if "command" in body:
        return f"slash:{body['trigger_id']}"
    actions, view = body.get("actions") or [{}], body.get("view") or {}
    if actions[0].get("type") == "button":
        return f"click:{body['trigger_id']}"
    return f"view:{view.get('id', '')}"


def request_of_view(
    body: Mapping[str, Any], view: Mapping[str, Any], *, draft: bool = False
) -> Request:
    """Return the request that a modal makes."""
    metadata = forms.metadata_of(view)
    entered = forms.values(view.get("state", {}).get("values", {}))
    return Request(
        who=body["user"]["id"],
        channel=str(metadata.get("channel", "")),
        words=tuple(metadata.get("words", ())),
        key=f"view:{view.get('id', '')}",
        values=forms.kept(metadata) | forms.closed(entered, forms.hidden(metadata)),
        draft=draft,
    )


def request_of_row(payload: Mapping[str, Any]) -> Request:
    """Return a stored request."""
    values = payload.get("values")
    return Request(
        who=payload["who"],
        channel=payload["channel"],
        words=tuple(payload["words"]),
        key=payload["key"],
        values={n: tuple(v) if isinstance(v, list) else v for n, v in values.items()}
        if values is not None
        else None,
    )


def plain_values(
    values: Mapping[str, Any] | None, redact: Callable[[str], str]
) -> dict[str, Any] | None:
    """Return inputs as JSON values, without secrets, whether asked for or pasted elsewhere."""
    if values is None:
        return None
    return {name: _plain(value, redact) for name, value in values.items()}


def _plain(value: Any, redact: Callable[[str], str]) -> Any:
    if isinstance(value, SecretStr):
        return None
    if isinstance(value, tuple):
        return list(value)
    return redact(value) if isinstance(value, str) else value


def shows_all(errors: Mapping[str, str], view: Mapping[str, Any]) -> bool:
    """Tell whether the view can show every error on its field, and has no note that says else.

    Slack puts errors beside the notes that stand there, and scrolls to the first one: where the
    same is said again, that is what shows that the form was looked at.
    """
    shown = {str(block.get("block_id")) for block in view.get("blocks", ())}
    return bool(errors) and set(errors) <= shown and forms.notes(view) <= forms.notes_of(errors)
