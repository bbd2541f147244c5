"""A template's questions in the form of `/sciclops new`: asked while they are of use."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from rows import a_spec

from bot import forms
from bot.payloads import request_of_view
from commands.command import Field, Form, Value
from commands.new import kept, question_fields, read_answers, simplest
from commands.project_fields import template_objections
from provisioning.adapters.bundle_templates import BundleTemplates
from provisioning.adapters.bundle_templates.schema import SCHEMA_FILE
from provisioning.errors import UserError
from provisioning.policy import Naming, Policy
from provisioning.project import STAGES, template_title
from provisioning.redaction import SecretRedactor

PROPERTIES = {
    "project_name": {"type": "string", "pattern": "^[a-z]+$", "order": 1},
    "github_team": {"type": "string", "default": "x", "pattern": "^[a-z]+$", "order": 2},
    "organisation": {"type": "string", "pattern": "^[a-z]+$", "default": "ACME", "order": 3},
    "alerts": {"type": "boolean", "default": False, "order": 4},
    "level": {"type": "string", "default": "all", "enum": ["all", "some"], "order": 5},
    "address": {
        "type": "string",
        "default": "{{.project_name}}@example.com",
        "pattern": "^[^@]+@example.com$",
        "skip_prompt_if": {
            "anyOf": [
                {"properties": {"alerts": {"const": False}}},
                {"properties": {"level": {"const": "some"}, "github_team": {"const": "owls"}}},
            ]
        },
        "order": 6,
    },
}
TEMPLATES = Path(__file__).parents[2] / "bundle_templates"
ASKED = ["answer.alerts", "answer.level", "answer.address"]


@pytest.fixture
def templates(tmp_path: Path) -> BundleTemplates:
    (tmp_path / "demo/template").mkdir(parents=True)
    properties = {name: about for name, about in PROPERTIES.items() if name != "organisation"}
    (tmp_path / "demo" / SCHEMA_FILE).write_text(json.dumps({"properties": properties}))
    return BundleTemplates(tmp_path)


def fields(templates: BundleTemplates, **values: Value) -> dict[str, Field]:
    said = {name.replace("answer_", "answer."): value for name, value in values.items()}
    return {field.name: field for field in question_fields("demo", said, templates)}


def test_a_field_comes_and_goes_with_the_answers_it_depends_on(templates: BundleTemplates) -> None:
    assert list(fields(templates)) == ASKED[:2]
    assert list(fields(templates, answer_alerts="yes")) == ASKED
    assert list(fields(templates, answer_alerts="yes", answer_level="some")) == ASKED
    gone = fields(templates, answer_alerts="yes", answer_level="some", github_team="owls")
    assert list(gone) == ASKED[:2]


def test_a_choice_always_has_an_answer_and_an_empty_field_says_what_it_means() -> None:
    asked = {field.name: field for field in question_fields("job", {}, BundleTemplates(TEMPLATES))}
    schedule, description = asked["answer.schedule"], asked["answer.job_description"]
    assert (schedule.kind, schedule.initial, schedule.optional) == ("choice", "daily", False)
    assert description.optional
    assert description.hint.endswith("Left empty, it is “Counts what happened per day”.")
    assert asked["answer.notification_email"].hint.endswith("leave it empty for nobody.")


def test_people_read_a_templates_name_not_its_folder() -> None:
    offered = [template_title(name) for name in BundleTemplates(TEMPLATES).names()]
    assert offered == ["Dashboard report", "Job", "Lakeflow pipeline", "ML workflow"]


def test_the_form_begins_with_the_template_that_asks_least(templates: BundleTemplates) -> None:
    assert simplest(BundleTemplates(TEMPLATES)) == "job"
    for name, asked in (("alpha", ("a", "b", "c")), ("beta", ("a",))):
        properties = {question: {"type": "string", "default": "x"} for question in asked}
        (templates.folder / name).mkdir()
        schema = json.dumps({"properties": properties})
        (templates.folder / name / SCHEMA_FILE).write_text(schema)
    assert simplest(templates) == "beta"


def test_the_fields_that_decide_are_live(templates: BundleTemplates) -> None:
    live = {name: field.live for name, field in fields(templates, answer_alerts="yes").items()}
    assert live == {"answer.alerts": True, "answer.level": True, "answer.address": False}


def test_what_is_typed_into_a_needless_field_is_no_answer(templates: BundleTemplates) -> None:
    values: dict[str, Value] = {"name": "ada", "answer.address": "nonsense"}
    assert read_answers("demo", values, templates) == {}
    values |= {"answer.alerts": "yes", "answer.address": " a@example.com "}
    assert read_answers("demo", values, templates) == {"alerts": True, "address": "a@example.com"}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": "ada", "answer.alerts": "yes", "answer.address": "nobody"}, "answer.address"),
        ({"name": "ada", "answer.alerts": "perhaps"}, "answer.alerts"),
        ({"name": "Ada"}, "name"),
        ({}, "name"),
        ({"name": "ada", "github_team": "a team"}, "github_team"),
    ],
)
def test_a_template_objects_on_the_field_that_was_asked(
    templates: BundleTemplates, values: dict[str, Value], field: str
) -> None:
    with pytest.raises(UserError) as refused:
        read_answers("demo", values, templates)
    assert refused.value.field == field


def test_what_no_field_can_mend_is_said_of_the_template(templates: BundleTemplates) -> None:
    (templates.folder / "demo" / SCHEMA_FILE).write_text(json.dumps({"properties": PROPERTIES}))
    with pytest.raises(UserError) as refused:
        read_answers("demo", {"name": "ada"}, templates)
    assert refused.value.field == "template"


def test_a_template_may_object_to_what_follows_from_the_workspace_groups() -> None:
    policy = a_policy({"gbx1": dict.fromkeys(STAGES, "gbx1_dev")})
    assert template_objections(a_spec(), policy, BundleTemplates(TEMPLATES)) == {}
    policy = a_policy({"gbx1": dict.fromkeys(STAGES, "a catalog")})
    (found,) = template_objections(a_spec(), policy, BundleTemplates(TEMPLATES)).items()
    assert found[0] == "workspace_groups"
    assert "stage=catalog" in found[1]


def test_what_is_not_asked_now_is_kept_but_for_secrets() -> None:
    entered: dict[str, Value] = {"a": "x", "b": "y", "c": "github_pat_" + "1Ab" * 28, "d": ("z",)}
    assert kept(entered, [Field("a", "a", "text")], SecretRedactor()) == {"b": "y", "d": ("z",)}


def a_policy(catalogs: dict[str, dict[str, str]]) -> Policy:
    return Policy(
        naming=Naming(pattern=".*", explanation=""),
        workspace_groups=dict.fromkeys(catalogs, ""),
        catalogs=catalogs,
        data=(),
        confirm_create="nobody",
        confirmation_expires=timedelta(hours=1),
        platform_group="",
        users_group="",
        channel="",
        announcements="",
        sandbox_default=timedelta(days=1),
        sandbox_maximum=timedelta(days=1),
    )


def asking(*names: str, **kept: Value) -> Form:
    shown = tuple(Field(name, name, "text") for name in names)
    return Form("New project", "Create", ("new",), shown, kept=kept)


def test_what_is_kept_comes_back_unless_it_is_entered_anew() -> None:
    view = forms.view(asking("text", one="é", many=("a", "b"), none=None, text="old"), "C1")
    state = {"values": {"text": {"text": {"type": "plain_text_input", "value": "new"}}}}
    request = request_of_view({"user": {"id": "U1"}}, {**view, "state": state})
    assert request.values == {"one": "é", "many": ("a", "b"), "text": "new"}
    assert (request.words, request.channel) == (("new",), "C1")


def test_the_longest_of_what_is_kept_goes_where_slack_has_no_room() -> None:
    view = forms.view(asking("text", long="x" * 2_500, longer="é" * 2_600, short="y"), "C1")
    assert len(view["private_metadata"]) <= 3_000
    assert forms.kept(json.loads(view["private_metadata"])) == {"long": "x" * 2_500, "short": "y"}


def test_a_live_number_is_followed_as_it_is_typed() -> None:
    form = Form("t", "s", ("new",), (Field("n", "n", "number", live=True),))
    (block,) = forms.view(form, "C1")["blocks"]
    assert block["dispatch_action"]
    triggers = block["element"]["dispatch_action_config"]["trigger_actions_on"]
    assert triggers == ["on_character_entered"]
