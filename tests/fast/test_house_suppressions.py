"""Suppressions are counted, and their number only shrinks."""

import ast
import io
import json
import re
import tokenize
from collections import Counter

import pytest
from house import ROOT, dotted, python_files

COMMITTED = ROOT / "tests" / "suppressions.json"
COMMENTS = {
    "noqa": re.compile(r"#\s*(?:ruff:\s*)?noqa\b"),
    "type: ignore": re.compile(r"#\s*(?:type:\s*ignore|mypy:)"),
    "pragma": re.compile(r"#\s*pragma\b"),
    "fmt": re.compile(r"#\s*fmt:\s*(?:off|skip)"),
}
LIKELY = re.compile("noqa|type:|mypy:|pragma|fmt:|pytest.(mark|skip|xfail|importorskip)")
SKIPPING = {"skip", "skipif", "xfail", "importorskip"}


def suppressions(code: str) -> Counter[str]:
    """Count a module's suppressions by kind; texts that look like one don't count."""
    found: Counter[str] = Counter()
    if not LIKELY.search(code):
        return found
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT:
            found.update(kind for kind, pattern in COMMENTS.items() if pattern.search(token.string))
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Attribute) and node.attr in SKIPPING:
            found["skip"] += dotted(node).startswith("pytest.")
    return +found


def test_the_number_of_suppressions_only_shrinks() -> None:
    counted = sum((suppressions(path.read_text()) for path in python_files()), Counter[str]())
    committed = Counter(json.loads(COMMITTED.read_text()))
    assert counted - committed == Counter(), (
        "more than before: mend what the tools found instead of hiding it"
    )
    assert committed - counted == Counter(), f"fewer than before: lower {COMMITTED.name}"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("x = 1  # no" + "qa: E501", "noqa"),
        ("# ruff: no" + "qa", "noqa"),
        ("x = 1  # type: ig" + "nore[misc]", "type: ignore"),
        ("# mypy: ignore-errors", "type: ignore"),
        ("x = 1  # pra" + "gma: no cover", "pragma"),
        ("# fmt: off", "fmt"),
        ("pytest.skip('later')", "skip"),
        ("@pytest.mark.xfail\ndef test_x(): ...", "skip"),
    ],
)
def test_a_suppression_is_counted(code: str, kind: str) -> None:
    assert suppressions(code) == Counter({kind: 1})


def test_a_text_about_suppressions_is_none() -> None:
    assert suppressions("x = '# no" + "qa'  # quality\nskip()") == Counter()
