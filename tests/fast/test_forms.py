"""Modals as they are shown again after something went wrong."""

from bot import forms
from commands.command import Field, Form


def test_a_form_shown_again_keeps_the_input_and_only_the_present_trouble() -> None:
    field = Field("name", "Deploy name", "text")
    asked = Form("New project", "Create", ("new",), (field,), errors={"name": "It is taken."})
    view = forms.view(asked, "C-runs")
    view["state"] = {"values": {"name": {"name": {"type": "plain_text_input", "value": "ada-8"}}}}
    for _ in range(2):
        view = forms.again(view, "Slack did not answer") | {"state": view["state"]}
    note, entered = view["blocks"]
    assert note["elements"][0]["text"] == "⚠ Slack did not answer"
    assert entered["element"]["initial_value"] == "ada-8"
