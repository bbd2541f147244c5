"""The questions of a template, and what happens to good, bad and awkward answers."""

import json
import tomllib
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.adapters.bundle_templates import (
    BundleContext,
    BundleTemplates,
    TemplateError,
    evaluator,
    render_bundle,
    schema,
)
from provisioning.adapters.bundle_templates.functions import BUILTINS
from provisioning.adapters.bundle_templates.parser import parse
from provisioning.errors import UserError
from provisioning.questions import Answer, Choice, Question

PROPERTIES: dict[str, dict[str, object]] = {
    "last": {"type": "string", "default": "x"},
    "project_name": {
        "type": "string",
        "order": 1,
        "pattern": "^[a-z-]+$",
        "pattern_match_failure_message": "small letters only",
    },
    "organisation": {"type": "string", "default": "acme", "order": 2},
    "summary": {
        "type": "string",
        "default": "About {{.project_name}}",
        "order": 3,
        "description": "What is it?\nOne sentence.",
    },
    "size": {"type": "string", "default": "small", "enum": ["small", "large"], "order": 4},
    "workers": {
        "type": "integer",
        "default": 2,
        "order": 5,
        "skip_prompt_if": {"properties": {"size": {"const": "small"}}},
    },
    "share": {"type": "number", "default": 0.5, "order": 6},
    "urgent": {"type": "boolean", "default": False, "order": 7},
    "contact": {"type": "string", "order": 8, "description": "Whom to ask?"},
}
TEXT = "{{.project_name}} - {{.summary}} {{.size}} {{.workers}} {{.share}} {{.urgent}} {{.contact}}"


@pytest.fixture
def templates(tmp_path: Path) -> BundleTemplates:
    folder = tmp_path / "demo"
    (folder / "template/{{.project_name}}").mkdir(parents=True)
    (folder / "template/{{.project_name}}/x.tmpl").write_text(TEXT)
    (folder / schema.SCHEMA_FILE).write_text(json.dumps({"properties": PROPERTIES}))
    return BundleTemplates(tmp_path)


def test_questions_come_in_order_without_those_the_bot_answers(templates: BundleTemplates) -> None:
    asked = templates.questions("demo", {"size": "large"})
    assert [question.name for question in asked] == [
        "summary", "size", "workers", "share", "urgent", "contact", "last",
    ]  # fmt: skip


def test_a_question_has_all_that_a_form_needs(templates: BundleTemplates) -> None:
    summary, size, *_, contact, _last = templates.questions("demo", {"project_name": "ada"})
    assert summary == Question(
        name="summary", title="What is it?", default="About ada", optional=True,
        hint="One sentence.", order=2,
    )  # fmt: skip
    assert size.options == (
        Choice(value="small", label="small"),
        Choice(value="large", label="large"),
    )
    assert (summary.kind, size.kind, contact.kind) == ("text", "choice", "text")
    assert (contact.title, contact.default, contact.optional) == ("Whom to ask?", None, False)


def test_a_default_that_needs_another_answer_stays_open_until_it_is_given(
    templates: BundleTemplates,
) -> None:
    summary = templates.questions("demo")[0]
    assert (summary.default, summary.optional) == (None, True)


def test_a_question_is_skipped_while_its_condition_holds(templates: BundleTemplates) -> None:
    def asked(**answers: Answer) -> bool:
        return "workers" in {question.name for question in templates.questions("demo", answers)}

    assert not asked()
    assert not asked(size="small")
    assert asked(size="large")


def test_defaults_fill_what_is_not_answered(templates: BundleTemplates) -> None:
    files = templates.render("demo", {"project_name": "ada", "contact": "Grace"})
    assert files == {"x": b"ada - About ada small 2 0.5 false Grace"}


@pytest.mark.parametrize(
    ("answers", "field", "words"),
    [
        ({}, "project_name", "please answer"),
        ({"project_name": "Ada"}, "project_name", "small letters only"),
        ({"project_name": "ada\n"}, "project_name", "small letters only"),
        ({"project_name": ""}, "project_name", "small letters only"),
        ({"project_name": "../x"}, "project_name", "small letters only"),
        ({"project_name": "ada"}, "contact", "Whom to ask.*please answer"),
        ({"project_name": "ada", "size": "huge"}, "size", "choose one of small, large"),
        ({"project_name": "ada", "workers": "2"}, "workers", "a whole number"),
        ({"project_name": "ada", "workers": True}, "workers", "a whole number"),
        ({"project_name": "ada", "urgent": 1}, "urgent", "yes or no"),
        ({"project_name": "ada", "summary": None}, "summary", "text"),
        ({"project_name": "ada", "summary": "x" * 3001}, "summary", "at most 3000"),
        ({"project_name": "ada", "summary": "x" * 1_000_000}, "summary", "at most 3000"),
        ({"project_name": "ada", "summary": "a\0b"}, "summary", "control characters"),
        ({"project_name": "ada", "summary": "a\x1b[31m"}, "summary", "control characters"),
        ({"project_name": "ada", "summary": "a\ud800"}, "summary", "control characters"),
        ({"project_name": "ada", "colour": "red"}, "colour", "no question 'colour'"),
    ],
)
def test_a_bad_answer_is_refused_at_its_question(
    templates: BundleTemplates, answers: dict[str, object], field: str, words: str
) -> None:
    with pytest.raises(UserError, match=words) as refused:
        templates.check("demo", answers)
    assert refused.value.field == field


def test_answers_of_the_bot_that_a_template_does_not_ask_for_are_ignored(
    templates: BundleTemplates,
) -> None:
    given = {"project_name": "ada", "contact": "x"}
    templates.check("demo", {**given, "platform_team": "platform"})
    assert templates.render("demo", {**given, "platform_team": "x"}) == templates.render(
        "demo", given
    )


def test_an_answer_to_a_dropped_question_does_not_stop_a_rendering(
    templates: BundleTemplates,
) -> None:
    answers = {"project_name": "ada", "contact": "x", "colour": "red"}
    assert templates.render("demo", answers)["x"].startswith(b"ada - ")


def test_defaults_may_use_the_library_and_the_helpers(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    for part in ("library", "template"):
        (folder / part).mkdir(parents=True)
    (folder / "library/x.tmpl").write_text('{{define "who"}}Ada of {{default_catalog}}{{end}}')
    (folder / "template/x.tmpl").write_text("{{.who}}, {{.share}}, {{eq .share 2.0}}")
    properties = {
        "who": {"type": "string", "default": '{{template "who" .}}'},
        "share": {"type": "number", "default": 2},
    }
    (folder / schema.SCHEMA_FILE).write_text(json.dumps({"properties": properties}))
    rendered = render_bundle(folder, {}, BundleContext(default_catalog="main"))
    assert rendered == {"x": b"Ada of main, 2, true"}
    nowhere = BundleTemplates(tmp_path).questions("demo")
    assert {question.name: question.default for question in nowhere} == {"share": 2, "who": None}


@pytest.mark.parametrize(
    ("default", "words"),
    [
        ("{{.nope}}", "no entry for key"),
        ('{{skip "x"}}', "belongs into a file"),
        ("{{", "unclosed"),
    ],
)
def test_a_broken_default_is_a_bug_of_the_template(
    tmp_path: Path, default: str, words: str
) -> None:
    (tmp_path / "demo/template").mkdir(parents=True)
    properties = {"who": {"type": "string", "default": default}}
    (tmp_path / "demo" / schema.SCHEMA_FILE).write_text(json.dumps({"properties": properties}))
    with pytest.raises(TemplateError, match=words) as bug:
        render_bundle(tmp_path / "demo", {}, BundleContext())
    assert bug.value.file == schema.SCHEMA_FILE


def test_what_an_installation_knows_is_answered_for_all_its_projects(
    templates: BundleTemplates,
) -> None:
    here = BundleTemplates(templates.folder, BundleContext(answers={"summary": "from here"}))
    given = {"project_name": "ada", "contact": "x"}
    assert here.render("demo", given)["x"].startswith(b"ada - from here ")
    assert here.render("demo", {**given, "summary": "mine"})["x"].startswith(b"ada - mine ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not valid JSON"),
        ('{"properties": {"a": {"type": "array"}}}', r"properties\.a\.type"),
        ('{"properties": {"a": {"type": "integer", "default": "x"}}}', "default of a"),
        ('{"properties": {"a": {"type": "string", "enum": [1]}}}', "enum value 1 of a"),
        ('{"properties": {"a": {"type": "string", "pattern": "a(?=b)"}}}', "pattern of a"),
        ('{"properties": {"a": {"type": "string", "pattern": "["}}}', "pattern of a"),
    ],
)
def test_a_broken_schema_is_a_bug_of_the_template(
    templates: BundleTemplates, text: str, words: str
) -> None:
    (templates.folder / "demo" / schema.SCHEMA_FILE).write_text(text)
    with pytest.raises(TemplateError, match=words) as bug:
        templates.questions("demo")
    assert bug.value.file == "demo/databricks_template_schema.json"


@pytest.mark.parametrize(
    ("answer_type", "typed", "read"),
    [("text", " 1 ", " 1 "), ("whole_number", "-3", -3), ("number", "0.5", 0.5),
     ("yes_no", "Yes", True), ("yes_no", "false", False)],
)  # fmt: skip
def test_typed_answers_get_their_type(answer_type: str, typed: str, read: Answer) -> None:
    question = Question.model_validate({"name": "q", "title": "Q?", "answer_type": answer_type})
    assert question.read(typed) == read
    assert type(question.read(typed)) is type(read)


@pytest.mark.parametrize(
    ("answer_type", "typed"), [("whole_number", "3.5"), ("number", "many"), ("yes_no", "perhaps")]
)
def test_what_cannot_be_read_is_refused_at_its_question(answer_type: str, typed: str) -> None:
    question = Question.model_validate({"name": "q", "title": "Q?", "answer_type": answer_type})
    with pytest.raises(UserError, match=r"Q\?: please give") as refused:
        question.read(typed)
    assert refused.value.field == "q"


AWKWARD = [
    "{{.project_name}}", "{{`", "{% raw %}", "${file('/etc/hostname')}", "$(reboot)", "`id`",
    "%{if true}", "a: b", "- x", "# y", "!!python/object", "&a *a", "'\"\\", "<!channel>", "*b*",
    "\u202eabc\u2066", "a\u200b\u200d\ufeffb", "line\nline\ttab", "yes", "null", "0x1f", "1e3", "~",
    "\u2028\u2029\u00a0", "😀é", "\U000e0041", "]]>", '"""', "'''", "%s %d",
]  # fmt: skip
ANY_TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\n\t{}$%\"'\\`#:&*!"),
    max_size=200,
)


def quoted(text: str) -> str:
    parsed = parse("x", '{{printf "%q" .text}}', frozenset(BUILTINS))
    return evaluator.render(parsed, {}, BUILTINS, {"text": text})


def arrives_everywhere(text: str) -> None:
    literal = quoted(text)
    assert yaml.safe_load(f"key: {literal}") == {"key": text}
    assert tomllib.loads(f"key = {literal}") == {"key": text}
    scope: dict[str, object] = {}
    exec(f"key = {literal}", {}, scope)
    assert scope["key"] == text


@pytest.mark.parametrize("text", AWKWARD)
def test_quoted_text_arrives_verbatim_in_yaml_toml_and_python(text: str) -> None:
    arrives_everywhere(text)


@settings(deadline=None)
@given(ANY_TEXT)
def test_any_text_that_is_accepted_arrives_verbatim(text: str) -> None:
    arrives_everywhere(text)


@pytest.mark.parametrize("text", AWKWARD)
def test_text_is_never_evaluated_again(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "demo"
    (folder / "template").mkdir(parents=True)
    (folder / "template/x.tmpl").write_text("<{{.summary}}>")
    properties = {"summary": {"type": "string"}}
    (folder / schema.SCHEMA_FILE).write_text(json.dumps({"properties": properties}))
    rendered = render_bundle(folder, {"summary": text}, BundleContext())
    assert rendered == {"x": f"<{text}>".encode()}
