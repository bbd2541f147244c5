"""Our template engine beside Go's own: the expectations were written by Go (see go_templates/)."""

import json
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL

import pytest

from provisioning.adapters.bundle_templates import BundleContext, TemplateError, evaluator
from provisioning.adapters.bundle_templates.bundle_functions import Identities, bundle_functions
from provisioning.adapters.bundle_templates.functions import BUILTINS
from provisioning.adapters.bundle_templates.parser import parse
from provisioning.errors import UserError

DOCUMENT: dict[str, Any] = json.loads(
    (Path(__file__).parent / "go_templates/cases.json").read_text("utf-8")
)
CONTEXT = BundleContext(seed=NAMESPACE_URL)
SKIPPED: list[str] = []
FUNCTIONS = BUILTINS | bundle_functions(
    CONTEXT, Identities(CONTEXT, "ada"), "case.tmpl", skip=SKIPPED.append
)
NAMES = frozenset(FUNCTIONS) | evaluator.LAZY
RENDERED = [case for case in DOCUMENT["cases"] if "renders" in case]
REFUSED = [case for case in DOCUMENT["cases"] if "fails" in case]


def render(template: str, data: object = None) -> str:
    values = DOCUMENT["data"] if data is None else data
    return evaluator.render(parse("case.tmpl", template, NAMES), {}, FUNCTIONS, values)


def test_gos_verdicts_cover_both_outcomes_broadly() -> None:
    assert len(RENDERED) > 200
    assert len(REFUSED) > 100


@pytest.mark.parametrize("case", RENDERED, ids=lambda case: case["template"])
def test_renders_what_go_renders(case: dict[str, str]) -> None:
    assert render(case["template"]) == case["renders"]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["template"])
def test_refuses_what_go_refuses(case: dict[str, str]) -> None:
    with pytest.raises((TemplateError, UserError)):
        render(case["template"])


@pytest.mark.parametrize(
    ("template", "line", "what"),
    [
        ("one\ntwo {{.nope}}", 2, 'map has no entry for key "nope"'),
        ("\n\n{{if .yes}}", 3, "{{if}} has no {{end}}"),
        ("\n{{unknown}}", 2, "function 'unknown' not defined"),
        ("{{range 2}}\n{{end}}\n{{$x}}", 3, "undefined variable '$x'"),
        ("a\n{{.name\n| len\n| slice}}", 4, "error calling slice: can't slice item of type int"),
        ('\n{{template "t"}}', 2, 'template "t" not defined'),
    ],
)
def test_a_bug_names_its_file_and_line(template: str, line: int, what: str) -> None:
    with pytest.raises(TemplateError) as bug:
        render(template)
    assert (bug.value.file, bug.value.line, bug.value.what) == ("case.tmpl", line, what)
    assert str(bug.value) == f"template case.tmpl:{line}: {what}"


@pytest.mark.parametrize(
    "template",
    [
        '{{define "t"}}{{template "t"}}{{end}}{{template "t"}}',
        "{{range 1000000000}}{{end}}",
        '{{range 100000}}{{printf "%1000s" "x"}}{{end}}',
        '{{printf "%9999999d" 1}}',
    ],
)
def test_endless_templates_are_stopped(template: str) -> None:
    with pytest.raises(TemplateError):
        render(template)


@pytest.mark.parametrize("text", ['{{printf "%x" 1.5}}', '{{printf "%#v" .list}}'])
def test_what_we_do_not_imitate_is_refused_instead_of_guessed(text: str) -> None:
    with pytest.raises(TemplateError, match="not supported"):
        render(text)
