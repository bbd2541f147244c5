"""`sciclops.yml`: what it says, what it may not say, and what a change of it changes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import a_spec

from provisioning.project import DataAccess, ProjectSpec, Reviewer
from provisioning.spec_file import LARGEST, UnreadableError, proposed, read, refusals, written

SPEC = a_spec("ada-7", "U-ada", "U-grace").model_copy(
    update={
        "reviewers": (Reviewer(kind="team", name="ml"), Reviewer(kind="user", name="yes")),
        "data_access": (DataAccess(securable="one.sales", level="read"),),
    }
)


def changed(**parts: Any) -> ProjectSpec:
    """Return the project with other parts."""
    return SPEC.model_copy(update=parts)


def problems(content: bytes) -> list[tuple[int, str]]:
    """Return what is wrong with a file."""
    with pytest.raises(UnreadableError) as wrong:
        read(content, SPEC)
    return [(one.line, one.what) for one in wrong.value.problems]


def edited(old: str, new: str) -> bytes:
    """Return the file with one thing said otherwise."""
    text = written(SPEC).decode()
    assert old in text
    return text.replace(old, new).encode()


def test_what_was_written_is_read_and_people_find_all_of_it() -> None:
    assert read(written(SPEC), SPEC).spec == SPEC
    text = written(SPEC).decode()
    assert "- team: ml\n" in text
    assert "- read: one.sales\n" in text
    assert "Refused on the pull request: to make yourself an owner" in text


words = st.text("abcxyz0189-_.é", min_size=1).map(lambda word: f"w{word}")


@given(st.lists(words, min_size=1, unique=True), words, words)
def test_any_words_come_back_as_they_are(owners: list[str], group: str, team: str) -> None:
    spec = changed(owners=tuple(owners), managed_group=group, github_team=team)
    read_again = read(written(spec), SPEC).spec
    assert set(read_again.owners) == set(owners)
    assert (read_again.managed_group, read_again.github_team) == (group, team)


@pytest.mark.parametrize("word", ["yes", "1e3", "0123", "null", "2026-01-01"])
def test_words_stay_words_whatever_yaml_makes_of_them(word: str) -> None:
    assert read(edited(f"github_team: {SPEC.github_team}", f"github_team: {word}"), SPEC).spec == (
        changed(github_team=word)
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("name: ada-7", "name: ada-8", "The name of a project stays: it is ada-7."),
        ("template: ", "template: x", f"The template of a project stays: it is {SPEC.template}."),
        ("owners:", "owner:", "There is no part 'owner'"),
        ("github_team:", "github_team: a\ngithub_team:", "github_team is said twice."),
        ("owners:\n- U-ada\n- U-grace", "owners: U-ada", "owners is a list"),
        ("- team: ml", "- ml", "reviewers is a list of “- team: …” or “- user: …”."),
        ("- read: one", "- own: one", "data_access is a list of “- read: …” or “- write: …”."),
        ("- team: ml", "- team: ''", "reviewers takes one word here."),
        ("- U-ada", "- [U-ada]", "owners takes one word here."),
        ("- U-ada", "- &a U-ada\n- *a", "Aliases are not understood."),
        ("- U-ada", "- {U-ada", "This is not YAML"),
        ("- team: ml", "- team: ml\n  user: me", "reviewers is a list of"),
    ],
)
def test_what_cannot_be_is_said_in_its_line(old: str, new: str, said: str) -> None:
    content = edited(old, new)
    found = problems(content)
    assert said in " ".join(what for _, what in found)
    assert all(1 <= line <= content.count(b"\n") for line, _ in found)


@pytest.mark.parametrize("part", ["sandbox_until", "authentication", "secrets"])
def test_other_matters_are_named_with_where_they_are_settled(part: str) -> None:
    found = problems(written(SPEC) + f"{part}: x\n".encode())
    assert found[0][0] == written(SPEC).count(b"\n") + 1
    assert "no part" not in found[0][1]


@pytest.mark.parametrize(
    "content",
    [b"", b"- a", b"\xff", b"a: " + b"[" * 5000, b"#" * (LARGEST + 1), b"? [a]\n: b", b"---\n---"],
)
def test_what_is_no_specification_at_all_is_refused(content: bytes) -> None:
    assert problems(content)


def test_all_that_is_missing_is_named_at_once() -> None:
    missing = [what for _, what in problems(b"name: ada-7\n")]
    assert "The part owners is missing." in missing
    assert "The part reviewers is missing." in missing


def test_a_change_of_an_old_file_undoes_nothing_that_was_changed_otherwise() -> None:
    old = SPEC
    present = changed(owners=("U-ada", "U-grace", "U-sam"))
    said = changed(github_team="others")
    assert proposed(present, old, said) == present.model_copy(update={"github_team": "others"})
    assert proposed(present, None, said) == said


@pytest.mark.parametrize(
    ("owners", "author", "why"),
    [
        (("U-ada", "U-grace", "U-sam"), "U-sam", "Nobody makes themselves an owner"),
        (("U-ada",), "U-ada", "Nobody removes all other owners"),
        (("U-sam",), "U-ada", "Not all owners at once can be replaced"),
        ((), "U-ada", "Not all owners at once can be replaced"),
        (("U-ada", "U-grace", "U-sam"), "U-ada", ""),
        (("U-ada",), "U-grace", ""),
        (("U-ada", "U-grace"), "U-ada", ""),
    ],
)
def test_who_proposes_it_does_not_raise_themselves(
    owners: tuple[str, ...], author: str, why: str
) -> None:
    found = refusals(SPEC, changed(owners=owners), author)
    assert why in found.get("owners", "")
    assert bool(found) == bool(why)
