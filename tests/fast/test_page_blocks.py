import json
import re
from datetime import UTC, datetime
from typing import Any

import page_samples as samples
import pytest
from page_samples import Json, option, text

from playground.page.blocks import blocks, one_block
from playground.page.cards import plan_status
from playground.page.place import Place, place_of
from playground.page.reader import Reader
from playground.slack.blocks import message_problems, view_problems
from playground.slack.entities import View

ADA = Reader(
    "U0ADA",
    {"U0ADA": "Ada Lovelace"},
    {"C1": "sciclops"},
    {},
    datetime(2026, 11, 23, 12, tzinfo=UTC),
)
PLACE = Place(ADA, "message:C1:1.0")


def field(element: Json, **more: Any) -> str:
    """Return an input block as HTML."""
    block = samples.input_block("Label", "b", {"action_id": "a"} | element)
    return one_block(block, Place(ADA, "view:V1", **more))


def test_the_samples_are_what_slack_accepts() -> None:
    for message in ([*samples.RUN_HEAD, samples.APPLYING], samples.CONFIRM, [samples.TABLE]):
        assert message_problems(message) == []
    assert view_problems(samples.new_project("Checking…")) == []


def test_a_plan_shows_how_far_it_is_and_each_task_with_its_state() -> None:
    html = one_block(samples.APPLYING, PLACE)
    assert "Applying · 42 s" in html
    assert "4 done" in html
    assert "of 7" not in html
    assert re.findall(r'data-status="(\w+)"', html) == [
        *["complete"] * 4,
        "in_progress",
        *["pending"] * 2,
    ]
    assert html.count('aria-label="Done"') == 4
    assert "51 of 83 resources" in html


@pytest.mark.parametrize(
    ("statuses", "whole"),
    [
        ([], "pending"),
        (["pending"], "pending"),
        (["complete", "pending"], "pending"),
        (["complete", "in_progress", "pending"], "in_progress"),
        (["complete", "complete"], "complete"),
        (["complete", "error", "in_progress"], "error"),
    ],
)
def test_a_plan_is_as_well_as_its_tasks(statuses: list[str], whole: str) -> None:
    assert plan_status(statuses) == whole


def test_a_table_has_a_head_alignment_and_escaped_cells() -> None:
    html = one_block(samples.TABLE, PLACE)
    assert html.count("<th ") == 3
    assert '<td class="right">83</td>' in html
    assert "&lt;b&gt;grace&lt;/b&gt;-churn" in html
    assert "<strong>applying</strong>" in html


def test_a_button_carries_what_a_click_needs() -> None:
    html = one_block(samples.CONFIRM[1], PLACE)
    assert html.count('data-press="button"') == 3
    assert 'class="button primary"' in html
    assert 'data-block="confirm-v1" data-action="confirm"' in html
    found = re.search(r'data-confirm="([^"]*)"', html)
    assert found is not None
    confirm = json.loads(found[1].replace("&quot;", '"'))
    assert confirm["title"] == "Discard this plan?"
    assert confirm["style"] == "danger"


def test_a_confirmation_s_text_is_escaped_twice_for_attribute_and_content() -> None:
    confirm = {
        "title": text("<i>"),
        "text": text("<script>"),
        "confirm": text("y"),
        "deny": text("n"),
    }
    block = {
        "type": "actions",
        "block_id": "b",
        "elements": [samples.button("x", "a", confirm=confirm)],
    }
    html = one_block(block, PLACE)
    assert "&amp;lt;script&amp;gt;" in html
    assert "<script>" not in html


def test_an_overflow_menu_is_a_menu() -> None:
    html = one_block(samples.CONFIRM[1], PLACE)
    assert html.count('role="menuitem"') == 2
    assert 'aria-haspopup="menu"' in html
    assert 'data-choice="cancel"' in html


def test_the_form_s_inputs_are_labelled_and_described() -> None:
    html = blocks(samples.new_project()["blocks"], Place(ADA, "view:V1"))
    for label in re.findall(r'<label [^>]*for="(\w+)"', html):
        assert f'id="{label}"' in html
    labels = len(re.findall(r'<label class="label" for="|<div class="label" id="', html))
    assert labels == len(samples.new_project()["blocks"])
    for group in re.findall(r'aria-labelledby="([\w-]+)"', html):
        assert f'id="{group}"' in html
    described = re.findall(r'aria-describedby="([\w-]+)"', html)
    assert described
    assert all(f'id="{one}"' in html for one in described)


def test_an_error_stands_under_its_input_which_keeps_what_was_entered() -> None:
    values: Json = {"b": {"a": {"type": "plain_text_input", "value": 'a"b<'}}}
    html = field({"type": "plain_text_input"}, values=values, errors={"b": "No <b> please"})
    assert 'value="a&quot;b&lt;"' in html
    assert 'aria-invalid="true"' in html
    error = re.search(r'<p class="error" id="([\w-]+)" role="alert">No &lt;b&gt; please</p>', html)
    assert error is not None
    assert f'aria-describedby="{error[1]}"' in html


def test_an_element_is_the_same_one_as_long_as_block_action_and_type_are() -> None:
    keys = {
        key
        for kind in ("plain_text_input", "email_text_input")
        for action in ("a", "b", "a")
        for key in re.findall(r'data-key="(view[^"]+)"', field({"type": kind, "action_id": action}))
    }
    assert len(keys) == 4


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        (
            {"type": "plain_text_input", "multiline": True, "initial_value": "a\nb"},
            ">a\nb</textarea>",
        ),
        ({"type": "number_input", "is_decimal_allowed": True}, 'inputmode="decimal"'),
        ({"type": "email_text_input"}, 'type="email"'),
        ({"type": "url_text_input"}, 'type="url"'),
        ({"type": "datepicker", "initial_date": "2026-12-24"}, 'value="2026-12-24"'),
        ({"type": "timepicker", "initial_time": "08:30"}, 'value="08:30"'),
        ({"type": "datetimepicker", "initial_date_time": 0}, 'value="1970-01-01T00:00"'),
        ({"type": "users_select", "initial_user": "U0ADA"}, 'value="Ada Lovelace"'),
        (
            {"type": "multi_users_select", "initial_users": ["U0ADA"]},
            'class="chip" data-value="U0ADA"',
        ),
        ({"type": "channels_select", "initial_channel": "C1"}, 'value="#sciclops"'),
        ({"type": "conversations_select", "initial_conversation": "C1"}, 'value="#sciclops"'),
        ({"type": "multi_conversations_select", "initial_conversations": ["C1"]}, ">#sciclops<"),
        ({"type": "external_select", "min_query_length": 2}, 'data-least="2"'),
        (
            {"type": "multi_external_select", "initial_options": [option("T", "t")]},
            'data-value="t"',
        ),
        ({"type": "multi_static_select", "options": [option("T", "t")]}, "data-many"),
        ({"type": "file_input"}, "not available in the playground"),
    ],
)
def test_every_kind_of_input_starts_as_it_should(element: Json, expected: str) -> None:
    assert expected in field(element)


def test_a_select_shows_groups_and_what_is_chosen() -> None:
    groups = [{"label": text("One"), "options": [option("A", "a"), option("B", "b")]}]
    html = field(
        {"type": "static_select", "option_groups": groups, "initial_option": option("B", "b")}
    )
    assert '<optgroup label="One"><option value="a">A</option>' in html
    assert '<option value="b" selected>B</option>' in html


def test_ticks_show_what_is_chosen_and_why_one_would() -> None:
    options = [option("One", "1", "the first"), option("Two", "2")]
    html = field({"type": "checkboxes", "options": options, "initial_options": options[:1]})
    assert html.count(" checked ") == 1
    assert "<small>the first</small>" in html
    assert 'type="radio"' in field({"type": "radio_buttons", "options": options})


@pytest.mark.parametrize(
    ("element", "more", "when"),
    [
        ({"type": "plain_text_input"}, {}, "no"),
        ({"type": "plain_text_input"}, {"dispatch_action": True}, "enter"),
        (
            {
                "type": "plain_text_input",
                "dispatch_action_config": {"trigger_actions_on": ["on_character_entered"]},
            },
            {"dispatch_action": True},
            "character",
        ),
        ({"type": "datepicker"}, {"dispatch_action": True}, "now"),
    ],
)
def test_the_app_hears_of_entries_only_when_it_asked(element: Json, more: Json, when: str) -> None:
    block = samples.input_block("L", "b", {"action_id": "a"} | element, **more)
    assert f'data-dispatch="{when}"' in one_block(block, PLACE)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("data:image/png;base64,iVBORw0KGgo=", True),
        ("http://127.0.0.1:8000/a.png", True),
        ("https://tracker.example/a.png", False),
        ("http://127.0.0.1.evil.example/a.png", False),
        ("data:text/html;base64,PHNjcmlwdD4=", False),
        ("javascript:alert(1)", False),
    ],
)
def test_only_pictures_from_this_machine_are_fetched(url: str, *, shown: bool) -> None:
    html = one_block({"type": "image", "image_url": url, "alt_text": "a chart"}, PLACE)
    assert ("<img " in html) is shown
    assert "a chart" in html


def test_a_button_s_address_must_be_harmless() -> None:
    for url, kept in (("https://a.example/", True), ("javascript:alert(1)", False)):
        block = {"type": "actions", "elements": [samples.button("Go", "go", url=url)]}
        assert ("data-url" in one_block(block, PLACE)) is kept


@pytest.mark.parametrize("level", ["default", "info", "warning", "error", "success"])
def test_an_alert_is_announced_as_urgently_as_it_is(level: str) -> None:
    html = one_block({"type": "alert", "level": level, "text": text("Mind the gap")}, PLACE)
    urgent = level in ("warning", "error")
    assert f'class="banner {level}" role="{"alert" if urgent else "status"}"' in html


def test_a_container_folds_if_it_may() -> None:
    inner = [{"type": "section", "text": text("inside")}]
    block = {"type": "container", "title": text("Details"), "child_blocks": inner}
    assert "<details" not in one_block(block, PLACE)
    folded = one_block(block | {"is_collapsible": True, "default_collapsed": True}, PLACE)
    assert '<details class="box">' in folded
    assert "inside" in folded


def test_an_unknown_block_or_element_is_named_not_dropped() -> None:
    assert "[hologram block]" in one_block({"type": "hologram"}, PLACE)
    actions = {"type": "actions", "elements": [{"type": "lever", "action_id": "a"}]}
    assert "[lever]" in one_block(actions, PLACE)


def test_hostile_text_stays_text_wherever_it_is_put() -> None:
    hostile = samples.HOSTILE
    content: list[Json] = [
        {"type": "header", "text": text(hostile)},
        {"type": "section", "text": text(hostile), "fields": [text(hostile)]},
        {"type": "context", "elements": [text(hostile)]},
        samples.rich(hostile) | {"block_id": "r"},
        samples.plan(hostile, samples.task("t", hostile, "error", hostile, hostile)),
        {"type": "table", "rows": [[{"type": "raw_text", "text": hostile}]]},
        {"type": "markdown", "text": hostile},
        {"type": "alert", "text": text(hostile)},
        {"type": "card", "title": text(hostile), "body": text(hostile)},
        {"type": "actions", "elements": [samples.button(hostile, hostile, hostile)]},
        samples.input_block(hostile, hostile, {"type": "plain_text_input", "action_id": hostile}),
    ]
    html = blocks(content, PLACE)
    assert "<script" not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 15
    assert "mention" not in html


def test_a_view_s_place_has_its_entries_and_errors() -> None:
    view = View("V1", "U0ADA", {"type": "modal", "blocks": []}, "h", "V1", errors={"b": "no"})
    place = place_of(view, ADA)
    assert (place.surface, place.errors) == ("view:V1", {"b": "no"})
