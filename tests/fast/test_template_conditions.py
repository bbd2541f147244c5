"""Which questions other answers make needless, and what they are taken to be answered with."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provisioning.adapters.bundle_templates import BundleTemplates, TemplateError
from provisioning.adapters.bundle_templates.schema import SCHEMA_FILE
from provisioning.errors import UserError
from provisioning.questions import Answer

Make = Callable[..., BundleTemplates]
ORDER: dict[str, dict[str, Any]] = {
    "project_name": {"type": "string", "default": "ada"},
    "github_team": {"type": "string", "default": "science"},
    "text": {"type": "string", "default": ""},
    "truth": {"type": "boolean", "default": False},
    "whole": {"type": "integer", "default": 0},
    "number": {"type": "number", "default": 0.5},
}
NEEDLESS = {"type": "string", "default": "of {{.text}}", "pattern": "^never this$"}


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Make a template that asks for a text, a truth value, two numbers, and what is given."""

    def made(**more: dict[str, Any]) -> BundleTemplates:
        properties = {
            name: {**about, "order": place}
            for place, (name, about) in enumerate({**ORDER, **more}.items())
        }
        folder = tmp_path / "demo"
        (folder / "template/{{.project_name}}").mkdir(parents=True, exist_ok=True)
        file = folder / "template/{{.project_name}}/x.tmpl"
        file.write_text(" ".join(f"{{{{.{name}}}}}" for name in more))
        (folder / SCHEMA_FILE).write_text(json.dumps({"properties": properties}))
        return BundleTemplates(tmp_path)

    return made


def asked(templates: BundleTemplates, **answers: Answer) -> set[str]:
    return {question.name for question in templates.questions("demo", answers)} - ORDER.keys()


def const(**constants: Answer) -> dict[str, Any]:
    return {"properties": {name: {"const": value} for name, value in constants.items()}}


@pytest.mark.parametrize(
    ("condition", "needless", "needed"),
    [
        (const(text="a", truth=True), [{"text": "a", "truth": True}],
         [{}, {"text": "a"}, {"truth": True}, {"text": "b", "truth": True}]),
        ({"anyOf": [const(text="a"), const(text="b", truth=True)]},
         [{"text": "a"}, {"text": "b", "truth": True}], [{"text": "b"}, {"truth": True}]),
        ({**const(truth=True), "anyOf": [const(text="a"), const(text="b")]},
         [{"text": "b", "truth": True}], [{"text": "b"}, {"truth": True}]),
        ({"anyOf": [{"anyOf": [const(text="a")]}, const(text="b")]},
         [{"text": "a"}, {"text": "b"}], [{}]),
        (const(truth=False), [{}, {"truth": False}], [{"truth": True}]),
        (const(number=1), [{"number": 1.0}], [{"number": 1.5}, {}]),
        ({"properties": {"text": {"enum": ["a", "b"]}}}, [{"text": "b"}], [{"text": "c"}]),
        ({"properties": {"text": {"pattern": "^a+$"}}}, [{"text": "aa"}], [{"text": "ab"}]),
        ({"properties": {"whole": {"type": "integer"}}}, [{}], []),
        ({"required": ["text"]}, [{}], []),
        ({"additionalProperties": False, **const(text="a")}, [], [{"text": "a"}]),
        (const(project_name="grace", github_team="owls"),
         [{"project_name": "grace", "github_team": "owls"}], [{}, {"github_team": "owls"}]),
        ({}, [{}, {"text": "a"}], []),
    ],
)  # fmt: skip
def test_a_question_is_asked_unless_its_condition_holds(
    make: Make,
    condition: dict[str, Any],
    needless: list[dict[str, Answer]],
    needed: list[dict[str, Answer]],
) -> None:
    templates = make(last={**NEEDLESS, "skip_prompt_if": condition})
    assert [answers for answers in needless if asked(templates, **answers)] == []
    assert [answers for answers in needed if not asked(templates, **answers)] == []


def test_typed_texts_are_read_before_they_are_compared(make: Make) -> None:
    templates = make(last={**NEEDLESS, "skip_prompt_if": const(truth=True, number=2)})
    assert asked(templates, truth="no", number="2") == {"last"}
    assert asked(templates, truth="yes", number="2.0") == set()
    assert asked(templates, truth="perhaps", number="2.0") == {"last"}


def test_a_needless_question_counts_with_its_default_whatever_was_typed(make: Make) -> None:
    first = {**NEEDLESS, "default": "x", "skip_prompt_if": const(truth=True)}
    templates = make(first=first, second={**NEEDLESS, "skip_prompt_if": const(first="x")})
    assert asked(templates, first="y") == {"first", "second"}
    assert asked(templates, first="y", truth=True) == set()


def test_what_decides_is_marked_along_with_what_its_default_is_made_of(make: Make) -> None:
    templates = make(
        made={"type": "string", "default": "{{.text}}"},
        last={**NEEDLESS, "skip_prompt_if": const(made="x")},
    )
    marked = {question.name for question in templates.questions("demo") if question.decides}
    assert marked == {"text", "truth", "whole", "number", "made"}
    assert not any(question.decides for question in make(made=NEEDLESS).questions("demo"))


def test_a_needless_question_has_its_rendered_default_and_no_pattern(make: Make) -> None:
    templates = make(last={**NEEDLESS, "skip_prompt_if": const(truth=True)})
    answers = {"project_name": "ada", "text": "this", "truth": True}
    templates.check("demo", answers)
    assert templates.render("demo", answers) == {"x": b"of this"}
    with pytest.raises(UserError, match="never this") as refused:
        templates.check("demo", {**answers, "truth": False})
    assert refused.value.field == "last"


def test_a_needless_number_keeps_its_type(make: Make) -> None:
    share = {"type": "number", "default": 2, "skip_prompt_if": const(truth=False)}
    assert make(share=share).render("demo", {"project_name": "ada"}) == {"x": b"2"}
    compared = make(share=share, same={"type": "string", "default": "{{eq .share 2.0}}"})
    assert compared.render("demo", {"project_name": "ada"}) == {"x": b"2 true"}


def test_an_answer_that_is_given_all_the_same_stands_and_is_checked(make: Make) -> None:
    templates = make(last={**NEEDLESS, "skip_prompt_if": const(truth=False)})
    given = {"project_name": "ada", "last": "never this"}
    assert templates.render("demo", given) == {"x": b"never this"}
    with pytest.raises(UserError, match="never this"):
        templates.render("demo", {**given, "last": "that"})


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"not": {}}, r"skip_prompt_if\.not: databricks bundle init takes no notice of this"),
        ({"allOf": [const(text="a")]}, "allOf: databricks bundle init takes no notice"),
        ({"oneOf": [const(text="a")]}, "oneOf: databricks bundle init takes no notice"),
        ({"properties": {"text": {"minLength": 1}}}, "minLength: databricks bundle init takes no"),
        ({"anyOf": [{"properties": {"text": {"not": {}}}}]}, "not: databricks bundle init takes"),
        ({"additionalProperties": True}, "additionalProperties"),
        ({"anyOf": []}, "anyOf: .* at least 1 item"),
        ({"properties": {"text": {"const": ["a"]}}}, "const"),
        (const(later="x"), "the skip_prompt_if of last: later is not asked before"),
        (const(last="x"), "last is not asked before"),
        ({"required": ["nowhere"]}, "nowhere is not asked before"),
        ({"anyOf": [const(text="a"), const(nowhere=1)]}, "nowhere is not asked before"),
        (const(whole=1), "whole is a whole number, .* equal to no constant"),
        ({"properties": {"whole": {"enum": [1, 2]}}}, "whole is a whole number"),
        (const(truth=1), "truth is of type boolean, so it is never 1"),
        (const(text=True), "text is of type string, so it is never True"),
        (const(number="1"), "number is of type number, so it is never '1'"),
        ({"properties": {"text": {"type": "boolean"}}}, "text is of type string, not boolean"),
        ({"properties": {"number": {"pattern": "1"}}}, "of type number, which has no pattern"),
        ({"properties": {"text": {"pattern": "a(?=b)"}}}, "text has a pattern that is refused"),
    ],
)
def test_a_condition_that_cannot_work_is_a_bug_of_the_template(
    make: Make, condition: dict[str, Any], words: str
) -> None:
    templates = make(
        last={**NEEDLESS, "skip_prompt_if": condition}, later={"type": "string", "default": ""}
    )
    with pytest.raises(TemplateError, match=words) as bug:
        templates.questions("demo")
    assert bug.value.file == f"demo/{SCHEMA_FILE}"


def test_what_may_be_needless_needs_a_default(make: Make) -> None:
    templates = make(last={"type": "string", "skip_prompt_if": const(text="a")})
    with pytest.raises(TemplateError, match="last has a skip_prompt_if, but no default"):
        templates.questions("demo")
