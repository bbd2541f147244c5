"""Modals as they are shown again after something went wrong."""

import json
from typing import Any

from pydantic import SecretStr

from bot import forms
from bot.payloads import plain_values, request_of_view, shows_all
from commands.command import Field, Form
from provisioning.text import say


def test_a_form_shown_again_keeps_the_input_and_only_the_present_trouble() -> None:
    field = Field("name", "Deploy name", "text")
    asked = Form("New project", "Create", ("new",), (field,), errors={"name": "It is taken."})
    view = forms.view(asked, "C-runs")
    view["state"] = {"values": {"name": {"name": {"type": "plain_text_input", "value": "ada-8"}}}}
    for _ in range(2):
        view = forms.again(view, say("Slack did not answer")) | {"state": view["state"]}
    note, entered = view["blocks"]
    said = [span["text"] for span in note["elements"][0]["elements"]]
    assert said == ["⚠ ", "Slack did not answer\n"]
    assert entered["element"]["initial_value"] == "ada-8"


def test_words_that_are_too_long_for_a_modal_are_cut() -> None:
    for blocks in (
        forms.message_view("SciCLOps", say("x" * 5000))["blocks"],
        forms.again(forms.view(Form("T", "S", ("x",), ()), "C"), say("x" * 5000))["blocks"][:1],
    ):
        (shown,) = blocks[0]["elements"][0]["elements"]
        assert shown["text"].strip().endswith("x…")
        assert len(shown["text"].strip()) == forms.TEXT_LIMIT


def test_an_error_that_is_noted_already_is_shown_on_its_field_again() -> None:
    """A note out of view would leave the person before a button that does nothing."""
    fields = (Field("name", "Deploy name", "text"), Field("owners", "Owners", "people"))
    errors = {"name": "It is taken."}
    noted = forms.view(Form("New", "Create", ("new",), fields, errors=errors), "C-runs")
    assert shows_all(errors, noted)
    assert shows_all(errors | {"owners": "Name two."}, noted)
    assert not shows_all({"name": "It is reserved."}, noted)
    assert not shows_all({"owners": "Name two."}, noted)
    assert not shows_all(errors, forms.again(noted, say("Slack did not answer")))
    assert not shows_all({}, noted)


def a_submitted_secret(value: str) -> dict[str, Any]:
    """Return a modal that asks for a value, and for stages, as Slack sends it when submitted."""
    fields = (Field("stage", "Stage", "text"), Field("value", "Value", "secret"))
    view = forms.view(Form("Enter value", "Store", ("secret", "set"), fields), "C-runs")
    entered = {"stage": "testing", "value": value}
    typed = {
        name: {name: {"type": "plain_text_input", "value": words}}
        for name, words in entered.items()
    }
    return view | {"id": "V1", "state": {"values": typed}}


def test_what_is_entered_into_a_secret_field_is_neither_printed_nor_stored() -> None:
    view = a_submitted_secret("hunter2")
    request = request_of_view({"user": {"id": "U-ada"}}, view)
    assert request.values == {"stage": "testing", "value": SecretStr("hunter2")}
    assert "hunter2" not in repr(request)
    stored = plain_values(request.values, str)
    assert json.loads(json.dumps(stored)) == {"stage": "testing", "value": None}


def test_a_secret_is_never_sent_back_to_be_entered_again() -> None:
    again = forms.again(a_submitted_secret("hunter2"), say("Slack did not answer"))
    assert "hunter2" not in json.dumps(again)
    assert again["blocks"][1]["element"]["initial_value"] == "testing"
    fields = (Field("value", "Value", "secret", initial="hunter2"),)
    assert "hunter2" not in json.dumps(forms.view(Form("T", "S", ("x",), fields), "C"))


def test_a_secret_that_is_too_long_is_refused_like_any_text() -> None:
    view = a_submitted_secret("x" * 3001)
    inputs = request_of_view({"user": {"id": "U-ada"}}, view).values or {}
    assert forms.too_long(inputs) == {"value": "Please keep this under 3000 characters."}
