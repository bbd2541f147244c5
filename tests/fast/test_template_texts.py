"""Whatever people type into a template's form arrives as they wrote it, and changes nothing else.

For every template and each of its questions that is answered by text of one's own.
"""

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from provisioning.adapters.bundle_templates import BundleTemplates
from provisioning.errors import UserError

TEMPLATES = BundleTemplates(Path(__file__).parents[2] / "bundle_templates")
LINE = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=100)
READERS: dict[str, Callable[[str], Any]] = {
    ".yml": yaml.safe_load,
    ".toml": tomllib.loads,
    ".json": json.loads,
}
TEXTS = [
    (template, question.name)
    for template in TEMPLATES.names()
    for question in TEMPLATES.questions(template, {"compute": "cluster policy"})
    if question.answer_type == "text" and not question.options
]


def leaves(value: object, path: tuple[object, ...]) -> Iterator[tuple[tuple[object, ...], object]]:
    """Yield the place and the value of everything that is no container."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, (*path, number))
    else:
        yield path, value


def read(files: Mapping[str, bytes]) -> dict[tuple[object, ...], Any]:
    """Return the values of every file that has a form, by where they stand."""
    return dict(
        leaf
        for path, data in files.items()
        if (reader := READERS.get(Path(path).suffix))
        for leaf in leaves(reader(data.decode()), (path,))
    )


def rendered(template: str, **answers: str) -> dict[str, bytes]:
    given = {"project_name": "ada-7", "compute": "cluster policy", **answers}
    return TEMPLATES.render(template, given)


def is_written(text: str, value: object) -> bool:
    """Tell whether a value is the text, with `_` where e.g. a cloud's tags allow no such letter."""
    assert isinstance(value, str)
    pairs = zip(text, value, strict=False)
    return len(text) == len(value) and all(there in (typed, "_") for typed, there in pairs)


def accepted(template: str, question: str, text: str) -> dict[str, bytes]:
    """Return what is rendered, which is nothing where the question's pattern refuses the text."""
    try:
        return rendered(template, **{question: text})
    except UserError as refused:
        if refused.field != question:
            raise
        return {}


@pytest.mark.parametrize(("template", "question"), TEXTS)
@settings(max_examples=15, deadline=None)
@given(LINE)
@example("{{.project_name}} {{`}} ${{ github.token }")
@example("$(reboot) `id` '\"\\ <!channel> %{if} # - : & * !!str \u202e\u200b $5 $")
@example("plain")
@example("a.b+c@example.com")
def test_a_text_stays_in_its_place(template: str, question: str, text: str) -> None:
    known, found = read(rendered(template)), read(accepted(template, question, text))
    assert {place[0] for place in found} in ({place[0] for place in known}, set())
    for place in found.keys() | known.keys():
        if place in found and found[place] != known.get(place):
            assert found[place] is True or is_written(text, found[place]), place


def test_there_are_texts_to_try() -> None:
    assert ("job", "job_description") in TEXTS
    assert {template for template, _ in TEXTS} == set(TEMPLATES.names())
