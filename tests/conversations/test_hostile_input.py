"""Hostile input: a clear error on its field, or inert text that arrives verbatim."""

import re
from typing import Any

import pytest
from conversation import DESCRIPTION, Conversation

from playground import cast
from playground.slack.reading import text_of

HOSTILE = {
    "a megabyte": "a" * 1_000_000,
    "a path": "../x",
    "a broadcast": "<!channel>",
    "markup": "*bold*",
    "a Terraform template": '${file("/etc/hostname")}',
    "a Terraform directive": "%{if true}x%{endif}",
    "YAML": 'a: [b, {c: "d"}] # &e !!f |',
    "a shell": "$(touch /tmp/x); `id` && rm -rf ~ | tee 'x' \"y\"",
    "Jinja": "{{ 7 * 7 }}{% raw %}",
    "right to left": "\u202egnp.exe\u202c",
    "zero width": "ada\u200b\ufeff-1",
    "control characters": "a\x00b\x1b[31m\r\n",
}
TEXTS = ("name", "answer.notification_email")
PICKED = ("managed_group", "github_team", "template", "answer.schedule", "answer.compute")
SEVERAL = ("reviewers", "workspace_groups", "data_access")
LEGAL_DESCRIPTIONS = set(HOSTILE) - {"a megabyte", "a Terraform template", "control characters"}
"""Free text may hold these; the next test proves that they are inert."""
LEGAL = (
    "*bold* <!channel> ../x %{if true} {{ 7 * 7 }} {% raw %} $(id) `id` && x | y; 'a' \"b\" "
    "a: [b, {c: d}] # &e !!f \\n \u202egnp.exe\u202c zero\u200bwidth"
)


@pytest.mark.parametrize("kind", HOSTILE)
def test_no_field_takes_what_it_should_not(talk: Conversation, kind: str) -> None:
    text = HOSTILE[kind]
    option = {"text": {"type": "plain_text", "text": "x"}, "value": text}
    states: dict[str, dict[str, Any]] = {
        **{field: {"value": text} for field in TEXTS},
        **{field: {"selected_option": option} for field in PICKED},
        **{field: {"selected_options": [option]} for field in SEVERAL},
        "owners": {"selected_users": [text]},
        DESCRIPTION: {"value": text},
    }
    talk.fill()
    kept = {field: dict(talk.ada.view().values[field][field]) for field in states}
    for block in talk.ada.view().blocks:
        block["optional"] = True
        block.get("element", {}).pop("max_length", None)
    accepted = set()
    for field, state in states.items():
        talk.forge(field, **state)
        errors = talk.ada.submit()
        if errors is None:
            accepted.add(field)
            break
        assert errors.keys() == {field}, errors
        assert "reference" not in errors[field]
        assert len(errors[field]) < 300
        talk.forge(field, **kept[field])
    if accepted:
        talk.press("Cancel Run")
        talk.run_message("Cancelled")
    assert accepted == ({DESCRIPTION} if kind in LEGAL_DESCRIPTIONS else set())


def test_hostile_but_legal_answers_arrive_verbatim(talk: Conversation) -> None:
    talk.fill()
    talk.ada.fill({DESCRIPTION: LEGAL})
    errors = talk.ada.submit()
    assert errors is None, errors
    run = talk.run_message("Waiting for confirmation")
    talk.press("Confirm & Apply")
    talk.run_message("Ready in")
    files = talk.world.github.files(talk.name)
    assert any(LEGAL in content.decode("utf-8", "replace") for content in files.values())
    names = [name for name in files if not re.fullmatch(r"[A-Za-z0-9._/-]+", name)]
    assert names == []
    assert not any(".." in name.split("/") for name in files)
    root = talk.world.directory / "bot" / "terraform" / "projects" / talk.name / "root"
    assert LEGAL not in (root / "main.tf.json").read_text()
    for message in (run, *talk.ada.thread(run)):
        assert "<!channel>" not in message.text
    assert cast.ADA.slack in text_of(run)
